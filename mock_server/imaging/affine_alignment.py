"""Lucas-Kanade alignment of a text with all six degrees of freedom of an affine map: turns and shears, too."""

from math import ceil

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mock_server.imaging.geometry import Affine
from mock_server.imaging.lucas_kanade import Floats, correlate, gradients

# Steps at most, the move in cells that ends them, and the longest move of one step.
_STEPS = 8
_CONVERGED = 0.02
_MAX_STEP = 1.5
# Prior on a step: noise variance of a cell (grey levels squared), and the expected move in cells.
_NOISE_VARIANCE = 100.0
_EXPECTED_MOVE = 2.0
# Pixels of the image for each cell at most; it is reduced first.
_PIXELS = 1.6
# Gain (contrast of the image over that of the reference) below which the two have nothing in common.
_MIN_GAIN = 0.05


def align_affine(
    reference: NDArray[np.uint8], image: Image.Image, cells: Affine, negligible: float = 0.0
) -> tuple[Affine, float]:
    """The map from cells of a reference grid to pixels of a grey image under which the two correlate best; by how much.

    `cells`: the map to start from. It is returned as it is where the first step is less than `negligible` cells.
    """
    part, to_part = part_around(image, cells, reference.shape)
    known: Floats = reference.astype(np.float32)
    solver = _Solver(known)
    here = to_part.after(cells)
    best, highest = here, -1.0
    for step in range(_STEPS + 1):
        sent: Floats = np.asarray(
            part.transform(reference.shape[::-1], Image.Transform.AFFINE, here.coefficients, Image.Resampling.BICUBIC),
            dtype=np.float32,
        )
        correlation = correlate(known, sent)
        if correlation > highest:
            best, highest = here, correlation
        elif correlation < highest - 0.05:
            break
        if step < _STEPS:
            here, moved = solver.step(here, sent)
            if moved < (_CONVERGED if step else max(_CONVERGED, negligible)):
                break
    return to_part.inverse.after(best), highest


def part_around(image: Image.Image, cells: Affine, shape: tuple[int, ...]) -> tuple[Image.Image, Affine]:
    """The part of an image around a grid, reduced to about its resolution, and the map from the image to it."""
    rows, columns = shape
    cell = np.sqrt(abs(cells.determinant))
    space = max(2, rows // 4)
    box = cells.bounds(-space, -space, columns + space, rows + space)
    # The image's edges are repeated where the grid reaches beyond them: black would look like a part of the text.
    repeated = min(ceil(space * cell), *image.size)
    inside = box.clamped(*image.size)
    around = [
        (min(max(first, 0), repeated), min(max(last, 0), repeated))
        for first, last in (
            (inside.ymin - box.ymin, box.ymax - inside.ymax),
            (inside.xmin - box.xmin, box.xmax - inside.xmax),
        )
    ]
    part = image.crop((inside.xmin, inside.ymin, max(inside.xmax, inside.xmin + 1), max(inside.ymax, inside.ymin + 1)))
    if any(map(any, around)):
        part = Image.fromarray(np.pad(np.asarray(part), around, mode="edge"))
    factor = max(1, int(cell / _PIXELS + 0.5))
    x, y = around[1][0] - inside.xmin, around[0][0] - inside.ymin
    return part.reduce(factor), Affine(1 / factor, 0, x / factor, 0, 1 / factor, y / factor)


class _Solver:
    """Steps towards one reference grid; the normal equations depend on it alone."""

    def __init__(self, known: Floats) -> None:
        rows, columns = known.shape
        down, across = gradients(known)
        # Positions from -1 to 1 keep the normal equations well conditioned.
        u = np.linspace(-1, 1, columns, dtype=np.float32)[None, :]
        v = np.linspace(-1, 1, rows, dtype=np.float32)[:, None]
        moves = [across, across * u, across * v, down, down * u, down * v]
        self._terms = np.stack([known, np.ones_like(known), *moves]).reshape(8, -1)
        products = (self._terms @ self._terms.T).astype(np.float64)
        products.flat[::9] += np.diag(products) * 1e-4 + 1e-3
        products[2:, 2:] += np.eye(6) * (_NOISE_VARIANCE / _EXPECTED_MOVE**2)
        self._solution = np.linalg.inv(products)
        self._shape = (rows, columns)

    def step(self, here: Affine, sent: Floats) -> tuple[Affine, float]:
        """The map after one step, and how far it moved, in cells."""
        gain, _, *moves = self._solution @ (self._terms @ sent.ravel()).astype(np.float64)
        if gain <= _MIN_GAIN:
            return here, 0.0
        # The solution moves the reference onto the samples; the map moves the other way.
        x, xu, xv, y, yu, yv = (min(max(-float(move / gain), -_MAX_STEP), _MAX_STEP) for move in moves)
        rows, columns = self._shape
        half_width, half_height = columns / 2, rows / 2
        # u = column / half_width - 1, and likewise v.
        move = Affine(
            1 + xu / half_width, xv / half_height, x - xu - xv, yu / half_width, 1 + yv / half_height, y - yu - yv
        )
        return here.after(move), max(abs(one) for one in (x, xu, xv, y, yu, yv))
