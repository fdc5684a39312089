"""Lettering drawn from strokes: A-Z, 0-9, hyphen, dot and space, in the manner of plates and stamped numbers.

A glyph is a few strokes on a grid one unit wide and one high (y down). A stroke's corners are rounded as the
lettering says, so one skeleton serves round plate letters, square European ones and chamfered stamped ones.
"""

import itertools
import math
from dataclasses import dataclass

from PIL import Image, ImageChops, ImageDraw

Point = tuple[float, float]
Corner = tuple[float, float] | tuple[float, float, float]
"""x, y and how round the corner is: 0 sharp, 1 (the default) as round as the lettering allows."""


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line through `corners`; `closed` joins the last to the first."""

    corners: tuple[Corner, ...]
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Lettering:
    """How glyphs are drawn. Lengths are parts of the letter's height.

    `width`: of a letter, stroke middle to stroke middle. `weight`: of the stroke. `gap`: between letters, ink to
    ink. `roundness`: radius of corners as a part of the width. `chamfer` cuts corners instead. `round_ends`: of
    strokes. `dots`: pins a letter height, where the glyph is pricked instead of drawn. `fixed`: all letters take
    the same room.
    """

    width: float = 0.42
    weight: float = 0.14
    gap: float = 0.13
    roundness: float = 0.5
    chamfer: bool = False
    round_ends: bool = False
    dots: int = 0
    fixed: bool = False


PLATE = Lettering()
"""European plate lettering: even strokes with square ends."""
EMBOSSED = Lettering(width=0.36, weight=0.115, gap=0.16, roundness=0.5, round_ends=True)
"""North American plate lettering: narrow, with round ends, as pressed by dies."""
BROAD = Lettering(width=0.50, weight=0.17, gap=0.14, roundness=0.42)
"""British plate lettering: broad and heavy."""
STAMPED = Lettering(
    width=0.38, weight=0.12, gap=0.24, roundness=0.36, chamfer=True, round_ends=True, fixed=True
)
"""Monospaced lettering of numbers stamped into metal."""
PRICKED = Lettering(width=0.46, weight=0.13, gap=0.24, roundness=0.30, dots=9, fixed=True)
"""Dot-peened lettering: every stroke a row of pins."""
PRINTED = Lettering(width=0.44, weight=0.105, gap=0.17, roundness=0.5, fixed=True)
"""Monospaced lettering of thermal printers on stickers."""
SMALL = Lettering(width=0.44, weight=0.13, gap=0.2, roundness=0.5)
"""Small capitals for captions."""


def _open(*corners: Corner) -> Stroke:
    return Stroke(corners)


def _ring(*corners: Corner) -> Stroke:
    return Stroke(corners, closed=True)


_GLYPHS: dict[str, tuple[float, tuple[Stroke, ...]]] = {
    # letter: width in units of the lettering's width, strokes
    "A": (1.08, (_open((0, 1), (0.44, 0, 0), (0.56, 0, 0), (1, 1)), _open((0.16, 0.68), (0.84, 0.68)))),
    "B": (
        1.0,
        (
            _open((0, 0.47, 0), (0, 0, 0), (0.93, 0), (0.93, 0.47), (0, 0.47, 0)),
            _ring((0, 0.47, 0), (1, 0.47), (1, 1), (0, 1, 0)),
        ),
    ),
    "C": (1.0, (_open((1, 0.28), (1, 0), (0, 0), (0, 1), (1, 1), (1, 0.72)),)),
    "D": (1.0, (_ring((0, 0, 0), (1, 0), (1, 1), (0, 1, 0)),)),
    "E": (0.88, (_open((1, 0), (0, 0, 0), (0, 1, 0), (1, 1)), _open((0, 0.48), (0.86, 0.48)))),
    "F": (0.86, (_open((1, 0), (0, 0, 0), (0, 1)), _open((0, 0.48), (0.84, 0.48)))),
    "G": (1.02, (_open((1, 0.26), (1, 0), (0, 0), (0, 1), (1, 1), (1, 0.54, 0), (0.54, 0.54)),)),
    "H": (1.0, (_open((0, 0), (0, 1)), _open((1, 0), (1, 1)), _open((0, 0.48), (1, 0.48)))),
    "I": (0.0, (_open((0.5, 0), (0.5, 1)),)),
    "J": (0.86, (_open((1, 0), (1, 1), (0, 1), (0, 0.72)),)),
    "K": (1.02, (_open((0, 0), (0, 1)), _open((1, 0), (0, 0.62)), _open((0.36, 0.40), (1, 1)))),
    "L": (0.84, (_open((0, 0), (0, 1, 0), (1, 1)),)),
    "M": (1.24, (_open((0, 1), (0, 0, 0), (0.5, 0.62, 0), (1, 0, 0), (1, 1)),)),
    "N": (1.04, (_open((0, 1), (0, 0, 0), (1, 1, 0), (1, 0)),)),
    "O": (1.06, (_ring((0, 0), (1, 0), (1, 1), (0, 1)),)),
    "P": (0.96, (_open((0, 1), (0, 0, 0), (1, 0), (1, 0.54), (0, 0.54, 0)),)),
    "Q": (1.06, (_ring((0, 0), (1, 0), (1, 1), (0, 1)), _open((0.56, 0.70), (1.04, 1.06)))),
    "R": (
        1.0,
        (_open((0, 1), (0, 0, 0), (0.97, 0), (0.97, 0.52), (0, 0.52, 0)), _open((0.45, 0.52), (1, 1))),
    ),
    "S": (
        1.0,
        (_open((0.97, 0.25), (0.97, 0), (0.03, 0), (0.03, 0.47), (1, 0.47), (1, 1), (0, 1), (0, 0.75)),),
    ),
    "T": (1.0, (_open((0, 0), (1, 0)), _open((0.5, 0), (0.5, 1)))),
    "U": (1.0, (_open((0, 0), (0, 1), (1, 1), (1, 0)),)),
    "V": (1.08, (_open((0, 0), (0.46, 1, 0), (0.54, 1, 0), (1, 0)),)),
    "W": (1.36, (_open((0, 0), (0.24, 1, 0), (0.5, 0.24, 0), (0.76, 1, 0), (1, 0)),)),
    "X": (1.04, (_open((0, 0), (1, 1)), _open((1, 0), (0, 1)))),
    "Y": (1.06, (_open((0, 0), (0.5, 0.52, 0), (1, 0)), _open((0.5, 0.52), (0.5, 1)))),
    "Z": (0.94, (_open((0, 0), (1, 0, 0), (0, 1, 0), (1, 1)),)),
    "0": (0.90, (_ring((0, 0), (1, 0), (1, 1), (0, 1)),)),
    "1": (0.46, (_open((0, 0.24), (1, 0, 0), (1, 1)),)),
    "2": (0.94, (_open((0.02, 0.27), (0.02, 0), (0.98, 0), (0.98, 0.46, 0.6), (0, 1, 0), (1, 1)),)),
    "3": (
        0.94,
        (
            _open((0.02, 0.24), (0.02, 0), (0.95, 0), (0.95, 0.47), (0.36, 0.47)),
            _open((0.36, 0.47), (1, 0.47), (1, 1), (0, 1), (0, 0.76)),
        ),
    ),
    "4": (1.0, (_open((0.76, 1), (0.76, 0, 0), (0.66, 0, 0), (0, 0.74, 0), (1.04, 0.74)),)),
    "5": (
        0.94,
        (
            _open(
                (0.94, 0),
                (0.07, 0, 0),
                (0.03, 0.47, 0),
                (0.1, 0.43, 0.4),
                (1, 0.43),
                (1, 1),
                (0, 1),
                (0, 0.77),
            ),
        ),
    ),
    "6": (
        0.94,
        (_open((0.97, 0.22), (0.97, 0), (0, 0), (0, 1), (1, 1), (1, 0.43), (0, 0.43, 0.4), (0, 0.6)),),
    ),
    "7": (0.92, (_open((0, 0), (1, 0, 0), (0.98, 0.1, 0.5), (0.32, 1)),)),
    "8": (
        0.96,
        (
            _ring((0.04, 0), (0.96, 0), (0.96, 0.47), (0.04, 0.47)),
            _ring((0, 0.47), (1, 0.47), (1, 1), (0, 1)),
        ),
    ),
    "9": (
        0.94,
        (_open((0.03, 0.78), (0.03, 1), (1, 1), (1, 0), (0, 0), (0, 0.57), (1, 0.57, 0.4), (1, 0.4)),),
    ),
    "-": (0.5, (_open((0, 0.5), (1, 0.5)),)),
    ".": (0.0, (_open((0.5, 0.94), (0.5, 1.0)),)),
    "/": (0.7, (_open((0, 1), (1, 0)),)),
    ":": (0.0, (_open((0.5, 0.25), (0.5, 0.32)), _open((0.5, 0.72), (0.5, 0.79)))),
    "*": (
        0.5,
        (
            _open((0.5, 0.32), (0.5, 0.68)),
            _open((0.02, 0.41), (0.98, 0.59)),
            _open((0.98, 0.41), (0.02, 0.59)),
        ),
    ),
}
# Narrow capitals get feet where all letters take the same room, or an I would be a gap.
_FIXED = {
    "I": (1.0, (_open((0.5, 0), (0.5, 1)), _open((0.2, 0), (0.8, 0)), _open((0.2, 1), (0.8, 1)))),
    "1": (1.0, (_open((0.22, 0.2), (0.58, 0, 0), (0.58, 1)), _open((0.26, 1), (0.9, 1)))),
}
DRAWABLE = frozenset(_GLYPHS) | {" "}
"""All characters that can be drawn."""


def advances(text: str, lettering: Lettering) -> list[tuple[float, float]]:
    """Left edge and width of each character's ink, in parts of the height; the first edge is 0."""
    edges: list[tuple[float, float]] = []
    x = 0.0
    for char in text:
        wide = lettering.width * (1.0 if lettering.fixed else _units(char)) + lettering.weight
        edges.append((x, wide))
        x += wide + lettering.gap
    return edges


def text_width(text: str, lettering: Lettering) -> float:
    """Width of the ink of `text`, in parts of its height."""
    edges = advances(text, lettering)
    return edges[-1][0] + edges[-1][1] if edges else 0.0


def draw_text(
    mask: Image.Image, at: Point, height: float, text: str, lettering: Lettering, stretch: float = 1.0
) -> None:
    """Draw `text` into `mask` (mode L, white ink), ink's top left corner at `at`, ink `height` pixels high.

    `stretch` scales the width. Raises KeyError for a character that cannot be drawn.
    """
    for char, (left, wide) in zip(text, advances(text, lettering), strict=True):
        if char != " ":
            _draw_glyph(
                mask,
                (at[0] + left * height * stretch, at[1]),
                (wide * height * stretch, height),
                char,
                lettering,
            )


def _units(char: str) -> float:
    return 0.45 if char == " " else _GLYPHS[char][0]


def _draw_glyph(mask: Image.Image, at: Point, size: Point, char: str, lettering: Lettering) -> None:
    units, strokes = _FIXED.get(char, _GLYPHS[char]) if lettering.fixed else _GLYPHS[char]
    weight = lettering.weight * size[1]
    # The skeleton lies half a stroke inside the ink.
    inner = (max(size[0] - weight, 1e-6), size[1] - weight)
    origin = (at[0] + weight / 2, at[1] + weight / 2)
    if lettering.fixed and units < 1:
        origin = (origin[0] + inner[0] * (1 - units) / 2, origin[1])
        inner = (max(inner[0] * units, 1e-6), inner[1])
    for stroke in strokes:
        path = _rounded(stroke, origin, inner, lettering)
        if lettering.dots:
            _prick(mask, path, weight, size[1] / lettering.dots)
        else:
            _draw_path(mask, path, weight, lettering.round_ends, stroke.closed)


def _rounded(stroke: Stroke, origin: Point, size: Point, lettering: Lettering) -> list[Point]:
    """The stroke's points in pixels, each corner replaced by its arc or chamfer."""
    corners = [
        (
            origin[0] + corner[0] * size[0],
            origin[1] + corner[1] * size[1],
            corner[2] if len(corner) == 3 else 1.0,
        )
        for corner in stroke.corners
    ]
    largest = lettering.roundness * lettering.width * (size[1] / max(1 - lettering.weight, 0.1))
    count = len(corners)
    path: list[Point] = []
    for index, (x, y, round_part) in enumerate(corners):
        is_end = not stroke.closed and index in (0, count - 1)
        radius = 0.0 if is_end else round_part * largest
        before, after = corners[index - 1], corners[(index + 1) % count]
        path += _corner((before[0], before[1]), (x, y), (after[0], after[1]), radius, lettering.chamfer)
    if stroke.closed:
        path.append(path[0])
    return path


def _corner(before: Point, at: Point, after: Point, radius: float, chamfer: bool) -> list[Point]:
    reach = min(radius, math.dist(before, at) / 2, math.dist(at, after) / 2)
    if reach < 0.5:
        return [at]
    start = _towards(at, before, reach)
    end = _towards(at, after, reach)
    if chamfer:
        return [start, end]
    steps = max(6, int(reach / 2))
    arc: list[Point] = []
    for step in range(steps + 1):
        t = step / steps
        # A rational quadratic with this weight is a circle's quarter at a right angle.
        a, b, c = (1 - t) ** 2, 2 * t * (1 - t) * math.sqrt(0.5), t**2
        total = a + b + c
        arc.append(
            ((a * start[0] + b * at[0] + c * end[0]) / total, (a * start[1] + b * at[1] + c * end[1]) / total)
        )
    return arc


def _towards(start: Point, goal: Point, distance: float) -> Point:
    part = distance / max(math.dist(start, goal), 1e-9)
    return (start[0] + (goal[0] - start[0]) * part, start[1] + (goal[1] - start[1]) * part)


def _draw_path(mask: Image.Image, path: list[Point], weight: float, round_ends: bool, closed: bool) -> None:
    draw = ImageDraw.Draw(mask)
    half = weight / 2
    if not round_ends and not closed:
        # Square ends reach as far as round ones, so that letters keep their height.
        path = [_towards(path[0], path[1], -half * _upright(path[0], path[1])), *path[1:]]
        path[-1] = _towards(path[-1], path[-2], -half * _upright(path[-1], path[-2]))
    for (x0, y0), (x1, y1) in itertools.pairwise(path):
        length = max(math.dist((x0, y0), (x1, y1)), 1e-9)
        dx, dy = (y1 - y0) / length * half, (x0 - x1) / length * half
        draw.polygon(
            [(x0 + dx, y0 + dy), (x1 + dx, y1 + dy), (x1 - dx, y1 - dy), (x0 - dx, y0 - dy)], fill=255
        )
    joints = path if round_ends or closed else path[1:-1]
    for x, y in joints:
        draw.ellipse((x - half, y - half, x + half, y + half), fill=255)


def _upright(end: Point, inner: Point) -> float:
    """1 for ends that look straight up, down or sideways; slanting ends are cut a little past the line."""
    length = max(math.dist(end, inner), 1e-9)
    return max(abs(end[0] - inner[0]), abs(end[1] - inner[1])) / length


def _prick(mask: Image.Image, path: list[Point], weight: float, pitch: float) -> None:
    draw = ImageDraw.Draw(mask)
    lengths = [math.dist(a, b) for a, b in itertools.pairwise(path)]
    total = sum(lengths)
    count = max(1, round(total / pitch))
    for index in range(count + 1):
        x, y = _along(path, lengths, total * index / count)
        draw.ellipse((x - weight / 2, y - weight / 2, x + weight / 2, y + weight / 2), fill=255)


def _along(path: list[Point], lengths: list[float], distance: float) -> Point:
    for (start, goal), length in zip(itertools.pairwise(path), lengths, strict=True):
        if distance <= length:
            return _towards(start, goal, distance) if length else start
        distance -= length
    return path[-1]


def text_mask(text: str, lettering: Lettering, height: int, margin: int = 4) -> Image.Image:
    """A mask (mode L) that holds just `text`, `height` pixels high, with `margin` pixels around it."""
    big = 4
    width = math.ceil(text_width(text, lettering) * height)
    mask = Image.new("L", ((width + 2 * margin) * big, (height + 2 * margin) * big))
    draw_text(mask, (margin * big, margin * big), height * big, text, lettering)
    return mask.resize((width + 2 * margin, height + 2 * margin), Image.Resampling.BOX)


def combine(first: Image.Image, second: Image.Image) -> Image.Image:
    """Both masks in one."""
    return ImageChops.lighter(first, second)
