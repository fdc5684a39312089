"""Box filters and a Gaussian for small arrays: mean energies of a residual in windows of half a character."""

import numpy as np

from mock_server.imaging.lucas_kanade import Floats

# Standard deviation, in characters, of the Gaussian laid over a residual: what a codec leaves is finer than a stroke.
_SMOOTHING = 0.05
# Width and height of a window in characters: about one stroke of a letter.
_WINDOW_WIDTH = 0.5
_WINDOW_HEIGHT = 0.6


def residual_energy(residual: Floats, character: float) -> Floats:
    """Mean squared residual in windows of half a character (`character`: its size in pixels), one per position."""
    energy = _gaussian(residual, _SMOOTHING * character) ** 2
    return window_means(energy, *window_size(character))


def window_size(character: float) -> tuple[int, int]:
    """Width and height in pixels of the window for characters of this size."""
    return max(2, round(_WINDOW_WIDTH * character)), max(2, round(_WINDOW_HEIGHT * character))


def _gaussian(values: Floats, sigma: float) -> Floats:
    """A Gaussian filter over both axes; below a third of a pixel it would change nothing and is left out."""
    if sigma <= 0.3:
        return values
    reach = int(3 * sigma + 1)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    weights = (weights / weights.sum()).astype(np.float32)
    return _convolved(np.pad(values, reach, mode="edge"), weights, weights)


def window_means(values: Floats, width: int, height: int) -> Floats:
    """Means over windows of this size, one for every position where a window fits."""
    rows, columns = values.shape
    width, height = min(columns, width), min(rows, height)
    sums = np.zeros((rows + 1, columns + 1), dtype=np.float64)
    np.cumsum(np.cumsum(values, axis=0, dtype=np.float64), axis=1, out=sums[1:, 1:])
    totals = sums[height:, width:] - sums[:-height, width:] - sums[height:, :-width] + sums[:-height, :-width]
    means: Floats = (totals / (width * height)).astype(np.float32)
    return means


def window_variances(values: Floats, width: int, height: int) -> Floats:
    """Variances over windows of this size, one for every position where a window fits."""
    means = window_means(values, width, height)
    return window_means(values * values, width, height) - means * means


def _convolved(values: Floats, across: Floats, down: Floats) -> Floats:
    """Weighted sums over windows, one for every position where a window fits; weights per column and per row."""
    rows, columns = values.shape[0] - len(down) + 1, values.shape[1] - len(across) + 1
    lines: Floats = sum(weight * values[:, at : at + columns] for at, weight in enumerate(across))
    sums: Floats = sum(weight * lines[at : at + rows] for at, weight in enumerate(down))
    return sums
