"""Windows of half a character, slid over a text: what differs in one of them is a stroke."""

import numpy as np

from mock_server.imaging.registration import Floats

# Width of the smoothing, in characters.
_GRAIN = 0.05
# Windows of so many rows and columns together are summed up faster than by running sums.
_FEW = 12


def hot_windows(unexplained: Floats, cell: float) -> Floats:
    """Mean energy in windows of half a character, around every pixel where one fits.

    Smoothed a little first: what a codec leaves is finer than any part of a character.
    """
    energy = smoothed(unexplained, _GRAIN * cell) ** 2
    return window_means(energy, *window_size(cell))


def window_size(cell: float) -> tuple[int, int]:
    """Width and height of half a character, in pixels."""
    return max(2, round(cell / 2)), max(2, round(cell * 0.6))


def smoothed(values: Floats, sigma: float) -> Floats:
    """A Gaussian of this width over both axes; none below a third of a pixel, where it would change
    nothing."""
    if sigma <= 0.3:
        return values
    reach = int(3 * sigma + 1)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    weights = (weights / weights.sum()).astype(np.float32)
    rows, columns = values.shape
    padded = np.pad(values, reach, mode="edge")
    across: Floats = sum(weight * padded[:, at : at + columns] for at, weight in enumerate(weights))
    both: Floats = sum(weight * across[at : at + rows] for at, weight in enumerate(weights))
    return both


def window_means(values: Floats, wide: int, high: int) -> Floats:
    """Means over windows of this size, one for every place where a window fits."""
    rows, columns = values.shape
    wide, high = min(columns, wide), min(rows, high)
    if wide + high <= _FEW:
        return _added_up(values, wide, high) / np.float32(wide * high)
    sums = np.zeros((rows + 1, columns + 1), dtype=np.float64)
    np.cumsum(np.cumsum(values, axis=0, dtype=np.float64), axis=1, out=sums[1:, 1:])
    totals = sums[high:, wide:] - sums[:-high, wide:] - sums[high:, :-wide] + sums[:-high, :-wide]
    means: Floats = (totals / (wide * high)).astype(np.float32)
    return means


def _added_up(values: Floats, wide: int, high: int) -> Floats:
    rows, columns = values.shape[0] - high + 1, values.shape[1] - wide + 1
    across = values[:, :columns].copy()
    for at in range(1, wide):
        across += values[:, at : at + columns]
    both = across[:rows].copy()
    for at in range(1, high):
        both += across[at : at + rows]
    return both
