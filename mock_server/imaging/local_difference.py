"""Compares one part of a reference with its place in the sent picture, where no text was declared.

As in `comparison.py`, but the size and contrast of the characters are unknown and the part may show anything, so the
residual is compared with the contrast close around it:

    score = ln(strongest / contrast around it) + ln(strongest / upper tenth of all windows)

Energies and variances are in grey levels squared. Values were set on two styles of `benchmarks/styles.py` and on
photographs, signs and dashboards drawn in other ways, between the scores of 3,000 comparisons.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from mock_server.imaging.box_filters import residual_energy, window_variances
from mock_server.imaging.comparison import (
    ALIGNMENT,
    HOPELESS_SCORE,
    NOISE_ENERGY,
    Comparison,
    at_shared_resolution,
    is_visible,
    position_in_part,
)
from mock_server.imaging.geometry import Frame
from mock_server.imaging.lucas_kanade import Floats, SampledGrid, align
from mock_server.imaging.photometric_fit import colour_terms, predict

# Highest score of a part that is the same. Above it, strokes of little contrast pass; below, clipped and saturated
# copies fail.
LIMIT = 0.2
# Pixels at a part's edges that are not compared: blurred, they depend on pixels that were cut off.
_MARGIN = 4
# Contrast below which nobody could read a text.
FAINT_CONTRAST = 250.0
# Share of the contrast that resampling leaves as residual at the edges of plain shapes.
_RESAMPLING_RESIDUAL = 0.002
# Side, in characters, of the surroundings of a window.
_SURROUNDINGS = 1.5


@dataclass(frozen=True, slots=True)
class ReferencePart:
    """A part of a reference: grey, with characters of `character` pixels; `read_colours` returns it in RGB if it can.

    Clients clip and saturate each channel by itself, which grey levels alone cannot explain.
    """

    grey: Image.Image
    character: float
    read_colours: Callable[[], Image.Image | None]


def compare_part(reference: ReferencePart, image: Image.Image, frame: Frame, visible: float) -> Comparison | None:
    """Compare a part of a reference with `frame` of a grey image.

    None where less than the share `visible` of either axis lies inside the image, or it has too few pixels.
    """
    part, factor = at_shared_resolution(reference.grey, frame)
    if min(part.size) < 3:
        return None
    aligned = align(np.asarray(part, dtype=np.float32), image, frame, *ALIGNMENT)
    if aligned is None:
        return None
    frame, samples = aligned
    if min(samples.cells.shape[0] / part.height, samples.cells.shape[1] / part.width) < visible:
        return None
    character = reference.character * factor
    score, strongest = _score(predict(part, samples), samples, part, character)
    # Colours have to be decoded from the reference's file, so only where they may decide.
    if LIMIT < score < HOPELESS_SCORE and (colours := reference.read_colours()) is not None:
        predicted = predict(part, samples, colour_terms(colours, part.size))
        score, strongest = _score(predicted, samples, part, character)
    grey = np.asarray(part)[samples.rows, samples.columns]
    if not is_visible(_without_margin(grey), _without_margin(samples.cells)):
        score = max(score, HOPELESS_SCORE)
    return Comparison(score, frame, strongest, character)


def _score(
    predicted: Floats, samples: SampledGrid, part: Image.Image, character: float
) -> tuple[float, tuple[float, float]]:
    """The score of these samples, and the place (x, y) in fractions of the part that decides it."""
    energies = residual_energy(_without_margin(samples.cells - predicted), character)
    around = np.maximum(
        *(_variance_around(_without_margin(cells), energies, character) for cells in (predicted, samples.cells))
    )
    strongest_window = np.argmax(energies / (around + FAINT_CONTRAST))
    row, column = (int(place) for place in np.unravel_index(int(strongest_window), energies.shape))
    contrast = float(np.sqrt(around[row, column] * predicted.var())) + FAINT_CONTRAST
    strongest = float(energies[row, column]) + 0.1
    usual = float(np.percentile(energies, 90)) + NOISE_ENERGY + _RESAMPLING_RESIDUAL * contrast
    score = float(np.log(strongest / contrast) + np.log(strongest / usual))
    return score, position_in_part(row, column, energies, samples, part)


def _without_margin(cells: Floats) -> Floats:
    """All but the outermost cells; of a small part at most a quarter at each edge is left out."""
    down, across = (min(_MARGIN, side // 4) for side in cells.shape)
    return cells[down : cells.shape[0] - down, across : cells.shape[1] - across]


def _variance_around(cells: Floats, energies: Floats, character: float) -> Floats:
    """The variance of the surroundings of each window of `energies`."""
    side = max(3, round(_SURROUNDINGS * character))
    variance = window_variances(np.pad(cells, side // 2, mode="edge"), side, side)
    down, across = ((one - other) // 2 for one, other in zip(variance.shape, energies.shape, strict=True))
    around: Floats = variance[down : down + energies.shape[0], across : across + energies.shape[1]]
    return around
