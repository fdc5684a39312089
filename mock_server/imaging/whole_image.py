"""Compares whole pictures, where no text was declared.

Every line that may be text is compared, then the few places that differ most from their surroundings in a reduced
overview. The picture is as different as the worst of them. What was laid over it is left out. Values were set as
described in `undeclared_comparison`.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from PIL import Image

from mock_server.imaging.box_filters import window_means
from mock_server.imaging.comparison import Comparison
from mock_server.imaging.covers import Area, find_covers
from mock_server.imaging.fingerprint import patch_scale, with_margin
from mock_server.imaging.geometry import Frame
from mock_server.imaging.lucas_kanade import Floats, SampledGrid, sample
from mock_server.imaging.mending import mend
from mock_server.imaging.overview import (
    ALIGNED,
    BLOCK,
    OVERVIEW,
    WINDOW,
    aligned_frame,
    overview_of,
    predicted_cells,
    relative_difference,
    sampled,
    small_copy,
)
from mock_server.imaging.photometric_fit import ToneCurve
from mock_server.imaging.text_detection import TextLine
from mock_server.imaging.undeclared_comparison import PART_LIMIT, compare_line, compare_part

# A line of which a character has this many pixels in the overview is compared only if its residual over contrast
# reaches this anywhere: a changed character has 0.08 at least on the tuning photographs.
_CLEAR_CHARACTER = 4.0
_SAME_LINE = 0.02

# How many places at most are compared closely. More cost time.
_MAX_PLACES = 8
# A place is compared from this residual over contrast on, if it is so many times that of the neighbourhood, which is
# measured over this many (columns, rows) of blocks. On the tuning photographs, a changed character has 0.08 and 4.8
# times at least: a faint plate differs less than foliage that a codec has softened, but stands out from what is near.
# A clear difference is compared in any case.
_MIN_DIFFERENCE = 0.04
_CLEAR_DIFFERENCE = 0.1
_MIN_OUTSTANDING = 3.0
_NEIGHBOURHOOD = (27, 13)
# Added to the residual of a neighbourhood, which a codec may leave without any.
_USUAL_DIFFERENCE = 0.01
# Pixels of the overview left out at each edge, which letterbox bars and crops mix with foreign pixels; of a strip, a
# quarter at most.
_EDGE = 2
# (width, height) in pixels of a compared place at the shared resolution, and the size assumed for its characters: with
# larger ones, a changed character of a faint plate hardly counts; smaller ones lose GIFs with few colours. In a tiny
# picture they are this share of its shorter side at most: a part that was pasted in would fill most of the windows.
_PLACE_SIZE = (112, 64)
_CHARACTER = 12.0
_SHARE_OF_PLACE = 0.25
# Share of a place's size within which no second place is compared.
_SPACING = 0.3
# Share of a place that must lie inside the sent picture.
_MIN_VISIBLE = 0.5

# A line: the share of it that must be visible, and the least pixels of a character.
_MIN_LINE_VISIBLE = 0.6
_MIN_CHARACTER = 3.0

# Least score of a picture with something laid over it: another reference may show that as well.
_COVERED_SCORE = -1.0

_Point = tuple[float, float]
ReadPart = Callable[[tuple[float, float, float, float], tuple[int, int]], Image.Image | None]


def compare_whole(
    reference: Image.Image, lines: tuple[TextLine, ...], read_part: ReadPart, image: Image.Image, frame: Frame
) -> Comparison | None:
    """Compare a whole reference with `frame` of a grey image; None where they have too little in common.

    `lines` of the reference may be text. `read_part` returns a part of the reference, given by its edges, in RGB and
    resized.
    """
    small = small_copy(image)
    shrink = (small.width / image.width, small.height / image.height)
    small_frame = frame.scaled(*shrink)
    copy = small_copy(reference)
    overview = overview_of(copy, small_frame, OVERVIEW)
    small_frame = aligned_frame(overview_of(copy, small_frame, ALIGNED), small, small_frame)
    samples = sample(small, small_frame, overview.width, overview.height)
    if samples is None:
        return None
    frame = small_frame.scaled(1 / shrink[0], 1 / shrink[1])
    predicted = predicted_cells(overview, samples)
    difference = relative_difference(samples.cells, predicted)
    tones = ToneCurve.of(np.asarray(overview, dtype=np.float32)[samples.rows, samples.columns], predicted)
    covers = find_covers(samples.cells, predicted, difference, _area(samples, overview))
    if covers:
        reference = mend(reference, image, frame, covers, lines, tones)
        overview = sampled(small_copy(reference), overview.size)
        difference = relative_difference(samples.cells, predicted_cells(overview, samples))
    worst = Comparison(_COVERED_SCORE if covers else -9.0, frame, (0.5, 0.5), _CHARACTER)
    for line in lines:
        if not _may_differ(difference, overview, samples, line):
            continue
        compared = _compare_line(reference, read_part, image, frame, line)
        if compared is not None and compared.score > worst.score:
            worst = replace(compared, frame=frame, is_line=True)
            if worst.score > PART_LIMIT:
                return worst
    for place in _most_different(difference, overview, samples, frame):
        compared = _compare_place(reference, read_part, image, frame, place, tones)
        if compared is not None and compared.score > worst.score:
            worst = replace(compared, frame=frame)
    return worst


def _may_differ(difference: Floats, overview: Image.Image, samples: SampledGrid, line: TextLine) -> bool:
    """Whether the overview leaves open that a character of a line differs."""
    if line.character * overview.height < _CLEAR_CHARACTER:
        return True
    part = _cells(difference, overview, samples, (line.left, line.top, line.right, line.bottom))
    return bool(part.size and part.max() >= _SAME_LINE)


def _cells(difference: Floats, overview: Image.Image, samples: SampledGrid, area: Area) -> Floats:
    """The part of the difference, a view, of which the windows touch an area of the reference."""
    left, top = samples.columns.start + WINDOW // 2, samples.rows.start + WINDOW // 2
    x0, x1 = (max(0, round(edge * overview.width - left)) for edge in (area[0], area[2]))
    y0, y1 = (max(0, round(edge * overview.height - top)) for edge in (area[1], area[3]))
    return difference[max(0, y0 - WINDOW) : y1 + WINDOW, max(0, x0 - WINDOW) : x1 + WINDOW]


def _area(samples: SampledGrid, overview: Image.Image) -> Area:
    """The visible part of the reference."""
    return (
        samples.columns.start / overview.width,
        samples.rows.start / overview.height,
        samples.columns.stop / overview.width,
        samples.rows.stop / overview.height,
    )


def _compare_line(
    reference: Image.Image, read_part: ReadPart, image: Image.Image, frame: Frame, line: TextLine
) -> Comparison | None:
    """Compare one line; `strongest` in fractions of the reference. None where it is too small or not visible."""
    width, height = reference.size
    place = with_margin(line.box(width, height).frame, reference.size)
    character = line.character * height
    factor = min(1.0, frame.width / width, frame.height / height)
    if min(place.width, place.height) < _MIN_CHARACTER or character * factor < _MIN_CHARACTER:
        return None
    factor = min(factor, patch_scale(place, character))
    size = (max(8, round(place.width * factor)), max(3, round(place.height * factor)))
    edges = place.edges(width, height)
    part = reference.resize(size, Image.Resampling.BICUBIC, box=edges)
    fractions = place.scaled(1 / width, 1 / height)
    result = compare_line(
        part, character * factor, image, frame.part(fractions), _MIN_LINE_VISIBLE, lambda: read_part(edges, size)
    )
    return None if result is None else _in_reference(result, fractions)


def _most_different(difference: Floats, overview: Image.Image, samples: SampledGrid, frame: Frame) -> list[_Point]:
    """The places (x, y) of which the residual stands out most, in fractions of the reference.

    They lie apart from each other, the worst first.
    """
    rows, columns = difference.shape
    down, across = min(_EDGE, rows // 4), min(_EDGE, columns // 4)
    difference[:down] = difference[rows - down :] = difference[:, :across] = difference[:, columns - across :] = 0
    outstanding = difference / (_means_nearby(difference) + np.float32(_USUAL_DIFFERENCE))
    # A large area does not stand out from what is near, since it is that itself.
    outstanding = np.maximum(outstanding, difference * np.float32(_MIN_OUTSTANDING / _CLEAR_DIFFERENCE))
    outstanding[difference < _MIN_DIFFERENCE] = 0
    # Half the size of the neighbourhood that one comparison covers, in pixels of the overview.
    reach_x = max(2, round(_SPACING * _PLACE_SIZE[0] * overview.width / frame.width))
    reach_y = max(2, round(_SPACING * _PLACE_SIZE[1] * overview.height / frame.height))
    inset = WINDOW // 2
    places: list[_Point] = []
    for _ in range(_MAX_PLACES):
        row, column = divmod(int(np.argmax(outstanding)), difference.shape[1])
        if outstanding[row, column] < _MIN_OUTSTANDING:
            break
        x = (column + inset + samples.columns.start + 0.5) / overview.width
        y = (row + inset + samples.rows.start + 0.5) / overview.height
        places.append((x, y))
        outstanding[max(0, row - reach_y) : row + reach_y + 1, max(0, column - reach_x) : column + reach_x + 1] = 0
    return places


def _means_nearby(values: Floats) -> Floats:
    """The mean of the values in the neighbourhood of each; it is smooth, so it is measured in blocks and enlarged."""
    across, down = (side // 2 for side in _NEIGHBOURHOOD)
    blocks = np.pad(np.asarray(Image.fromarray(values).reduce(BLOCK)), ((down, down), (across, across)), mode="reflect")
    means = Image.fromarray(window_means(blocks, *_NEIGHBOURHOOD))
    nearby: Floats = np.asarray(means.resize(values.shape[::-1], Image.Resampling.BILINEAR), dtype=np.float32)
    return nearby


def _compare_place(
    reference: Image.Image, read_part: ReadPart, image: Image.Image, frame: Frame, place: _Point, tones: ToneCurve
) -> Comparison | None:
    """Compare the surroundings of one place, at the resolution that both pictures have; `strongest` as in a line."""
    factor = min(1.0, frame.width / reference.width, frame.height / reference.height)
    left, width = _span(place[0], _PLACE_SIZE[0] / factor, reference.width)
    top, height = _span(place[1], _PLACE_SIZE[1] / factor, reference.height)
    edges = (left, top, left + width, top + height)
    size = (max(8, round(width * factor)), max(8, round(height * factor)))
    part = reference.resize(size, Image.Resampling.BILINEAR, box=edges) if factor < 1 else reference.crop(edges)
    fractions = Frame(
        left / reference.width, top / reference.height, width / reference.width, height / reference.height
    )
    character = min(_CHARACTER, _SHARE_OF_PLACE * min(size))
    result = compare_part(
        part, character, image, frame.part(fractions), _MIN_VISIBLE, lambda: read_part(edges, size), tones
    )
    return None if result is None else _in_reference(result, fractions)


def _in_reference(result: Comparison, part: Frame) -> Comparison:
    """The same with `strongest` in fractions of the reference instead of the part, which is given in those."""
    x, y = result.strongest
    return replace(result, strongest=(part.left + x * part.width, part.top + y * part.height))


def _span(centre: float, length: float, limit: int) -> tuple[int, int]:
    """Start and length of a span around a point, given as a fraction of 0 to `limit`, moved to lie within that."""
    within = min(limit, round(length))
    return min(max(0, round(centre * limit - within / 2)), limit - within), within
