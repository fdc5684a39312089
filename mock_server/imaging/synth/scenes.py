"""Whole scenes: vehicles with their plates in a place, and single plates close up."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from mock_server.imaging.geometry import Box
from mock_server.imaging.synth.backdrops import PLACES
from mock_server.imaging.synth.bodies import BODIES
from mock_server.imaging.synth.camera import Shot, at_night, box_around, exposed, glow
from mock_server.imaging.synth.pixels import (
    Colour,
    Matrix,
    Pixels,
    blurred,
    from_image,
    homography,
    moved,
    over,
    scaled,
    to_image,
    turned,
    warped,
)
from mock_server.imaging.synth.plates import SCALE, FlatPlate, flat_plate
from mock_server.imaging.synth.truth import PlateTruth, Truth, VehicleTruth
from mock_server.imaging.synth.vehicles import MARGIN, Layer, paint_vehicle

PAINTS: dict[str, Colour] = {
    "white": (236, 237, 236), "black": (22, 23, 26), "silver": (178, 182, 186), "grey": (92, 97, 102),
    "red": (158, 22, 28), "blue": (30, 58, 120), "navy": (22, 30, 54), "green": (30, 74, 56), "beige": (186, 172, 146),
    "orange": (206, 92, 26), "teal": (28, 98, 108), "burgundy": (88, 20, 32),
}
"""Names of car colours."""

_BIG = 2
"""Scenes are painted this many times larger and then reduced."""


@dataclass(frozen=True, slots=True)
class Parked:
    """A vehicle in a scene. `x`: its middle, 0 to 1 of the picture's width; `ground`: where it stands, 0 to 1 of the
    height; `width`: of the vehicle, as a part of the picture's width; `yaw`: how far it is turned, -1 to 1."""

    body: str = "sedan"
    paint: str = "silver"
    text: str | None = None
    region: str = "us-ca"
    x: float = 0.5
    ground: float = 0.88
    width: float = 0.6
    yaw: float = 0.0
    two_line: bool = False
    dirt: float = 0.3


@dataclass(frozen=True, slots=True)
class Painted:
    """A picture with what stands in it, before the camera's own effects; boxes in pixels of `image`."""

    image: Image.Image
    truth: Truth


def paint_scene(
    cars: tuple[Parked, ...], place: str, size: tuple[int, int], shot: Shot, rng: np.random.Generator
) -> Painted:
    """A place with `cars` in it, the farthest first, as the camera sees it."""
    big = (size[0] * _BIG, size[1] * _BIG)
    backdrop = PLACES[place](big, rng)
    pixels = backdrop.pixels
    camera = turned(shot.rotate, (big[0] / 2, big[1] / 2)) @ _zoom_for(shot.rotate, big)
    seen: list[tuple[Parked, tuple[float, float, float, float] | None, tuple[float, float, float, float]]] = []
    plates: list[tuple[Image.Image, Matrix]] = []
    if shot.night:
        pixels = at_night(pixels, shot.night, rng)
    for car in sorted(cars, key=lambda each: each.ground):
        body = BODIES[car.body]
        scale = car.width * big[0] / (2 * body.half_width)
        layer = paint_vehicle(body, PAINTS[car.paint], scale, backdrop.world, rng, lights=shot.night)
        where = _placement(car, layer, big)
        pixels = _shadowed(pixels, car, layer, where, big)
        pixels = _laid(pixels, layer, where, big, shot, rng)
        if car.text:
            flat = flat_plate(car.text, car.region, rng, two_line=car.two_line, dirt=car.dirt)
            on_plate = where @ _plate_on(layer, body.plate_y, flat)
            pixels = _mounted(pixels, flat, on_plate, big, shot)
            seen.append((car, box_around(camera @ on_plate, flat.text_rect), _vehicle_rect(camera @ where, layer)))
    if shot.rotate:
        pixels = from_image(_filled(to_image(pixels), camera, big))
    small = to_image(pixels).resize(size, Image.Resampling.BOX)
    found = tuple(
        PlateTruth(car.text or "", car.region, _box(rect, size), VehicleTruth(BODIES[car.body].kind, _box(around, size)))
        for car, rect, around in seen
        if rect
    )
    spot = _tuple(found[0].box) if found else None
    return Painted(exposed(from_image(small), shot, spot, rng), Truth(plates=found))


def paint_plate(car: Parked, size: tuple[int, int], shot: Shot, rng: np.random.Generator) -> Painted:
    """A plate close up on the bodywork of a vehicle, seen a little from the side."""
    body = BODIES[car.body]
    close = Parked(
        body=car.body, paint=car.paint, text=car.text, region=car.region, yaw=car.yaw, two_line=car.two_line, dirt=car.dirt
    )
    flat = flat_plate(close.text or "", close.region, rng, two_line=close.two_line, dirt=close.dirt)
    wide = flat.image.width / SCALE
    # The picture spans about 1.35 plates; two-line plates need their height.
    span = max(wide * 1.35, flat.image.height / SCALE * 1.5 * size[0] / size[1])
    width = 2 * body.half_width / span
    ground = 0.5 + body.plate_y / span * size[0] / size[1]
    return paint_scene(
        (Parked(close.body, close.paint, close.text, close.region, 0.5, ground, width, close.yaw, close.two_line, close.dirt),),
        "street", size, shot, rng,
    )


def _zoom_for(degrees: float, size: tuple[int, int]) -> Matrix:
    """Enough enlargement about the middle to keep the corners covered when the picture is turned."""
    angle = np.deg2rad(abs(degrees))
    factor = np.cos(angle) + max(size) / min(size) * np.sin(angle)
    return moved(size[0] / 2, size[1] / 2) @ scaled(float(factor)) @ moved(-size[0] / 2, -size[1] / 2)


def _filled(image: Image.Image, matrix: Matrix, size: tuple[int, int]) -> Image.Image:
    return warped(image, matrix, size)


def _placement(car: Parked, layer: Layer, big: tuple[int, int]) -> Matrix:
    """Where the vehicle's layer stands in the scene: shifted, and turned by making one side smaller."""
    height, width = layer.cover.shape
    middle, ground = car.x * big[0], car.ground * big[1]
    left, right = middle - layer.origin[0], middle - layer.origin[0] + width
    top, bottom = ground - layer.origin[1], ground - layer.origin[1] + height
    lean = 0.055 * car.yaw
    tall = bottom - top
    squeeze = (right - left) * 0.03 * abs(car.yaw)
    corners = [
        (left + squeeze, top + tall * max(lean, 0)), (right - squeeze, top + tall * max(-lean, 0)),
        (right - squeeze, bottom - tall * 0.4 * max(-lean, 0)), (left + squeeze, bottom - tall * 0.4 * max(lean, 0)),
    ]
    return homography([(0, 0), (width, 0), (width, height), (0, height)], corners)


def _laid(pixels: Pixels, layer: Layer, where: Matrix, big: tuple[int, int], shot: Shot, rng: np.random.Generator) -> Pixels:
    image = to_image(layer.pixels).convert("RGBA")
    image.putalpha(to_image(layer.cover))
    seen = from_image(warped(image, where, big))
    car = seen[..., :3]
    if shot.night:
        lamps = np.clip((seen[..., 0] - 0.86) * 8, 0, 1) * np.clip((seen[..., 0] - seen[..., 1]) * 3, 0, 1) * seen[..., 3]
        dark = at_night(car, shot.night, rng)
        dark = over(dark, car, lamps)
        return glow(over(pixels, dark, seen[..., 3]), lamps, (255, 40, 30), big[1] / 40, 0.5)
    return over(pixels, car, seen[..., 3])


def _shadowed(pixels: Pixels, car: Parked, layer: Layer, where: Matrix, big: tuple[int, int]) -> Pixels:
    """The vehicle's shadow on the ground: dark under it, soft around it."""
    middle, ground = car.x * big[0], car.ground * big[1]
    half = layer.cover.shape[1] / 2 * 0.90
    rows, columns = np.mgrid[0 : big[1], 0 : big[0]].astype(np.float32)
    core = ((columns - middle) / half) ** 4 + ((rows - ground + half * 0.03) / (half * 0.085)) ** 2
    wide = ((columns - middle) / (half * 1.22)) ** 2 + ((rows - ground) / (half * 0.20)) ** 2
    dark = np.clip(1.15 - core, 0, 1) * 0.80 + np.clip(1 - wide, 0, 1) * 0.35
    return over(pixels, (8, 8, 10), np.clip(dark, 0, 0.92).astype(np.float32))


def _plate_on(layer: Layer, plate_y: float, flat: FlatPlate) -> Matrix:
    """From pixels of the flat plate to pixels of the vehicle's layer."""
    part = layer.scale / SCALE
    at = layer.at(0, plate_y)
    return moved(at[0] - flat.image.width * part / 2, at[1] - flat.image.height * part / 2) @ scaled(part)


def _mounted(pixels: Pixels, flat: FlatPlate, where: Matrix, big: tuple[int, int], shot: Shot) -> Pixels:
    seen = from_image(warped(flat.image, where, big))
    cover = seen[..., 3]
    lift = max(1, round(float(where[0, 0]) * SCALE * 3.5))
    pixels = over(pixels, (0, 0, 0), np.roll(blurred(cover, lift), lift, axis=0), 0.55)
    plate = seen[..., :3]
    if shot.night:
        tall = np.flatnonzero(cover.max(axis=1) > 0.5)
        fall = np.clip(1.0 - 0.45 * (np.arange(big[1], dtype=np.float32) - tall[0]) / max(len(tall), 1), 0.3, 1)[:, None, None]
        plate = plate * (1 - shot.night * (1 - fall * np.array((0.92, 0.86, 0.74), np.float32)))
        pixels = glow(pixels, cover, (255, 236, 200), big[1] / 60, 0.10 * shot.night)
    return over(pixels, plate.astype(np.float32), cover)


def _vehicle_rect(matrix: Matrix, layer: Layer) -> tuple[float, float, float, float]:
    """The box around the visible vehicle, mirrors included."""
    rows = np.flatnonzero(layer.cover.max(axis=1) > 0.5)
    columns = np.flatnonzero(layer.cover.max(axis=0) > 0.5)
    return box_around(matrix, (float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)))


def _box(rect: tuple[float, float, float, float], size: tuple[int, int]) -> Box:
    return Box(*(round(value / _BIG) for value in rect)).clamped(*size)


def _tuple(box: Box) -> tuple[float, float, float, float]:
    return box.xmin, box.ymin, box.xmax, box.ymax


_ = MARGIN
