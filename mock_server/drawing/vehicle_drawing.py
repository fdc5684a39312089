"""Vehicles painted from their shapes: bodywork, glass, lamps, tyres, fittings."""

import itertools
from collections.abc import Iterable, Sequence

import numpy as np

from mock_server.drawing.designs import Path
from mock_server.drawing.raster import Colour, Pixels, Point, Spot, blur, colour, dim
from mock_server.drawing.vehicle_layer import Layer, extent

FEET = 0.28
"""Where the wheels seem to end above the ground, as a fraction of the wheel arch: they are behind the bumper."""

_LAMPS: dict[str, tuple[Colour, Colour]] = {
    "tail": ((128, 9, 15), (255, 70, 52)),
    "head": ((146, 154, 160), (255, 250, 232)),
    "reflector": ((140, 18, 22), (160, 24, 26)),
    "fog": ((84, 90, 96), (226, 226, 214)),
}
"""Kind of lamp to its colour switched off and on."""


def paint_vehicle(layer: Layer, paint: Colour, lights: float = 0.0) -> None:
    """Paint the layer's vehicle in the colour `paint`; `lights` is how bright the lamps are, 0 to 1."""
    _tyres(layer)
    _mirrors(layer, paint)
    _shell(layer, paint)
    for outline in layer.body.dark:
        _dark_part(layer, outline)
    if layer.body.recess:
        _recess(layer, layer.body.recess)
    _fittings(layer)
    for kind, outline in layer.body.lamps.items():
        _lamp(layer, kind, outline, lights)
    layer.finish()


def _whole(half: Path) -> list[Point]:
    """The full outline of a symmetric half, with rounded corners."""
    right = _smooth(half)
    return right + [(-x, y) for x, y in reversed(right)]


def _smooth(points: Sequence[Point]) -> list[Point]:
    """The open path with its corners cut twice (Chaikin's algorithm)."""
    path = list(points)
    for _ in range(2):
        cut: list[Point] = [path[0]]
        for (x0, y0), (x1, y1) in itertools.pairwise(path):
            cut += [(x0 * 0.75 + x1 * 0.25, y0 * 0.75 + y1 * 0.25), (x0 * 0.25 + x1 * 0.75, y0 * 0.25 + y1 * 0.75)]
        path = [*cut, path[-1]]
    return path


def _smooth_ring(points: Sequence[Point]) -> list[Point]:
    return _smooth([*points, points[0]])[1:-1]


def _both(*outlines: Sequence[Point]) -> list[list[Point]]:
    """The outlines on the right and, mirrored, on the left."""
    return [side for outline in outlines for side in (list(outline), [(-x, y) for x, y in outline])]


def _rectangle(x: float, y: float, wide: float, tall: float) -> list[Point]:
    """A rectangle about (x, y) with these half lengths."""
    return [(x - wide, y - tall), (x + wide, y - tall), (x + wide, y + tall), (x - wide, y + tall)]


def _circle(x: float, y: float, radius: float, flat: float = 1.0) -> list[Point]:
    angles = np.linspace(0, 2 * np.pi, 28, endpoint=False)
    return [(x + float(np.cos(a)) * radius, y + float(np.sin(a)) * radius * flat) for a in angles]


def _heights(points: Iterable[Point]) -> list[float]:
    return [y for _, y in points]


def _shell(layer: Layer, paint: Colour) -> None:
    body, scale = layer.body, layer.scale
    heights, rises = zip(*reversed(body.profile), strict=True)
    side = np.clip((np.abs(layer.x) / body.half_width) ** 5 * 0.92, 0, 0.95).astype(np.float32)
    rise = np.interp(layer.y, heights, rises).astype(np.float32) * np.sqrt(1 - side**2)
    roof = [body.height - 260, body.height - 60, body.height]
    roof_rise = np.interp(layer.y, roof, [0.26, 0.60, 0.95]).astype(np.float32)
    layer.paintwork(layer.mask([_whole(body.cabin)]), paint, roof_rise, side * np.float32(0.8))
    glass = layer.mask([_whole(body.glass)])
    layer.lay((8, 8, 10), np.clip(blur(glass, 12 * scale) * 1.7, 0, 1), 0.9)
    if body.kind != "Van":
        _glass(layer, glass)
    shell = layer.mask([_whole(body.shell)])
    layer.tint((0, 0, 0), blur(np.roll(shell, -round(30 * scale), axis=0), 30 * scale), 0.4)
    layer.paintwork(shell, paint, rise, side)
    if body.kind == "Van":
        _glass(layer, glass)
    seams = layer.line(_both(*(_smooth(seam) for seam in body.seams)), 6)
    layer.tint((10, 10, 12), seams, 0.8)
    layer.tint((255, 255, 255), np.roll(seams, max(1, round(7 * scale)), axis=0), 0.13)


def _glass(layer: Layer, mask: Pixels) -> None:
    body = layer.body
    layer.glazing(mask)
    top, bottom = max(_heights(body.glass)), min(_heights(body.glass))
    if body.front:
        wipers = [[(-60.0, bottom + 18), (430.0, bottom + 62)], [(-560.0, bottom + 26), (-40.0, bottom + 78)]]
        layer.lay((8, 8, 9), layer.line(wipers, 16) * mask, 0.9)
        layer.lay((14, 15, 17), layer.mask([_circle(330, bottom + 40, 170, 0.8)], soft=4) * mask, 0.55)
        layer.lay((10, 10, 11), layer.mask([_rectangle(0, top - 75, 105, 34)], soft=8) * mask, 0.85)
        return
    wires = [[(-900.0, y), (900.0, y)] for y in np.linspace(bottom + 70, top - 60, 9)]
    layer.lay((150, 96, 64), layer.line(wires, 3) * mask, 0.16)
    layer.lay((96, 14, 16), layer.mask([_rectangle(0, top - 26, 130, 13)], soft=3) * mask, 0.85)
    if body.kind == "SUV":
        layer.lay((8, 8, 9), layer.line([[(0.0, bottom + 24), (420.0, bottom + 60)]], 18) * mask, 0.9)


def _dark_part(layer: Layer, outline: Path) -> None:
    """Unpainted plastic; the grille if this is the front."""
    mask = layer.mask([_whole(outline)])
    rise = np.clip((layer.y - 300) / 900, -0.3, 0.3).astype(np.float32)
    layer.paintwork(mask, (31, 32, 34), rise, gloss=0.4)
    if layer.body.front:
        bars = np.clip(np.sin(layer.y / 10.0) * 1.6, 0, 1).astype(np.float32) * mask
        layer.tint((5, 5, 7), bars, 0.85)
        layer.lay((128, 131, 136), np.clip(mask - layer.mask([_shrunk(outline)]), 0, 1), 0.55)


def _shrunk(outline: Path) -> list[Point]:
    """The full outline, 11 mm smaller on each side."""
    top, bottom = max(_heights(outline)), min(_heights(outline))
    middle = (top + bottom) / 2
    factor = 1 - 11 / (top - middle)
    return _whole(tuple((max(x - 11, 0.0), middle + (y - middle) * factor) for x, y in outline))


def _recess(layer: Layer, outline: Path) -> None:
    """The place of the plate, with a shadow at the top and two small lamps."""
    mask = layer.mask([_whole(outline)], soft=4)
    layer.tint((0, 0, 0), mask, 0.36)
    upper = np.clip(mask - np.roll(mask, round(24 * layer.scale), axis=0), 0, 1)
    layer.tint((0, 0, 0), blur(upper, 7 * layer.scale), 0.55)
    lower = np.clip(mask - np.roll(mask, -max(1, round(7 * layer.scale)), axis=0), 0, 1)
    layer.tint((255, 255, 255), lower, 0.14)
    lamps = [_rectangle(x, max(_heights(outline)) - 16, 34, 8) for x in (-120.0, 120.0)]
    layer.tint((212, 210, 200), layer.mask(lamps, soft=2), 0.5)


def _tyres(layer: Layer) -> None:
    inner, outer, top = layer.body.tyre
    foot = top * FEET
    under = [(-outer, foot + 20), (outer, foot + 20), (outer, top), (-outer, top)]
    layer.lay((7, 7, 8), layer.mask([under], soft=12))
    tyre = [
        *((inner, foot + 8), (inner + 20, foot), (outer - 20, foot), (outer, foot + 8)),
        *((outer + 5, (foot + top) / 2), (outer, top), (inner, top)),
    ]
    layer.lay((21, 21, 22), layer.mask(_both(tyre), soft=2))
    grooves = [inner + (outer - inner) * part for part in (0.2, 0.4, 0.6, 0.8)]
    layer.lay((6, 6, 6), layer.line(_both(*([(x, foot + 6), (x, top)] for x in grooves)), 8), 0.8)
    shade = np.clip((layer.y - foot) / (top - foot), 0, 1) * (layer.y < top)
    layer.tint((0, 0, 0), shade, 0.55)


def _mirrors(layer: Layer, paint: Colour) -> None:
    """Door mirrors on stalks."""
    body, y = layer.body, layer.body.mirror_y
    heights, xs = zip(*sorted((height, x) for x, height in body.cabin if x > 0), strict=True)
    edge = float(np.interp(y, heights, xs))
    inner = max(edge + 30, body.half_width - 70)
    outer = inner + 170
    stalk = [(edge - 60, y - 18), (inner + 40, y + 8), (inner + 40, y + 44), (edge - 60, y + 16)]
    layer.lay(dim(paint, 0.35), layer.mask(_both(stalk)))
    shape = [*((inner, y - 8), (outer - 26, y - 20), (outer, y + 40)), *((outer - 20, y + 112), (inner + 18, y + 100))]
    mask = layer.mask(_both(_smooth_ring(shape)))
    rise = np.clip((layer.y - y - 30) / 95, -0.8, 0.9).astype(np.float32) * np.float32(0.8)
    layer.paintwork(mask, paint if body.front else dim(paint, 0.5), rise)
    if body.front:
        return
    middle = (sum(x for x, _ in shape) / len(shape), sum(_heights(shape)) / len(shape))
    pane = [(middle[0] + (x - middle[0]) * 0.78, middle[1] + (y - middle[1]) * 0.74) for x, y in shape]
    tilt = np.clip((layer.y - y) / 400, -0.2, 0.4).astype(np.float32)

    def shade(spot: Spot) -> Pixels:
        return layer.mirror(layer.part(tilt, spot), spot) * np.float32(0.72)

    layer.lay(shade, layer.mask(_both(_smooth_ring(pane))))


def _fittings(layer: Layer) -> None:
    """Exhaust, roof rails, door handles and the badge."""
    body = layer.body
    if body.exhaust:
        for x in (-545.0, 545.0):
            layer.lay((158, 160, 164), layer.mask([_smooth_ring(_rectangle(x, 282, 74, 34))]))
            layer.lay((9, 8, 8), layer.mask([_smooth_ring(_rectangle(x, 280, 62, 25))]))
    if body.rails:
        h = body.height
        rail = [(560.0, h - 26), (600.0, h + 6), (640.0, h - 12), (668.0, h - 60), (610.0, h - 50)]
        layer.lay((44, 45, 48), layer.mask(_both(rail)))
    for x, y, wide, tall in body.handles:
        layer.lay((14, 14, 16), layer.mask([_rectangle(x, y, wide, tall)], soft=3))
        layer.tint((255, 255, 255), layer.mask([_rectangle(x, y + tall * 0.7, wide * 0.9, 4)]), 0.2)
    y, radius = (max(_heights(body.dark[0])) - 62, 52) if body.front else (body.plate_y + 212, 40)
    for reach, tone in ((radius, 206), (radius * 0.74, 40), (radius * 0.34, 190)):
        layer.tint((tone, tone + 2, tone + 5), layer.mask([_circle(0, y, reach, 0.82)]), 0.92)


def _lamp(layer: Layer, kind: str, outline: Path, lights: float) -> None:
    off, on = _LAMPS[kind]
    mask = layer.mask(_both(_smooth_ring(outline)))
    layer.tint((10, 10, 12), np.clip(blur(mask, 7 * layer.scale) * 1.7, 0, 1), 0.85)
    depth = layer.depth(*extent(mask))

    def shade(spot: Spot) -> Pixels:
        ribs = 0.88 + 0.12 * np.sin(layer.x[:, spot[1]] / 8.0) * np.cos(layer.y[spot[0]] / 13.0)
        return np.asarray(colour(off) * ((1.15 - 0.66 * depth[spot[0]]) * ribs)[..., None], np.float32)

    layer.lay(shade, mask)
    _lamp_inside(layer, kind, outline, mask)
    highlight = np.clip(1 - np.abs(depth - 0.17) * 8, 0, 1) * mask
    layer.lay((255, 255, 255), np.asarray(highlight, np.float32), 0.30)
    if lights and kind in ("tail", "head"):
        layer.lay(on, blur(mask, 10 * layer.scale) * mask, 0.9 * lights)


def _lamp_inside(layer: Layer, kind: str, outline: Path, mask: Pixels) -> None:
    xs, ys = [x for x, _ in outline], _heights(outline)
    left, wide = min(xs), max(xs) - min(xs)
    low, tall = min(ys), max(ys) - min(ys)
    if kind == "head":
        for place in (0.34, 0.70):
            for reach, tone in ((60.0, 58), (47.0, 176), (30.0, 70), (20.0, 240)):
                ring = _circle(left + wide * place, low + tall * 0.52, reach)
                layer.lay((tone, tone + 4, tone + 9), layer.mask(_both(ring)) * mask)
    elif kind == "tail":
        inner = _rectangle(left + wide * 0.30, low + tall * 0.42, wide * 0.17, tall * 0.11)
        layer.lay((214, 204, 200), layer.mask(_both(_smooth_ring(inner)), soft=3) * mask, 0.75)
        bulbs = [_circle(left + wide * part, low + tall * 0.70, min(wide, tall) * 0.16) for part in (0.42, 0.72)]
        layer.lay((196, 26, 30), layer.mask(_both(*bulbs), soft=4) * mask, 0.7)
