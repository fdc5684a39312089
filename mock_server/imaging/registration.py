"""Where one picture lies inside another: scale and shift per axis, found by descending a small pyramid.

A picture takes part as a square *mosaic* of its whole frame, so that wide and tall ones meet on equal terms
and the sought transformation stays separable. Lucas-Kanade steps solve for geometry, gain and offset at once.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Floats = NDArray[np.float32]

MOSAIC = 96
_LEVELS = ((24, 4), (48, 3), (96, 10))
# A start that correlates this much, and so much on the finest level, needs no search from afar.
_CLOSE = 0.9
_SURE = 0.98
# A candidate whose coarsest level correlates less than this is another scene; finer levels would only cost
# time.
_HOPELESS = 0.75
_HOPELESS_START = 0.55
# Fewer cells than this in common are too few to judge by.
_FEWEST_CELLS = 0.6
_LARGEST_STEP = 2.0
_LEAST_GAIN = 0.05
# Grey levels squared that one cell may be off, how far a frame is expected to move, in cells, and by what share
# its height may change otherwise than its width.
_NOISE = 100.0
_EXPECTED_MOVE = 2.0
_EXPECTED_STRETCH = 0.005
# The outermost of so many cells is left out: it mixes with what a client puts around the picture.
_RIM = 24
# A grid is sampled from a copy that has at least so many pixels to each of its cells.
_OVERSAMPLING = 1.5


@dataclass(frozen=True, slots=True)
class Frame:
    """A rectangle in pixels of an image: where the frame (or a part) of another picture lies in it."""

    left: float
    top: float
    width: float
    height: float

    def part(self, left: float, top: float, width: float, height: float) -> "Frame":
        """The part of this frame given in fractions of its width and height."""
        return Frame(
            self.left + left * self.width,
            self.top + top * self.height,
            width * self.width,
            height * self.height,
        )

    def scaled(self, across: float, down: float) -> "Frame":
        """The same frame in an image with so many times the pixels on either axis."""
        return Frame(self.left * across, self.top * down, self.width * across, self.height * down)


@dataclass(frozen=True, slots=True)
class Sampled:
    """What an image shows of a frame: cells of a grid, and which of the grid's columns and rows they are."""

    cells: Floats
    columns: slice
    rows: slice


def mosaic(image: Image.Image) -> NDArray[np.uint8]:
    """The whole frame of an 8-bit grey image as MOSAIC x MOSAIC cells."""
    return np.asarray(image.resize((MOSAIC, MOSAIC), Image.Resampling.BILINEAR, reducing_gap=3.0))


def sample(image: Image.Image, frame: Frame, columns: int, rows: int, rim: int = 0) -> Sampled | None:
    """`frame` of `image` as a grid of cells; those outside the image and those of the rim are left out.

    None where less than a quarter of either axis lies inside.
    """
    across = _inside(frame.left, frame.width, columns, image.width, rim)
    down = _inside(frame.top, frame.height, rows, image.height, rim)
    if across is None or down is None:
        return None
    wide, high = frame.width / columns, frame.height / rows
    box = (
        max(0.0, frame.left + across.start * wide),
        max(0.0, frame.top + down.start * high),
        min(float(image.width), frame.left + across.stop * wide),
        min(float(image.height), frame.top + down.stop * high),
    )
    size = (across.stop - across.start, down.stop - down.start)
    # Bicubic keeps the strokes where pixels are barely reduced; its wider support is not needed where many
    # merge.
    kind = Image.Resampling.BICUBIC if wide < 1.5 else Image.Resampling.BILINEAR
    cells = image.resize(size, kind, box=box)
    return Sampled(np.asarray(cells, dtype=np.float32), across, down)


def _inside(start: float, length: float, count: int, limit: int, rim: int) -> slice | None:
    """Which of `count` equal cells from `start` over `length` lie wholly within 0…limit."""
    if length <= 0:
        return None
    cell = length / count
    first = max(rim, int(np.ceil(-start / cell - 0.02)))
    last = min(count - rim, int(np.floor((limit - start) / cell + 0.02)))
    return slice(first, last) if last - first >= max(2, count // 4) else None


@dataclass(frozen=True, slots=True)
class Registration:
    """`frame`: where the known picture lies in the image; `correlation` of the two there, -1 to 1."""

    frame: Frame
    correlation: float


class Pyramid:
    """A grey image with reduced copies of it: coarse grids are sampled from those at a fraction of the
    cost."""

    def __init__(self, image: Image.Image) -> None:
        self.image = image
        self._copies = {1: image}

    def for_grid(self, side: int, frame: Frame) -> tuple[Image.Image, int]:
        """The copy to sample `frame` as such a grid from, and how many pixels of the image one of it is."""
        factor = 1
        while min(frame.width, frame.height) >= 2 * factor * _OVERSAMPLING * side:
            factor *= 2
        if factor not in self._copies:
            self._copies[factor] = self.image.reduce(factor)
        return self._copies[factor], factor


def register(known: NDArray[np.uint8], image: Pyramid, *starts: Frame) -> Registration | None:
    """Find the frame of a picture, given by its mosaic, in a grey image; None where it is another scene.

    `starts`: where it may lie. The likeliest is improved, at the finest level alone where it fits already.
    """
    side, steps = _LEVELS[0]
    coarse = _Level(known, image, side)
    rated = [(coarse.correlation(start), start) for start in dict.fromkeys(starts)]
    correlation, start = max(rated, key=lambda pair: pair[0])
    if correlation < _HOPELESS_START:
        return None
    fine = _Level(known, image, MOSAIC)
    if correlation < _CLOSE or fine.correlation(start) < _SURE:
        found = coarse.descended(start, steps)
        if found is None or found.correlation < _HOPELESS:
            return None
        found = _Level(known, image, _LEVELS[1][0]).descended(found.frame, _LEVELS[1][1])
        if found is None:
            return None
        start = max(start, found.frame, key=fine.correlation)
    found = fine.descended(start, _LEVELS[-1][1])
    if found is not None and found.correlation < _CLOSE:
        found = Registration(found.frame, max(found.correlation, fine.likeness(found.frame)))
    return found


def _reduced(known: NDArray[np.uint8], side: int) -> Floats:
    """The mosaic in fewer cells, filtered as `sample` filters: a difference there would pass for a move."""
    if side == known.shape[0]:
        return known.astype(np.float32)
    cells = Image.fromarray(known).resize((side, side), Image.Resampling.BILINEAR)
    return np.asarray(cells, dtype=np.float32)


class _Level:
    """A known picture and an image, compared on a grid of `side` x `side` cells."""

    def __init__(self, known: NDArray[np.uint8], image: Pyramid, side: int) -> None:
        self._reference = _reduced(known, side)
        self._image = image
        self._side = side

    def correlation(self, frame: Frame) -> float:
        """How alike the two are where the frame lies; 0 where too little of it is in the image."""
        copy, factor = self._image.for_grid(self._side, frame)
        seen = self._seen(copy, frame.scaled(1 / factor, 1 / factor))
        return 0.0 if seen is None else correlate(self._reference[seen.rows, seen.columns], seen.cells)

    def descended(self, start: Frame, steps: int) -> Registration | None:
        """The best frame seen in so many steps from `start`, which need not be the last."""
        best: Registration | None = None
        copy, factor = self._image.for_grid(self._side, start)
        frame = start.scaled(1 / factor, 1 / factor)
        aligner = Aligner(self._reference)
        for step in range(steps + 1):
            seen = self._seen(copy, frame)
            if seen is None:
                break
            correlation = correlate(self._reference[seen.rows, seen.columns], seen.cells)
            if best is None or correlation > best.correlation:
                best = Registration(frame.scaled(factor, factor), correlation)
            if step == steps or correlation < 0.2:
                break
            frame, moved = aligner.improved(frame, seen)
            if moved < 0.01:
                break
        return best

    def likeness(self, frame: Frame) -> float:
        """The correlation there once any smooth brightness curve is allowed for: clipped highlights, above all."""
        copy, factor = self._image.for_grid(self._side, frame)
        seen = self._seen(copy, frame.scaled(1 / factor, 1 / factor))
        if seen is None:
            return 0.0
        known = self._reference[seen.rows, seen.columns].ravel() / np.float32(255)
        wanted = seen.cells.ravel()
        terms = np.stack([known**power for power in range(4)], axis=-1)
        return correlate(terms @ solve(terms, wanted).astype(np.float32), wanted)

    def _seen(self, copy: Image.Image, frame: Frame) -> Sampled | None:
        seen = sample(copy, frame, self._side, self._side, rim=self._side // _RIM)
        return None if seen is None or seen.cells.size < _FEWEST_CELLS * self._reference.size else seen


class Aligner:
    """Lucas-Kanade steps towards one known grid of cells.

    What a step needs is made of the known grid alone, so it is made once for as long as the same cells are seen.
    """

    def __init__(self, reference: Floats) -> None:
        self._reference = reference
        self._seen: tuple[slice, slice] | None = None

    def improved(self, frame: Frame, seen: Sampled) -> tuple[Frame, float]:
        """The frame after one more step, and how far it moved, in cells."""
        if self._seen != (seen.rows, seen.columns):
            self._look_at(seen.rows, seen.columns)
        gain, _, *moves = self._solution @ (self._terms @ seen.cells.ravel()).astype(np.float64)
        if gain <= _LEAST_GAIN:
            return frame, 0.0
        # What is seen is the known grid moved; the frame goes the other way.
        x, x_stretch, y, y_stretch = (
            min(max(-float(move / gain), -_LARGEST_STEP), _LARGEST_STEP) for move in moves
        )
        rows, columns = self._reference.shape
        wide, high = frame.width / columns, frame.height / rows
        better = Frame(
            frame.left + (x - x_stretch) * wide,
            frame.top + (y - y_stretch) * high,
            frame.width + 2 * x_stretch * wide,
            frame.height + 2 * y_stretch * high,
        )
        return better, max(abs(x), abs(y), abs(x_stretch), abs(y_stretch))

    def _look_at(self, rows: slice, columns: slice) -> None:
        self._seen = (rows, columns)
        cells = self._reference[rows, columns]
        down, across = np.gradient(cells)
        height, width = self._reference.shape
        terms = np.empty((6, *cells.shape), np.float32)
        terms[0] = cells
        terms[1] = 1
        terms[2] = across
        np.multiply(across, _positions(width)[columns][None, :], out=terms[3])
        terms[4] = down
        np.multiply(down, _positions(height)[rows][:, None], out=terms[5])
        self._terms = terms.reshape(6, -1)
        products = (self._terms @ self._terms.T).astype(np.float64)
        products.flat[::7] += np.diag(products) * 1e-4 + 1e-3
        # What the cells leave open is left as it is: no far moves, and above all no change of shape.
        products[2:, 2:] += _inertia(height, width)
        self._solution = np.linalg.inv(products)


@cache
def _positions(count: int) -> Floats:
    """From -1 to 1 over the whole grid: that keeps the equations well conditioned."""
    return np.linspace(-1, 1, count, dtype=np.float32)


@cache
def _inertia(height: int, width: int) -> NDArray[np.float64]:
    """What moving (x, its stretch, y, its stretch) costs, in grey levels squared."""
    costs = np.eye(4) * (_NOISE / _EXPECTED_MOVE**2)
    shape = np.array([0.0, 2 / width, 0.0, -2 / height])
    return costs + np.outer(shape, shape) * (_NOISE / _EXPECTED_STRETCH**2)


def solve(terms: Floats, wanted: Floats) -> NDArray[np.float64]:
    """Least squares by normal equations, with just enough damping that flat pictures have a solution."""
    products = (terms.T @ terms).astype(np.float64)
    damping = np.diag(products) * 1e-4 + 1e-3
    products[np.diag_indices_from(products)] += damping
    return np.linalg.solve(products, (terms.T @ wanted).astype(np.float64)).astype(np.float64)


def correlate(one: Floats, other: Floats) -> float:
    """Pearson's correlation of two grids of one shape; 0 where either is flat."""
    a = one - one.mean()
    b = other - other.mean()
    norm = float(np.sqrt(np.vdot(a, a) * np.vdot(b, b)))
    return float(np.vdot(a, b)) / norm if norm > 1e-6 else 0.0
