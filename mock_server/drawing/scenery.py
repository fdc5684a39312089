"""What places are made of: ground, markings, sky, trees, houses, parked cars."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from mock_server.drawing.car_bodies import BODIES
from mock_server.drawing.painter import Surroundings
from mock_server.drawing.pixel_effects import (
    Colour,
    Pixels,
    Point,
    blurred,
    colour,
    dimmed,
    from_image,
    gradient,
    over,
    smooth_noise,
    to_image,
)
from mock_server.drawing.vehicle_drawing import paint_vehicle

HORIZON = 0.40
"""Height of the horizon in every backdrop, as a part of the picture's height from the top."""

Size = tuple[int, int]


def floor_strip(near: float, far: float) -> list[Point]:
    """A strip of ground across the whole picture, between two distances."""
    return [(-far * 2, near), (far * 2, near), (far * 2, far), (-far * 2, far)]


def floor_line(x: float, half: float, near: float, far: float) -> list[Point]:
    """A strip of ground that runs away from the camera."""
    return [(x - half, near), (x + half, near), (x + half, far), (x - half, far)]


def on_floor(size: Size, quads: Sequence[Sequence[Point]]) -> Pixels:
    """A mask of flat quads on the ground; corners (x, z): x in widths from the middle, z 1 near and more afar."""
    image = Image.new("L", (size[0] * 2, size[1] * 2))
    draw = ImageDraw.Draw(image)
    for quad in quads:
        points = [(size[0] * (0.5 + x / z) * 2, size[1] * (HORIZON + (1 - HORIZON) / z) * 2) for x, z in quad]
        draw.polygon(points, fill=255)
    return from_image(image.resize(size, Image.Resampling.BOX))


def receding(texture: Pixels, size: Size) -> Pixels:
    """A texture laid on the ground: finer towards the horizon. What is above the horizon is left as it was."""
    width, height = size
    horizon = round(height * HORIZON)
    below = np.arange(1, height - horizon + 1, dtype=np.float32) / (height - horizon)
    rows = ((1 / below) * (height - horizon) * 0.6).astype(np.intp) % height
    steps = (np.arange(width, dtype=np.float32) - width / 2)[None, :] / below[:, None]
    columns = (steps + width / 2).astype(np.intp) % width
    laid = texture.copy()
    mean = texture.mean()
    # Far away the texture would be finer than pixels; there only its mean is seen.
    laid[horizon:] = mean + (texture[rows[:, None], columns] - mean) * np.clip(below * 1.6, 0, 1)[:, None]
    return laid


def ground(size: Size, near: Colour, far: Colour, rng: np.random.Generator) -> Pixels:
    """A rough surface that recedes to the horizon; only the part below the horizon matters."""
    width, height = size
    pixels = gradient(size, ((HORIZON, far), (1.0, near)))
    depth = np.clip((np.linspace(0, 1, height, dtype=np.float32) - HORIZON) / (1 - HORIZON), 0, 1)[:, None]
    grain = rng.normal(0, 1, (height, width)).astype(np.float32)
    stones = blurred(np.clip(grain * 0.2 + 0.5, 0, 1), 0.9) - np.float32(0.5)
    patches = receding(smooth_noise(rng, size, width / 7), size) - np.float32(0.5)
    texture = stones * (0.10 + 0.45 * depth) + patches * np.float32(0.20)
    return np.asarray(pixels * (1 + texture[..., None]), np.float32)


def worn(mask: Pixels, rng: np.random.Generator) -> Pixels:
    """A painted marking with the paint rubbed off here and there."""
    height, width = mask.shape
    wear = (
        smooth_noise(rng, (width, height), width / 160) * 0.7
        + smooth_noise(rng, (width, height), width / 25) * 0.3
    )
    return np.asarray(mask * np.clip(wear * 3.0 - 0.55, 0, 1), np.float32)


def polished(ground: Pixels, upper: Pixels) -> Pixels:
    """A smooth floor in which what stands above the horizon is dimly mirrored."""
    height, width = ground.shape[:2]
    horizon = round(height * HORIZON)
    count = min(height - horizon, horizon)
    mirror = np.zeros_like(ground)
    mirror[horizon : horizon + count] = upper[:horizon][::-1][:count]
    fade = np.zeros((height, width), np.float32)
    fade[horizon : horizon + count] = np.linspace(0.24, 0.04, count, dtype=np.float32)[:, None]
    return over(ground, blurred(mirror, height / 50), fade)


def with_parked(
    pixels: Pixels, world: Surroundings, rng: np.random.Generator, *, ground: float, count: int
) -> Pixels:
    """A few small cars standing at the back; the lens does not focus on them."""
    height, width = pixels.shape[:2]
    tones: tuple[Colour, ...] = ((226, 227, 226), (40, 42, 46), (120, 24, 28), (140, 144, 148), (36, 52, 92))
    names = ("sedan-front", "hatchback", "suv", "suv-front", "van")
    places = np.linspace(0.06, 0.94, count + 1)
    for part in rng.permutation(places)[:count]:
        body = BODIES[names[int(rng.integers(len(names)))]]
        tone = tones[int(rng.integers(len(tones)))]
        layer = paint_vehicle(body, tone, 0.13 * width / (2 * body.half_width), world, rng)
        rows, columns = layer.cover.shape
        left = round(width * float(part) - layer.origin[0])
        top = round(height * ground - layer.origin[1])
        x0, x1 = max(left, 0), min(left + columns, width)
        if x0 < x1 and top >= 0:
            seen = (slice(0, rows), slice(x0 - left, x1 - left))
            spot = (slice(top, top + rows), slice(x0, x1))
            foot = (slice(top + rows - rows // 7, top + rows - rows // 24), slice(x0, x1))
            pixels[foot] *= np.float32(0.5)
            pixels[spot] = over(pixels[spot], layer.pixels[seen], layer.cover[seen])
    return pixels


def trees(
    pixels: Pixels, rng: np.random.Generator, tone: Colour, *, low: float, high: float, count: int
) -> Pixels:
    """Leafy crowns along the horizon, `low` to `high` of the picture's height tall."""
    height, width = pixels.shape[:2]
    image = Image.new("L", (width, height))
    draw = ImageDraw.Draw(image)
    horizon = height * HORIZON
    for _ in range(count):
        x, top = rng.uniform(-0.05, 1.05) * width, height * (HORIZON - rng.uniform(low, high))
        wide = height * rng.uniform(0.05, 0.12)
        for _ in range(40):
            part = rng.uniform(0, 1)
            radius = wide * rng.uniform(0.10, 0.34)
            dx, y = rng.normal(0, wide * (0.25 + 0.5 * part)), top + part * (horizon - top)
            draw.ellipse((x + dx - radius, y - radius, x + dx + radius, y + radius), fill=255)
    mask = blurred(from_image(image), height / 260)
    mask[round(height * (HORIZON + 0.012)) :] = 0
    leaves = (
        smooth_noise(rng, (width, height), height / 26) * 0.7
        + smooth_noise(rng, (width, height), height / 90) * 0.3
    )
    sunny = np.clip((leaves - 0.35) * 2.2, 0, 1)[..., None]
    foliage = colour(dimmed(tone, 0.42)) * (1 - sunny) + colour(dimmed(tone, 1.5)) * sunny
    return over(pixels, foliage.astype(np.float32), mask)


def buildings(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """A row of houses with windows and shops."""
    height, width = pixels.shape[:2]
    image = to_image(pixels)
    draw = ImageDraw.Draw(image)
    left = -0.05 * width
    tones: tuple[Colour, ...] = (
        (150, 132, 116),
        (172, 160, 146),
        (128, 104, 90),
        (156, 160, 164),
        (186, 178, 166),
        (116, 96, 86),
    )
    while left < width:
        wide = width * rng.uniform(0.14, 0.26)
        tone = tones[int(rng.integers(len(tones)))]
        _house(draw, (left, height * (HORIZON + 0.01)), (wide, height), tone, rng)
        left += wide
    shade = 0.90 + 0.2 * smooth_noise(rng, (width, height), height / 30)
    return np.asarray(from_image(image) * shade[..., None], np.float32)


def _house(
    draw: ImageDraw.ImageDraw, foot: Point, size: tuple[float, int], tone: Colour, rng: np.random.Generator
) -> None:
    """One house: `foot` is its lower left corner, `size` its width and the picture's height."""
    left, bottom = foot
    wide, height = size
    top = bottom - height * rng.uniform(0.24, 0.46)
    draw.rectangle((left, top, left + wide, bottom), fill=tone)
    draw.rectangle((left, top, left + wide, top + height * 0.014), fill=dimmed(tone, 0.68))
    step_x, step_y = wide / int(rng.integers(3, 6)), height * 0.085
    for column in range(int(wide / step_x)):
        for row in range(int((bottom - top - height * 0.12) / step_y)):
            x, y = left + (column + 0.28) * step_x, top + (row + 0.45) * step_y
            pane: Colour = (58, 66, 76) if rng.random() < 0.7 else (150, 168, 184)
            frame = (
                x - wide * 0.008,
                y - height * 0.004,
                x + step_x * 0.46 + wide * 0.008,
                y + step_y * 0.60,
            )
            draw.rectangle(frame, fill=dimmed(tone, 1.18))
            draw.rectangle((x, y, x + step_x * 0.46, y + step_y * 0.56), fill=pane)
    shop = bottom - height * 0.085
    awnings: tuple[Colour, ...] = ((150, 44, 40), (44, 84, 66), (196, 190, 178), (48, 62, 96))
    draw.rectangle((left + wide * 0.06, shop, left + wide * 0.94, bottom), fill=(44, 47, 52))
    awning = awnings[int(rng.integers(len(awnings)))]
    draw.rectangle(
        (left + wide * 0.04, shop - height * 0.02, left + wide * 0.96, shop + height * 0.006), fill=awning
    )


def sky(size: Size, rng: np.random.Generator, high: Colour, low: Colour) -> Pixels:
    """A sky with broken clouds, hazier towards the horizon."""
    width, height = size
    pixels = gradient(size, ((0.0, high), (HORIZON, low), (1.0, low)))
    tall = smooth_noise(rng, (width, height * 3), width / 5)
    flat = from_image(to_image(tall).resize(size, Image.Resampling.BILINEAR))
    cover = np.clip((flat - 0.50) * 3.4, 0, 1) * np.linspace(1.0, 0.75, height, dtype=np.float32)[:, None]
    shaded = 0.99 - 0.14 * np.clip((flat - 0.62) * 3, 0, 1)
    clouds = np.repeat(shaded[..., None], 3, axis=2).astype(np.float32)
    return over(pixels, clouds, cover, 0.85)


def joined(upper: Pixels, ground: Pixels) -> Pixels:
    horizon = round(upper.shape[0] * HORIZON)
    return np.concatenate([upper[:horizon], ground[horizon:]])


def far_blur(pixels: Pixels, size: Size) -> Pixels:
    """The lens is focused on the vehicle: what is far is softer."""
    soft = blurred(np.clip(pixels, 0, 1), size[1] / 210)
    nearness = np.clip((np.linspace(0, 1, size[1]) - HORIZON - 0.08) / 0.22, 0, 1).astype(np.float32)
    return over(soft, pixels, np.repeat(nearness[:, None], size[0], axis=1))
