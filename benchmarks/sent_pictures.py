"""A sent picture with the true place of each pixel, and the warps that the daily changes share."""

import random
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.changes import saved
from mock_server.imaging.geometry import Box

Matrix = NDArray[np.float64]
"""3 x 3: maps a point (x, y, 1) of the picture to the sent picture."""


@dataclass(frozen=True)
class Sent:
    """The sent bytes, and where the pixels of the picture lie in them."""

    data: bytes
    matrix: Matrix

    def corners(self, box: Box) -> Matrix:
        """The four corners of a box in the sent picture, one (x, y) a row, clockwise from top left."""
        x, y = (box.xmin, box.xmax, box.xmax, box.xmin), (box.ymin, box.ymin, box.ymax, box.ymax)
        mapped = self.matrix @ np.array([x, y, (1, 1, 1, 1)], dtype=np.float64)
        corners: Matrix = (mapped[:2] / mapped[2]).T
        return corners

    def width_of(self, box: Box) -> float:
        """The length of the upper edge of a box in the sent picture."""
        corners = self.corners(box)
        return float(np.linalg.norm(corners[1] - corners[0]))


def scaling(x_scale: float = 1.0, y_scale: float = 1.0, x: float = 0.0, y: float = 0.0) -> Matrix:
    return np.array([[x_scale, 0, x], [0, y_scale, y], [0, 0, 1]], dtype=np.float64)


def rng_of(image: Image.Image, box: Box, name: str) -> random.Random:
    return random.Random(f"{image.size} {box} {name}")


def warped_to(image: Image.Image, matrix: Matrix, quality: int = 90) -> Sent:
    inverse = np.linalg.inv(matrix)
    coefficients = (inverse / inverse[2, 2]).ravel()[:8].tolist()
    # Pillow samples at pixel centres.
    warped = image.transform(image.size, Image.Transform.PERSPECTIVE, coefficients, Image.Resampling.BICUBIC)
    return Sent(saved(warped, quality=quality), matrix)


def corner_moves(image: Image.Image, share: float, rng: random.Random) -> Matrix:
    corners = [(0.0, 0.0), (image.width, 0.0), (image.width, image.height), (0.0, image.height)]
    rows, wanted = [], []
    for x, y in corners:
        u = x + share * image.width * rng.uniform(-1, 1)
        v = y + share * image.height * rng.uniform(-1, 1)
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        wanted += [u, v]
    return np.append(np.linalg.solve(np.array(rows), np.array(wanted)), 1.0).reshape(3, 3)
