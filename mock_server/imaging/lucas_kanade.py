"""Lucas-Kanade alignment of a reference grid with a grey image, on which registration and verification build.

A frame of the image is sampled as a grid of cells. Each step solves for the shift and scale of the frame and for the
gain and offset of the grey levels at once. Correlations are Pearson's, also known as NCC, normalised
cross-correlation.

In the sweep of `docs/matching.md`, halving or doubling these values changed no match.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mock_server.imaging.geometry import Corners, Frame

Floats = NDArray[np.float32]

# Longest move of one step, in cells: the linear approximation is not valid beyond it.
_MAX_STEP = 2.0
# So many steps in a row without a better correlation end an alignment. So do the first ones if they leave the goal
# unreached and at least this share of what the correlation lacked: another scene is shown. Under crops of up to a
# tenth, the same scene had half of it left at most.
_PATIENCE = 2
_STALLED = 0.9
# Below this gain (contrast of the image over that of the reference) the two have nothing in common.
_MIN_GAIN = 0.05
# Prior on a step: noise variance of one cell (grey levels squared), expected move (cells), and expected change of the
# aspect ratio. Without it, a frame drifts or stretches along an axis that the picture does not determine,
# as a lone line of text does.
_NOISE_VARIANCE = 100.0
_EXPECTED_MOVE = 2.0
_EXPECTED_STRETCH = 0.005
COST_OF_MOVE = _NOISE_VARIANCE / _EXPECTED_MOVE**2


@dataclass(frozen=True, slots=True)
class SampledGrid:
    """The cells of a grid that lie inside an image, and which columns and rows of the whole grid they are."""

    cells: Floats
    columns: slice
    rows: slice

    def correlation(self, reference: Floats) -> float:
        """The correlation with the same cells of a whole reference grid."""
        return correlate(reference[self.rows, self.columns], self.cells)


@dataclass(frozen=True, slots=True)
class Alignment:
    """Where a reference lies in an image, what the image shows there, and the correlation of the two, -1 to 1.

    `corners`: its four corners, where it lies there in perspective.
    """

    frame: Frame
    samples: SampledGrid
    correlation: float
    corners: Corners | None = None


def sample(
    image: Image.Image, frame: Frame, columns: int, rows: int, margin: int = 0, least: float = 0.0
) -> SampledGrid | None:
    """`frame` of a grey image as a grid of cells, without those outside the image and `margin` cells at each edge.

    None where less than a quarter of either axis, or less than the share `least` of all cells, lies inside.
    """
    across = _cells_inside(frame.left, frame.width, columns, image.width, margin)
    down = _cells_inside(frame.top, frame.height, rows, image.height, margin)
    if across is None or down is None:
        return None
    cell_width, cell_height = frame.width / columns, frame.height / rows
    box = (
        max(0.0, frame.left + across.start * cell_width),
        max(0.0, frame.top + down.start * cell_height),
        min(float(image.width), frame.left + across.stop * cell_width),
        min(float(image.height), frame.top + down.stop * cell_height),
    )
    size = (across.stop - across.start, down.stop - down.start)
    if size[0] * size[1] < least * columns * rows:
        return None
    # Bicubic keeps strokes where pixels are hardly reduced. Where many pixels merge, bilinear is as good and faster.
    resampling = Image.Resampling.BICUBIC if cell_width < 1.5 else Image.Resampling.BILINEAR
    cells = image.resize(size, resampling, box=box)
    return SampledGrid(np.asarray(cells, dtype=np.float32), across, down)


def _cells_inside(start: float, length: float, count: int, limit: int, margin: int) -> slice | None:
    """Which of `count` equal cells, laid from `start` over `length`, lie wholly within 0 to `limit`."""
    if length <= 0:
        return None
    cell = length / count
    # A fiftieth of a cell outside is a rounding error.
    first = max(margin, ceil(-start / cell - 0.02))
    last = min(count - margin, floor((limit - start) / cell + 0.02))
    return slice(first, last) if last - first >= max(2, count // 4) else None


def align(
    reference: Floats,
    image: Image.Image,
    frame: Frame,
    steps: int,
    converged: float,
    margin: int = 0,
    least: float = 0.0,
    goal: float = -1.0,
    first: SampledGrid | None = None,
) -> Alignment | None:
    """The frame that correlates best with a reference grid after up to `steps` steps.

    A step of less than `converged` cells is the last one. `margin` and `least` as in `sample`; None where that returns
    None for `frame`. `goal`: the correlation without which the caller has no use for the frame. `first`: what `sample`
    returns for `frame`, where the caller has it.
    """
    rows, columns = reference.shape
    solver = LucasKanade(reference)
    best: Alignment | None = None
    at_start, best_step = 0.0, 0
    for step in range(steps + 1):
        samples = first if first is not None and step == 0 else sample(image, frame, columns, rows, margin, least)
        if samples is None:
            break
        correlation = samples.correlation(reference)
        if best is None or correlation > best.correlation:
            best, best_step = Alignment(frame, samples, correlation), step
            at_start = at_start if step else correlation
        if step - best_step == _PATIENCE:
            break
        if step == _PATIENCE and best.correlation < min(goal, 1 - _STALLED * (1 - at_start)):
            break
        if step < steps:
            frame, moved = solver.step(frame, samples)
            if moved < converged:
                break
    return best


class LucasKanade:
    """Lucas-Kanade steps towards one reference grid; equations are kept for as long as the same cells are sampled."""

    def __init__(self, reference: Floats) -> None:
        self._reference = reference
        self._sampled_part: tuple[slice, slice] | None = None

    def step(self, frame: Frame, samples: SampledGrid) -> tuple[Frame, float]:
        """The frame after one step, and how far it moved, in cells."""
        rows, columns = self._reference.shape
        if self._sampled_part != (samples.rows, samples.columns):
            self._sampled_part = (samples.rows, samples.columns)
            cells = self._reference[samples.rows, samples.columns]
            y_gradient, x_gradient = gradients(cells)
            u, v = _positions(columns)[None, samples.columns], _positions(rows)[samples.rows, None]
            terms = (x_gradient, x_gradient * u, y_gradient, y_gradient * v)
            self._equations = NormalEquations(cells, terms, _prior(rows, columns))
        x, x_stretch, y, y_stretch = self._equations.solve(samples.cells, _MAX_STEP)
        cell_width, cell_height = frame.width / columns, frame.height / rows
        moved = Frame(
            frame.left + (x - x_stretch) * cell_width,
            frame.top + (y - y_stretch) * cell_height,
            frame.width + 2 * x_stretch * cell_width,
            frame.height + 2 * y_stretch * cell_height,
        )
        return moved, max(abs(x), abs(y), abs(x_stretch), abs(y_stretch))


class NormalEquations:
    """Solves for the moves that lay a reference grid on another one, and for gain and offset of the grey levels.

    They depend on the reference alone. `moves`: the change of grey levels that each move causes; `prior`: what moves
    cost, in grey levels squared.
    """

    def __init__(self, reference: Floats, moves: Sequence[Floats], prior: NDArray[np.float64]) -> None:
        self._terms = np.stack([reference, np.ones_like(reference), *moves]).reshape(2 + len(moves), -1)
        products = (self._terms @ self._terms.T).astype(np.float64)
        products[np.diag_indices_from(products)] += _damping(products)
        products[2:, 2:] += prior
        self._solution = np.linalg.inv(products)

    def solve(self, sent: Floats, longest: float) -> list[float]:
        """The moves, at most `longest` cells each; none where the two grids have nothing in common."""
        gain, _, *moves = self._solution @ (self._terms @ sent.ravel()).astype(np.float64)
        if gain <= _MIN_GAIN:
            return [0.0] * len(moves)
        # The solution moves the reference onto the samples; the place of the reference moves the other way.
        return [min(max(-float(move / gain), -longest), longest) for move in moves]


def gradients(cells: Floats) -> tuple[Floats, Floats]:
    """The slopes down and across."""
    down, across = np.gradient(cells)
    return np.asarray(down), np.asarray(across)


def _positions(count: int) -> Floats:
    """Positions of so many cells, from -1 to 1."""
    return np.linspace(-1, 1, count, dtype=np.float32)


def _prior(height: int, width: int) -> NDArray[np.float64]:
    """Cost of a move (x, x stretch, y, y stretch) in grey levels squared; a change of the aspect ratio costs most."""
    costs = np.eye(4) * COST_OF_MOVE
    aspect = np.array([0.0, 2 / width, 0.0, -2 / height])
    return costs + np.outer(aspect, aspect) * (_NOISE_VARIANCE / _EXPECTED_STRETCH**2)


def least_squares(terms: Floats, target: Floats) -> NDArray[np.float64]:
    """The weights of `terms`, of shape (values, weights), that best explain `target`, by damped normal equations."""
    products = (terms.T @ terms).astype(np.float64)
    products[np.diag_indices_from(products)] += _damping(products)
    return np.linalg.solve(products, (terms.T @ target).astype(np.float64)).astype(np.float64)


def on_a_line(levels: Floats, known: Floats, target: Floats) -> Floats:
    """What the straight line that best maps `known` levels to `target` predicts for `levels`."""
    mean, target_mean = known.mean(), target.mean()
    centred = known - mean
    gain = float(np.vdot(centred, target - target_mean)) / max(float(np.vdot(centred, centred)), 1.0)
    predicted: Floats = (target_mean + gain * (levels - mean)).astype(np.float32)
    return predicted


def _damping(products: NDArray[np.float64]) -> NDArray[np.float64]:
    """Just enough for the diagonal that flat pictures have a solution."""
    return np.diag(products) * 1e-4 + 1e-3


def correlate(one: Floats, other: Floats) -> float:
    """Pearson's correlation of two grids of one shape; 0 where either is flat."""
    a, b = one - one.mean(), other - other.mean()
    norm = float(np.sqrt(np.vdot(a, a) * np.vdot(b, b)))
    return float(np.vdot(a, b)) / norm if norm > 1e-6 else 0.0


def normalised(rows: NDArray[np.number]) -> Floats:
    """Each row with mean 0 and norm 1."""
    values = rows.astype(np.float32)
    values -= values.mean(axis=1, keepdims=True)
    values /= np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-3)
    return values
