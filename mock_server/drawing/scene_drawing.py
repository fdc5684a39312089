"""Whole scenes: vehicles with their plates in a place, and single plates close up."""

from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from mock_server.drawing.backdrops import PLACES, Backdrop
from mock_server.drawing.camera import Shot, at_night, box_around, exposed, glow, with_far_lights
from mock_server.drawing.car_bodies import BODIES
from mock_server.drawing.painter import Surroundings
from mock_server.drawing.pixel_effects import (
    Colour,
    Matrix,
    Pixels,
    Rect,
    blurred,
    filled,
    from_image,
    homography,
    moved,
    over,
    scaled,
    to_image,
    turned,
    warped,
)
from mock_server.drawing.plate_drawing import SCALE, FlatPlate, flat_plate
from mock_server.drawing.scenery import HORIZON
from mock_server.drawing.truth import PlateTruth, Truth, VehicleTruth
from mock_server.drawing.vehicle_drawing import FEET, Layer, paint_vehicle
from mock_server.imaging.geometry import Box

PAINTS: dict[str, Colour] = {
    "white": (236, 237, 236),
    "black": (22, 23, 26),
    "silver": (178, 182, 186),
    "grey": (92, 97, 102),
    "red": (158, 22, 28),
    "blue": (30, 58, 120),
    "navy": (22, 30, 54),
    "green": (30, 74, 56),
    "beige": (186, 172, 146),
    "orange": (206, 92, 26),
    "teal": (28, 98, 108),
    "burgundy": (88, 20, 32),
}
"""Names of car colours."""

# A vehicle is painted at most this many times as wide as the picture; larger ones are enlarged, as only a soft
# part of their bodywork is seen.
_LARGEST_LAYER = 1.6
_PLATE_DEPTH_MM = 3.5
# What a vehicle mirrors that fills the picture.
_CLOSE_UP = Surroundings((122, 162, 214), (222, 229, 234), (96, 88, 82), (112, 110, 108))


@dataclass(frozen=True, slots=True)
class Parked:
    """A vehicle in a scene.

    `body`: one of `BODIES`. `x`: its middle, `ground`: where it stands, parts of the picture's width and height.
    `width`: of the vehicle, a part of the picture's width. `yaw`: how far it is turned, -1 to 1. Without `text` it
    carries no plate. `dirt`: 0 to 1.
    """

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
    """A finished picture with what stands in it; boxes in its pixels."""

    image: Image.Image
    truth: Truth


def paint_scene(
    cars: tuple[Parked, ...], place: str, size: tuple[int, int], shot: Shot, rng: np.random.Generator
) -> Painted:
    """A place with `cars` in it as the camera sees it. The truth names plates in the order of `cars`."""
    return _painted(PLACES[place](size, rng), cars, size, shot, rng)


def _painted(
    backdrop: Backdrop, cars: tuple[Parked, ...], size: tuple[int, int], shot: Shot, rng: np.random.Generator
) -> Painted:
    scene = _Scene(backdrop, size, shot, rng)
    for car in sorted(cars, key=lambda each: each.ground):
        scene.add(car)
    pixels = scene.pixels
    if shot.rotate:
        pixels = from_image(warped(to_image(pixels), scene.camera, size))
    plates = tuple(scene.plates[car] for car in cars if car in scene.plates)
    spot = plates[0].box if plates else None
    return Painted(exposed(pixels, shot, spot, rng), Truth(plates=plates))


def paint_plate(car: Parked, size: tuple[int, int], shot: Shot, rng: np.random.Generator) -> Painted:
    """The plate of `car` close up, on its bodywork."""
    body = BODIES[car.body]
    flat = flat_plate(car.text or "", car.region, rng, two_line=car.two_line, front=body.front)
    # The picture spans about 1.35 plates; two-line plates need their height.
    across = size[0] / size[1]
    span = max(flat.image.width * 1.35, flat.image.height * 1.5 * across) / SCALE
    close = replace(car, x=0.5, ground=0.5 + body.plate_y / span * across, width=2 * body.half_width / span)
    backdrop = Backdrop(filled(size, _CLOSE_UP.ground), _CLOSE_UP)
    return _painted(backdrop, (close,), size, shot, rng)


class _Scene:
    """A picture in the making: `pixels` before the camera turns, and the plates put in so far."""

    def __init__(
        self, backdrop: Backdrop, size: tuple[int, int], shot: Shot, rng: np.random.Generator
    ) -> None:
        self.world = backdrop.world
        self.size, self.shot, self.rng = size, shot, rng
        self.pixels = backdrop.pixels
        if shot.night:
            self.pixels = with_far_lights(at_night(self.pixels, shot.night), shot.night, HORIZON, rng)
        self.camera = turned(shot.rotate, (size[0] / 2, size[1] / 2)) @ _zoom_for(shot.rotate, size)
        self.plates: dict[Parked, PlateTruth] = {}

    def add(self, car: Parked) -> None:
        """Put a vehicle in front of what is there, with its shadow and its plate."""
        body = BODIES[car.body]
        scale = car.width * self.size[0] / (2 * body.half_width)
        painted_at = min(scale, _LARGEST_LAYER * self.size[0] / (2 * body.half_width))
        layer = paint_vehicle(
            body, PAINTS[car.paint], painted_at, self.world, self.rng, lights=self.shot.night
        )
        where = _placement(car, layer, self.size, scale / painted_at)
        self._shade(car)
        self._lay(layer, where)
        if car.text:
            flat = flat_plate(
                car.text, car.region, self.rng, two_line=car.two_line, dirt=car.dirt, front=body.front
            )
            on_plate = where @ _plate_on(layer, body.plate_y, flat)
            self._mount(flat, on_plate)
            self.plates[car] = PlateTruth(
                car.text,
                car.region,
                _box(box_around(self.camera @ on_plate, flat.text_rect), self.size),
                VehicleTruth(body.kind, _box(_vehicle_rect(self.camera @ where, layer), self.size)),
            )

    def _shade(self, car: Parked) -> None:
        """The vehicle's shadow on the ground: dark under it, soft around it."""
        middle, half = car.x * self.size[0], car.width * self.size[0] * 0.56
        body = BODIES[car.body]
        feet = body.tyre[2] * FEET / body.half_width * half * 0.9
        ground = car.ground * self.size[1] - feet
        rows, columns = np.mgrid[0 : self.size[1], 0 : self.size[0]].astype(np.float32)
        x, y = columns - np.float32(middle), rows - np.float32(ground - half * 0.02)
        core = (x / (half * 0.93)) ** 4 + (y / (half * 0.085)) ** 2
        wide = ((x - half * 0.12) / (half * 1.3)) ** 2 + ((y - half * 0.05) / (half * 0.20)) ** 2
        dark = np.clip(1.25 - core, 0, 1) * 0.84 + np.clip(1 - wide, 0, 1) * 0.34
        self.pixels = over(self.pixels, (8, 8, 10), np.clip(dark, 0, 0.93).astype(np.float32))

    def _lay(self, layer: Layer, where: Matrix) -> None:
        image = to_image(layer.pixels).convert("RGBA")
        image.putalpha(to_image(layer.cover))
        seen = from_image(warped(image, where, self.size))
        car, cover = seen[..., :3], seen[..., 3]
        if not self.shot.night:
            self.pixels = over(self.pixels, car, cover)
            return
        red = np.clip((seen[..., 0] - 0.80) * 8, 0, 1) * np.clip((seen[..., 0] - seen[..., 1]) * 3, 0, 1)
        lamps = red * cover
        dark = over(at_night(car, self.shot.night), car, lamps)
        self.pixels = glow(over(self.pixels, dark, cover), lamps, (255, 40, 30), self.size[1] / 40, 0.5)

    def _mount(self, flat: FlatPlate, where: Matrix) -> None:
        seen = from_image(warped(flat.image, where, self.size))
        plate, cover = seen[..., :3], seen[..., 3]
        depth = max(1, round(float(where[0, 0]) * SCALE * _PLATE_DEPTH_MM))
        shadow = np.roll(blurred(cover, depth), depth, axis=0)
        self.pixels = over(self.pixels, (0, 0, 0), shadow, 0.55)
        if self.shot.night:
            plate = _lamp_lit(plate, cover, self.shot.night)
            self.pixels = glow(self.pixels, cover, (255, 236, 200), self.size[1] / 60, 0.10 * self.shot.night)
        self.pixels = over(self.pixels, plate, cover)


def _lamp_lit(plate: Pixels, cover: Pixels, night: float) -> Pixels:
    """The plate in the light of the lamp above it: warm, and darker towards its lower edge."""
    rows = np.flatnonzero(cover.max(axis=1) > 0.5)
    top, tall = (rows[0], len(rows)) if len(rows) else (0, 1)
    depth = (np.arange(plate.shape[0], dtype=np.float32) - top) / tall
    fall = np.clip(1 - 0.45 * depth, 0.3, 1)[:, None, None] * np.array((0.92, 0.86, 0.74), np.float32)
    return np.asarray(plate * (1 - night * (1 - fall)), np.float32)


def _zoom_for(degrees: float, size: tuple[int, int]) -> Matrix:
    """Enough enlargement about the middle to keep the corners covered when the picture is turned."""
    angle = np.deg2rad(abs(degrees))
    factor = float(np.cos(angle) + max(size) / min(size) * np.sin(angle))
    return moved(size[0] / 2, size[1] / 2) @ scaled(factor) @ moved(-size[0] / 2, -size[1] / 2)


def _placement(car: Parked, layer: Layer, size: tuple[int, int], enlarged: float) -> Matrix:
    """Where the vehicle's layer stands in the scene: shifted, and turned by making one side smaller."""
    height, width = layer.cover.shape
    left = car.x * size[0] - layer.origin[0] * enlarged
    top = car.ground * size[1] - layer.origin[1] * enlarged
    right, bottom = left + width * enlarged, top + height * enlarged
    tall, squeeze = bottom - top, (right - left) * 0.03 * abs(car.yaw)
    falls, rises = 0.055 * max(car.yaw, 0.0) * tall, 0.055 * max(-car.yaw, 0.0) * tall
    corners = [
        (left + squeeze, top + falls),
        (right - squeeze, top + rises),
        (right - squeeze, bottom - 0.4 * rises),
        (left + squeeze, bottom - 0.4 * falls),
    ]
    return homography([(0, 0), (width, 0), (width, height), (0, height)], corners)


def _plate_on(layer: Layer, plate_y: float, flat: FlatPlate) -> Matrix:
    """From pixels of the flat plate to pixels of the vehicle's layer."""
    part = layer.scale / SCALE
    x, y = layer.at(0, plate_y)
    return moved(x - flat.image.width * part / 2, y - flat.image.height * part / 2) @ scaled(part)


def _vehicle_rect(matrix: Matrix, layer: Layer) -> Rect:
    """The box around the visible vehicle, mirrors included."""
    rows = np.flatnonzero(layer.cover.max(axis=1) > 0.5)
    columns = np.flatnonzero(layer.cover.max(axis=0) > 0.5)
    return box_around(
        matrix, (float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1))
    )


def _box(rect: Rect, size: tuple[int, int]) -> Box:
    left, top, right, bottom = (round(value) for value in rect)
    return Box(left, top, right, bottom).clamped(*size)
