"""Finds bars of one grey with text in them that were laid over the upper or lower edge of a picture.

A thumbnail with a wide bar is not like that of the picture without it, so the search looks between them, too. What else
was laid over a picture is found by `covers`.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mock_server.imaging.pixel_transforms import reduced

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
    """How many of the first rows have these shares of one grey; the outermost hundredth may differ."""
    even = (abs(grey - _edge_level(grey)) <= _EVEN).mean(axis=1)
    is_even = even >= each
    is_even[: 1 + len(grey) // 100] = True
    rows = len(grey) if is_even.all() else int(np.argmin(is_even))
    return rows if rows > 1 and even[1:rows].mean() >= all_of_them else 0
