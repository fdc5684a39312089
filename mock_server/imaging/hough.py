"""Hough transform: which references do many pairs of keypoints agree on, in size and in place?

A pair of keypoints says how large the reference is in the sent picture, and where its text lies. It votes for the
cells around these values of a coarse grid of sizes and places, one grid for each reference.
"""

import numpy as np
from numpy.typing import NDArray

from mock_server.imaging.lucas_kanade import Floats

# A cell spans this difference of the logarithms of sizes, and this share of the sent picture's longer side.
_SIZE_CELL = 0.7
_PLACE_CELL = 0.15
# Cells that all grids share, as a power of two. Two cells of the grids may be one cell here, which is rare, and only
# adds to their votes.
_CELL_BITS = 18
# Odd numbers that spread the coordinates of a cell (reference, size, x, y) over the shared cells.
_SPREAD = (40503, 98317, 12289, 196613)


def fullest_cells(owners: NDArray[np.int64], sizes: Floats, places: tuple[Floats, Floats], weight: Floats) -> Floats:
    """For each pair, the weight of the fullest cell that it votes for.

    `owners`: numbers of references; `sizes`: logarithms of the references' sizes in the sent picture; `places`: x and y
    where their texts lie, as shares of the longer side of the sent picture.
    """
    cells, steps = owners * _SPREAD[0], [0]
    coordinates = (sizes / _SIZE_CELL, places[0] / _PLACE_CELL, places[1] / _PLACE_CELL)
    for values, spread in zip(coordinates, _SPREAD[1:], strict=True):
        # The two cells whose centres are nearest: pairs that agree have at least one in common.
        cells = cells + np.floor(values - 0.5).astype(np.int64) * spread
        steps += [step + spread for step in steps]
    keys = (cells + np.array(steps)[:, None]) & ((1 << _CELL_BITS) - 1)
    votes = np.bincount(keys.ravel(), np.tile(weight, len(steps)), 1 << _CELL_BITS)
    fullest: Floats = votes[keys].max(axis=0).astype(np.float32)
    return fullest
