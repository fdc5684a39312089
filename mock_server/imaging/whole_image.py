"""Compares whole pictures, where no text was declared.

A reduced overview finds the few places that differ most from their surroundings; each of them is then compared as in
`local_difference.py`. The picture is as different as the worst of them. Values were set as described there.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from PIL import Image

from mock_server.imaging.box_filters import window_means
from mock_server.imaging.comparison import Comparison
from mock_server.imaging.geometry import Frame
from mock_server.imaging.local_difference import FAINT_CONTRAST, ReferencePart, compare_part
from mock_server.imaging.lucas_kanade import Floats, LucasKanade, SampledGrid, sample
from mock_server.imaging.photometric_fit import predict
from mock_server.imaging.pixel_transforms import reduced

# --- Overview -------------------------------------------------------------------------------------------------------

# Longer side of the overview in pixels: a plate over a tenth of the frame still has four pixels per character in it.
_OVERVIEW = 400
# Longer side at most of the copies that the overview is sampled from.
_COPY = 640
# The only blur allowed for, in pixels: reduced to this size, no client's picture is blurred more.
_BLUR = 0.8
# Lucas-Kanade steps at half the overview's size, which is finer than the mosaic, and the move in pixels that ends them.
_STEPS = 2
_CONVERGED = 0.03

# --- Places to compare closely --------------------------------------------------------------------------------------

# How many at most. In the sweep, three gave the same matches; more cost time.
_MAX_PLACES = 7
# Side in overview pixels of the windows in which the residual is averaged.
_WINDOW = 5
# The contrast around a window is measured over this many blocks, each of this many overview pixels a side.
_BLOCK = 3
_SURROUNDINGS = 7
# Residual over contrast below which a place is not compared. Half of it compares more places, and one match of the
# sweep was lost.
_MIN_DIFFERENCE = 0.1
# Pixels of the overview left out at each edge, which letterbox bars and crops mix with foreign pixels.
_EDGE = 2
# (width, height) in pixels of a compared place at the shared resolution, and the size assumed for its characters. Half
# of that size lost one match of the sweep.
_PLACE_SIZE = (112, 64)
_CHARACTER = 14.0
# Share of a place's size within which no second place is compared.
_SPACING = 0.3
# Share of a place that must lie inside the sent picture.
_MIN_VISIBLE = 0.5


class ReferenceImage:
    """A reference read again from its source: the grey working copy, and the same in RGB, decoded on demand."""

    def __init__(self, grey: Image.Image, read_colours: Callable[[], Image.Image | None]) -> None:
        self.grey = grey
        self._read_colours = read_colours

    @cached_property
    def _colours(self) -> Image.Image | None:
        return self._read_colours()

    def part(self, box: tuple[float, float, float, float], size: tuple[int, int]) -> Image.Image | None:
        """A part of the copy in RGB, resized; None where the source is gone."""
        colours = self._colours
        return None if colours is None else colours.resize(size, Image.Resampling.BILINEAR, box=box)


@dataclass(frozen=True, slots=True)
class _Place:
    """A point of the picture, in fractions of its width and height."""

    x: float
    y: float


def compare_whole(reference: ReferenceImage, image: Image.Image, frame: Frame) -> Comparison | None:
    """Compare a whole reference with `frame` of a grey image; None where they have too little in common."""
    small = reduced(image, _COPY)
    shrink = (small.width / image.width, small.height / image.height)
    small_frame = frame.scaled(*shrink)
    copy = reduced(reference.grey, _COPY)
    overview = _overview(copy, small_frame, _OVERVIEW)
    small_frame = _align(_overview(copy, small_frame, _OVERVIEW // 2), small, small_frame)
    samples = sample(small, small_frame, overview.width, overview.height)
    if samples is None:
        return None
    frame = small_frame.scaled(1 / shrink[0], 1 / shrink[1])
    worst = Comparison(-9.0, frame, (0.5, 0.5), _CHARACTER)
    for place in _most_different(overview, samples, frame):
        result = _compare_place(reference, image, frame, place)
        if result is not None and result.score > worst.score:
            worst = replace(result, frame=frame, strongest=(place.x, place.y))
    return worst


def _overview(copy: Image.Image, frame: Frame, side: int) -> Image.Image:
    """The reference at most `side` pixels long, and no finer than its frame in the sent picture."""
    factor = min(1.0, side / max(copy.size), frame.width / copy.width, frame.height / copy.height)
    size = (max(8, round(copy.width * factor)), max(8, round(copy.height * factor)))
    # Sampled exactly as the sent picture is: a different filter would leave a residual on every edge.
    samples = sample(copy, Frame(0, 0, *copy.size), *size)
    assert samples is not None, "all of a picture lies inside it"
    return Image.fromarray(samples.cells.astype(np.uint8))


def _align(overview: Image.Image, image: Image.Image, frame: Frame) -> Frame:
    """The frame after a few steps. The last one: on a whole picture, a step can lower the correlation and be right."""
    solver = LucasKanade(np.asarray(overview, dtype=np.float32))
    for _ in range(_STEPS):
        samples = sample(image, frame, overview.width, overview.height)
        if samples is None:
            break
        frame, moved = solver.step(frame, samples)
        if moved < _CONVERGED:
            break
    return frame


def _most_different(overview: Image.Image, samples: SampledGrid, frame: Frame) -> list[_Place]:
    """The places with the largest residual for the contrast around them, apart from each other, worst first."""
    difference = _relative_difference(samples.cells, predict(overview, samples, blurs=(_BLUR,)))
    difference[:_EDGE] = difference[-_EDGE:] = difference[:, :_EDGE] = difference[:, -_EDGE:] = 0
    # Half the size of the neighbourhood that one comparison covers, in pixels of the overview.
    reach_x = max(2, round(_SPACING * _PLACE_SIZE[0] * overview.width / frame.width))
    reach_y = max(2, round(_SPACING * _PLACE_SIZE[1] * overview.height / frame.height))
    inset = _WINDOW // 2
    places: list[_Place] = []
    for _ in range(_MAX_PLACES):
        row, column = (int(value) for value in np.unravel_index(int(np.argmax(difference)), difference.shape))
        if difference[row, column] < _MIN_DIFFERENCE:
            break
        places.append(
            _Place(
                (column + inset + samples.columns.start + 0.5) / overview.width,
                (row + inset + samples.rows.start + 0.5) / overview.height,
            )
        )
        difference[max(0, row - reach_y) : row + reach_y + 1, max(0, column - reach_x) : column + reach_x + 1] = 0
    return places


def _relative_difference(cells: Floats, predicted: Floats) -> Floats:
    """Residual energy over the variance around it, one value per window."""
    energy = window_means((cells - predicted) ** 2, _WINDOW, _WINDOW)
    # The surroundings are smooth, so they are measured in blocks and enlarged.
    padded, squares = (
        np.pad(np.asarray(Image.fromarray(values).reduce(_BLOCK)), _SURROUNDINGS // 2, mode="edge")
        for values in (predicted, predicted * predicted)
    )
    mean = window_means(padded, _SURROUNDINGS, _SURROUNDINGS)
    variance = window_means(squares, _SURROUNDINGS, _SURROUNDINGS) - mean * mean
    enlarged = Image.fromarray(variance).resize(energy.shape[::-1], Image.Resampling.BILINEAR)
    difference: Floats = energy / (np.asarray(enlarged, dtype=np.float32) + np.float32(FAINT_CONTRAST))
    return difference


def _compare_place(reference: ReferenceImage, image: Image.Image, frame: Frame, place: _Place) -> Comparison | None:
    """Compare the surroundings of one place, at the resolution that both pictures have."""
    grey = reference.grey
    factor = min(1.0, frame.width / grey.width, frame.height / grey.height)
    left, top, right, bottom = edges = _edges_around(grey, place, _PLACE_SIZE[0] / factor, _PLACE_SIZE[1] / factor)
    size = (max(8, round((right - left) * factor)), max(8, round((bottom - top) * factor)))
    part = grey.resize(size, Image.Resampling.BILINEAR, box=edges) if factor < 1 else grey.crop(edges)
    part_frame = frame.part(
        left / grey.width, top / grey.height, (right - left) / grey.width, (bottom - top) / grey.height
    )
    reference_part = ReferencePart(part, _CHARACTER, lambda: reference.part(edges, size))
    return compare_part(reference_part, image, part_frame, _MIN_VISIBLE)


def _edges_around(grey: Image.Image, place: _Place, width: float, height: float) -> tuple[int, int, int, int]:
    """A rectangle of this size around a place, moved to lie inside the picture."""
    wide, high = min(grey.width, round(width)), min(grey.height, round(height))
    left = min(max(0, round(place.x * grey.width - wide / 2)), grey.width - wide)
    top = min(max(0, round(place.y * grey.height - high / 2)), grey.height - high)
    return left, top, left + wide, top + high
