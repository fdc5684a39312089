"""Pairs of keypoints, most of which may be wrong: which references, and which affine maps, do many agree on?

A pair says how large the reference is in the sent picture, and where its text lies. It votes for the cells around these
values of a coarse grid of sizes and places, one grid for each reference (a Hough transform). An affine map is fitted to
the pairs of the references with the most votes.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mock_server.imaging.geometry import Affine
from mock_server.imaging.lucas_kanade import Floats

# A cell spans this difference of the logarithms of sizes, and this share of the sent picture's longer side.
_SIZE_CELL = 0.7
_PLACE_CELL = 0.15
# Cells that all grids share, as a power of two. Two cells of the grids may be one cell here, which is rare, and only
# adds to their votes.
_CELL_BITS = 18
# Odd numbers that spread the coordinates of a cell (reference, size, x, y) over the shared cells.
_SPREAD = (40503, 98317, 12289, 196613)

# Pairs that have to agree.
MIN_VOTES = 5
# How many pairs are tried as the start of a map, the surest first.
_STARTS = 40
# Pairs agree within this difference of the logarithms of size, and these shares of a pixel and of the distance.
_SIZE_TOLERANCE = 0.35
_PIXELS_TOLERANCE = 4.0
_DISTANCE_TOLERANCE = 0.15
# Pairs of an affine map are at most this many pixels of their level off, one value for each step of the fit. These
# tighten slowly: wrong pairs of a coarse level, each as far off as a text is wide, would hold the map where it starts.
_FIT_TOLERANCES = (8.0, 6.0, 5.0, 4.0, 3.0, 2.5)
# How much an affine map is held to a similarity, as a share of the points' spread.
_STIFFNESS = 0.02


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


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of a sent and a known keypoint, by their numbers. `weight`: the more, the more alike.

    `sent_points` and `known_points`: x, y and the size of a pixel of the keypoint's level, one row for each pair.
    """

    sent: NDArray[np.int64]
    known: NDArray[np.int64]
    sent_points: Floats
    known_points: Floats
    weight: Floats

    def votes(self, chosen: NDArray[np.bool_]) -> int:
        """How many different keypoints of either picture the chosen pairs have."""
        return min(len(set(numbers[chosen].tolist())) for numbers in (self.sent, self.known))


def fit_affine(pairs: Pairs, centre: Floats) -> tuple[Affine, int] | None:
    """The affine map from known to sent points that most pairs agree on, and how many do.

    `centre` (x, y): the known place that a first estimate of each pair is compared at.
    """
    sent, known = pairs.sent_points, pairs.known_points
    sizes = np.log(sent[:, 2] / known[:, 2])
    chosen = _agreeing(pairs, sizes, centre)
    affine: Affine | None = None
    for tolerance in _FIT_TOLERANCES:
        affine = _least_squares(known[chosen], sent[chosen]) if pairs.votes(chosen) >= MIN_VOTES else None
        if affine is None:
            return None
        x = affine.xx * known[:, 0] + affine.xy * known[:, 1] + affine.x0
        y = affine.yx * known[:, 0] + affine.yy * known[:, 1] + affine.y0
        is_same_size = np.abs(sizes - 0.5 * np.log(affine.determinant)) < _SIZE_TOLERANCE
        chosen = (np.hypot(x - sent[:, 0], y - sent[:, 1]) < tolerance * sent[:, 2]) & is_same_size
    votes = pairs.votes(chosen)
    return (affine, votes) if affine is not None and votes >= MIN_VOTES else None


def _agreeing(pairs: Pairs, sizes: Floats, centre: Floats) -> NDArray[np.bool_]:
    """The pairs that agree with one of them on the size and on where the centre lies, where most do."""
    sent, known = pairs.sent_points, pairs.known_points
    implied = sent[:, :2] - (known[:, :2] - centre) * np.exp(sizes)[:, None]
    distance = np.hypot(sent[:, 0] - implied[:, 0], sent[:, 1] - implied[:, 1])
    tolerance = _PIXELS_TOLERANCE * sent[:, 2] + _DISTANCE_TOLERANCE * distance
    starts = np.argsort(-pairs.weight, kind="stable")[:_STARTS]
    apart = np.hypot(implied[starts, None, 0] - implied[None, :, 0], implied[starts, None, 1] - implied[None, :, 1])
    agree: NDArray[np.bool_] = np.abs(sizes[starts, None] - sizes) < _SIZE_TOLERANCE
    agree &= apart < np.maximum(tolerance[starts, None], tolerance)
    best: NDArray[np.bool_] = agree[int(np.argmax(agree @ pairs.weight))]
    return best


def _least_squares(known: Floats, sent: Floats) -> Affine | None:
    """The affine map from known to sent points, close to a similarity where few points determine it."""
    weight = 1 / sent[:, 2].astype(np.float64)
    centre, sent_centre = np.average(known[:, :2], 0, weight), np.average(sent[:, :2], 0, weight)
    a, b = known[:, :2] - centre, sent[:, :2] - sent_centre
    square = weight**2
    spread = float((square[:, None] * a**2).sum())
    if spread < 1e-6:
        return None
    # The similarity first, then what an affine map explains beyond it.
    scale = float((square[:, None] * a * b).sum()) / spread
    turn = float((square * (a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])).sum()) / spread
    similarity = np.array([[scale, -turn], [turn, scale]])
    weighted = (a * square[:, None]).T
    stiffness = np.eye(2) * spread * _STIFFNESS
    matrix = similarity + np.linalg.solve(weighted @ a + stiffness, weighted @ (b - a @ similarity.T)).T
    shift = sent_centre - matrix @ centre
    affine = Affine(*(float(value) for value in (*matrix[0], shift[0], *matrix[1], shift[1])))
    return affine if affine.determinant > 0 else None
