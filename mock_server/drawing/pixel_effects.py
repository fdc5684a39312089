"""Pixel arithmetic for drawing: float colour arrays, soft masks, relief, smooth noise, perspective.

A picture is an array of height x width x 3, float32, 0 to 1, in display values; a mask is height x width, 0 to 1.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Pixels = NDArray[np.float32]
Matrix = NDArray[np.float64]
Point = tuple[float, float]
Colour = tuple[int, int, int]
Rect = tuple[float, float, float, float]
"""Left, top, right, bottom, in pixels."""


def from_image(image: Image.Image) -> Pixels:
    """The picture or mask in `image` as an array."""
    return np.asarray(image, np.float32) / np.float32(255)


def to_image(pixels: Pixels) -> Image.Image:
    """An 8-bit image of a picture or mask; what lies outside 0..1 is clipped."""
    return Image.fromarray((np.clip(pixels, 0, 1) * 255 + 0.5).astype(np.uint8))


def colour(rgb: Colour) -> Pixels:
    """An 8-bit colour as an array of 3."""
    return np.array(rgb, np.float32) / np.float32(255)


def filled(size: tuple[int, int], rgb: Colour) -> Pixels:
    """A picture of `size` (width, height) in one colour."""
    return np.full((size[1], size[0], 3), colour(rgb), np.float32)


def tinted(pixels: Pixels, more: Pixels) -> Pixels:
    """The picture brighter where `more` is above 0, darker where it is below."""
    return np.asarray(pixels * (1 + more[..., None]), np.float32)


def dimmed(rgb: Colour, factor: float) -> Colour:
    """An 8-bit colour with less light."""
    return round(rgb[0] * factor), round(rgb[1] * factor), round(rgb[2] * factor)


def blurred(pixels: Pixels, radius: float) -> Pixels:
    """The picture or mask blurred by a Gaussian of `radius` pixels (box approximations, as Pillow does)."""
    if radius <= 0:
        return pixels
    if pixels.ndim == 3:
        return np.stack([blurred(pixels[..., channel], radius) for channel in range(3)], axis=-1)
    image = Image.fromarray(np.clip(pixels * 255, 0, 255).astype(np.uint8))
    return from_image(image.filter(ImageFilter.GaussianBlur(radius)))


def over(base: Pixels, top: Pixels | Colour, mask: Pixels, strength: float = 1.0) -> Pixels:
    """`top` (a picture or an 8-bit colour) laid over `base` where `mask` says."""
    result = base.copy()
    put_over(result, top, mask, strength)
    return result


def put_over(base: Pixels, top: Pixels | Colour, mask: Pixels, strength: float = 1.0) -> None:
    """As `over`, but into `base` itself. Only where the mask has ink is anything computed."""
    spot = inked(mask)
    if spot is None:
        return
    paint = colour(top) if isinstance(top, tuple) else top[spot]
    below = base[spot]
    below += (paint - below) * (mask[spot] * np.float32(strength))[..., None]


def inked(mask: Pixels) -> tuple[slice, slice] | None:
    """The rows and columns in which a mask has ink; None where it has none."""
    rows = np.flatnonzero(mask.any(axis=1))
    if not len(rows):
        return None
    columns = np.flatnonzero(mask[rows[0] : rows[-1] + 1].any(axis=0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def lit(base: Pixels, height: Pixels, strength: float, light: Point = (-0.6, -0.8)) -> Pixels:
    """`base` as a relief of `height` (a smooth mask) would look, lit from `light` (x right, y down)."""
    slope_y, slope_x = np.gradient(height)
    slope = np.clip((slope_x * light[0] + slope_y * light[1]) * strength, -0.6, 0.6)
    shade = np.asarray(slope, np.float32)[..., None]
    return np.asarray(np.where(shade > 0, base + (1 - base) * shade, base * (1 + shade)), np.float32)


def smooth_noise(rng: np.random.Generator, size: tuple[int, int], cell: float) -> Pixels:
    """Cloudy noise of `size` (width, height), 0 to 1, with features about `cell` pixels large."""
    width, height = size
    total = np.zeros((height, width), np.float32)
    weight = 1.0
    for octave in range(3):
        step = max(cell / 2**octave, 1.0)
        coarse = (max(2, round(width / step)), max(2, round(height / step)))
        grain = Image.fromarray((rng.random(coarse[::-1]) * 255).astype(np.uint8))
        total += np.float32(weight) * from_image(grain.resize(size, Image.Resampling.BICUBIC))
        weight /= 2
    return total / np.float32(1.75)


def gradient(size: tuple[int, int], stops: Sequence[tuple[float, Colour]]) -> Pixels:
    """A vertical gradient of `size` (width, height) through `stops` (place 0 to 1 from the top, colour)."""
    width, height = size
    places = np.linspace(0, 1, height)
    column = np.stack(
        [
            np.interp(places, [stop[0] for stop in stops], [stop[1][channel] / 255 for stop in stops])
            for channel in range(3)
        ],
        axis=-1,
    )
    return np.repeat(column[:, None, :], width, axis=1).astype(np.float32)


def homography(source: Sequence[Point], target: Sequence[Point]) -> Matrix:
    """The 3x3 matrix that takes the four `source` points to the four `target` points."""
    rows, right = [], []
    for (x, y), (u, v) in zip(source, target, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        right += [u, v]
    return np.append(np.linalg.solve(np.array(rows, float), np.array(right, float)), 1.0).reshape(3, 3)


def moved(dx: float, dy: float) -> Matrix:
    """A shift as a matrix."""
    return np.array([[1, 0, dx], [0, 1, dy], [0, 0, 1]], float)


def scaled(x: float, y: float | None = None) -> Matrix:
    """A scaling as a matrix; one factor for both axes when `y` is not given."""
    return np.diag([x, x if y is None else y, 1.0])


def turned(degrees: float, about: Point) -> Matrix:
    """A rotation about a point, clockwise on the screen, as a matrix."""
    angle = np.deg2rad(degrees)
    cos, sin = np.cos(angle), np.sin(angle)
    turn: Matrix = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]], float)
    return np.asarray(moved(*about) @ turn @ moved(-about[0], -about[1]), float)


def mapped(matrix: Matrix, points: Sequence[Point]) -> list[Point]:
    """The points as the matrix moves them."""
    found = np.array([(x, y, 1.0) for x, y in points]) @ matrix.T
    return [(float(x / w), float(y / w)) for x, y, w in found]


def warped(image: Image.Image, matrix: Matrix, size: tuple[int, int]) -> Image.Image:
    """`image` moved by `matrix` onto an empty canvas of `size` (width, height).

    Shrinking by more than two would skip pixels, so the image is first reduced to about its size on the canvas.
    """
    corners = mapped(matrix, [(0, 0), (image.width, 0), (image.width, image.height), (0, image.height)])
    across = max(np.hypot(corners[1][0] - corners[0][0], corners[1][1] - corners[0][1]), 1.0)
    shrink = image.width / across
    if shrink > 1.5:
        reduced = (max(1, round(image.width / shrink)), max(1, round(image.height / shrink)))
        matrix = matrix @ scaled(image.width / reduced[0], image.height / reduced[1])
        image = image.resize(reduced, Image.Resampling.LANCZOS, reducing_gap=3.0)
    inverse = np.linalg.inv(matrix)
    inverse /= inverse[2, 2]
    return image.transform(
        size, Image.Transform.PERSPECTIVE, tuple(inverse.flatten()[:8]), Image.Resampling.BICUBIC
    )
