"""Where one picture lies inside another: scale and shift per axis, found by descending a small pyramid.

A picture takes part as a square *mosaic* of its whole frame, so that wide and tall ones meet on equal terms
and the sought transformation stays separable. Lucas-Kanade steps solve for geometry, gain and offset at once.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Floats = NDArray[np.float32]

MOSAIC = 96
_LEVELS = ((24, 4), (48, 3), (96, 3))
# A candidate whose coarsest level correlates less than this is another scene; finer levels would only cost
# time.
_HOPELESS = 0.6
# Fewer cells than this in common are too few to judge by.
_FEWEST_CELLS = 0.6
_LARGEST_STEP = 2.0
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


def register(known: NDArray[np.uint8], image: Pyramid, start: Frame) -> Registration | None:
    """Find the frame of a picture, given by its mosaic, in a grey image; None where it is another scene."""
    found = Registration(start, 0.0)
    for side, steps in _LEVELS:
        copy, factor = image.for_grid(side, found.frame)
        better = _descend(_reduced(known, side), copy, found.frame.scaled(1 / factor, 1 / factor), steps)
        if better is None or better.correlation < _HOPELESS:
            return None
        found = Registration(better.frame.scaled(factor, factor), better.correlation)
    return found


def _reduced(known: NDArray[np.uint8], side: int) -> Floats:
    step = MOSAIC // side
    cells = known.astype(np.float32)
    return cells if step == 1 else cells.reshape(side, step, side, step).mean(axis=(1, 3))


def _descend(reference: Floats, image: Image.Image, start: Frame, steps: int) -> Registration | None:
    """Improve `start` by so many steps; the best frame seen, which need not be the last."""
    best: Registration | None = None
    frame = start
    for step in range(steps + 1):
        side = reference.shape[0]
        seen = sample(image, frame, side, side, rim=side // _RIM)
        if seen is None or seen.cells.size < _FEWEST_CELLS * reference.size:
            break
        wanted = reference[seen.rows, seen.columns]
        correlation = correlate(wanted, seen.cells)
        if best is None or correlation > best.correlation:
            best = Registration(frame, correlation)
        if step == steps or correlation < 0.2:
            break
        frame, moved = improved(frame, wanted, seen, reference.shape)
        if moved < 0.01:
            break
    return best


def improved(frame: Frame, wanted: Floats, seen: Sampled, grid: tuple[int, ...]) -> tuple[Frame, float]:
    """One Lucas-Kanade step: the better frame, and how far it moved, in cells."""
    rows, columns = grid
    down, across = np.gradient(seen.cells)
    # Positions from -1 to 1 over the whole grid keep the equations well conditioned.
    u = np.linspace(-1, 1, columns, dtype=np.float32)[seen.columns][None, :]
    v = np.linspace(-1, 1, rows, dtype=np.float32)[seen.rows][:, None]
    terms = np.stack(
        [seen.cells, np.ones_like(seen.cells), across, across * u, down, down * v], axis=-1
    ).reshape(-1, 6)
    gain, _, *moves = solve(terms, wanted.ravel())
    if gain <= 0.05:
        return frame, 0.0
    x, x_stretch, y, y_stretch = (
        float(np.clip(move / gain, -_LARGEST_STEP, _LARGEST_STEP)) for move in moves
    )
    wide, high = frame.width / columns, frame.height / rows
    better = replace(
        frame,
        left=frame.left + (x - x_stretch) * wide,
        width=frame.width + 2 * x_stretch * wide,
        top=frame.top + (y - y_stretch) * high,
        height=frame.height + 2 * y_stretch * high,
    )
    return better, max(abs(x), abs(y), abs(x_stretch), abs(y_stretch))


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
