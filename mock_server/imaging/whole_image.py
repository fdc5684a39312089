"""Compares whole pictures, where no text was declared.

A reduced overview finds the few places that differ most from their surroundings; each of them is then compared as in
`comparison.py`. The picture is as different as the worst of them. Values were set as described there.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from PIL import Image

from mock_server.imaging.box_filters import window_means
from mock_server.imaging.comparison import FAINT_CONTRAST, Comparison, compare_part
from mock_server.imaging.geometry import Frame
from mock_server.imaging.lucas_kanade import Floats, LucasKanade, SampledGrid, sample
from mock_server.imaging.photometric_fit import predict
from mock_server.imaging.pixel_transforms import reduced

# Longer side of the overview in pixels: a plate over a tenth of the frame still has four pixels per character in it.
_OVERVIEW = 400
# Longer side at most of the copies that the overview is sampled from.
_COPY = 640
# The only blur allowed for, in pixels: reduced to this size, no client's picture is blurred more.
_BLUR = 0.8
# Lucas-Kanade steps at half the overview's size, which is finer than the mosaic, and the move in pixels that ends them.
_STEPS = 2
_CONVERGED = 0.03

# How many places at most are compared closely. In the sweep, three gave the same matches; more cost time.
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

_Point = tuple[float, float]
ReadPart = Callable[[tuple[float, float, float, float], tuple[int, int]], Image.Image | None]


def compare_whole(reference: Image.Image, read_part: ReadPart, image: Image.Image, frame: Frame) -> Comparison | None:
    """Compare a whole reference with `frame` of a grey image; None where they have too little in common.

    `read_part` returns a part of the reference, given by its edges, in RGB and resized.
    """
    small = reduced(image, _COPY)
    shrink = (small.width / image.width, small.height / image.height)
    small_frame = frame.scaled(*shrink)
    copy = reduced(reference, _COPY)
    overview = _overview(copy, small_frame, _OVERVIEW)
    small_frame = _align(_overview(copy, small_frame, _OVERVIEW // 2), small, small_frame)
    samples = sample(small, small_frame, overview.width, overview.height)
    if samples is None:
        return None
    frame = small_frame.scaled(1 / shrink[0], 1 / shrink[1])
    worst = Comparison(-9.0, frame, (0.5, 0.5), _CHARACTER)
    for place in _most_different(overview, samples, frame):
        result = _compare_place(reference, read_part, image, frame, place)
        if result is not None and result.score > worst.score:
            worst = replace(result, frame=frame, strongest=place)
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


def _most_different(overview: Image.Image, samples: SampledGrid, frame: Frame) -> list[_Point]:
    """The places (x, y) with the largest residual for the contrast around them, in fractions of the reference.

    They lie apart from each other, the worst first.
    """
    difference = _relative_difference(samples.cells, predict(overview, samples, blurs=(_BLUR,)))
    difference[:_EDGE] = difference[-_EDGE:] = difference[:, :_EDGE] = difference[:, -_EDGE:] = 0
    # Half the size of the neighbourhood that one comparison covers, in pixels of the overview.
    reach_x = max(2, round(_SPACING * _PLACE_SIZE[0] * overview.width / frame.width))
    reach_y = max(2, round(_SPACING * _PLACE_SIZE[1] * overview.height / frame.height))
    inset = _WINDOW // 2
    places: list[_Point] = []
    for _ in range(_MAX_PLACES):
        row, column = divmod(int(np.argmax(difference)), difference.shape[1])
        if difference[row, column] < _MIN_DIFFERENCE:
            break
        x = (column + inset + samples.columns.start + 0.5) / overview.width
        y = (row + inset + samples.rows.start + 0.5) / overview.height
        places.append((x, y))
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


def _compare_place(
    reference: Image.Image, read_part: ReadPart, image: Image.Image, frame: Frame, place: _Point
) -> Comparison | None:
    """Compare the surroundings of one place, at the resolution that both pictures have."""
    factor = min(1.0, frame.width / reference.width, frame.height / reference.height)
    left, width = _span(place[0], _PLACE_SIZE[0] / factor, reference.width)
    top, height = _span(place[1], _PLACE_SIZE[1] / factor, reference.height)
    edges = (left, top, left + width, top + height)
    size = (max(8, round(width * factor)), max(8, round(height * factor)))
    part = reference.resize(size, Image.Resampling.BILINEAR, box=edges) if factor < 1 else reference.crop(edges)
    fractions = Frame(
        left / reference.width, top / reference.height, width / reference.width, height / reference.height
    )
    return compare_part(part, _CHARACTER, image, frame.part(fractions), _MIN_VISIBLE, lambda: read_part(edges, size))


def _span(centre: float, length: float, limit: int) -> tuple[int, int]:
    """Start and length of a span around a point, given as a fraction of 0 to `limit`, moved to lie within that."""
    within = min(limit, round(length))
    return min(max(0, round(centre * limit - within / 2)), limit - within), within
