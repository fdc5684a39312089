"""Comparing whole frames, where nobody said where the text stands.

A quick overview finds the places that differ most for their surroundings; each of them is then compared
closely, as if it were a declared region. The picture is as different as the worst of them.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from PIL import Image

from mock_server.imaging.box_filters import window_means
from mock_server.imaging.comparison import Comparison
from mock_server.imaging.local_difference import Known, compare_place
from mock_server.imaging.photometric_fit import explained
from mock_server.imaging.pixel_transforms import reduced
from mock_server.imaging.registration import Aligner, Floats, Frame, sample

# The overview's longer side: a plate over a tenth of the frame still has four pixels to a character in it.
_OVERVIEW = 400
# It is sampled from copies of at most this on the longer side.
_COPY = 640
# What blurs a picture is less than a pixel from afar.
_BLUR = 0.8
_PLACES = 7
# Size of a place in pixels at the resolution that is shared, and the character size assumed in it.
_PLACE = (112, 64)
_CELL = 14.0
# Two cells of the overview's grid of windows are one place if they are closer than this.
_WINDOW = 5
# The contrast around a window is that of so many windows of so many cells.
_STEP = 3
_SURROUNDINGS = 7
# Where one character differs, the heat is several times this even in the overview; elsewhere mostly less.
_COOL = 0.1
# Grey levels squared: what differs by less than this is no text that anybody could read.
_FAINT = 250.0


class Original:
    """A known picture read again: its working copy in grey, and the same in RGB where somebody asks for it."""

    def __init__(self, grey: Image.Image, colours: Callable[[], Image.Image | None]) -> None:
        self.grey = grey
        self._read = colours

    @cached_property
    def colours(self) -> Image.Image | None:
        """None where the source is gone."""
        return self._read()

    def part(self, box: tuple[float, float, float, float], size: tuple[int, int]) -> Image.Image | None:
        """A part of the copy in RGB, resized."""
        colours = self.colours
        return None if colours is None else colours.resize(size, Image.Resampling.BILINEAR, box=box)


@dataclass(frozen=True, slots=True)
class _Place:
    """A point of the frame, in fractions of it, and how much it differs there."""

    x: float
    y: float
    heat: float


def compare_whole(known: Original, image: Image.Image, frame: Frame) -> Comparison | None:
    """Compare a whole picture (grey) with `frame` of `image`; None where they share too little."""
    small = reduced(image, _COPY)
    shrink = (small.width / image.width, small.height / image.height)
    afar = frame.scaled(*shrink)
    copy = reduced(known.grey, _COPY)
    overview = _fitted(copy, afar, _OVERVIEW)
    afar = _refined(_fitted(copy, afar, _OVERVIEW // 2), small, afar)
    frame = afar.scaled(1 / shrink[0], 1 / shrink[1])
    places = _places(overview, small, afar, _reach(overview, frame))
    if places is None:
        return None
    worst = Comparison(-9.0, frame, (0.5, 0.5), _CELL)
    for place in places:
        result = _closely(known, image, frame, place)
        if result is not None and result.score > worst.score:
            worst = replace(result, frame=frame, hottest=(place.x, place.y))
    return worst


def _fitted(copy: Image.Image, frame: Frame, side: int) -> Image.Image:
    """A reduced copy of a known picture at most `side` pixels long, and no finer than its frame in the sent one."""
    factor = min(1.0, side / max(copy.size), frame.width / copy.width, frame.height / copy.height)
    size = (max(8, round(copy.width * factor)), max(8, round(copy.height * factor)))
    # The very way in which the sent picture is reduced: another filter would leave its mark on every edge.
    seen = sample(copy, Frame(0, 0, *copy.size), *size)
    assert seen is not None, "all of a picture lies inside it"
    return Image.fromarray(seen.cells.astype(np.uint8))


def _refined(overview: Image.Image, image: Image.Image, frame: Frame) -> Frame:
    """One more alignment: finer than the mosaic's, and half as fine as the overview is enough for it."""
    aligner = Aligner(np.asarray(overview, dtype=np.float32))
    for _ in range(2):
        seen = sample(image, frame, overview.width, overview.height)
        if seen is None:
            break
        frame, moved = aligner.improved(frame, seen)
        if moved < 0.03:
            break
    return frame


def _places(
    overview: Image.Image, image: Image.Image, frame: Frame, reach: tuple[int, int]
) -> list[_Place] | None:
    seen = sample(image, frame, overview.width, overview.height)
    if seen is None:
        return None
    fitted = explained(overview, seen, blurs=(_BLUR,))
    heat = _heat(seen.cells, fitted)
    # The frame's rim mixes with whatever a client puts around the picture.
    heat[:2] = heat[-2:] = heat[:, :2] = heat[:, -2:] = 0
    inset = _WINDOW // 2
    places = []
    for _ in range(_PLACES):
        row, column = (int(value) for value in np.unravel_index(int(np.argmax(heat)), heat.shape))
        if heat[row, column] < _COOL:
            break
        places.append(
            _Place(
                (column + inset + seen.columns.start + 0.5) / overview.width,
                (row + inset + seen.rows.start + 0.5) / overview.height,
                float(heat[row, column]),
            )
        )
        rows = slice(max(0, row - reach[1]), row + reach[1] + 1)
        heat[rows, max(0, column - reach[0]) : column + reach[0] + 1] = 0
    return places


def _reach(overview: Image.Image, frame: Frame) -> tuple[int, int]:
    """How far around a place nothing else needs looking at, in pixels of the overview."""
    return (
        max(2, round(0.3 * _PLACE[0] * overview.width / frame.width)),
        max(2, round(0.3 * _PLACE[1] * overview.height / frame.height)),
    )


def _heat(cells: Floats, fitted: Floats) -> Floats:
    """Unexplained energy for the contrast around it, in windows; as large as the grid of those."""
    energy = window_means((cells - fitted) ** 2, _WINDOW, _WINDOW)
    # What is around is smooth: every few cells of it are enough.
    coarse, coarse_squares = (_reduced(values) for values in (fitted, fitted * fitted))
    padded, squares = (np.pad(values, _SURROUNDINGS // 2, mode="edge") for values in (coarse, coarse_squares))
    mean = window_means(padded, _SURROUNDINGS, _SURROUNDINGS)
    variance = window_means(squares, _SURROUNDINGS, _SURROUNDINGS) - mean * mean
    enlarged = Image.fromarray(variance).resize(energy.shape[::-1], Image.Resampling.BILINEAR)
    heat: Floats = energy / (np.asarray(enlarged, dtype=np.float32) + np.float32(_FAINT))
    return heat


def _reduced(values: Floats) -> Floats:
    return np.asarray(Image.fromarray(values).reduce(_STEP))


def _closely(original: Original, image: Image.Image, frame: Frame, place: _Place) -> Comparison | None:
    """The surroundings of one place, at the resolution that both pictures have."""
    known = original.grey
    shared = min(1.0, frame.width / known.width, frame.height / known.height)
    left, top, right, bottom = edges = _around(known, place, _PLACE[0] / shared, _PLACE[1] / shared)
    size = (max(8, round((right - left) * shared)), max(8, round((bottom - top) * shared)))
    part = known.resize(size, Image.Resampling.BILINEAR, box=edges) if shared < 1 else known.crop(edges)
    there = frame.part(
        left / known.width, top / known.height, (right - left) / known.width, (bottom - top) / known.height
    )
    return compare_place(Known(part, _CELL, lambda: original.part(edges, size)), image, there, within=0.5)


def _around(known: Image.Image, place: _Place, wide: float, high: float) -> tuple[int, int, int, int]:
    width, height = min(known.width, round(wide)), min(known.height, round(high))
    left = min(max(0, round(place.x * known.width - width / 2)), known.width - width)
    top = min(max(0, round(place.y * known.height - height / 2)), known.height - height)
    return left, top, left + width, top + height
