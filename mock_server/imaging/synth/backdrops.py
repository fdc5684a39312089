"""Places where vehicles are photographed: a street, a parking lot, a garage, a country road."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from mock_server.imaging.synth.pixels import Colour, Pixels, blurred, from_image, gradient, over, smooth_noise
from mock_server.imaging.synth.vehicles import Surroundings

HORIZON = 0.40
"""Height of the horizon in every backdrop, as a part of the picture's height from the top."""


@dataclass(frozen=True, slots=True)
class Backdrop:
    """An empty place: its picture and what bodywork mirrors there."""

    pixels: Pixels
    world: Surroundings


def _mask(size: tuple[int, int]) -> Image.Image:
    return Image.new("L", size)


def _ground(size: tuple[int, int], near: Colour, far: Colour, rng: np.random.Generator) -> Pixels:
    """A rough surface that recedes to the horizon; only the part below the horizon matters."""
    width, height = size
    horizon = round(height * HORIZON)
    pixels = gradient(size, ((HORIZON, far), (1.0, near)))
    rows = np.linspace(0.0, 1.0, height - horizon, dtype=np.float32)
    fine = rng.normal(0, 1, (height - horizon, width)).astype(np.float32)
    # Grain is coarser near by; far away it melts into one tone.
    grain = fine * (0.35 + 0.65 * rows)[:, None] * np.float32(0.035)
    big = smooth_noise(rng, (width, height), width / 6)[horizon:] - np.float32(0.5)
    stretched = Image.fromarray((np.clip(big + 0.5, 0, 1) * 255).astype(np.uint8)).resize(
        (width, max(1, (height - horizon) // 3))
    )
    flat = np.asarray(stretched.resize((width, height - horizon)), np.float32) / 255 - np.float32(0.5)
    pixels[horizon:] *= 1 + grain[..., None] + flat[..., None] * np.float32(0.22)
    return pixels


def _floor_quads(size: tuple[int, int], quads: list[list[tuple[float, float]]]) -> Pixels:
    """A mask of flat quads on the ground, each corner (x, z): x in widths from the middle, z 1 near to 9 far."""
    image = _mask((size[0] * 2, size[1] * 2))
    draw = ImageDraw.Draw(image)
    for quad in quads:
        points = []
        for x, z in quad:
            points.append((size[0] * (0.5 + x / z) * 2, size[1] * (HORIZON + (1 - HORIZON) / z) * 2))
        draw.polygon(points, fill=255)
    return from_image(image.resize(size, Image.Resampling.BOX))


def _worn(mask: Pixels, rng: np.random.Generator) -> Pixels:
    height, width = mask.shape
    wear = smooth_noise(rng, (width, height), width / 60)
    return mask * np.clip(wear * 2.2 - 0.35, 0, 1)


def _trees(
    pixels: Pixels, rng: np.random.Generator, tone: Colour, *, low: float, high: float, count: int
) -> Pixels:
    height, width = pixels.shape[:2]
    image = _mask((width, height))
    draw = ImageDraw.Draw(image)
    for _ in range(count):
        x, top = rng.uniform(-0.05, 1.05) * width, height * (HORIZON - rng.uniform(low, high))
        wide = height * rng.uniform(0.05, 0.12)
        for _ in range(14):
            dx, dy = rng.normal(0, wide * 0.5), rng.uniform(0, 1)
            radius = wide * rng.uniform(0.25, 0.6)
            y = top + dy * (height * HORIZON - top)
            draw.ellipse((x + dx - radius, y - radius, x + dx + radius, y + radius), fill=255)
    mask = blurred(from_image(image), height / 160)
    mask[round(height * (HORIZON + 0.012)) :] = 0
    leaves = smooth_noise(rng, (width, height), height / 22)[..., None]
    foliage = np.array(tone, np.float32) / 255 * (0.45 + 1.1 * leaves)
    return over(pixels, foliage.astype(np.float32), mask)


def _buildings(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    height, width = pixels.shape[:2]
    horizon = height * (HORIZON + 0.01)
    image = Image.fromarray((np.clip(pixels, 0, 1) * 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    x = -0.05 * width
    tones = (
        (150, 132, 116),
        (172, 160, 146),
        (128, 104, 90),
        (156, 160, 164),
        (186, 178, 166),
        (116, 96, 86),
    )
    while x < width:
        wide = width * rng.uniform(0.14, 0.26)
        top = horizon - height * rng.uniform(0.24, 0.46)
        tone = tones[int(rng.integers(len(tones)))]
        draw.rectangle((x, top, x + wide, horizon), fill=tone)
        draw.rectangle((x, top, x + wide, top + height * 0.012), fill=tuple(int(c * 0.7) for c in tone))
        step_x, step_y = wide / int(rng.integers(3, 6)), height * 0.085
        for column in range(int(wide / step_x)):
            for row in range(int((horizon - top - height * 0.12) / step_y)):
                left, up = x + (column + 0.28) * step_x, top + (row + 0.45) * step_y
                pane = (58, 66, 76) if rng.random() < 0.7 else (150, 168, 184)
                draw.rectangle((left, up, left + step_x * 0.46, up + step_y * 0.56), fill=pane)
        shop = horizon - height * 0.085
        draw.rectangle((x + wide * 0.06, shop, x + wide * 0.94, horizon), fill=(48, 50, 54))
        draw.rectangle(
            (x + wide * 0.04, shop - height * 0.018, x + wide * 0.96, shop),
            fill=tones[int(rng.integers(len(tones)))],
        )
        x += wide
    return from_image(image)


def _sky(size: tuple[int, int], rng: np.random.Generator, high: Colour, low: Colour, clouds: float) -> Pixels:
    pixels = gradient(size, ((0.0, high), (HORIZON, low), (1.0, low)))
    cover = np.clip((smooth_noise(rng, size, size[0] / 3) - 0.45) * 3, 0, 1)
    return over(pixels, (246, 246, 246), cover, clouds)


def _joined(upper: Pixels, ground: Pixels) -> Pixels:
    horizon = round(upper.shape[0] * HORIZON)
    return np.concatenate([upper[:horizon], ground[horizon:]])


def street(size: tuple[int, int], rng: np.random.Generator) -> Backdrop:
    """A street between houses."""
    upper = _buildings(_sky(size, rng, (138, 172, 214), (214, 224, 232), 0.6), rng)
    upper = _trees(upper, rng, (66, 88, 48), low=0.08, high=0.26, count=4)
    ground = _ground(size, (104, 103, 102), (134, 133, 131), rng)
    pavement = _floor_quads(size, [[(-6, 3.4), (6, 3.4), (9, 9), (-9, 9)]])
    ground = over(ground, (158, 153, 146), pavement, 0.9)
    ground = over(
        ground, (84, 83, 82), _floor_quads(size, [[(-6, 3.4), (6, 3.4), (6, 3.22), (-6, 3.22)]]), 0.9
    )
    pixels = blurred(_joined(upper, ground), 0) if False else _far_blur(_joined(upper, ground), size)
    line = _worn(_floor_quads(size, [[(-1.1, 1.15), (1.1, 1.15), (1.1, 1.06), (-1.1, 1.06)]]), rng)
    return Backdrop(
        over(pixels, (214, 212, 206), line, 0.75),
        Surroundings((132, 168, 214), (218, 226, 232), (116, 106, 98), (112, 110, 108)),
    )


def parking(size: tuple[int, int], rng: np.random.Generator) -> Backdrop:
    """A parking lot with painted bays before a hedge and a low wall."""
    upper = _sky(size, rng, (112, 156, 212), (206, 222, 236), 0.8)
    upper = _trees(upper, rng, (70, 96, 50), low=0.05, high=0.20, count=11)
    ground = _ground(size, (92, 93, 95), (120, 120, 120), rng)
    ground = over(
        ground, (168, 164, 156), _floor_quads(size, [[(-9, 4.6), (9, 4.6), (14, 9), (-14, 9)]]), 0.8
    )
    pixels = _far_blur(_joined(upper, ground), size)
    bays = [
        [(x - 0.035, 0.9), (x + 0.035, 0.9), (x + 0.035, 4.2), (x - 0.035, 4.2)]
        for x in (-1.62, -0.54, 0.54, 1.62)
    ]
    lines = _worn(_floor_quads(size, bays), rng)
    return Backdrop(
        over(pixels, (226, 224, 218), lines, 0.85),
        Surroundings((104, 150, 210), (214, 226, 236), (86, 98, 78), (102, 102, 104)),
    )


def garage(size: tuple[int, int], rng: np.random.Generator) -> Backdrop:
    """An underground garage with concrete walls, a coloured stripe and strip lights."""
    width, height = size
    pixels = gradient(
        size,
        ((0.0, (70, 70, 68)), (0.10, (122, 120, 114)), (HORIZON, (138, 136, 130)), (1.0, (138, 136, 130))),
    )
    pixels *= (0.84 + 0.32 * smooth_noise(rng, size, width / 9))[..., None]
    image = Image.fromarray((np.clip(pixels, 0, 1) * 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    stripe = ((186, 60, 46), (52, 96, 150), (206, 160, 52), (70, 128, 84))[int(rng.integers(4))]
    draw.rectangle((0, height * 0.27, width, height * 0.33), fill=stripe)
    for x in (0.12, 0.86):
        left = width * x + rng.uniform(-0.03, 0.03) * width
        draw.rectangle((left, 0, left + width * 0.075, height * (HORIZON + 0.10)), fill=(150, 148, 142))
        draw.rectangle(
            (left + width * 0.058, 0, left + width * 0.075, height * (HORIZON + 0.10)), fill=(110, 108, 104)
        )
        draw.rectangle(
            (left, height * 0.30, left + width * 0.075, height * (HORIZON + 0.10)), fill=(208, 176, 60)
        )
    for x in (0.3, 0.68):
        draw.polygon(
            [
                (width * (x - 0.06), height * 0.05),
                (width * (x + 0.06), height * 0.05),
                (width * (x + 0.08), height * 0.02),
                (width * (x - 0.08), height * 0.02),
            ],
            fill=(255, 255, 246),
        )
    upper = from_image(image)
    ground = _ground(size, (106, 104, 99), (84, 83, 80), rng)
    glossy = np.concatenate([upper[: round(height * HORIZON)][::-1], upper])[:height]
    fade = np.clip(np.linspace(-1.0, 1.0, height), 0, 1).astype(np.float32)
    start = round(height * HORIZON)
    reflection = np.zeros_like(ground)
    count = min(height - start, start)
    reflection[start : start + count] = upper[:start][::-1][:count]
    ground = over(
        ground,
        blurred(reflection, height / 50),
        np.repeat((0.20 * (1 - fade))[:, None], width, 1) * (reflection.max(axis=2) > 0),
    )
    del glossy
    pixels = _far_blur(_joined(upper, ground), size)
    bays = [[(x - 0.03, 0.9), (x + 0.03, 0.9), (x + 0.03, 4.0), (x - 0.03, 4.0)] for x in (-0.62, 0.62)]
    pixels = over(pixels, (206, 176, 60), _worn(_floor_quads(size, bays), rng), 0.7)
    return Backdrop(
        pixels, Surroundings((66, 66, 66), (196, 194, 186), (96, 94, 90), (92, 90, 86), light=0.82)
    )


def country(size: tuple[int, int], rng: np.random.Generator) -> Backdrop:
    """A road through fields, with hills and a line of trees."""
    width, height = size
    pixels = _sky(size, rng, (94, 146, 210), (212, 226, 236), 0.9)
    for level, tone in ((0.10, (132, 150, 152)), (0.06, (112, 132, 104))):
        wave = smooth_noise(rng, (width, 8), width / 2.2)[3]
        top = height * (HORIZON - level * (0.4 + wave))
        mask = np.clip(np.arange(height, dtype=np.float32)[:, None] - top[None, :], 0, 1).astype(np.float32)
        pixels = over(pixels, tone, mask)
    pixels = _trees(pixels, rng, (62, 84, 40), low=0.02, high=0.10, count=13)
    grass = _ground(size, (112, 120, 62), (150, 150, 92), rng)
    blades = smooth_noise(rng, size, height / 70)[..., None]
    grass = (grass * (0.72 + 0.56 * blades)).astype(np.float32)
    road = _floor_quads(size, [[(-0.85, 0.9), (0.85, 0.9), (0.85, 40), (-0.85, 40)]])
    ground = over(grass, _ground(size, (112, 110, 107), (146, 144, 140), rng), road)
    edges = [[(x - 0.02, 0.9), (x + 0.02, 0.9), (x + 0.02, 40), (x - 0.02, 40)] for x in (-0.78, 0.78)]
    pixels = _far_blur(_joined(pixels, ground), size)
    return Backdrop(
        over(pixels, (224, 222, 214), _worn(_floor_quads(size, edges), rng), 0.8),
        Surroundings((96, 148, 212), (222, 230, 236), (108, 116, 84), (124, 122, 104)),
    )


def _far_blur(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """The lens is focused on the vehicle: what is far is softer."""
    soft = blurred(pixels, size[1] / 170)
    nearness = np.clip((np.linspace(0, 1, size[1]) - HORIZON) / 0.22, 0, 1).astype(np.float32)
    return over(soft, pixels, np.repeat(nearness[:, None], size[0], axis=1))


PLACES: dict[str, Callable[[tuple[int, int], np.random.Generator], Backdrop]] = {
    "street": street,
    "parking": parking,
    "garage": garage,
    "country": country,
}
"""Name of a place to its painter."""
