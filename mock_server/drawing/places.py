"""The places where vehicles are photographed: a street, a parking lot, a garage, a country road."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from mock_server.drawing import raster
from mock_server.drawing.designs import BODIES
from mock_server.drawing.raster import Colour, Pixels, Point, Size
from mock_server.drawing.vehicle_drawing import paint_vehicle
from mock_server.drawing.vehicle_layer import Layer, Surroundings

HORIZON = 0.40
"""Height of the horizon, as a fraction of the picture's height from the top."""
_Random = np.random.Generator


@dataclass(frozen=True, slots=True)
class Backdrop:
    """An empty place: its picture, and what vehicles mirror there."""

    pixels: Pixels
    world: Surroundings


def _street(size: Size, rng: _Random) -> Backdrop:
    """A street with houses and parked cars."""
    world = Surroundings((122, 162, 214), (222, 229, 234), (96, 88, 82), (112, 110, 108))
    upper = _add_houses(_sky(size, rng, (122, 162, 214), (214, 224, 232)), rng)
    upper = _add_trees(upper, rng, (66, 88, 48), low=0.08, high=0.26, count=4)
    floor = _ground(size, (98, 97, 97), (128, 127, 126), rng)
    floor = raster.blend(floor, (156, 151, 144), _across(size, 3.6, 12), 0.95)
    floor = raster.blend(floor, (186, 182, 174), _across(size, 3.42, 3.6), 0.9)
    floor = raster.blend(floor, (64, 63, 63), _across(size, 3.34, 3.42), 0.8)
    pixels = _add_parked_cars(_join(upper, floor), world, rng, ground=0.555, count=3)
    dashes = [[(x, 1.16), (x + 0.5, 1.16), (x + 0.5, 1.12), (x, 1.12)] for x in (-1.3, -0.5, 0.3)]
    marking = _wear(_on_ground(size, dashes), rng)
    return Backdrop(raster.blend(_blur_distance(pixels), (206, 204, 198), marking, 0.65), world)


def _parking(size: Size, rng: _Random) -> Backdrop:
    """A parking lot with marked bays and other cars, and a row of trees."""
    world = Surroundings((98, 146, 210), (216, 226, 235), (78, 86, 70), (102, 102, 104))
    upper = _sky(size, rng, (98, 146, 210), (206, 220, 234))
    upper = _add_trees(upper, rng, (70, 96, 50), low=0.05, high=0.20, count=11)
    floor = _ground(size, (88, 89, 91), (118, 118, 119), rng)
    floor = raster.blend(floor, (112, 128, 72), _across(size, 6.5, 30), 0.9)
    floor = raster.blend(floor, (178, 174, 166), _across(size, 6.2, 6.5), 0.9)
    pixels = _add_parked_cars(_join(upper, floor), world, rng, ground=0.535, count=4)
    marking = _wear(_along(size, (-1.62, -0.54, 0.54, 1.62), 0.03, 4.2), rng)
    return Backdrop(raster.blend(_blur_distance(pixels), (222, 220, 214), marking, 0.8), world)


def _garage(size: Size, rng: _Random) -> Backdrop:
    """An underground garage with concrete walls, pillars, a coloured stripe and strip lights."""
    width, height = size
    world = Surroundings((72, 72, 72), (206, 204, 196), (78, 76, 72), (96, 94, 90), light=0.84)
    grey: Colour = (140, 138, 132)
    concrete = ((0.0, (64, 64, 62)), (0.10, (118, 116, 110)), (HORIZON, grey), (1.0, grey))
    noise = 0.84 + 0.32 * raster.smooth_noise(rng, size, width / 9)
    image = raster.to_image(raster.gradient(size, concrete) * noise[..., None])
    draw = ImageDraw.Draw(image)
    stripes: tuple[Colour, ...] = ((186, 60, 46), (52, 96, 150), (206, 160, 52), (70, 128, 84))
    draw.rectangle((0, height * 0.27, width, height * 0.33), fill=stripes[int(rng.integers(len(stripes)))])
    foot = height * (HORIZON + 0.10)
    for part in (0.12, 0.86):
        left = width * (part + rng.uniform(-0.03, 0.03))
        right = left + width * 0.075
        draw.rectangle((left, 0, right, foot), fill=(150, 148, 142))
        draw.rectangle((left + width * 0.058, 0, right, foot), fill=(104, 102, 98))
        draw.rectangle((left, height * 0.30, right, foot), fill=(208, 176, 60))
    for x in (width * 0.3, width * 0.68):
        top, low, near, far = height * 0.02, height * 0.05, width * 0.06, width * 0.08
        draw.polygon([(x - near, low), (x + near, low), (x + far, top), (x - far, top)], fill=(255, 255, 246))
    upper = raster.from_image(image)
    floor = _add_reflection(_ground(size, (106, 104, 99), (84, 83, 80), rng), upper)
    pixels = _add_parked_cars(_join(upper, floor), world, rng, ground=0.53, count=2)
    marking = _wear(_along(size, (-0.62, 0.62), 0.025, 4.0), rng)
    return Backdrop(raster.blend(_blur_distance(pixels), (206, 176, 60), marking, 0.7), world)


def _country(size: Size, rng: _Random) -> Backdrop:
    """A road through fields, with hills and a line of trees."""
    width, height = size
    world = Surroundings((88, 142, 212), (224, 231, 236), (92, 100, 70), (122, 120, 104))
    pixels = _sky(size, rng, (88, 142, 212), (212, 226, 236))
    for level, tone in ((0.10, (140, 156, 160)), (0.06, (112, 132, 104))):
        wave = raster.smooth_noise(rng, (width, 8), width / 2.2)[3]
        top = height * (HORIZON - level * (0.4 + wave))
        hill = np.clip(np.arange(height, dtype=np.float32)[:, None] - top[None, :], 0, 1)
        pixels = raster.blend(pixels, tone, hill.astype(np.float32))
    pixels = _add_trees(pixels, rng, (62, 84, 40), low=0.02, high=0.10, count=13)
    blades = _recede(raster.smooth_noise(rng, size, height / 90), size)
    grass = _ground(size, (104, 114, 58), (158, 156, 98), rng) * (0.66 + 0.68 * blades[..., None])
    verge, road = _along(size, (0.0,), 0.97, 60), _along(size, (0.0,), 0.86, 60)
    floor = raster.blend(grass.astype(np.float32), (150, 140, 112), verge * blades)
    floor = raster.blend(floor, _ground(size, (106, 104, 102), (146, 144, 140), rng), road)
    marking = _wear(_along(size, (-0.79, 0.79), 0.016, 60), rng)
    return Backdrop(raster.blend(_blur_distance(_join(pixels, floor)), (220, 218, 210), marking, 0.75), world)


PLACES: dict[str, Callable[[Size, _Random], Backdrop]] = {
    "street": _street,
    "parking": _parking,
    "garage": _garage,
    "country": _country,
}
"""Name of a place to the function that draws it."""


def _on_ground(size: Size, quads: Sequence[Sequence[Point]]) -> Pixels:
    """A mask of quads on the ground. Corners are (x, z): x from the middle in picture widths, z the distance from 1."""
    image = Image.new("L", (size[0] * 2, size[1] * 2))
    draw = ImageDraw.Draw(image)
    for quad in quads:
        points = [(size[0] * (0.5 + x / z) * 2, size[1] * (HORIZON + (1 - HORIZON) / z) * 2) for x, z in quad]
        draw.polygon(points, fill=255)
    return raster.from_image(image.resize(size, Image.Resampling.BOX))


def _across(size: Size, near: float, far: float) -> Pixels:
    """A strip of ground over the whole width, between two distances."""
    return _on_ground(size, [[(-far * 2, near), (far * 2, near), (far * 2, far), (-far * 2, far)]])


def _along(size: Size, xs: Sequence[float], half: float, far: float) -> Pixels:
    """Strips of ground that run away from the camera, each `half` to both sides of x."""
    strips = [[(x - half, 0.9), (x + half, 0.9), (x + half, far), (x - half, far)] for x in xs]
    return _on_ground(size, strips)


def _recede(texture: Pixels, size: Size) -> Pixels:
    """The texture in perspective on the ground; the part above the horizon is unchanged."""
    width, height = size
    horizon = round(height * HORIZON)
    below = np.arange(1, height - horizon + 1, dtype=np.float32) / (height - horizon)
    rows = ((1 / below) * (height - horizon) * 0.6).astype(np.intp) % height
    steps = (np.arange(width, dtype=np.float32) - width / 2)[None, :] / below[:, None]
    columns = (steps + width / 2).astype(np.intp) % width
    result = texture.copy()
    mean = texture.mean()
    # In the distance the texture is finer than pixels, and only its mean remains.
    result[horizon:] = mean + (texture[rows[:, None], columns] - mean) * np.clip(below * 1.6, 0, 1)[:, None]
    return result


def _ground(size: Size, near: Colour, far: Colour, rng: _Random) -> Pixels:
    """A rough surface; only the part below the horizon is meaningful."""
    width, height = size
    pixels = raster.gradient(size, ((HORIZON, far), (1.0, near)))
    depth = np.clip((np.linspace(0, 1, height, dtype=np.float32) - HORIZON) / (1 - HORIZON), 0, 1)[:, None]
    grain = rng.normal(0, 1, (height, width)).astype(np.float32)
    stones = raster.blur(np.clip(grain * 0.2 + 0.5, 0, 1), 0.9) - np.float32(0.5)
    patches = _recede(raster.smooth_noise(rng, size, width / 7), size) - np.float32(0.5)
    texture = stones * (0.10 + 0.45 * depth) + patches * np.float32(0.20)
    return np.asarray(pixels * (1 + texture[..., None]), np.float32)


def _wear(mask: Pixels, rng: _Random) -> Pixels:
    """A road marking with some of its paint missing."""
    size = raster.size_of(mask)
    wear = raster.smooth_noise(rng, size, size[0] / 160) * 0.7 + raster.smooth_noise(rng, size, size[0] / 25) * 0.3
    return np.asarray(mask * np.clip(wear * 3.0 - 0.55, 0, 1), np.float32)


def _add_reflection(ground: Pixels, upper: Pixels) -> Pixels:
    """A smooth floor that mirrors the part above the horizon a little."""
    height, width = ground.shape[:2]
    horizon = round(height * HORIZON)
    count = min(height - horizon, horizon)
    mirror = np.zeros_like(ground)
    mirror[horizon : horizon + count] = upper[:horizon][::-1][:count]
    fade = np.zeros((height, width), np.float32)
    fade[horizon : horizon + count] = np.linspace(0.24, 0.04, count, dtype=np.float32)[:, None]
    return raster.blend(ground, raster.blur(mirror, height / 50), fade)


def _add_parked_cars(pixels: Pixels, world: Surroundings, rng: _Random, *, ground: float, count: int) -> Pixels:
    """A few small cars in the distance."""
    width, height = raster.size_of(pixels)
    tones: tuple[Colour, ...] = ((226, 227, 226), (40, 42, 46), (120, 24, 28), (140, 144, 148), (36, 52, 92))
    names = ("sedan-front", "hatchback", "suv", "suv-front", "van")
    for part in rng.permutation(np.linspace(0.06, 0.94, count + 1))[:count]:
        body = BODIES[names[int(rng.integers(len(names)))]]
        tone = tones[int(rng.integers(len(tones)))]
        layer = Layer(body, 0.13 * width / (2 * body.half_width), world, rng)
        paint_vehicle(layer, tone)
        left = round(width * float(part) - layer.origin[0])
        top = round(height * ground - layer.origin[1])
        x0, x1 = max(left, 0), min(left + layer.width, width)
        if x0 < x1 and top >= 0:
            rows, columns = layer.height, np.s_[x0 - left : x1 - left]
            pixels[top + rows - rows // 7 : top + rows - rows // 24, x0:x1] *= np.float32(0.5)
            spot = np.s_[top : top + rows, x0:x1]
            pixels[spot] = raster.blend(pixels[spot], layer.pixels[:, columns], layer.cover[:, columns])
    return pixels


def _add_trees(pixels: Pixels, rng: _Random, tone: Colour, *, low: float, high: float, count: int) -> Pixels:
    """Trees at the horizon, `low` to `high` tall as fractions of the picture's height."""
    width, height = size = raster.size_of(pixels)
    horizon = height * HORIZON

    def crowns(draw: ImageDraw.ImageDraw) -> None:
        for _ in range(count):
            x, top = rng.uniform(-0.05, 1.05) * width, height * (HORIZON - rng.uniform(low, high))
            wide = height * rng.uniform(0.05, 0.12)
            for _ in range(40):
                part = rng.uniform(0, 1)
                radius = wide * rng.uniform(0.10, 0.34)
                dx, y = rng.normal(0, wide * (0.25 + 0.5 * part)), top + part * (horizon - top)
                draw.circle((x + dx, y), radius, fill=255)

    mask = raster.blur(raster.stencil(size, crowns), height / 260)
    mask[round(height * (HORIZON + 0.012)) :] = 0
    leaves = raster.smooth_noise(rng, size, height / 26) * 0.7 + raster.smooth_noise(rng, size, height / 90) * 0.3
    sunny = np.clip((leaves - 0.35) * 2.2, 0, 1)[..., None]
    foliage = raster.colour(raster.dim(tone, 0.42)) * (1 - sunny) + raster.colour(raster.dim(tone, 1.5)) * sunny
    return raster.blend(pixels, foliage.astype(np.float32), mask)


def _add_houses(pixels: Pixels, rng: _Random) -> Pixels:
    """A row of houses with windows and shops."""
    width, height = raster.size_of(pixels)
    image = raster.to_image(pixels)
    draw = ImageDraw.Draw(image)
    left = -0.05 * width
    tones: tuple[Colour, ...] = (
        *((150, 132, 116), (172, 160, 146), (128, 104, 90)),
        *((156, 160, 164), (186, 178, 166), (116, 96, 86)),
    )
    while left < width:
        wide = width * rng.uniform(0.14, 0.26)
        _draw_house(draw, left, wide, height, tones[int(rng.integers(len(tones)))], rng)
        left += wide
    shade = 0.90 + 0.2 * raster.smooth_noise(rng, (width, height), height / 30)
    return np.asarray(raster.from_image(image) * shade[..., None], np.float32)


def _draw_house(draw: ImageDraw.ImageDraw, left: float, wide: float, height: int, tone: Colour, rng: _Random) -> None:
    """One house from `left`, `wide` pixels wide, in a picture of this height."""
    bottom = height * (HORIZON + 0.01)
    top = bottom - height * rng.uniform(0.24, 0.46)
    draw.rectangle((left, top, left + wide, bottom), fill=tone)
    draw.rectangle((left, top, left + wide, top + height * 0.014), fill=raster.dim(tone, 0.68))
    step_x, step_y = wide / int(rng.integers(3, 6)), height * 0.085
    for column in range(int(wide / step_x)):
        for row in range(int((bottom - top - height * 0.12) / step_y)):
            x, y = left + (column + 0.28) * step_x, top + (row + 0.45) * step_y
            right, frame, sill = x + step_x * 0.46, wide * 0.008, height * 0.004
            pane = (58, 66, 76) if rng.random() < 0.7 else (150, 168, 184)
            draw.rectangle((x - frame, y - sill, right + frame, y + step_y * 0.60), fill=raster.dim(tone, 1.18))
            draw.rectangle((x, y, right, y + step_y * 0.56), fill=pane)
    shop = bottom - height * 0.085
    awnings: tuple[Colour, ...] = ((150, 44, 40), (44, 84, 66), (196, 190, 178), (48, 62, 96))
    draw.rectangle((left + wide * 0.06, shop, left + wide * 0.94, bottom), fill=(44, 47, 52))
    awning = (left + wide * 0.04, shop - height * 0.02, left + wide * 0.96, shop + height * 0.006)
    draw.rectangle(awning, fill=awnings[int(rng.integers(len(awnings)))])


def _sky(size: Size, rng: _Random, high: Colour, low: Colour) -> Pixels:
    """A sky with broken clouds, and haze near the horizon."""
    width, height = size
    pixels = raster.gradient(size, ((0.0, high), (HORIZON, low), (1.0, low)))
    tall = raster.smooth_noise(rng, (width, height * 3), width / 5)
    flat = raster.from_image(raster.to_image(tall).resize(size, Image.Resampling.BILINEAR))
    cover = np.clip((flat - 0.50) * 3.4, 0, 1) * np.linspace(1.0, 0.75, height, dtype=np.float32)[:, None]
    shade = 0.99 - 0.14 * np.clip((flat - 0.62) * 3, 0, 1)
    return raster.blend(pixels, np.repeat(shade[..., None], 3, axis=2).astype(np.float32), cover, 0.85)


def _join(upper: Pixels, ground: Pixels) -> Pixels:
    """The first image above the horizon, the second below."""
    horizon = round(upper.shape[0] * HORIZON)
    return np.concatenate([upper[:horizon], ground[horizon:]])


def _blur_distance(pixels: Pixels) -> Pixels:
    """The lens is focused on the vehicle, so distant parts are less sharp."""
    width, height = raster.size_of(pixels)
    soft = raster.blur(np.clip(pixels, 0, 1), height / 210)
    nearness = np.clip((np.linspace(0, 1, height) - HORIZON - 0.08) / 0.22, 0, 1).astype(np.float32)
    return raster.blend(soft, pixels, np.repeat(nearness[:, None], width, axis=1))
