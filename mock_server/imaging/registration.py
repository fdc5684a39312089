"""Image registration: the scale and shift per axis that lay a reference picture over another one.

Both take part as square grids of cells (a mosaic for the reference), so pictures of any shape are treated alike and
the two axes stay separable. Lucas-Kanade steps on a coarse-to-fine pyramid solve for geometry, gain and offset at once.

Tuned values, in cells of the grid and grey levels (0 to 255) unless said otherwise, were chosen on the tuning styles of
`benchmarks/styles.py`. Correlations are Pearson's, also known as NCC, the normalised cross-correlation.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mock_server.imaging.geometry import Frame

Floats = NDArray[np.float32]

# --- Pyramid -------------------------------------------------------------------------------------------------------

# Cells a side of the finest level, and of the mosaic that is stored for each reference.
MOSAIC = 96
# (cells a side, Lucas-Kanade steps) of each level. More steps only cost time: most frames converge in three.
_LEVELS = ((24, 4), (48, 3), (MOSAIC, 10))
# Share of a side that is left out at each edge: letterbox bars and crops mix foreign pixels into the outermost cells.
_MARGIN = 1 / 24
# Pixels per cell of the reduced copy that a grid is sampled from. Below one, aliasing looks like a shift.
_OVERSAMPLING = 1.5
# Share of the cells that must lie inside the image. Fewer cells give high correlations by chance.
_MIN_COMMON_CELLS = 0.6

# --- Correlations that decide how far registration goes --------------------------------------------------------------

# A start that correlates this well on the coarsest and on the finest level skips the levels between.
_CLOSE_COARSE = 0.9
_CLOSE_FINE = 0.98
# Below these, before and after refinement on the coarsest level, the picture shows another scene. Lower values register
# more wrong candidates, at about a millisecond each; higher ones lose strong crops.
_MIN_START = 0.55
_MIN_COARSE = 0.75
# Refinement of a frame below this cannot recover.
_MIN_REFINABLE = 0.2

# --- One Lucas-Kanade step --------------------------------------------------------------------------------------------

# Longest move of one step, in cells: the linearisation holds no further.
_MAX_STEP = 2.0
# A frame that moved less than this, in cells, has converged.
_CONVERGED = 0.01
# Below this gain (contrast of the image over that of the reference) the two have nothing in common.
_MIN_GAIN = 0.05
# Prior on a step: noise variance of one cell (grey levels squared), expected move (cells), and expected change of the
# aspect ratio. Without it, a lone line of text lets its frame drift or stretch along the axis that it does not
# determine.
_NOISE_VARIANCE = 100.0
_EXPECTED_MOVE = 2.0
_EXPECTED_STRETCH = 0.005


@dataclass(frozen=True, slots=True)
class SampledGrid:
    """The cells of a grid that lie inside an image, and which columns and rows of the whole grid they are."""

    cells: Floats
    columns: slice
    rows: slice


def mosaic(image: Image.Image) -> NDArray[np.uint8]:
    """An 8-bit grey image resized to MOSAIC x MOSAIC cells."""
    return np.asarray(image.resize((MOSAIC, MOSAIC), Image.Resampling.BILINEAR, reducing_gap=3.0))


def sample(image: Image.Image, frame: Frame, columns: int, rows: int, margin: int = 0) -> SampledGrid | None:
    """`frame` of a grey image as a grid of cells, without those outside the image and `margin` cells at each edge.

    None where less than a quarter of either axis lies inside.
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
    first = max(margin, int(np.ceil(-start / cell - 0.02)))
    last = min(count - margin, int(np.floor((limit - start) / cell + 0.02)))
    return slice(first, last) if last - first >= max(2, count // 4) else None


@dataclass(frozen=True, slots=True)
class Registration:
    """`frame`: where the reference lies in the image; `correlation` of the two there, -1 to 1."""

    frame: Frame
    correlation: float


class Pyramid:
    """A grey image with reduced copies, so that coarse grids are sampled at a fraction of the cost."""

    def __init__(self, image: Image.Image) -> None:
        self.image = image
        self._copies = {1: image}

    def copy_for(self, side: int, frame: Frame) -> tuple[Image.Image, int]:
        """The copy to sample `frame` from as `side` x `side` cells, and how many times smaller it is."""
        factor = 1
        while min(frame.width, frame.height) >= 2 * factor * _OVERSAMPLING * side:
            factor *= 2
        if factor not in self._copies:
            self._copies[factor] = self.image.reduce(factor)
        return self._copies[factor], factor


def register(reference: NDArray[np.uint8], image: Pyramid, *starts: Frame) -> Registration | None:
    """Find the frame of a reference, given by its mosaic, in a grey image; None where it shows another scene.

    The best of `starts` is refined, on the finest level alone if it is already close.
    """
    (coarse_side, coarse_steps), (middle_side, middle_steps), (fine_side, fine_steps) = _LEVELS
    coarse, fine = _Level(reference, image, coarse_side), _Level(reference, image, fine_side)
    rated = [(coarse.correlation(start), start) for start in dict.fromkeys(starts)]
    correlation, start = max(rated, key=lambda pair: pair[0])
    if correlation < _MIN_START:
        return None
    if correlation < _CLOSE_COARSE or fine.correlation(start) < _CLOSE_FINE:
        refined = coarse.refine(start, coarse_steps)
        if refined is None or refined.correlation < _MIN_COARSE:
            return None
        refined = _Level(reference, image, middle_side).refine(refined.frame, middle_steps)
        if refined is None:
            return None
        start = max(start, refined.frame, key=fine.correlation)
    result = fine.refine(start, fine_steps)
    if result is not None and result.correlation < _CLOSE_COARSE:
        result = Registration(
            result.frame, max(result.correlation, fine.correlation_after_tone_curve(result.frame))
        )
    return result


def _resized(reference: NDArray[np.uint8], side: int) -> Floats:
    """The mosaic in fewer cells, resampled as `sample` does: a different filter would look like a shift."""
    if side == reference.shape[0]:
        return reference.astype(np.float32)
    cells = Image.fromarray(reference).resize((side, side), Image.Resampling.BILINEAR)
    return np.asarray(cells, dtype=np.float32)


class _Level:
    """One level of the pyramid: a reference and an image, compared on a grid of `side` x `side` cells."""

    def __init__(self, reference: NDArray[np.uint8], image: Pyramid, side: int) -> None:
        self._reference = _resized(reference, side)
        self._image = image
        self._side = side

    def correlation(self, frame: Frame) -> float:
        """The correlation where the frame lies; 0 where too little of it is inside the image."""
        samples = self._sample_frame(frame)
        return (
            0.0
            if samples is None
            else correlate(self._reference[samples.rows, samples.columns], samples.cells)
        )

    def refine(self, start: Frame, steps: int) -> Registration | None:
        """The best frame after up to `steps` steps from `start`; None where too little of it is inside the image."""
        best: Registration | None = None
        copy, factor = self._image.copy_for(self._side, start)
        frame = start.scaled(1 / factor, 1 / factor)
        solver = LucasKanade(self._reference)
        for step in range(steps + 1):
            samples = self._sample(copy, frame)
            if samples is None:
                break
            correlation = correlate(self._reference[samples.rows, samples.columns], samples.cells)
            if best is None or correlation > best.correlation:
                best = Registration(frame.scaled(factor, factor), correlation)
            if step == steps or correlation < _MIN_REFINABLE:
                break
            frame, moved = solver.step(frame, samples)
            if moved < _CONVERGED:
                break
        return best

    def correlation_after_tone_curve(self, frame: Frame) -> float:
        """The correlation after fitting a cubic tone curve, which explains clipped highlights."""
        samples = self._sample_frame(frame)
        if samples is None:
            return 0.0
        reference = self._reference[samples.rows, samples.columns].ravel() / np.float32(255)
        target = samples.cells.ravel()
        terms = np.stack([reference**power for power in range(4)], axis=-1)
        return correlate(terms @ least_squares(terms, target).astype(np.float32), target)

    def _sample_frame(self, frame: Frame) -> SampledGrid | None:
        copy, factor = self._image.copy_for(self._side, frame)
        return self._sample(copy, frame.scaled(1 / factor, 1 / factor))

    def _sample(self, copy: Image.Image, frame: Frame) -> SampledGrid | None:
        samples = sample(copy, frame, self._side, self._side, margin=int(self._side * _MARGIN))
        if samples is None or samples.cells.size < _MIN_COMMON_CELLS * self._reference.size:
            return None
        return samples


class LucasKanade:
    """Lucas-Kanade steps towards one reference grid.

    The normal equations depend on the reference alone, so they are kept for as long as the same cells are sampled.
    """

    def __init__(self, reference: Floats) -> None:
        self._reference = reference
        self._sampled_part: tuple[slice, slice] | None = None

    def step(self, frame: Frame, samples: SampledGrid) -> tuple[Frame, float]:
        """The frame after one step, and how far it moved, in cells."""
        if self._sampled_part != (samples.rows, samples.columns):
            self._prepare(samples.rows, samples.columns)
        gain, _, *moves = self._solution @ (self._terms @ samples.cells.ravel()).astype(np.float64)
        if gain <= _MIN_GAIN:
            return frame, 0.0
        # The solution moves the reference onto the samples; the frame moves the other way.
        x, x_stretch, y, y_stretch = (min(max(-float(move / gain), -_MAX_STEP), _MAX_STEP) for move in moves)
        rows, columns = self._reference.shape
        cell_width, cell_height = frame.width / columns, frame.height / rows
        moved = Frame(
            frame.left + (x - x_stretch) * cell_width,
            frame.top + (y - y_stretch) * cell_height,
            frame.width + 2 * x_stretch * cell_width,
            frame.height + 2 * y_stretch * cell_height,
        )
        return moved, max(abs(x), abs(y), abs(x_stretch), abs(y_stretch))

    def _prepare(self, rows: slice, columns: slice) -> None:
        """Solve the normal equations for these cells; terms: grey, constant, x, x stretch, y, y stretch."""
        self._sampled_part = (rows, columns)
        cells = self._reference[rows, columns]
        y_gradient, x_gradient = np.gradient(cells)
        height, width = self._reference.shape
        terms = np.empty((6, *cells.shape), np.float32)
        terms[0] = cells
        terms[1] = 1
        terms[2] = x_gradient
        np.multiply(x_gradient, _positions(width)[columns][None, :], out=terms[3])
        terms[4] = y_gradient
        np.multiply(y_gradient, _positions(height)[rows][:, None], out=terms[5])
        self._terms = terms.reshape(6, -1)
        products = (self._terms @ self._terms.T).astype(np.float64)
        products.flat[::7] += _damping(products)
        products[2:, 2:] += _prior(height, width)
        self._solution = np.linalg.inv(products)


@cache
def _positions(count: int) -> Floats:
    """Positions of the cells from -1 to 1, a range that keeps the normal equations well conditioned."""
    return np.linspace(-1, 1, count, dtype=np.float32)


@cache
def _prior(height: int, width: int) -> NDArray[np.float64]:
    """Cost of a move (x, x stretch, y, y stretch) in grey levels squared; a change of the aspect ratio costs most."""
    costs = np.eye(4) * (_NOISE_VARIANCE / _EXPECTED_MOVE**2)
    aspect = np.array([0.0, 2 / width, 0.0, -2 / height])
    return costs + np.outer(aspect, aspect) * (_NOISE_VARIANCE / _EXPECTED_STRETCH**2)


def least_squares(terms: Floats, target: Floats) -> NDArray[np.float64]:
    """The weights of `terms`, of shape (values, weights), that best explain `target`, by damped normal equations."""
    products = (terms.T @ terms).astype(np.float64)
    products[np.diag_indices_from(products)] += _damping(products)
    return np.linalg.solve(products, (terms.T @ target).astype(np.float64)).astype(np.float64)


def _damping(products: NDArray[np.float64]) -> NDArray[np.float64]:
    """Just enough for the diagonal that flat pictures have a solution."""
    return np.diag(products) * 1e-4 + 1e-3


def correlate(one: Floats, other: Floats) -> float:
    """Pearson's correlation of two grids of one shape; 0 where either is flat."""
    a = one - one.mean()
    b = other - other.mean()
    norm = float(np.sqrt(np.vdot(a, a) * np.vdot(b, b)))
    return float(np.vdot(a, b)) / norm if norm > 1e-6 else 0.0
