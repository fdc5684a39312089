"""Places where vehicles are photographed: a street, a parking lot, a garage, a country road."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import ImageDraw

from mock_server.drawing.painter import Surroundings
from mock_server.drawing.pixel_effects import (
    Colour,
    Pixels,
    from_image,
    gradient,
    over,
    smooth_noise,
    to_image,
)
from mock_server.drawing.scenery import (
    HORIZON,
    Size,
    buildings,
    far_blur,
    floor_line,
    floor_strip,
    ground,
    joined,
    on_floor,
    polished,
    receding,
    sky,
    trees,
    with_parked,
    worn,
)


@dataclass(frozen=True, slots=True)
class Backdrop:
    """An empty place: its picture and what bodywork mirrors there."""

    pixels: Pixels
    world: Surroundings


def street(size: Size, rng: np.random.Generator) -> Backdrop:
    """A street between houses, with cars parked along it."""
    world = Surroundings((122, 162, 214), (222, 229, 234), (96, 88, 82), (112, 110, 108))
    upper = buildings(sky(size, rng, (122, 162, 214), (214, 224, 232)), rng)
    upper = trees(upper, rng, (66, 88, 48), low=0.08, high=0.26, count=4)
    floor = ground(size, (98, 97, 97), (128, 127, 126), rng)
    floor = over(floor, (156, 151, 144), on_floor(size, [floor_strip(3.6, 12)]), 0.95)
    floor = over(floor, (186, 182, 174), on_floor(size, [floor_strip(3.42, 3.6)]), 0.9)
    floor = over(floor, (64, 63, 63), on_floor(size, [floor_strip(3.34, 3.42)]), 0.8)
    pixels = with_parked(joined(upper, floor), world, rng, ground=0.555, count=3)
    pixels = far_blur(pixels, size)
    dashes = [[(x, 1.16), (x + 0.5, 1.16), (x + 0.5, 1.12), (x, 1.12)] for x in (-1.3, -0.5, 0.3)]
    return Backdrop(over(pixels, (206, 204, 198), worn(on_floor(size, dashes), rng), 0.65), world)


def parking(size: Size, rng: np.random.Generator) -> Backdrop:
    """A parking lot with painted bays and other cars, before a row of trees."""
    world = Surroundings((98, 146, 210), (216, 226, 235), (78, 86, 70), (102, 102, 104))
    upper = sky(size, rng, (98, 146, 210), (206, 220, 234))
    upper = trees(upper, rng, (70, 96, 50), low=0.05, high=0.20, count=11)
    floor = ground(size, (88, 89, 91), (118, 118, 119), rng)
    floor = over(floor, (112, 128, 72), on_floor(size, [floor_strip(6.5, 30)]), 0.9)
    floor = over(floor, (178, 174, 166), on_floor(size, [floor_strip(6.2, 6.5)]), 0.9)
    pixels = with_parked(joined(upper, floor), world, rng, ground=0.535, count=4)
    pixels = far_blur(pixels, size)
    bays = [floor_line(x, 0.03, 0.9, 4.2) for x in (-1.62, -0.54, 0.54, 1.62)]
    return Backdrop(over(pixels, (222, 220, 214), worn(on_floor(size, bays), rng), 0.8), world)


def garage(size: Size, rng: np.random.Generator) -> Backdrop:
    """An underground garage with concrete walls, pillars, a coloured stripe and strip lights."""
    width, height = size
    world = Surroundings((72, 72, 72), (206, 204, 196), (78, 76, 72), (96, 94, 90), light=0.84)
    concrete: tuple[tuple[float, Colour], ...] = (
        (0.0, (64, 64, 62)),
        (0.10, (118, 116, 110)),
        (HORIZON, (140, 138, 132)),
        (1.0, (140, 138, 132)),
    )
    pixels = gradient(size, concrete) * (0.84 + 0.32 * smooth_noise(rng, size, width / 9))[..., None]
    image = to_image(pixels)
    draw = ImageDraw.Draw(image)
    stripes: tuple[Colour, ...] = ((186, 60, 46), (52, 96, 150), (206, 160, 52), (70, 128, 84))
    stripe = stripes[int(rng.integers(len(stripes)))]
    foot = height * (HORIZON + 0.10)
    draw.rectangle((0, height * 0.27, width, height * 0.33), fill=stripe)
    for part in (0.12, 0.86):
        left = width * (part + rng.uniform(-0.03, 0.03))
        draw.rectangle((left, 0, left + width * 0.075, foot), fill=(150, 148, 142))
        draw.rectangle((left + width * 0.058, 0, left + width * 0.075, foot), fill=(104, 102, 98))
        draw.rectangle((left, height * 0.30, left + width * 0.075, foot), fill=(208, 176, 60))
    for part in (0.3, 0.68):
        x, top, low = width * part, height * 0.02, height * 0.05
        lamp = [
            (x - width * 0.06, low),
            (x + width * 0.06, low),
            (x + width * 0.08, top),
            (x - width * 0.08, top),
        ]
        draw.polygon(lamp, fill=(255, 255, 246))
    upper = from_image(image)
    floor = polished(ground(size, (106, 104, 99), (84, 83, 80), rng), upper)
    pixels = with_parked(joined(upper, floor), world, rng, ground=0.53, count=2)
    pixels = far_blur(pixels, size)
    bays = [floor_line(x, 0.025, 0.9, 4.0) for x in (-0.62, 0.62)]
    return Backdrop(over(pixels, (206, 176, 60), worn(on_floor(size, bays), rng), 0.7), world)


def country(size: Size, rng: np.random.Generator) -> Backdrop:
    """A road through fields, with hills and a line of trees."""
    width, height = size
    world = Surroundings((88, 142, 212), (224, 231, 236), (92, 100, 70), (122, 120, 104))
    pixels = sky(size, rng, (88, 142, 212), (212, 226, 236))
    for level, tone in ((0.10, (140, 156, 160)), (0.06, (112, 132, 104))):
        wave = smooth_noise(rng, (width, 8), width / 2.2)[3]
        top = height * (HORIZON - level * (0.4 + wave))
        hill = np.clip(np.arange(height, dtype=np.float32)[:, None] - top[None, :], 0, 1)
        pixels = over(pixels, tone, hill.astype(np.float32))
    pixels = trees(pixels, rng, (62, 84, 40), low=0.02, high=0.10, count=13)
    blades = receding(smooth_noise(rng, size, height / 90), size)[..., None]
    grass = ground(size, (104, 114, 58), (158, 156, 98), rng) * (0.66 + 0.68 * blades)
    verge = on_floor(size, [floor_line(0.0, 0.97, 0.9, 60)])
    road = on_floor(size, [floor_line(0.0, 0.86, 0.9, 60)])
    floor = over(grass.astype(np.float32), (150, 140, 112), verge * blades[..., 0])
    floor = over(floor, ground(size, (106, 104, 102), (146, 144, 140), rng), road)
    pixels = far_blur(joined(pixels, floor), size)
    edges = [floor_line(x, 0.016, 0.9, 60) for x in (-0.79, 0.79)]
    return Backdrop(over(pixels, (220, 218, 210), worn(on_floor(size, edges), rng), 0.75), world)


PLACES: dict[str, Callable[[Size, np.random.Generator], Backdrop]] = {
    "street": street,
    "parking": parking,
    "garage": garage,
    "country": country,
}
"""Name of a place to its painter."""
