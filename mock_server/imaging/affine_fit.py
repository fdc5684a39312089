"""Fits an affine map to pairs of keypoints, most of which may be wrong."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mock_server.imaging.geometry import Affine
from mock_server.imaging.lucas_kanade import Floats

# Pairs that have to agree.
MIN_VOTES = 5
# How many pairs are tried as the start of a map, the surest first.
_STARTS = 40
# Pairs agree within this difference of the logarithms of size, and these shares of a pixel and of the distance.
_SIZE_TOLERANCE = 0.35
_PIXELS_TOLERANCE = 4.0
_DISTANCE_TOLERANCE = 0.15
# Pairs of an affine map are at most this many pixels of their level off, one value for each step of the fit. Many pairs
# tighten slowly: wrong ones of a coarse level, each as far off as a text is wide, would hold the map where it starts.
_FIT_TOLERANCES = (5.0, 3.0, 2.5)
_FIT_TOLERANCES_OF_MANY = (8.0, 6.0, 5.0, 4.0, 3.0, 2.5)
_MANY = 20
# How much an affine map is held to a similarity, as a share of the points' spread.
_STIFFNESS = 0.02


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
    for tolerance in _FIT_TOLERANCES_OF_MANY if pairs.votes(chosen) >= _MANY else _FIT_TOLERANCES:
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
