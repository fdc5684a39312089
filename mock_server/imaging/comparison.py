"""Compares a declared text of a reference with the place where it should be in the sent picture.

Both are brought to the resolution that they share and aligned once more. A photometric fit then predicts the sent
pixels from the reference. The residual is averaged over windows of half a character: one changed character makes one
window stand out, whereas noise raises all of them alike. The lower the score, the more alike. A declared text has

    score = ln(strongest / contrast) + 1.5 * ln(strongest / typical)

*strongest*: the largest residual energy of a window; *contrast*: the variance of the text; *typical*: the upper
quartile of the energies of windows that hold characters. `undeclared_comparison` compares what was not declared.

Energies and variances are in grey levels squared. `docs/matching.md` says how the limits of the scores were found. The
other values were set with them on drawn labels of twenty further kinds, between the scores of the right pictures and
those of one-character neighbours.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from mock_server.imaging.box_filters import residual_energy, window_size, window_variances
from mock_server.imaging.geometry import Corners, Frame
from mock_server.imaging.lucas_kanade import Alignment, Floats, SampledGrid, align, correlate
from mock_server.imaging.photometric_fit import colour_terms, local_tone_terms, predict
from mock_server.imaging.plane_alignment import align_in_perspective

# Lucas-Kanade steps, and the move in pixels below which they end: the fit itself explains a smaller misalignment.
_ALIGNMENT = (3, 0.04)
# Text above this score is aligned again, starting from copies that are this many times as coarse: at full resolution, a
# small letter that lies a stroke's width off is drawn further away. A copy needs this many pixels on either axis.
_GOOD_SCORE = -1.5
_COARSER = (2, 4)
_MIN_COARSE_SIDE = 5
# From this share of the reference's resolution on, it is compared as it is, which saves a blur.
_SAME_RESOLUTION = 0.95
# Ratio of the two axes' scales from which on each has a resolution of its own: a smaller one is mostly an error of the
# alignment.
_SQUASHED = 1.1
# Energy that any codec leaves behind; it keeps a nearly perfect fit from making the typical energy zero.
NOISE_ENERGY = 4.0
# Pixels of the shorter side of the smallest part that can be aligned.
_MIN_SIDE = 3
# Variance of the faintest text that can be compared.
_MIN_TEXT_VARIANCE = 4.0
# Weight of the ratio to the typical window, beside that of the ratio to the contrast.
_TYPICAL_WEIGHT = 1.5
# A box larger than its text dilutes the variance; it is taken to be at most this many times too small.
_MAX_DILUTION = 10.0
# Above this score, no colours could explain the difference.
HOPELESS_SCORE = 3.5
# Least correlation of a text with a higher score that is looked at in perspective nevertheless.
_MIN_CORRELATION = 0.65
# A score within this below the limit is looked at again, like those above it.
_NARROW = 1.0
# How much lower the score has to be where the tone curve may vary within the text: it explains a part of each change.
_LOCAL_TONES_STRICTER = 0.4
# The margin that a declared text is stored with, as a share of the stored height. It serves the alignment alone.
MARGIN = 0.11
# A text with at least this variance is visible only where the sent picture correlates with it by at least this much. A
# wiped label would otherwise pass, since a tone curve can map all levels to one.
_VISIBLE_VARIANCE = 100.0
_VISIBLE_CORRELATION = 0.75


@dataclass(frozen=True, slots=True)
class Comparison:
    """`score`: the lower, the more alike. `frame`: the compared part, in pixels of the image.

    `strongest`: centre of the window that differs most, in fractions of the part. `character`: size of one in pixels,
    at the resolution compared. `is_line`: it decides about a line of text that was not declared. `corners`: of the part
    in the image, where it lies there in perspective.
    """

    score: float
    frame: Frame
    strongest: tuple[float, float]
    character: float
    is_line: bool = False
    corners: Corners | None = None


_Aligned = tuple[Comparison, Alignment]


def compare_text(
    reference: Image.Image,
    character: float,
    image: Image.Image,
    frame: Frame,
    visible: tuple[float, float],
    limit: float | None = None,
    read_colours: Callable[[], Image.Image | None] | None = None,
) -> Comparison | None:
    """Compare a grey reference patch, a text with its margin, with `frame` of a grey image.

    `character`: size of one in pixels of the patch. Where the score is near `limit`, more changes are allowed for: a
    perspective, a tone curve that varies within the text, and what the colours of the patch explain. None where less
    than the shares `visible` of (height, width) lie inside the image, or it has too few pixels.
    """
    part, factor = at_shared_resolution(reference, frame)
    character *= factor
    found = _compared(part, character, image, frame, visible)
    if not found:
        return None
    best, aligned = _best(found)
    if limit is None or best.score <= limit - _NARROW:
        return best
    best, aligned = _best(found + _in_perspective(part, character, image, found))
    if not limit - _NARROW < best.score < HOPELESS_SCORE:
        return best
    return _decided(part, character, best, aligned, limit, read_colours)


def _best(found: Sequence[_Aligned]) -> _Aligned:
    return min(found, key=lambda one: one[0].score)


def _compared(
    part: Image.Image, character: float, image: Image.Image, frame: Frame, visible: tuple[float, float]
) -> list[_Aligned]:
    """Comparisons of a part with its place in the sent picture, up to the first good one."""
    found: list[_Aligned] = []
    for aligned in alignments(part, image, frame, visible):
        found.append((_scored(part, character, aligned), aligned))
        if found[-1][0].score < _GOOD_SCORE:
            break
    return found


def _in_perspective(part: Image.Image, character: float, image: Image.Image, found: list[_Aligned]) -> list[_Aligned]:
    """One more comparison, by a homography; none where the part hardly lies better under one."""
    best, start = _best(found)
    if best.score >= HOPELESS_SCORE:
        # The ends of a long text may lie a character's width off, so that no score says which start is the best.
        start = max((aligned for _, aligned in found), key=lambda one: one.correlation)
        if start.correlation < _MIN_CORRELATION:
            return []
    aligned = align_in_perspective(np.asarray(part, dtype=np.float32), image, start)
    return [] if aligned is None else [(_scored(part, character, aligned), aligned)]


def _decided(
    part: Image.Image,
    character: float,
    best: Comparison,
    aligned: Alignment,
    limit: float,
    read_colours: Callable[[], Image.Image | None] | None,
) -> Comparison:
    """What a comparison near its limit becomes where more changes are allowed for, the cheapest first."""
    local = _scored(part, character, aligned, local_tone_terms(part, character))
    if best.score <= limit:
        # Once uneven light is explained, a changed stroke stands out more from the rest, and nothing in the right text.
        return best if local.score <= limit else local
    best = min(best, replace(local, score=local.score + _LOCAL_TONES_STRICTER), key=lambda one: one.score)
    colours = read_colours() if read_colours and best.score > limit else None
    if colours is not None:
        result = _scored(part, character, aligned, colour_terms(colours, part.size))
        best = min(best, result, key=lambda one: one.score)
    return best


def _scored(part: Image.Image, character: float, aligned: Alignment, extra_terms: Sequence[Floats] = ()) -> Comparison:
    """The comparison of a part with what the sent picture shows where it was aligned."""
    predicted = predict(part, aligned.samples, extra_terms)
    score, strongest = text_score(part, aligned.samples, predicted, character)
    return Comparison(score, aligned.frame, strongest, character, corners=aligned.corners)


def alignments(
    part: Image.Image, image: Image.Image, frame: Frame, visible: tuple[float, float]
) -> Iterator[Alignment]:
    """`part` aligned with `frame` of an image, from the given start and from coarser copies; those visible enough.

    None for a part that has too few pixels.
    """
    if min(part.size) < _MIN_SIDE:
        return
    for start in _starts(part, image, frame):
        aligned = align(np.asarray(part, dtype=np.float32), image, start, *_ALIGNMENT)
        if aligned is not None and is_inside(aligned.samples, part, visible):
            yield aligned


def _starts(part: Image.Image, image: Image.Image, frame: Frame) -> Iterator[Frame]:
    """Frames to align from: the given one, then those found on coarser copies."""
    yield frame
    for factor in _COARSER:
        if min(part.size) >= _MIN_COARSE_SIDE * factor:
            coarse = np.asarray(part.reduce(factor), dtype=np.float32)
            aligned = align(coarse, image, frame, *_ALIGNMENT)
            if aligned is not None:
                yield aligned.frame


def is_inside(samples: SampledGrid, part: Image.Image, visible: tuple[float, float]) -> bool:
    rows, columns = samples.cells.shape
    return bool(rows >= visible[0] * part.height and columns >= visible[1] * part.width)


def text_score(
    part: Image.Image,
    samples: SampledGrid,
    predicted: Floats,
    character: float,
    least_variance: float = _MIN_TEXT_VARIANCE,
) -> tuple[float, tuple[float, float]]:
    """The score of samples of a text, and the place (x, y) in fractions of the part that decides it.

    `least_variance`: added to the contrast.
    """
    energies = _without_margin(residual_energy(samples.cells - predicted, character), part.height)
    contrast = _text_variance(predicted, character) + least_variance
    typical = _typical_energy(energies, predicted, contrast, character, part.height)
    strongest = float(energies.max()) + 0.1
    score = float(np.log(strongest / contrast) + _TYPICAL_WEIGHT * np.log(strongest / (typical + NOISE_ENERGY)))
    reference = np.asarray(part)[samples.rows, samples.columns]
    if not is_visible(*(_without_margin(cells, part.height) for cells in (reference, samples.cells))):
        score = max(score, HOPELESS_SCORE)
    return score, place_of(int(np.argmax(energies)), energies, samples, part)


def place_of(window: int, energies: Floats, samples: SampledGrid, part: Image.Image) -> tuple[float, float]:
    """The centre (x, y) of a window of `energies`, counted row by row, in fractions of the part."""
    row, column = divmod(window, energies.shape[1])
    # The energies lie centred on the samples: half of what they lack in size is missing at each edge.
    x = column + (samples.cells.shape[1] - energies.shape[1]) / 2 + samples.columns.start + 0.5
    y = row + (samples.cells.shape[0] - energies.shape[0]) / 2 + samples.rows.start + 0.5
    return x / part.width, y / part.height


def _text_variance(cells: Floats, character: float) -> float:
    """The median variance of places as large as a character, if less than that of the whole part.

    Dark ground at the corners of a slanted plate has more contrast than the plate's own characters.
    """
    size = (max(3, round(character)), max(3, round(1.2 * character)))
    local = float(np.median(window_variances(cells, *size)))
    whole = float(cells.var())
    return min(whole, max(local, whole / _MAX_DILUTION))


def _without_margin(cells: Floats, height: int) -> Floats:
    """The windows or pixels within a declared box of a part this high: no character stands in its margin."""
    margin = round(MARGIN * height)
    return cells[margin:-margin, margin:-margin] if 0 < 2 * margin < min(cells.shape) else cells


def is_visible(reference: Floats, samples: Floats) -> bool:
    """Whether anything of the reference can be seen in the samples, which a flat tone curve would explain as well."""
    return (
        float(reference.var()) < _VISIBLE_VARIANCE
        or correlate(reference.astype(np.float32), samples) >= _VISIBLE_CORRELATION
    )


def _typical_energy(energies: Floats, predicted: Floats, contrast: float, character: float, height: int) -> float:
    """The upper quartile of the energies at characters; the ground between characters has no energy to compare with."""
    has_ink = _without_margin(window_variances(predicted, *window_size(character)), height) >= contrast
    quartile = float(np.percentile(energies, 75))
    return max(quartile, float(np.percentile(energies[has_ink], 75))) if has_ink.any() else quartile


def at_shared_resolution(reference: Image.Image, frame: Frame) -> tuple[Image.Image, float]:
    """`reference` no finer than its `frame` in the sent picture, and the factor by which it was reduced."""
    across, down = frame.width / reference.width, frame.height / reference.height
    factor = min(1.0, float(np.sqrt(across * down)))
    if max(across, down) > _SQUASHED * min(across, down):
        across, down = min(1.0, across), min(1.0, down)
        factor = float(np.sqrt(across * down))
    else:
        across = down = factor
    if factor > _SAME_RESOLUTION:
        return reference, 1.0
    size = (max(1, round(reference.width * across)), max(1, round(reference.height * down)))
    return reference.resize(size, Image.Resampling.BILINEAR), factor
