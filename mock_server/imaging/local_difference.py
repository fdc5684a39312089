"""How much one place of a picture differs, where nobody declared that a text stands there.

As declared regions are compared, but with less to go by: neither the size of characters nor their contrast is known,
and what is compared may be anything, so what is left unexplained counts for the contrast close around it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from mock_server.imaging.box_filters import hot_windows, window_means
from mock_server.imaging.comparison import HOPELESS, Comparison, aligned, shared, shown
from mock_server.imaging.photometric_fit import colour_terms, explained
from mock_server.imaging.registration import Floats, Frame, Sampled

# Pixels at a part's edges that are not judged: what they look like blurred depends on what was cut off there.
_RIM = 4
# Grey levels squared: what differs by less than this is no text that anybody could read.
_FAINT = 250.0
# Share of the contrast that resampling leaves at the edges of plain shapes on even ground, and the energy that any
# codec leaves.
_PLAIN = 0.002
_NOISE = 4.0
# What the ratio to the other windows weighs, beside the ratio to the contrast.
_SPREAD = 1.0
# Characters that the contrast around a window is that of.
_AROUND = 1.5
# The score from which on a place differs.
LIMIT = 0.2


@dataclass(frozen=True, slots=True)
class Known:
    """A part of a known picture: grey, with `cell` pixels to a character; `colours` fetches it in RGB, if it can.

    What clients do to each channel by itself (clipping, above all) is no matter of grey levels alone.
    """

    grey: Image.Image
    cell: float
    colours: Callable[[], Image.Image | None]


def compare_place(known: Known, image: Image.Image, frame: Frame, within: float) -> Comparison | None:
    """Compare a part of a known picture with `frame` of `image`.

    None where less than the share `within` of either axis lies inside the image, or it has too few pixels.
    """
    part, reduction = shared(known.grey, frame)
    if min(part.size) < 3:
        return None
    found = aligned(np.asarray(part, dtype=np.float32), image, frame)
    if found is None:
        return None
    frame, seen = found
    if min(seen.cells.shape[0] / part.height, seen.cells.shape[1] / part.width) < within:
        return None
    cell = known.cell * reduction
    score, place = _judged(explained(part, seen), seen, cell)
    # Colours cost another look at the known picture, so it is taken only where they may decide.
    if LIMIT < score < HOPELESS and (colours := known.colours()) is not None:
        score, place = _judged(explained(part, seen, colour_terms(colours, part.size)), seen, cell)
    if not shown(_inner(np.asarray(part)[seen.rows, seen.columns]), _inner(seen.cells)):
        score = max(score, HOPELESS)
    hottest = ((place[0] + seen.columns.start) / part.width, (place[1] + seen.rows.start) / part.height)
    return Comparison(score, frame, hottest, cell)


def _judged(fitted: Floats, seen: Sampled, cell: float) -> tuple[float, tuple[float, float]]:
    """The score of what is seen where `fitted` was to be expected, and the place (x, y) that it is due to."""
    windows = hot_windows(_inner(seen.cells - fitted), cell)
    near = np.maximum(*(_variance_around(_inner(cells), windows, cell) for cells in (fitted, seen.cells)))
    row, column = (
        int(place) for place in np.unravel_index(int(np.argmax(windows / (near + _FAINT))), windows.shape)
    )
    contrast = float(np.sqrt(near[row, column] * fitted.var())) + _FAINT
    # A window is known by its first cell; its centre is half its size further.
    middle = ((fitted.shape[1] - windows.shape[1]) / 2, (fitted.shape[0] - windows.shape[0]) / 2)
    score = _score(windows, float(windows[row, column]), contrast)
    return score, (column + middle[0] + 0.5, row + middle[1] + 0.5)


def _score(windows: Floats, hottest: float, contrast: float) -> float:
    """How hot the hottest window is, for the contrast around it and for the other windows."""
    usual = float(np.percentile(windows, 90)) + _NOISE + _PLAIN * contrast
    return float(np.log((hottest + 0.1) / contrast) + _SPREAD * np.log((hottest + 0.1) / usual))


def _inner(cells: Floats) -> Floats:
    """All but the outermost cells, as far as enough are left."""
    down, across = (min(_RIM, side // 4) for side in cells.shape)
    return cells[down : cells.shape[0] - down, across : cells.shape[1] - across]


def _variance_around(cells: Floats, windows: Floats, cell: float) -> Floats:
    """The variance of what is about the size of a character around each of the windows."""
    side = max(3, round(_AROUND * cell))
    padded = np.pad(cells, side // 2, mode="edge")
    mean = window_means(padded, side, side)
    variance = window_means(padded * padded, side, side) - mean * mean
    down, across = ((one - other) // 2 for one, other in zip(variance.shape, windows.shape, strict=True))
    near: Floats = variance[down : down + windows.shape[0], across : across + windows.shape[1]]
    return near
