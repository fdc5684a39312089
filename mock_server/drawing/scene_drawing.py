"""Scenes: vehicles with their plates in a place, and plates close up."""

from dataclasses import dataclass, replace

import numpy as np

from mock_server.drawing import raster
from mock_server.drawing.camera import Shot, add_distant_lights, add_glow, at_night, coordinates, expose
from mock_server.drawing.designs import BODIES, PAINTS
from mock_server.drawing.drawn_picture import Drawing, PlateTruth, Truth, VehicleTruth
from mock_server.drawing.places import HORIZON, PLACES, Backdrop
from mock_server.drawing.plate_drawing import SCALE, FlatPlate, flat_plate, plate_size, random_details
from mock_server.drawing.raster import Matrix, Pixels, Size, Spot
from mock_server.drawing.vehicle_drawing import FEET, paint_vehicle
from mock_server.drawing.vehicle_layer import Layer, Surroundings

_LARGEST_LAYER = 1.6
"""Width of a vehicle's layer in picture widths; a larger vehicle is enlarged, as only a part of it is visible."""
_PLATE_DEPTH_MM = 3.5
_CLOSE_UP = Surroundings((122, 162, 214), (222, 229, 234), (96, 88, 82), (112, 110, 108))


@dataclass(frozen=True, slots=True)
class Parked:
    """A vehicle in a scene.

    `body`: a key of `BODIES`. `paint`: a key of `PAINTS`. Without `text` it has no plate. `x`: its middle, `width`: its
    width, as fractions of the picture's width. `ground`: where it stands, as a fraction of the height. `yaw`: how far
    it is turned, -1 to 1. `dirt`: 0 to 1.
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


def draw_scene(
    cars: tuple[Parked, ...],
    *,
    place: str = "street",
    size: Size = (1024, 768),
    seed: int = 0,
    shot: Shot | None = None,
) -> Drawing:
    """A place with any number of vehicles. The plates of the ground truth are in the order of `cars`."""
    rng = np.random.default_rng(seed)
    return _photograph(PLACES[place](size, rng), cars, size, shot or Shot(), rng)


def draw_plate(car: Parked, *, size: Size = (800, 480), seed: int = 0, shot: Shot | None = None) -> Drawing:
    """The plate of `car` close up, on its bodywork."""
    rng = np.random.default_rng(seed)
    body = BODIES[car.body]
    flat = plate_size(car.region, car.two_line)
    random_details(car.region, flat, rng)  # not used, but these random numbers are part of what a seed draws
    # The picture is about 1.35 plates wide; a two-line plate needs more for its height.
    aspect = size[0] / size[1]
    span = max(flat[0] * 1.35, flat[1] * 1.5 * aspect) / SCALE
    close = replace(car, x=0.5, ground=0.5 + body.plate_y / span * aspect, width=2 * body.half_width / span)
    return _photograph(Backdrop(raster.fill(size, _CLOSE_UP.ground), _CLOSE_UP), (close,), size, shot or Shot(), rng)


def _photograph(
    backdrop: Backdrop, cars: tuple[Parked, ...], size: Size, shot: Shot, rng: np.random.Generator
) -> Drawing:
    scene = _Scene(backdrop, size, shot, rng)
    for car in sorted(cars, key=lambda car: car.ground):
        scene.add(car)
    pixels = scene.pixels
    if shot.rotate:
        pixels = raster.from_image(raster.warp(raster.to_image(pixels), scene.camera, size))
    plates = tuple(scene.plates[car] for car in cars if car in scene.plates)
    image = expose(pixels, shot, plates[0].box if plates else None, rng)
    return Drawing(image, Truth(plates=plates), shot.quality)


class _Scene:
    """A scene to which vehicles are added. `pixels` is the picture before the camera's rotation."""

    def __init__(self, backdrop: Backdrop, size: Size, shot: Shot, rng: np.random.Generator) -> None:
        self.world = backdrop.world
        self.size, self.shot, self.rng = size, shot, rng
        self.pixels = backdrop.pixels
        if shot.night:
            self.pixels = add_distant_lights(at_night(self.pixels, shot.night), shot.night, HORIZON, rng)
        self.camera = raster.rotation(shot.rotate, (size[0] / 2, size[1] / 2)) @ _zoom_for(shot.rotate, size)
        self.plates: dict[Parked, PlateTruth] = {}

    def add(self, car: Parked) -> None:
        """Add a vehicle with its shadow and its plate, in front of the others."""
        body, width = BODIES[car.body], self.size[0]
        scale = car.width * width / (2 * body.half_width)
        layer_scale = min(scale, _LARGEST_LAYER * width / (2 * body.half_width))
        layer = Layer(body, layer_scale, self.world, self.rng)
        matrix = _placement(car, layer, self.size, scale / layer_scale)
        layer.window = _visible_part(layer, matrix, self.size)
        paint_vehicle(layer, PAINTS[car.paint], self.shot.night)
        self._add_shadow(car)
        self._add_layer(layer, matrix)
        if car.text:
            flat = flat_plate(car.text, car.region, self.rng, two_line=car.two_line, dirt=car.dirt, front=body.front)
            on_plate = matrix @ _plate_on(layer, flat)
            self._add_plate(flat, on_plate)
            around = raster.box_of(self.camera @ matrix, _extent(layer), self.size)
            box = raster.box_of(self.camera @ on_plate, flat.text_rect, self.size)
            rim = raster.box_of(self.camera @ on_plate, (0, 0, *flat.image.size), self.size)
            self.plates[car] = PlateTruth(car.text, car.region, box, rim, VehicleTruth(body.kind, around))

    def _add_shadow(self, car: Parked) -> None:
        """The vehicle's shadow on the ground: dark below it, soft around it."""
        middle, half = car.x * self.size[0], car.width * self.size[0] * 0.56
        body = BODIES[car.body]
        feet = body.tyre[2] * FEET / body.half_width * half * 0.9
        ground = car.ground * self.size[1] - feet
        rows, columns = coordinates(self.size)
        x, y = columns - np.float32(middle), rows - np.float32(ground - half * 0.02)
        core = (x / (half * 0.93)) ** 4 + (y / (half * 0.085)) ** 2
        wide = ((x - half * 0.12) / (half * 1.3)) ** 2 + ((y - half * 0.05) / (half * 0.20)) ** 2
        dark = np.clip(1.25 - core, 0, 1) * 0.84 + np.clip(1 - wide, 0, 1) * 0.34
        self.pixels = raster.blend(self.pixels, (8, 8, 10), np.clip(dark, 0, 0.93).astype(np.float32))

    def _add_layer(self, layer: Layer, matrix: Matrix) -> None:
        seen = raster.from_image(raster.warp(layer.image(), matrix, self.size))
        car, cover = seen[..., :3], seen[..., 3]
        if not self.shot.night:
            self.pixels = raster.blend(self.pixels, car, cover)
            return
        red = np.clip((seen[..., 0] - 0.80) * 8, 0, 1) * np.clip((seen[..., 0] - seen[..., 1]) * 3, 0, 1)
        lamps = red * cover
        dark = raster.blend(at_night(car, self.shot.night), car, lamps)
        pixels = raster.blend(self.pixels, dark, cover)
        self.pixels = add_glow(pixels, lamps, (255, 40, 30), self.size[1] / 40, 0.5)

    def _add_plate(self, flat: FlatPlate, matrix: Matrix) -> None:
        seen = raster.from_image(raster.warp(flat.image, matrix, self.size))
        plate, cover = seen[..., :3], seen[..., 3]
        depth = max(1, round(float(matrix[0, 0]) * SCALE * _PLATE_DEPTH_MM))
        shadow = np.roll(raster.blur(cover, depth), depth, axis=0)
        pixels, night = raster.blend(self.pixels, (0, 0, 0), shadow, 0.55), self.shot.night
        if night:
            plate = _light_from_above(plate, cover, night)
            pixels = add_glow(pixels, cover, (255, 236, 200), self.size[1] / 60, 0.10 * night)
        self.pixels = raster.blend(pixels, plate, cover)


def _light_from_above(plate: Pixels, cover: Pixels, night: float) -> Pixels:
    """The plate in the warm light of its lamp, darker towards its lower edge."""
    rows = np.flatnonzero(cover.max(axis=1) > 0.5)
    top, tall = (rows[0], len(rows)) if len(rows) else (0, 1)
    depth = (np.arange(plate.shape[0], dtype=np.float32) - top) / tall
    light = np.clip(1 - 0.45 * depth, 0.3, 1)[:, None, None] * np.array((0.92, 0.86, 0.74), np.float32)
    return np.asarray(plate * (1 - night * (1 - light)), np.float32)


def _zoom_for(degrees: float, size: Size) -> Matrix:
    """The enlargement that keeps the corners of a rotated picture covered."""
    angle = np.deg2rad(abs(degrees))
    factor = float(np.cos(angle) + max(size) / min(size) * np.sin(angle))
    return (
        raster.translation(size[0] / 2, size[1] / 2)
        @ raster.scaling(factor)
        @ raster.translation(-size[0] / 2, -size[1] / 2)
    )


def _placement(car: Parked, layer: Layer, size: Size, enlarged: float) -> Matrix:
    """From the layer to the scene: moved, and turned by making one side smaller."""
    left = car.x * size[0] - layer.origin[0] * enlarged
    top = car.ground * size[1] - layer.origin[1] * enlarged
    right, bottom = left + layer.width * enlarged, top + layer.height * enlarged
    tall, squeeze = bottom - top, (right - left) * 0.03 * abs(car.yaw)
    falls, rises = 0.055 * max(car.yaw, 0.0) * tall, 0.055 * max(-car.yaw, 0.0) * tall
    corners = [
        (left + squeeze, top + falls),
        (right - squeeze, top + rises),
        (right - squeeze, bottom - 0.4 * rises),
        (left + squeeze, bottom - 0.4 * falls),
    ]
    return raster.homography(raster.corners_of((layer.width, layer.height)), corners)


def _visible_part(layer: Layer, matrix: Matrix, size: Size) -> Spot:
    """The rows and columns of the layer that appear in the picture."""
    xs, ys = zip(*raster.apply(np.asarray(np.linalg.inv(matrix), float), raster.corners_of(size)), strict=True)
    left, right = (min(max(round(x), 0), layer.width) for x in (min(xs), max(xs)))
    top, bottom = (min(max(round(y), 0), layer.height) for y in (min(ys), max(ys)))
    # The interpolation of `raster.warp()` reads neighbouring pixels.
    rows, columns = raster.grow((slice(top, bottom), slice(left, right)), 4)
    return slice(rows.start, min(rows.stop, layer.height)), slice(columns.start, min(columns.stop, layer.width))


def _plate_on(layer: Layer, flat: FlatPlate) -> Matrix:
    """From the flat plate to the vehicle's layer."""
    factor = layer.scale / SCALE
    x, y = layer.at(0, layer.body.plate_y)
    return raster.translation(x - flat.image.width * factor / 2, y - flat.image.height * factor / 2) @ raster.scaling(
        factor
    )


def _extent(layer: Layer) -> tuple[float, float, float, float]:
    """The bounding box of the vehicle in its layer, with its mirrors."""
    rows = np.flatnonzero(layer.cover.max(axis=1) > 0.5)
    columns = np.flatnonzero(layer.cover.max(axis=0) > 0.5)
    return float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)
