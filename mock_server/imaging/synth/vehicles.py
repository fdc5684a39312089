"""Vehicles painted from their shapes: bodywork that mirrors the surroundings, glass, lamps, tyres."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from mock_server.imaging.synth.bodies import Body, Half, Lamp, Point
from mock_server.imaging.synth.pixels import Colour, Pixels, blurred, colour, from_image, over, smooth_noise

MARGIN = 160.0
"""Room around a vehicle in its layer, in millimetres (mirrors stick out)."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What bodywork mirrors: the sky overhead, the sky low down, what stands at the horizon, the ground."""

    zenith: Colour
    haze: Colour
    skyline: Colour
    ground: Colour
    light: float = 1.0


@dataclass(frozen=True, slots=True)
class Layer:
    """A painted vehicle: colours and cover, `scale` pixels a millimetre; `origin` is its middle on the ground."""

    pixels: Pixels
    cover: Pixels
    scale: float
    origin: Point

    def at(self, x: float, y: float) -> Point:
        """Millimetres (x from the middle, y up) in pixels of this layer."""
        return self.origin[0] + x * self.scale, self.origin[1] - y * self.scale


class _Painter:
    """Paints one vehicle, part after part, into growing `pixels` and `cover`."""

    def __init__(self, body: Body, scale: float, world: Surroundings, rng: np.random.Generator) -> None:
        self.body, self.scale, self.world, self.rng = body, scale, world, rng
        self.width = round(2 * (body.half_width + MARGIN) * scale)
        self.height = round((body.height + MARGIN) * scale)
        self.origin = (self.width / 2, self.height - MARGIN / 2 * scale)
        self.pixels = np.zeros((self.height, self.width, 3), np.float32)
        self.cover = np.zeros((self.height, self.width), np.float32)
        rows, columns = np.mgrid[0 : self.height, 0 : self.width].astype(np.float32)
        self.y = (self.origin[1] - rows) / scale
        self.x = (columns - self.origin[0]) / scale

    # -- masks -------------------------------------------------------------------------------------------------

    def mask(self, outlines: Iterable[Sequence[Point]], soft: float = 0.0) -> Pixels:
        big = 2
        image = Image.new("L", (self.width * big, self.height * big))
        draw = ImageDraw.Draw(image)
        for outline in outlines:
            draw.polygon([self._pixel(point, big) for point in outline], fill=255)
        return blurred(
            from_image(image.resize((self.width, self.height), Image.Resampling.BOX)), soft * self.scale
        )

    def line(self, paths: Iterable[Sequence[Point]], wide: float) -> Pixels:
        big = 2
        image = Image.new("L", (self.width * big, self.height * big))
        draw = ImageDraw.Draw(image)
        for path in paths:
            draw.line(
                [self._pixel(p, big) for p in path],
                fill=255,
                width=max(1, round(wide * self.scale * big)),
                joint="curve",
            )
        return from_image(image.resize((self.width, self.height), Image.Resampling.BOX))

    def _pixel(self, point: Point, big: int) -> Point:
        return (self.origin[0] + point[0] * self.scale) * big, (self.origin[1] - point[1] * self.scale) * big

    def lay(self, paint: Pixels | Colour, mask: Pixels, strength: float = 1.0) -> None:
        self.pixels = over(self.pixels, paint, mask, strength)
        self.cover = np.maximum(self.cover, mask * np.float32(strength))

    # -- surfaces ----------------------------------------------------------------------------------------------

    def mirrored(self, up: Pixels) -> Pixels:
        """What a surface sees whose mirror direction rises by `up` (-1 ground, 0 horizon, 1 zenith)."""
        world = self.world
        wobble = smooth_noise(self.rng, (self.width, self.height), 240 * self.scale) - 0.5
        up = np.clip(up + wobble * 0.06, -1, 1)
        stops = np.array([-1.0, -0.25, -0.04, 0.02, 0.09, 0.14, 0.5, 1.0])
        tones = np.stack(
            [
                colour(c)
                for c in (
                    _dim(world.ground, 0.45),
                    world.ground,
                    _dim(world.ground, 0.7),
                    _dim(world.skyline, 0.55),
                    world.skyline,
                    world.haze,
                    world.haze,
                    world.zenith,
                )
            ]
        )
        return np.stack([np.interp(up, stops, tones[:, channel]) for channel in range(3)], axis=-1).astype(
            np.float32
        )

    def paintwork(self, mask: Pixels, paint: Colour, rise: Pixels, side: Pixels, gloss: float = 1.0) -> None:
        """Cover `mask` with car paint whose surface looks up by `rise` and outwards by `side` (-1 to 1)."""
        facing = np.sqrt(np.clip(1 - rise**2 - side**2, 0.02, 1))
        mirror_up = 2 * facing * rise
        shine = gloss * np.clip(0.10 + 0.75 * (1 - facing) ** 2.2, 0, 0.8)[..., None]
        shade = (0.62 + 0.38 * rise + 0.08 * facing - 0.16 * np.abs(side) ** 3) * np.float32(self.world.light)
        base = colour(paint) * np.clip(shade, 0.12, 1.15)[..., None]
        self.lay((base * (1 - shine * 0.6) + self.mirrored(mirror_up) * shine).astype(np.float32), mask)

    def glazing(self, mask: Pixels, rise: float = 0.42) -> None:
        """Cover `mask` with dark glass that mirrors the sky, with seats and the far window dimly behind it."""
        top, bottom = _extent(mask)
        depth = np.clip(
            (np.arange(self.height, dtype=np.float32)[:, None] - top) / max(bottom - top, 1), 0, 1
        )
        see_through = colour((38, 42, 46)) * np.ones_like(self.pixels)
        through = np.clip(1 - np.abs(depth - 0.34) * 3.2, 0, 1) * (
            np.abs(self.x) < self.body.half_width * 0.5
        )
        see_through += (colour(self.world.haze) * 0.34) * through[..., None]
        see_through = _stack_blur(see_through, 22 * self.scale)
        for seat in self._seats(top, bottom):
            see_through = over(see_through, (20, 21, 24), blurred(seat, 6 * self.scale), 0.92)
        tilt = np.float32(rise) - depth * np.float32(0.36) + self.x / self.body.half_width * np.float32(0.05)
        glass = see_through + self.mirrored(tilt) * np.clip(0.42 - depth * 0.30, 0.06, 1)[..., None]
        self.lay(glass.astype(np.float32), mask)

    def _seats(self, top: float, bottom: float) -> list[Pixels]:
        tall = bottom - top
        seats = []
        for middle in (-0.40, 0.40):
            image = Image.new("L", (self.width, self.height))
            draw = ImageDraw.Draw(image)
            x = self.origin[0] + middle * self.body.half_width * self.scale
            wide = 130 * self.scale
            draw.rounded_rectangle(
                (x - wide, top + tall * 0.32, x + wide, top + tall * 0.60), radius=50 * self.scale, fill=255
            )
            draw.rounded_rectangle(
                (x - wide * 2.2, top + tall * 0.64, x + wide * 2.2, bottom + tall),
                radius=90 * self.scale,
                fill=255,
            )
            seats.append(from_image(image))
        return seats


def paint_vehicle(
    body: Body,
    paint: Colour,
    scale: float,
    world: Surroundings,
    rng: np.random.Generator,
    *,
    lights: float = 0.0,
) -> Layer:
    """The vehicle `body` in the colour `paint` at `scale` pixels a millimetre; `lights` 0 to 1: lamps switched on."""
    painter = _Painter(body, scale, world, rng)
    _tyres(painter)
    _shell(painter, paint)
    for outline in body.dark:
        _dark_part(painter, outline)
    if body.recess:
        _recess(painter, body.recess)
    _fittings(painter, paint)
    for lamp in body.lamps:
        _lamp(painter, lamp, lights)
    return Layer(painter.pixels, painter.cover, scale, painter.origin)


def _whole(half: Half) -> list[Point]:
    """The full outline, smoothed, of a half one."""
    right = _smooth([*half])
    return right + [(-x, y) for x, y in reversed(right)]


def _smooth(points: Sequence[Point], rounds: int = 2) -> list[Point]:
    """The open path with its corners cut (Chaikin), ends kept."""
    path = list(points)
    for _ in range(rounds):
        cut: list[Point] = [path[0]]
        for (x0, y0), (x1, y1) in itertools.pairwise(path):
            cut += [
                (x0 * 0.75 + x1 * 0.25, y0 * 0.75 + y1 * 0.25),
                (x0 * 0.25 + x1 * 0.75, y0 * 0.25 + y1 * 0.75),
            ]
        path = [*cut, path[-1]]
    return path


def _smooth_ring(points: Sequence[Point]) -> list[Point]:
    return _smooth([*points, points[0]])[1:-1]


def _mirror(outline: Sequence[Point]) -> list[Point]:
    return [(-x, y) for x, y in outline]


def _both(outline: Sequence[Point]) -> list[list[Point]]:
    return [list(outline), _mirror(outline)]


def _shell(painter: _Painter, paint: Colour) -> None:
    body = painter.body
    heights = [place for place, _ in reversed(body.profile)]
    rises = [rise for _, rise in reversed(body.profile)]
    side = np.clip((np.abs(painter.x) / body.half_width) ** 5 * 0.92, 0, 0.95).astype(np.float32)
    rise = np.interp(painter.y, heights, rises).astype(np.float32) * np.sqrt(np.clip(1 - side**2, 0, 1))
    shell = painter.mask([_whole(body.shell)])
    cabin = painter.mask([_whole(body.cabin)])
    roof_rise = np.clip(
        np.interp(painter.y, [body.height - 260, body.height - 60, body.height], [0.30, 0.62, 0.95]), 0, 0.97
    )
    painter.paintwork(cabin, paint, roof_rise.astype(np.float32), side * 0.8)
    painter.lay((10, 10, 12), blurred(painter.mask([_whole(body.glass)]), 10 * painter.scale), 0.85)
    if body.kind != "Van":
        painter.glazing(painter.mask([_whole(body.glass)]))
    painter.paintwork(shell, paint, rise, side)
    if body.kind == "Van":
        painter.glazing(painter.mask([_whole(body.glass)]), rise=0.3)
    seams = painter.line([path for seam in body.seams for path in _both(_smooth(seam))], 7)
    painter.lay((12, 12, 14), seams, 0.75)
    lower = np.roll(seams, max(1, round(6 * painter.scale)), axis=0)
    painter.pixels = painter.pixels + (lower * np.float32(0.10))[..., None] * (painter.cover > 0)[..., None]


def _dark_part(painter: _Painter, outline: Half) -> None:
    mask = painter.mask([_whole(outline)])
    rise = np.clip((painter.y - 300) / 900, -0.3, 0.3).astype(np.float32)
    painter.paintwork(mask, (34, 35, 37), rise, np.zeros_like(rise), gloss=0.45)
    if painter.body.front:
        bars = np.clip(np.sin(painter.y / 11.0), 0, 1).astype(np.float32) * mask
        painter.pixels = over(painter.pixels, (6, 6, 8), bars, 0.8)


def _recess(painter: _Painter, outline: Half) -> None:
    mask = painter.mask([_whole(outline)], soft=5)
    painter.lay((0, 0, 0), mask, 0.34)
    edge = np.clip(mask - np.roll(mask, round(26 * painter.scale), axis=0), 0, 1)
    painter.lay((0, 0, 0), blurred(edge, 8 * painter.scale), 0.5)


def _tyres(painter: _Painter) -> None:
    inner, outer, top = painter.body.tyre
    tyre = [
        (inner, 0.0),
        (inner + 14, -8.0),
        (outer - 14, -8.0),
        (outer, 0.0),
        (outer + 6, top * 0.5),
        (outer, top),
        (inner, top),
    ]
    painter.lay((17, 17, 18), painter.mask(_both(tyre)))
    grooves = [
        [(inner + (outer - inner) * part, 6.0), (inner + (outer - inner) * part, top)]
        for part in (0.25, 0.5, 0.75)
    ]
    painter.lay((5, 5, 5), painter.line([path for groove in grooves for path in _both(groove)], 9), 0.8)
    under = [(-inner, 60.0), (inner, 60.0), (inner, top), (-inner, top)]
    painter.lay((9, 9, 10), painter.mask([under], soft=20), 0.9)


def _fittings(painter: _Painter, paint: Colour) -> None:
    body = painter.body
    w = body.half_width
    mirror = [
        (w - 40, body.mirror_y - 10),
        (w + 90, body.mirror_y - 20),
        (w + 118, body.mirror_y + 50),
        (w + 90, body.mirror_y + 118),
        (w + 4, body.mirror_y + 104),
    ]
    mask = painter.mask(_both(_smooth_ring(mirror)))
    rise = np.clip((painter.y - body.mirror_y - 40) / 90, -0.8, 0.9).astype(np.float32) * np.float32(0.8)
    painter.paintwork(mask, paint if body.front else _dim(paint, 0.7), rise, np.zeros_like(rise))
    if body.exhaust:
        for left in (-610.0, 470.0):
            pipe = [
                (left, 245.0),
                (left + 140, 245.0),
                (left + 150, 285.0),
                (left + 140, 318.0),
                (left, 318.0),
                (left - 10, 285.0),
            ]
            painter.lay((150, 152, 156), painter.mask([_smooth_ring(pipe)]))
            inner = [(x * 0.84 + (left + 70) * 0.16, y * 0.74 + 281 * 0.26) for x, y in pipe]
            painter.lay((12, 11, 10), painter.mask([_smooth_ring(inner)]))
    if body.rails:
        rail = [
            (560.0, body.height - 26),
            (600.0, body.height + 6),
            (640.0, body.height - 12),
            (668.0, body.height - 60),
            (610.0, body.height - 50),
        ]
        painter.lay((44, 45, 48), painter.mask(_both(rail)))
    for x, y, wide, tall in body.handles:
        painter.lay(
            (16, 16, 18),
            painter.mask(
                [[(x - wide, y - tall), (x + wide, y - tall), (x + wide, y + tall), (x - wide, y + tall)]],
                soft=3,
            ),
        )
    if not body.front:
        badge = [
            (-48.0, body.plate_y + 190),
            (48.0, body.plate_y + 190),
            (48.0, body.plate_y + 236),
            (-48.0, body.plate_y + 236),
        ]
        painter.lay((200, 203, 206), painter.mask([_smooth_ring(badge)]), 0.9)


_LAMP_COLOURS: dict[str, tuple[Colour, Colour]] = {
    "tail": ((122, 10, 16), (255, 70, 52)),
    "head": ((150, 158, 164), (255, 250, 232)),
    "turn": ((206, 118, 30), (255, 170, 60)),
    "reflector": ((140, 18, 22), (160, 24, 26)),
    "fog": ((92, 98, 104), (226, 226, 214)),
}


def _lamp(painter: _Painter, lamp: Lamp, lights: float) -> None:
    off, on = _LAMP_COLOURS[lamp.kind]
    outlines = _both(_smooth_ring(lamp.outline))
    mask = painter.mask(outlines)
    painter.lay((14, 14, 16), np.clip(blurred(mask, 8 * painter.scale) * 1.6, 0, 1), 0.8)
    inner = painter.mask(outlines)
    top, bottom = _extent(mask)
    depth = np.clip((np.arange(painter.height, dtype=np.float32)[:, None] - top) / max(bottom - top, 1), 0, 1)
    ribs = 0.88 + 0.12 * np.sin(painter.x / 9.0) * np.cos(painter.y / 15.0)
    tone = colour(off) * ((1.15 - 0.62 * depth) * ribs)[..., None].astype(np.float32)
    painter.lay(tone.astype(np.float32), inner)
    _lamp_inside(painter, lamp, inner, top, bottom)
    gleam = np.clip(1 - np.abs(depth - 0.2) * 7, 0, 1) * inner
    painter.lay((255, 255, 255), gleam.astype(np.float32), 0.28)
    if lights and lamp.kind in ("tail", "head"):
        painter.lay(on, blurred(mask, 10 * painter.scale) * mask, 0.9 * lights)


def _lamp_inside(painter: _Painter, lamp: Lamp, mask: Pixels, top: float, bottom: float) -> None:
    xs = [x for x, _ in lamp.outline]
    ys = [y for _, y in lamp.outline]
    middle_y = (min(ys) + max(ys)) / 2
    if lamp.kind == "head":
        for place in (0.32, 0.68):
            x = min(xs) + (max(xs) - min(xs)) * place
            for reach, tone in ((62.0, (66, 70, 76)), (46.0, (186, 194, 202)), (26.0, (236, 240, 244))):
                ring = [
                    (x + np.cos(a) * reach, middle_y + np.sin(a) * reach)
                    for a in np.linspace(0, 2 * np.pi, 24)
                ]
                painter.lay(tone, painter.mask(_both(ring)) * mask)
    elif lamp.kind == "tail":
        x = min(xs) + (max(xs) - min(xs)) * 0.24
        clear = [
            (x - 60, middle_y - 26),
            (x + 60, middle_y - 26),
            (x + 60, middle_y + 20),
            (x - 60, middle_y + 20),
        ]
        painter.lay((206, 196, 192), painter.mask(_both(_smooth_ring(clear)), soft=3) * mask, 0.75)


def _extent(mask: Pixels) -> tuple[float, float]:
    """First and last row of a mask that hold ink."""
    rows = np.flatnonzero(mask.max(axis=1) > 0.5)
    return (float(rows[0]), float(rows[-1])) if len(rows) else (0.0, 1.0)


def _stack_blur(pixels: Pixels, radius: float) -> Pixels:
    return blurred(np.clip(pixels, 0, 1), radius)


def _dim(rgb: Colour, factor: float) -> Colour:
    return round(rgb[0] * factor), round(rgb[1] * factor), round(rgb[2] * factor)
