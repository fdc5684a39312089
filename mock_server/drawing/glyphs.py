"""Lettering drawn from strokes, in the manner of plates and stamped numbers.

A stroke's corners are rounded as the lettering says, so one skeleton serves round plate letters, square European ones
and chamfered stamped ones.
"""

import itertools
import math

from PIL import Image, ImageDraw

from mock_server.drawing.glyph_shapes import FIXED_GLYPHS, GLYPHS, Stroke
from mock_server.drawing.lettering import Lettering
from mock_server.drawing.pixel_effects import Point


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
    return 0.45 if char == " " else GLYPHS[char][0]


def _draw_glyph(mask: Image.Image, at: Point, size: Point, char: str, lettering: Lettering) -> None:
    units, strokes = FIXED_GLYPHS.get(char, GLYPHS[char]) if lettering.fixed else GLYPHS[char]
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
