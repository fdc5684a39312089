"""How a picture looks from afar: thumbnails of the whole frame and of what even borders enclose.

Letterbox bars make another picture of one and the same scene; without them it is itself again.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mock_server.imaging.pixel_transforms import Grey
from mock_server.imaging.registration import Floats, Frame

THUMB = 16
# A border's greys differ by no more than this from its level: what a codec does to an even ground.
_EVEN = 14
_LEAST_AREA = 0.1
# What a moderate crop takes from each side; the whole frame and this serve all crops between.
_CROP = 0.045

Edges = tuple[int, int, int, int]
Lines = tuple[NDArray[np.int16], NDArray[np.int16]]


@dataclass(frozen=True, slots=True)
class View:
    """One way to see the whole picture: `frame` in fractions of it, and its thumbnail, mean 0 and norm 1."""

    frame: Frame
    thumb: Floats


def views(small: Image.Image) -> tuple[View, ...]:
    """The whole frame, and what is left of it without an even border, and without another one inside that.

    Letterbox bars go with the first border; the second is the even ground that a drawn picture has of its
    own."""
    grey = np.asarray(small)
    height, width = grey.shape
    inner = (0, 0, width, height)
    frames = [inner]
    for _ in range(2):
        inner = _inside_border(grey, inner)
        if inner == frames[-1] or (inner[2] - inner[0]) * (inner[3] - inner[1]) < _LEAST_AREA * grey.size:
            break
        frames.append(inner)
    return tuple(
        View(
            Frame(left / width, top / height, (right - left) / width, (bottom - top) / height),
            _thumb(small, (left, top, right, bottom)),
        )
        for left, top, right, bottom in frames
    )


def known_views(small: Image.Image) -> tuple[View, ...]:
    """The views of a known picture: also what is left of it when its edges are cropped."""
    width, height = small.size
    across, down = round(width * _CROP), round(height * _CROP)
    inner = Frame(across / width, down / height, 1 - 2 * across / width, 1 - 2 * down / height)
    return (*views(small), View(inner, _thumb(small, (across, down, width - across, height - down))))


def turned_grid(grid: Floats, orientation: int) -> Floats:
    """A grid turned as EXIF `orientation` says."""
    if orientation >= 5:
        grid = grid.T
    if orientation in (2, 3, 6, 7):
        grid = grid[:, ::-1]
    if orientation in (3, 4, 7, 8):
        grid = grid[::-1]
    return grid


def turned_frame(frame: Frame, orientation: int) -> Frame:
    """A frame in fractions of a picture, in fractions of that picture turned."""
    left, top, wide, high = frame.left, frame.top, frame.width, frame.height
    if orientation >= 5:
        left, top, wide, high = top, left, high, wide
    if orientation in (2, 3, 6, 7):
        left = 1 - left - wide
    if orientation in (3, 4, 7, 8):
        top = 1 - top - high
    return Frame(left, top, wide, high)


def _thumb(small: Image.Image, box: Edges) -> Floats:
    # Cut out first: a filter that reaches beyond the edges would mix letterbox bars into the outermost cells.
    cut = small if box == (0, 0, *small.size) else small.crop(box)
    part = cut.resize((THUMB, THUMB), Image.Resampling.BILINEAR, reducing_gap=3.0)
    seen: Floats = np.asarray(part, dtype=np.float32)
    cells: Floats = seen - seen.mean()
    thumb: Floats = cells / np.float32(max(float(np.linalg.norm(cells)), 1e-3))
    return thumb


def _inside_border(grey: Grey, edges: Edges) -> Edges:
    """What a border of one even grey leaves of the part `edges`; all of it where there is none."""
    left, top, right, bottom = edges
    part = grey[top:bottom, left:right]
    level = _edge_level(part)
    if level is None:
        return edges
    rows = _range(part, 1)
    above, below = _even_ends(rows, level)
    if above + below >= part.shape[0]:
        return edges
    before, behind = _even_ends(_range(part[above : part.shape[0] - below], 0), level)
    if before + behind >= part.shape[1]:
        return edges
    return left + before, top + above, right - behind, bottom - below


def _range(part: Grey, axis: int) -> Lines:
    return part.min(axis=axis).astype(np.int16), part.max(axis=axis).astype(np.int16)


def _edge_level(part: Grey) -> int | None:
    """The grey of the first edge that is even."""
    for edge in (part[0], part[-1], part[:, 0], part[:, -1]):
        low, high = int(edge.min()), int(edge.max())
        if high - low <= 2 * _EVEN:
            return (low + high) // 2
    return None


def _even_ends(lines: Lines, level: int) -> tuple[int, int]:
    """How many of the first and of the last lines are of this grey."""
    uneven = (lines[0] < level - _EVEN) | (lines[1] > level + _EVEN)
    if not uneven.any():
        return len(uneven), 0
    return int(np.argmax(uneven)), int(np.argmax(uneven[::-1]))
