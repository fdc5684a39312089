"""Vehicles painted from their shapes: bodywork, glass, lamps, tyres, fittings."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mock_server.drawing.car_bodies import Body, Half, Lamp, Point
from mock_server.drawing.painter import Painter, Surroundings, extent
from mock_server.drawing.pixel_effects import Colour, Pixels, blurred, colour, dimmed

# The wheels stand behind the bumper, so from a standing photographer's height their feet appear higher: by this
# part of the arch's height.
FEET = 0.28


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
    painter = Painter(body, scale, world, rng)
    _tyres(painter)
    _mirrors(painter, paint)
    _shell(painter, paint)
    for outline in body.dark:
        _dark_part(painter, outline)
    if body.recess:
        _recess(painter, body.recess)
    _fittings(painter)
    for lamp in body.lamps:
        _lamp(painter, lamp, lights)
    pixels, cover = painter.finished()
    return Layer(pixels, cover, scale, painter.origin)


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


def _both(outline: Sequence[Point]) -> list[list[Point]]:
    return [list(outline), [(-x, y) for x, y in outline]]


def _rectangle(x: float, y: float, wide: float, tall: float) -> list[Point]:
    """A rectangle about (x, y), `wide` and `tall` to each side of it."""
    return [(x - wide, y - tall), (x + wide, y - tall), (x + wide, y + tall), (x - wide, y + tall)]


def _circle(x: float, y: float, radius: float, flat: float = 1.0) -> list[Point]:
    angles = np.linspace(0, 2 * np.pi, 28, endpoint=False)
    return [(x + float(np.cos(a)) * radius, y + float(np.sin(a)) * radius * flat) for a in angles]


def _shell(painter: Painter, paint: Colour) -> None:
    body = painter.body
    heights = [place for place, _ in reversed(body.profile)]
    rises = [rise for _, rise in reversed(body.profile)]
    side = np.clip((np.abs(painter.x) / body.half_width) ** 5 * 0.92, 0, 0.95).astype(np.float32)
    rise = np.interp(painter.y, heights, rises).astype(np.float32) * np.sqrt(1 - side**2)
    roof = [body.height - 260, body.height - 60, body.height]
    roof_rise = np.interp(painter.y, roof, [0.26, 0.60, 0.95]).astype(np.float32)
    painter.paintwork(painter.mask([_whole(body.cabin)]), paint, roof_rise, side * np.float32(0.8))
    glass = painter.mask([_whole(body.glass)])
    painter.lay((8, 8, 10), np.clip(blurred(glass, 12 * painter.scale) * 1.7, 0, 1), 0.9)
    if body.kind != "Van":
        _glass(painter, glass)
    shell = painter.mask([_whole(body.shell)])
    painter.tint(
        (0, 0, 0), blurred(np.roll(shell, -round(30 * painter.scale), axis=0), 30 * painter.scale), 0.4
    )
    painter.paintwork(shell, paint, rise, side)
    if body.kind == "Van":
        _glass(painter, glass)
    seams = painter.line([path for seam in body.seams for path in _both(_smooth(seam))], 6)
    painter.tint((10, 10, 12), seams, 0.8)
    painter.tint((255, 255, 255), np.roll(seams, max(1, round(7 * painter.scale)), axis=0), 0.13)


def _glass(painter: Painter, mask: Pixels) -> None:
    body = painter.body
    painter.glazing(mask)
    top, bottom = max(y for _, y in body.glass), min(y for _, y in body.glass)
    if body.front:
        wipers = [[(-60.0, bottom + 18), (430.0, bottom + 62)], [(-560.0, bottom + 26), (-40.0, bottom + 78)]]
        painter.lay((8, 8, 9), painter.line(wipers, 16) * mask, 0.9)
        painter.lay((14, 15, 17), painter.mask([_circle(330, bottom + 40, 170, 0.8)], soft=4) * mask, 0.55)
        painter.lay((10, 10, 11), painter.mask([_rectangle(0, top - 75, 105, 34)], soft=8) * mask, 0.85)
        return
    wires = [[(-900.0, y), (900.0, y)] for y in np.linspace(bottom + 70, top - 60, 9)]
    painter.lay((150, 96, 64), painter.line(wires, 3) * mask, 0.16)
    painter.lay((96, 14, 16), painter.mask([_rectangle(0, top - 26, 130, 13)], soft=3) * mask, 0.85)
    if body.kind == "SUV":
        painter.lay((8, 8, 9), painter.line([[(0.0, bottom + 24), (420.0, bottom + 60)]], 18) * mask, 0.9)


def _dark_part(painter: Painter, outline: Half) -> None:
    """Unpainted plastic; a grille on the front."""
    mask = painter.mask([_whole(outline)])
    rise = np.clip((painter.y - 300) / 900, -0.3, 0.3).astype(np.float32)
    painter.paintwork(mask, (31, 32, 34), rise, np.zeros_like(rise), gloss=0.4)
    if painter.body.front:
        bars = np.clip(np.sin(painter.y / 10.0) * 1.6, 0, 1).astype(np.float32) * mask
        painter.tint((5, 5, 7), bars, 0.85)
        rim = np.clip(mask - painter.mask([_shrunk(outline)]), 0, 1)
        painter.lay((128, 131, 136), rim, 0.55)


def _shrunk(outline: Half) -> list[Point]:
    middle = (max(y for _, y in outline) + min(y for _, y in outline)) / 2
    tall = max(y for _, y in outline) - middle
    part = 1 - 11 / tall
    return _whole(tuple((max(x - 11, 0.0), middle + (y - middle) * part) for x, y in outline))


def _recess(painter: Painter, outline: Half) -> None:
    mask = painter.mask([_whole(outline)], soft=4)
    painter.tint((0, 0, 0), mask, 0.36)
    edge = np.clip(mask - np.roll(mask, round(24 * painter.scale), axis=0), 0, 1)
    painter.tint((0, 0, 0), blurred(edge, 7 * painter.scale), 0.55)
    lower = np.clip(mask - np.roll(mask, -max(1, round(7 * painter.scale)), axis=0), 0, 1)
    painter.tint((255, 255, 255), lower, 0.14)
    lamps = [_rectangle(x, max(y for _, y in outline) - 16, 34, 8) for x in (-120.0, 120.0)]
    painter.tint((212, 210, 200), painter.mask(lamps, soft=2), 0.5)


def _tyres(painter: Painter) -> None:
    inner, outer, top = painter.body.tyre
    foot = top * FEET
    under = [(-outer, foot + 20), (outer, foot + 20), (outer, top), (-outer, top)]
    painter.lay((7, 7, 8), painter.mask([under], soft=12))
    tyre = [
        (inner, foot + 8),
        (inner + 20, foot),
        (outer - 20, foot),
        (outer, foot + 8),
        (outer + 5, (foot + top) / 2),
        (outer, top),
        (inner, top),
    ]
    painter.lay((21, 21, 22), painter.mask(_both(tyre), soft=2))
    across = outer - inner
    grooves = [
        [(inner + across * part, foot + 6), (inner + across * part, top)] for part in (0.2, 0.4, 0.6, 0.8)
    ]
    painter.lay((6, 6, 6), painter.line([path for groove in grooves for path in _both(groove)], 8), 0.8)
    shade = np.clip((painter.y - foot) / (top - foot), 0, 1)
    painter.tint((0, 0, 0), shade * (painter.y < top), 0.55)


def _mirrors(painter: Painter, paint: Colour) -> None:
    """Door mirrors, on stalks that leave the cabin."""
    body = painter.body
    edge = _edge_at(body.cabin, body.mirror_y)
    inner = max(edge + 30, body.half_width - 70)
    outer = inner + 170
    y = body.mirror_y
    stalk = [(edge - 60, y - 18), (inner + 40, y + 8), (inner + 40, y + 44), (edge - 60, y + 16)]
    painter.lay(dimmed(paint, 0.35), painter.mask(_both(stalk)))
    shape = [
        (inner, y - 8),
        (outer - 26, y - 20),
        (outer, y + 40),
        (outer - 20, y + 112),
        (inner + 18, y + 100),
    ]
    mask = painter.mask(_both(_smooth_ring(shape)))
    rise = np.clip((painter.y - y - 30) / 95, -0.8, 0.9).astype(np.float32) * np.float32(0.8)
    if body.front:
        painter.paintwork(mask, paint, rise, np.zeros_like(rise))
        return
    painter.paintwork(mask, dimmed(paint, 0.5), rise, np.zeros_like(rise))
    middle = (sum(x for x, _ in shape) / len(shape), sum(y for _, y in shape) / len(shape))
    pane = [(middle[0] + (x - middle[0]) * 0.78, middle[1] + (y - middle[1]) * 0.74) for x, y in shape]
    tilt = np.clip((painter.y - y) / 400, -0.2, 0.4).astype(np.float32)
    painter.lay(painter.mirrored(tilt) * np.float32(0.72), painter.mask(_both(_smooth_ring(pane))))


def _edge_at(outline: Half, y: float) -> float:
    """How far from the middle the outline is at height `y`."""
    ordered = sorted((place, x) for x, place in outline if x > 0)
    return float(np.interp(y, [place for place, _ in ordered], [x for _, x in ordered]))


def _fittings(painter: Painter) -> None:
    body = painter.body
    if body.exhaust:
        for x in (-545.0, 545.0):
            painter.lay((158, 160, 164), painter.mask([_smooth_ring(_rectangle(x, 282, 74, 34))]))
            painter.lay((9, 8, 8), painter.mask([_smooth_ring(_rectangle(x, 280, 62, 25))]))
    if body.rails:
        h = body.height
        rail = [(560.0, h - 26), (600.0, h + 6), (640.0, h - 12), (668.0, h - 60), (610.0, h - 50)]
        painter.lay((44, 45, 48), painter.mask(_both(rail)))
    for x, y, wide, tall in body.handles:
        painter.lay((14, 14, 16), painter.mask([_rectangle(x, y, wide, tall)], soft=3))
        painter.tint((255, 255, 255), painter.mask([_rectangle(x, y + tall * 0.7, wide * 0.9, 4)]), 0.2)
    if body.front:
        _badge(painter, max(y for outline in body.dark[:1] for _, y in outline) - 62, 52)
    else:
        _badge(painter, body.plate_y + 212, 40)


def _badge(painter: Painter, y: float, radius: float) -> None:
    """A chromed ring with a disc in it: the maker's badge of nobody in particular."""
    for reach, tone in ((radius, 206), (radius * 0.74, 40), (radius * 0.34, 190)):
        painter.tint((tone, tone + 2, tone + 5), painter.mask([_circle(0, y, reach, 0.82)]), 0.92)


_LAMP_COLOURS: dict[str, tuple[Colour, Colour]] = {
    "tail": ((128, 9, 15), (255, 70, 52)),
    "head": ((146, 154, 160), (255, 250, 232)),
    "reflector": ((140, 18, 22), (160, 24, 26)),
    "fog": ((84, 90, 96), (226, 226, 214)),
}
"""Kind of lamp to its colour switched off and on."""


def _lamp(painter: Painter, lamp: Lamp, lights: float) -> None:
    off, on = _LAMP_COLOURS[lamp.kind]
    mask = painter.mask(_both(_smooth_ring(lamp.outline)))
    painter.tint((10, 10, 12), np.clip(blurred(mask, 7 * painter.scale) * 1.7, 0, 1), 0.85)
    top, bottom = extent(mask)
    rows = np.arange(painter.height, dtype=np.float32)[:, None]
    depth = np.clip((rows - top) / max(bottom - top, 1), 0, 1)
    ribs = 0.88 + 0.12 * np.sin(painter.x / 8.0) * np.cos(painter.y / 13.0)
    painter.lay(np.asarray(colour(off) * ((1.15 - 0.66 * depth) * ribs)[..., None], np.float32), mask)
    _lamp_inside(painter, lamp, mask)
    painter.lay(
        (255, 255, 255), np.asarray(np.clip(1 - np.abs(depth - 0.17) * 8, 0, 1) * mask, np.float32), 0.30
    )
    if lights and lamp.kind in ("tail", "head"):
        painter.lay(on, blurred(mask, 10 * painter.scale) * mask, 0.9 * lights)


def _lamp_inside(painter: Painter, lamp: Lamp, mask: Pixels) -> None:
    xs, ys = [x for x, _ in lamp.outline], [y for _, y in lamp.outline]
    left, wide = min(xs), max(xs) - min(xs)
    low, tall = min(ys), max(ys) - min(ys)
    if lamp.kind == "head":
        for place in (0.34, 0.70):
            for reach, tone in ((60.0, 58), (47.0, 176), (30.0, 70), (20.0, 240)):
                ring = _circle(left + wide * place, low + tall * 0.52, reach)
                painter.lay((tone, tone + 4, tone + 9), painter.mask(_both(ring)) * mask)
    elif lamp.kind == "tail":
        inner = _rectangle(left + wide * 0.30, low + tall * 0.42, wide * 0.17, tall * 0.11)
        painter.lay((214, 204, 200), painter.mask(_both(_smooth_ring(inner)), soft=3) * mask, 0.75)
        bulbs = [
            _circle(left + wide * part, low + tall * 0.70, min(wide, tall) * 0.16) for part in (0.42, 0.72)
        ]
        painter.lay((196, 26, 30), painter.mask([p for b in bulbs for p in _both(b)], soft=4) * mask, 0.7)
