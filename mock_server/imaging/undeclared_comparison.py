"""Compares parts of a reference in which no text was declared with the place where they should be.

It is done as for a declared text (`comparison`). The size and contrast of the characters are unknown, and a part may
show anything, so the contrast is that close around the strongest window:

    score = ln(strongest / contrast around it) + ln(strongest / upper tenth of all windows)

A line that looks like text is judged by both scores, so that a changed character of a small plate counts as it would
if the plate were declared:

    score = (score of a part + score of a declared text) / 2 + 0.2

Values were set on two styles of `benchmarks/styles.py` and on photographs, signs and dashboards drawn in other ways,
between the scores of 3,000 comparisons; those of lines, on plates laid into 25 photographs.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from PIL import Image

from mock_server.imaging.box_filters import residual_energy, window_variances
from mock_server.imaging.comparison import (
    HOPELESS_SCORE,
    NOISE_ENERGY,
    Comparison,
    alignments,
    at_shared_resolution,
    is_visible,
    place_of,
    text_score,
)
from mock_server.imaging.geometry import Frame
from mock_server.imaging.lucas_kanade import Alignment, Floats, SampledGrid
from mock_server.imaging.photometric_fit import ToneCurve, colour_terms, predict

# Highest score of an undeclared part that is the same. Above it, strokes of little contrast pass; below, clipped and
# saturated copies fail.
PART_LIMIT = 0.2
# Pixels at such a part's edges that are not compared: blurred, they depend on pixels that were cut off.
_PART_MARGIN = 4
# Contrast below which nobody could read a text.
FAINT_CONTRAST = 250.0
# Share of the contrast that resampling leaves as residual at the edges of plain shapes.
_RESAMPLING_RESIDUAL = 0.002
# Side, in characters, of the surroundings of a window.
_SURROUNDINGS = 1.5
# Least contrast assumed of a line: a texture with less is often lost by a codec.
_MIN_LINE_VARIANCE = 100.0
# Added to the mean of a line's two scores, which gives it the limit of the other parts: right pictures of the tuning
# photographs have -0.1 at most before it is added (palettes of GIFs apart), neighbours 0.5 at least.
_LINE_OFFSET = 0.2

ReadColours = Callable[[], Image.Image | None]
"""Returns the compared part of the reference in RGB, or None where that cannot be read."""
_Score = Callable[[Floats, SampledGrid, Image.Image, float], tuple[float, tuple[float, float]]]
"""Takes what a part predicts, the samples, the part and the size of a character; returns the score and its place."""


def compare_part(
    reference: Image.Image,
    character: float,
    image: Image.Image,
    frame: Frame,
    visible: float,
    read_colours: ReadColours,
    tones: ToneCurve,
) -> Comparison | None:
    """Compare a grey part of a reference, where no text was declared, with `frame` of a grey image.

    `read_colours` returns the part in RGB if it can. `tones`: those of the whole picture, in which the part may be
    clipped. The rest as in `compare_text`.
    """
    part, factor = at_shared_resolution(reference, frame)
    aligned = next(alignments(part, image, frame, (visible, visible)), None)
    if aligned is None:
        return None
    result = _scored(part, aligned, character * factor, read_colours, _part_score)
    grey = tones.apply(np.asarray(part, dtype=np.float32)[aligned.samples.rows, aligned.samples.columns])
    is_seen = is_visible(_without_edges(grey), _without_edges(aligned.samples.cells))
    return result if is_seen else replace(result, score=max(result.score, HOPELESS_SCORE))


def compare_line(
    reference: Image.Image,
    character: float,
    image: Image.Image,
    frame: Frame,
    visible: float,
    read_colours: ReadColours,
) -> Comparison | None:
    """Compare a line that may be text, and was not declared; the arguments are those of `compare_part`."""
    part, factor = at_shared_resolution(reference, frame)
    results: list[Comparison] = []
    for aligned in alignments(part, image, frame, (visible, visible)):
        results.append(_scored(part, aligned, character * factor, read_colours, _line_score))
        if results[-1].score <= PART_LIMIT:
            break
    return min(results, key=lambda result: result.score, default=None)


def _scored(
    part: Image.Image, aligned: Alignment, character: float, read_colours: ReadColours, score: _Score
) -> Comparison:
    """The comparison of a part with what the sent picture shows where it was aligned."""
    samples = aligned.samples
    lowest = score(predict(part, samples), samples, part, character)
    # Colours have to be decoded from the reference's file, so only where they may decide.
    if PART_LIMIT < lowest[0] < HOPELESS_SCORE and (colours := read_colours()) is not None:
        predicted = predict(part, samples, colour_terms(colours, part.size))
        lowest = min(lowest, score(predicted, samples, part, character))
    return Comparison(lowest[0], aligned.frame, lowest[1], character)


def _line_score(
    predicted: Floats, samples: SampledGrid, part: Image.Image, character: float
) -> tuple[float, tuple[float, float]]:
    text, strongest = text_score(part, samples, predicted, character, _MIN_LINE_VARIANCE)
    other, _ = _part_score(predicted, samples, part, character)
    return (text + other) / 2 + _LINE_OFFSET, strongest


def _part_score(
    predicted: Floats, samples: SampledGrid, part: Image.Image, character: float
) -> tuple[float, tuple[float, float]]:
    """The score of these samples, and the place (x, y) in fractions of the part that decides it."""
    energies = residual_energy(_without_edges(samples.cells - predicted), character)
    around = np.maximum(
        *(_variance_around(_without_edges(cells), energies, character) for cells in (predicted, samples.cells))
    )
    window = int(np.argmax(energies / (around + FAINT_CONTRAST)))
    contrast = float(np.sqrt(around.flat[window] * predicted.var())) + FAINT_CONTRAST
    strongest = float(energies.flat[window]) + 0.1
    usual = float(np.percentile(energies, 90)) + NOISE_ENERGY + _RESAMPLING_RESIDUAL * contrast
    score = float(np.log(strongest / contrast) + np.log(strongest / usual))
    return score, place_of(window, energies, samples, part)


def _without_edges(cells: Floats) -> Floats:
    """All but the outermost cells; of a small part at most a quarter at each edge is left out."""
    down, across = (min(_PART_MARGIN, side // 4) for side in cells.shape)
    return cells[down : cells.shape[0] - down, across : cells.shape[1] - across]


def _variance_around(cells: Floats, energies: Floats, character: float) -> Floats:
    """The variance of the surroundings of each window of `energies`."""
    side = max(3, round(_SURROUNDINGS * character))
    variance = window_variances(np.pad(cells, side // 2, mode="edge"), side, side)
    down, across = ((one - other) // 2 for one, other in zip(variance.shape, energies.shape, strict=True))
    around: Floats = variance[down : down + energies.shape[0], across : across + energies.shape[1]]
    return around
