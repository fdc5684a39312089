"""A stroke font: letters drawn as lines, in the styles of plates and stamped numbers.

A style rounds or cuts the corners of the strokes, so the strokes in `glyphs.toml` give the letters of all plates and
numbers.
"""

import itertools
import math
import tomllib
from dataclasses import dataclass
from importlib.resources import files

from PIL import ImageDraw

from mock_server.drawing.raster import Pixels, Point, Size, stencil


@dataclass(frozen=True, slots=True)
class Lettering:
    """A style. Lengths are fractions of the height of a letter.

    `width`: of a letter, between the middles of its outer strokes. `weight`: of a stroke. `gap`: between letters.
    `roundness`: radius of corners, as a fraction of `width`; `chamfer` cuts the corners instead. `round_ends`: of
    strokes. `dots`: dots per letter height, where dots form the strokes. `fixed`: monospaced.
    """

    width: float = 0.42
    weight: float = 0.14
    gap: float = 0.13
    roundness: float = 0.5
    chamfer: bool = False
    round_ends: bool = False
    dots: int = 0
    fixed: bool = False


_TABLES = tomllib.loads(files(__package__).joinpath("glyphs.toml").read_text("utf-8"))
STYLES = {name: Lettering(**style) for name, style in _TABLES["styles"].items()}
"""Name of a style to its lettering."""
SMALL = STYLES["small"]


@dataclass(frozen=True, slots=True)
class _Stroke:
    """A line through corners: x, y and how round the corner is (0 sharp, 1 as round as the style allows)."""

    corners: tuple[tuple[float, float, float], ...]
    closed: bool


_Glyph = tuple[float, tuple[_Stroke, ...]]
"""Width, as a multiple of the style's width, and the strokes on a grid of 1 by 1 with y down."""


def _glyph(width: float, strokes: str) -> _Glyph:
    return width, tuple(_stroke(stroke.split()) for stroke in strokes.split("|"))


def _stroke(words: list[str]) -> _Stroke:
    closed = words[-1] == "z"
    corners = [[float(number) for number in word.split(",")] for word in words[: -1 if closed else None]]
    return _Stroke(tuple((x, y, rest[0] if rest else 1.0) for x, y, *rest in corners), closed)


_GLYPHS = {char: _glyph(*glyph) for char, glyph in _TABLES["proportional"].items()}
_MONOSPACED = _GLYPHS | {char: _glyph(*glyph) for char, glyph in _TABLES["monospaced"].items()}
DRAWABLE = frozenset(_GLYPHS) | {" "}
"""All characters that can be drawn."""


def text_width(text: str, lettering: Lettering) -> float:
    """Width of `text`, as a fraction of its height."""
    *_, (left, width) = _places(text, lettering)
    return left + width


def draw_text(
    draw: ImageDraw.ImageDraw, at: Point, height: float, text: str, lettering: Lettering, stretch: float = 1.0
) -> None:
    """Draw `text` in white with its top left corner at `at`. `stretch` scales the width.

    Raises KeyError for a character that is not in `DRAWABLE`.
    """
    for char, (left, width) in zip(text, _places(text, lettering), strict=True):
        if char != " ":
            corner = (at[0] + left * height * stretch, at[1])
            _draw_glyph(draw, corner, (width * height * stretch, height), char, lettering)


def text_mask(size: Size, at: Point, height: float, text: str, lettering: Lettering) -> Pixels:
    """A mask of `size` with one line of text."""
    return stencil(size, lambda draw: draw_text(draw, at, height, text, lettering))


def _places(text: str, lettering: Lettering) -> list[tuple[float, float]]:
    """Left edge and width of each character, as fractions of the height."""
    places: list[tuple[float, float]] = []
    x = 0.0
    for char in text:
        units = 1.0 if lettering.fixed else 0.45 if char == " " else _GLYPHS[char][0]
        width = lettering.width * units + lettering.weight
        places.append((x, width))
        x += width + lettering.gap
    return places


def _draw_glyph(draw: ImageDraw.ImageDraw, at: Point, size: Point, char: str, lettering: Lettering) -> None:
    units, strokes = (_MONOSPACED if lettering.fixed else _GLYPHS)[char]
    weight = lettering.weight * size[1]
    # The strokes' middles lie half a stroke inside the letter.
    inner = (max(size[0] - weight, 1e-6), size[1] - weight)
    origin = (at[0] + weight / 2, at[1] + weight / 2)
    if lettering.fixed and units < 1:
        origin = (origin[0] + inner[0] * (1 - units) / 2, origin[1])
        inner = (max(inner[0] * units, 1e-6), inner[1])
    for stroke in strokes:
        path = _path(stroke, origin, inner, lettering)
        if lettering.dots:
            _draw_dots(draw, path, weight, size[1] / lettering.dots)
        else:
            _draw_line(draw, path, weight, lettering.round_ends, stroke.closed)


def _path(stroke: _Stroke, origin: Point, size: Point, lettering: Lettering) -> list[Point]:
    """The stroke in pixels, with each corner rounded or cut."""
    points = [(origin[0] + x * size[0], origin[1] + y * size[1]) for x, y, _ in stroke.corners]
    largest = lettering.roundness * lettering.width * (size[1] / max(1 - lettering.weight, 0.1))
    path: list[Point] = []
    for index, (point, (_, _, roundness)) in enumerate(zip(points, stroke.corners, strict=True)):
        is_end = not stroke.closed and index in (0, len(points) - 1)
        after = points[(index + 1) % len(points)]
        path += _corner(points[index - 1], point, after, 0.0 if is_end else roundness * largest, lettering.chamfer)
    return [*path, path[0]] if stroke.closed else path


def _corner(before: Point, at: Point, after: Point, radius: float, chamfer: bool) -> list[Point]:
    reach = min(radius, math.dist(before, at) / 2, math.dist(at, after) / 2)
    if reach < 0.5:
        return [at]
    start, end = _towards(at, before, reach), _towards(at, after, reach)
    if chamfer:
        return [start, end]
    steps = max(6, int(reach / 2))
    arc: list[Point] = []
    for step in range(steps + 1):
        t = step / steps
        # A rational quadratic Bézier curve with this weight is a quarter of a circle at a right angle.
        a, b, c = (1 - t) ** 2, 2 * t * (1 - t) * math.sqrt(0.5), t**2
        x, y = (a * start[axis] + b * at[axis] + c * end[axis] for axis in (0, 1))
        arc.append((x / (a + b + c), y / (a + b + c)))
    return arc


def _towards(start: Point, goal: Point, distance: float) -> Point:
    part = distance / max(math.dist(start, goal), 1e-9)
    return (start[0] + (goal[0] - start[0]) * part, start[1] + (goal[1] - start[1]) * part)


def _draw_line(draw: ImageDraw.ImageDraw, path: list[Point], weight: float, round_ends: bool, closed: bool) -> None:
    half = weight / 2
    if not round_ends and not closed:
        # Square ends reach as far as round ones, so letters keep their height.
        path = [_towards(path[0], path[1], -half * _uprightness(path[0], path[1])), *path[1:]]
        path[-1] = _towards(path[-1], path[-2], -half * _uprightness(path[-1], path[-2]))
    for (x0, y0), (x1, y1) in itertools.pairwise(path):
        length = max(math.dist((x0, y0), (x1, y1)), 1e-9)
        dx, dy = (y1 - y0) / length * half, (x0 - x1) / length * half
        sides = [(x0 + dx, y0 + dy), (x1 + dx, y1 + dy), (x1 - dx, y1 - dy), (x0 - dx, y0 - dy)]
        draw.polygon(sides, fill=255)
    for point in path if round_ends or closed else path[1:-1]:
        draw.circle(point, half, fill=255)


def _uprightness(end: Point, inner: Point) -> float:
    """1 for a vertical or horizontal end, less for a slanting one."""
    length = max(math.dist(end, inner), 1e-9)
    return max(abs(end[0] - inner[0]), abs(end[1] - inner[1])) / length


def _draw_dots(draw: ImageDraw.ImageDraw, path: list[Point], weight: float, pitch: float) -> None:
    lengths = [math.dist(a, b) for a, b in itertools.pairwise(path)]
    total = sum(lengths)
    count = max(1, round(total / pitch))
    for index in range(count + 1):
        draw.circle(_along(path, lengths, total * index / count), weight / 2, fill=255)


def _along(path: list[Point], lengths: list[float], distance: float) -> Point:
    """The point of the path at this distance from its start."""
    for (start, goal), length in zip(itertools.pairwise(path), lengths, strict=True):
        if distance <= length:
            return _towards(start, goal, distance) if length else start
        distance -= length
    return path[-1]
