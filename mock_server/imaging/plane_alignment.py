"""Alignment of a text with the degrees of freedom of an affine map (turns and shears) or of a homography.

Where a camera looks at a long text from the side, its near end is larger than its far one. Neither a scale and a shift
nor an affine map lays a reference on all of its characters then. Lucas-Kanade steps align it, and the corners of its
texts say where the whole reference lies.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mock_server.imaging.geometry import Affine, Corners, Frame, Placement
from mock_server.imaging.lucas_kanade import (
    COST_OF_MOVE,
    Alignment,
    Floats,
    NormalEquations,
    SampledGrid,
    correlate,
    gradients,
)
from mock_server.imaging.pixel_transforms import part_around

# Degrees of freedom.
_AFFINE, _HOMOGRAPHY = 6, 8
# Steps at most, the move in cells that ends them, and the longest move of one step.
_STEPS = 8
_CONVERGED = 0.02
_MAX_STEP = 1.5
# How much nearer or farther than its centre a corner may lie, as a share of the centre's distance.
_MAX_CHANGE_OF_DISTANCE = 0.5
# Least gain of correlation that makes a homography worth a comparison.
_MIN_BETTER = 0.001

# Weight of the reference's corners as they lie without perspective, beside 1 for those of the texts. One line of text
# says little about what is far above or below it.
_REFERENCE_WEIGHT = 0.02
# Part of its size that the reference keeps at least: it is not seen from behind.
_MIN_NEARNESS = 0.5

Homography = NDArray[np.float64]
"""3 x 3: maps (x, y, 1) of one plane to another, up to a factor."""
_Points = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Step:
    """A map from positions between -1 and 1 to an image, what it shows, and its correlation with the reference."""

    map: Homography
    sent: Floats
    correlation: float


@dataclass(frozen=True, slots=True)
class TextPlace:
    """Where a text lies in a picture: `part`, in fractions of the reference, has these `corners` in pixels."""

    part: Frame
    corners: Corners
    is_in_perspective: bool

    def mapped(self, affine: Affine) -> "TextPlace":
        """The same place in another picture, to which `affine` maps the pixels."""
        return replace(self, corners=tuple(affine.point(*corner) for corner in self.corners))


def align_affine(
    reference: NDArray[np.uint8], image: Image.Image, cells: Affine, negligible: float = 0.0
) -> tuple[Affine, float]:
    """The map from cells of a reference grid to pixels of a grey image under which the two correlate best; by how much.

    `cells`: the map to start from. It is returned as it is where the first step is less than `negligible` cells.
    """
    part, to_part = part_around(image, cells, reference.shape[::-1])
    everything = (slice(None), slice(None))
    steps = _steps(reference.astype(np.float32), everything, part, to_part.after(cells), _AFFINE, negligible)
    best = max(steps, key=lambda step: step.correlation)
    found = best.map @ np.linalg.inv(_centred(*reference.shape))
    return to_part.inverse.after(Affine(*found[:2].ravel().tolist())), best.correlation


def align_in_perspective(reference: Floats, image: Image.Image, start: Alignment) -> Alignment | None:
    """`start` with the samples that correlate best with a reference grid under a homography.

    Its frame becomes the mean of the text's edges there. None where the correlation is hardly better.
    """
    rows, columns = reference.shape
    frame, inside = start.frame, (start.samples.rows, start.samples.columns)
    cells = Affine(frame.width / columns, 0, frame.left, 0, frame.height / rows, frame.top)
    part, to_part = part_around(image, cells, (columns, rows))
    # Pixels are interpolated in another way than in `start`, so the first step has a correlation of its own.
    first, *steps = _steps(reference, inside, part, to_part.after(cells), _HOMOGRAPHY)
    best = max(steps, key=lambda step: step.correlation, default=first)
    if best.correlation <= first.correlation + _MIN_BETTER:
        return None
    samples = SampledGrid(best.sent, start.samples.columns, start.samples.rows)
    corners = _corners(_matrix(to_part.inverse) @ best.map)
    return Alignment(_mean_frame(corners), samples, best.correlation, corners)


def _steps(
    reference: Floats,
    inside: tuple[slice, slice],
    part: Image.Image,
    cells: Affine,
    freedom: int,
    negligible: float = 0.0,
) -> list[_Step]:
    """The steps from `cells`, a map from a reference grid to a part of an image; `inside`: what of it is visible."""
    solver = _Solver(reference, inside, freedom)
    centred = _centred(*reference.shape)
    to_centred = np.linalg.inv(centred)
    here, steps = _matrix(cells) @ centred, list[_Step]()
    for step in range(_STEPS + 1):
        sent = _sampled(part, here @ to_centred, reference.shape[::-1])[inside]
        steps.append(_Step(here, sent, correlate(reference[inside], sent)))
        if step < _STEPS:
            here, moved = solver.step(here, sent)
            if moved < (_CONVERGED if step else max(_CONVERGED, negligible)) or not _is_plausible(here):
                break
    return steps


def _is_plausible(matrix: Homography) -> bool:
    """Whether no part of the square from -1 to 1 lies far nearer or farther than its centre."""
    by_x, by_y, distance = np.abs(matrix[2]).tolist()
    return bool(by_x + by_y < _MAX_CHANGE_OF_DISTANCE * distance)


def _corners(matrix: Homography) -> Corners:
    """Where `matrix` maps the corners of the square from -1 to 1 to."""
    across, down, scale = matrix @ np.array([(-1, 1, 1, -1), (-1, -1, 1, 1), (1, 1, 1, 1)], dtype=np.float64)
    return tuple(zip((across / scale).tolist(), (down / scale).tolist(), strict=True))


def _mean_frame(corners: Corners) -> Frame:
    """The level frame whose edges are the means of those between these corners."""
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = corners
    left, top = (x0 + x3) / 2, (y0 + y1) / 2
    return Frame(left, top, (x1 + x2) / 2 - left, (y2 + y3) / 2 - top)


def _sampled(part: Image.Image, matrix: Homography, size: tuple[int, int]) -> Floats:
    """A grid of this size, whose cells `matrix` maps to pixels of a part of an image."""
    coefficients = (matrix / matrix[2, 2]).ravel()[:8].tolist()
    cells = part.transform(size, Image.Transform.PERSPECTIVE, coefficients, Image.Resampling.BICUBIC)
    return np.asarray(cells, dtype=np.float32)


def _matrix(affine: Affine) -> Homography:
    return np.array([[affine.xx, affine.xy, affine.x0], [affine.yx, affine.yy, affine.y0], [0, 0, 1]], dtype=np.float64)


def _centred(rows: int, columns: int) -> Homography:
    """From positions between -1 and 1, which keep the normal equations well conditioned, to cells."""
    return np.array([[columns / 2, 0, columns / 2], [0, rows / 2, rows / 2], [0, 0, 1]], dtype=np.float64)


class _Solver:
    """Steps towards one reference grid; `inside`: what of it is visible."""

    def __init__(self, reference: Floats, inside: tuple[slice, slice], freedom: int) -> None:
        rows, columns = reference.shape
        known = reference[inside]
        down, across = gradients(known)
        u = np.linspace(-1, 1, columns, dtype=np.float32)[None, inside[1]]
        v = np.linspace(-1, 1, rows, dtype=np.float32)[inside[0], None]
        # A move of (x, y) cells at each position; the last two bend the plane towards an edge.
        self._half = (columns / 2, rows / 2)
        self._longest = max(self._half)
        along = (across * (u * self._half[0]) + down * (v * self._half[1])) / self._longest
        moves = [across, across * u, across * v, down, down * u, down * v, along * u, along * v][:freedom]
        self._equations = NormalEquations(known, moves, np.eye(freedom) * COST_OF_MOVE)

    def step(self, here: Homography, sent: Floats) -> tuple[Homography, float]:
        """The map from centred positions after one step, and how far it moved, in cells."""
        steps = self._equations.solve(sent, _MAX_STEP)
        x, xu, xv, y, yu, yv, pu, pv = [*steps, 0.0, 0.0][:8]
        half_width, half_height = self._half
        move = np.array(
            [
                [1 + xu / half_width, xv / half_width, x / half_width],
                [yu / half_height, 1 + yv / half_height, y / half_height],
                [-pu / self._longest, -pv / self._longest, 1],
            ]
        )
        return here @ move, max(map(abs, steps))


def in_perspective(level: Placement, texts: Sequence[TextPlace]) -> Placement:
    """The placement of an upright reference whose texts have these corners in the sent picture.

    `level`: without perspective, which says where everything else lies. It is returned where there are no texts.
    """
    if not texts:
        return level
    (xx, yy), (xy, yx), (x0, y0) = level.scale, level.skew, level.shift
    expected = Affine(xx, xy, x0, yx, yy, y0)
    whole = Frame(0, 0, *level.reference_size)
    known, sent = list(whole.corners), [expected.point(*corner) for corner in whole.corners]
    for text in texts:
        known += text.part.scaled(whole.width, whole.height).corners
        sent += text.corners
    weights = [_REFERENCE_WEIGHT] * 4 + [1.0] * (len(known) - 4)
    xx, xy, x0, yx, yy, y0, by_x, by_y = _homography(np.array(known), np.array(sent), np.array(weights))
    if min(1 + by_x * x + by_y * y for x, y in whole.corners) < _MIN_NEARNESS:
        return level
    return replace(level, scale=(xx, yy), skew=(xy, yx), shift=(x0, y0), perspective=(by_x, by_y))


def _homography(known: _Points, sent: _Points, weights: _Points) -> list[float]:
    """The first eight values of the matrix that best maps known points to sent ones, row by row; the ninth is 1.

    Of all values of `u * (1 + by_x * x + by_y * y) = xx * x + xy * y + x0`, and likewise v, by least squares.
    """
    (x, y), one, none = known.T, np.ones(len(known)), np.zeros((len(known), 3))
    terms = np.stack([x, y, one], axis=1)
    across = np.hstack([terms, none, -sent[:, :1] * terms[:, :2]])
    down = np.hstack([none, terms, -sent[:, 1:] * terms[:, :2]])
    equations = np.vstack([across, down]) * np.tile(weights, 2)[:, None]
    # Values of one size keep the equations well conditioned.
    sizes = np.abs(equations).max(axis=0)
    found = np.linalg.lstsq(equations / sizes, sent.T.ravel() * np.tile(weights, 2), rcond=None)[0]
    values: list[float] = (found / sizes).tolist()
    return values
