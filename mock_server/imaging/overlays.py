"""Finds what was laid over a picture: captions such as a timestamp or a camera's name, and bars with text in them.

A caption stands at the upper or lower edge of the picture, is several times as long as it is high, and covers what
was no line of text. A changed character is far too short for one; a plate or VIN with another text stands where the
reference has a line of the same size.
"""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mock_server.imaging.lucas_kanade import Floats
from mock_server.imaging.pixel_transforms import reduced
from mock_server.imaging.text_detection import TextLine

# --- Captions -------------------------------------------------------------------------------------------------------

# Share of the height at either edge in which captions stand.
_STRIP = 0.14
# Residual over contrast from which a place is covered.
_COVERED = 0.15
# Least length of a caption as a share of the width and in its heights, and the share of its columns that are covered.
_MIN_LENGTH = 0.1
_MIN_ASPECT = 4.0
_MIN_FILLED = 0.5
# Words of one caption are at most this share of the width apart.
_MAX_GAP = 0.08
# A line of the reference has the size of a caption if its width and height are between these shares of the caption's.
_SAME_WIDTH = (0.5, 2.0)
_SAME_HEIGHT = (0.4, 3.0)
# What lies so near a caption differs because of it, as shares of the width and of the height.
_AROUND = (0.03, 0.03)
# A caption that covers this share of the surest line of text leaves too little of it to compare.
_MAX_COVERED = 0.5

# --- Bars -----------------------------------------------------------------------------------------------------------

# A row of a bar has the first share of its pixels within so many grey levels of the bar's, and all of its rows have the
# second share; the rest is text.
_MIN_EVEN = (0.4, 0.75)
_EVEN = 12
# The same of a reference whose own edge may pass for the bar, if its level is that near: what was sent is then no bar,
# but another text on the same ground.
_MAYBE_EVEN = (0.25, 0.6)
_SAME_LEVEL = 40
# Height of a bar as a share of the picture's.
_MIN_BAR, _MAX_BAR = 0.03, 0.16
# Longer side in pixels of the copy of a reference.
_BAR_SIDE = 256

Area = tuple[float, float, float, float]
"""Left, top, right and bottom in fractions of the reference."""


def is_at_edge(y: float, top: float, bottom: float) -> bool:
    """Whether `y` lies so near one of two edges that a caption may be there."""
    strip = _STRIP * (bottom - top)
    return y < top + strip or y > bottom - strip


def is_within(point: tuple[float, float], areas: Iterable[Area]) -> bool:
    """Whether a point (x, y) lies in one of the areas."""
    return any(left <= point[0] <= right and top <= point[1] <= bottom for left, top, right, bottom in areas)


def find_overlays(difference: Floats, visible: Area, lines: tuple[TextLine, ...]) -> tuple[Area, ...]:
    """The captions in a picture; `difference`: residual over contrast in the `visible` part of the reference.

    `lines`: the lines of the reference that may be text, the surest first.
    """
    rows, columns = difference.shape
    left, top, right, bottom = visible
    across, down = (right - left) / columns, (bottom - top) / rows
    found = []
    for first, captions in _strips(difference > _COVERED):
        for x0, y0, x1, y1 in captions:
            area = (left + x0 * across, top + (first + y0) * down, left + x1 * across, top + (first + y1) * down)
            if not _hides_text(area, lines):
                found.append((area[0] - _AROUND[0], area[1] - _AROUND[1], area[2] + _AROUND[0], area[3] + _AROUND[1]))
    return tuple(found)


_Run = tuple[int, int, int, int]


def _strips(covered: NDArray[np.bool_]) -> Iterator[tuple[int, list[_Run]]]:
    """The first row of the upper and of the lower strip, and the captions in it."""
    rows = covered.shape[0]
    height = max(1, round(_STRIP * rows))
    for first, inner in ((0, height - 1), (rows - height, 0)):
        yield first, _captions(covered[first : first + height], inner)


def _captions(strip: NDArray[np.bool_], inner: int) -> list[_Run]:
    """Captions as (left, top, right, bottom) in cells of a strip; `inner`: its row that is nearest to the middle."""
    width = strip.shape[1]
    filled = np.flatnonzero(strip.any(axis=0))
    found = []
    for run in np.split(filled, np.flatnonzero(np.diff(filled) > _MAX_GAP * width + 1) + 1):
        if len(run) < _MIN_LENGTH * width:
            continue
        left, right = int(run[0]), int(run[-1]) + 1
        rows = np.flatnonzero(strip[:, left:right].any(axis=1))
        top, bottom = int(rows[0]), int(rows[-1]) + 1
        is_long = right - left >= _MIN_ASPECT * (bottom - top)
        if is_long and not top <= inner < bottom and len(run) >= _MIN_FILLED * (right - left):
            found.append((left, top, right, bottom))
    return found


def _hides_text(area: Area, lines: tuple[TextLine, ...]) -> bool:
    """Whether a line of the reference has the place and size of a caption, or the surest one is covered by it."""
    width, height = area[2] - area[0], area[3] - area[1]
    for number, line in enumerate(lines):
        middle = ((line.left + line.right) / 2, (line.top + line.bottom) / 2)
        is_alike = (
            _SAME_WIDTH[0] <= (line.right - line.left) / width <= _SAME_WIDTH[1]
            and _SAME_HEIGHT[0] <= (line.bottom - line.top) / height <= _SAME_HEIGHT[1]
        )
        if is_alike and is_within(middle, [area]):
            return True
        if number == 0 and _common(area, line) > _MAX_COVERED * line.area:
            return True
    return False


def _common(area: Area, line: TextLine) -> float:
    width = min(area[2], line.right) - max(area[0], line.left)
    height = min(area[3], line.bottom) - max(area[1], line.top)
    return max(0.0, width) * max(0.0, height)


def rows_between_bars(small: Image.Image) -> tuple[tuple[float, float], ...]:
    """First and last row between bars of one grey with text in them, as shares of the height.

    Each bar alone may be one, and both: three possibilities at most.
    """
    grey = np.asarray(small, dtype=np.int16)
    above, below = _bar_height(grey), _bar_height(grey[::-1])
    # The row at a bar's edge is mixed with the picture.
    top, bottom = (above + bool(above)) / len(grey), 1 - (below + bool(below)) / len(grey)
    possible = ((top, 1.0), (0.0, bottom), (top, bottom))
    return tuple(rows for rows in dict.fromkeys(possible) if rows != (0.0, 1.0))


def has_own_bar(reference: Image.Image, sent: Image.Image, rows: tuple[float, float]) -> bool:
    """Whether a grey reference looks like a bar of the sent picture itself, at an edge that `rows` leave out."""
    own, other = (np.asarray(reduced(image, _BAR_SIDE), dtype=np.int16) for image in (reference, sent))
    edges = ((rows[0] > 0, own, other), (rows[1] < 1, own[::-1], other[::-1]))
    return any(
        is_cut
        and abs(_edge_level(one) - _edge_level(another)) <= _SAME_LEVEL
        and _even_rows(one, *_MAYBE_EVEN) >= _MIN_BAR * len(one)
        for is_cut, one, another in edges
    )


def _edge_level(grey: NDArray[np.int16]) -> float:
    """The usual grey level of the first rows, without the outermost one."""
    first = grey[1 : max(2, round(_MIN_BAR * len(grey)))]
    return float(np.median(first if first.size else grey))


def _bar_height(grey: NDArray[np.int16]) -> int:
    """How many of the first rows are a bar."""
    height = _even_rows(grey, *_MIN_EVEN)
    return height if _MIN_BAR * len(grey) <= height <= _MAX_BAR * len(grey) else 0


def _even_rows(grey: NDArray[np.int16], each: float, all_of_them: float) -> int:
    """How many of the first rows have these shares of one grey; the outermost row may differ."""
    even = (abs(grey - _edge_level(grey)) <= _EVEN).mean(axis=1)
    is_even = even >= each
    is_even[0] = True
    rows = len(grey) if is_even.all() else int(np.argmin(is_even))
    return rows if rows > 1 and even[1:rows].mean() >= all_of_them else 0
