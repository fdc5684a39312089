"""Arithmetic on images as float arrays: blending, blur, relief, noise, perspective.

An image is an array of height x width x 3, a mask one of height x width. Both are float32 from 0 to 1, in sRGB.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from mock_server.imaging.geometry import Box

Pixels = NDArray[np.float32]
Matrix = NDArray[np.float64]
Point = tuple[float, float]
Size = tuple[int, int]
"""Width and height in pixels."""
Colour = tuple[int, int, int]
"""Red, green, blue, 0 to 255."""
Rect = tuple[float, float, float, float]
"""Left, top, right, bottom, in pixels."""


def from_image(image: Image.Image) -> Pixels:
    """The array of an 8-bit image or mask."""
    return np.asarray(image, np.float32) / np.float32(255)


def to_image(pixels: Pixels) -> Image.Image:
    """The 8-bit image of an array; values outside 0 to 1 are clipped."""
    return Image.fromarray((np.clip(pixels, 0, 1) * 255 + 0.5).astype(np.uint8))


def size_of(pixels: Pixels) -> Size:
    """Width and height of an image or mask."""
    return pixels.shape[1], pixels.shape[0]


def stencil(size: Size, draw: Callable[[ImageDraw.ImageDraw], object]) -> Pixels:
    """A mask of the shapes that `draw` fills with 255."""
    image = Image.new("L", size)
    draw(ImageDraw.Draw(image))
    return from_image(image)


def rectangle(size: Size, rect: Rect) -> Pixels:
    """A mask of one filled rectangle."""
    return stencil(size, lambda draw: draw.rectangle(rect, fill=255))


def frame(size: Size, inset: float, radius: float, width: int) -> Pixels:
    """A mask of a rounded line along the edges, `inset` pixels from them."""
    edges = (inset, inset, size[0] - inset, size[1] - inset)
    return stencil(size, lambda draw: draw.rounded_rectangle(edges, radius=radius, outline=255, width=width))


def cut_out(pixels: Pixels, radius: float) -> Image.Image:
    """The image in RGBA, with transparent outside of its rounded corners."""
    image = to_image(pixels).convert("RGBA")
    shape = Image.new("L", (image.width * 2, image.height * 2))
    edges = (0, 0, shape.width - 1, shape.height - 1)
    ImageDraw.Draw(shape).rounded_rectangle(edges, radius=radius * 2, fill=255)
    image.putalpha(shape.resize(image.size, Image.Resampling.BOX))
    return image


def colour(rgb: Colour) -> Pixels:
    """An 8-bit colour as an array of 3 floats."""
    return np.array(rgb, np.float32) / np.float32(255)


def fill(size: Size, rgb: Colour) -> Pixels:
    """An image of one colour."""
    return np.full((size[1], size[0], 3), colour(rgb), np.float32)


def gradient(size: Size, stops: Sequence[tuple[float, Colour]]) -> Pixels:
    """A vertical gradient through `stops`: position (0 top, 1 bottom) and colour."""
    positions, colours = zip(*stops, strict=True)
    rows = np.linspace(0, 1, size[1])
    channels = [np.interp(rows, positions, [rgb[channel] / 255 for rgb in colours]) for channel in range(3)]
    column = np.stack(channels, axis=-1).astype(np.float32)
    return np.repeat(column[:, None, :], size[0], axis=1)


def brighten(pixels: Pixels, amount: Pixels) -> Pixels:
    """The image multiplied by 1 + `amount`, a mask of -1 to 1."""
    return np.asarray(pixels * (1 + amount[..., None]), np.float32)


def dim(rgb: Colour, factor: float) -> Colour:
    """An 8-bit colour multiplied by `factor`."""
    return round(rgb[0] * factor), round(rgb[1] * factor), round(rgb[2] * factor)


def blur(pixels: Pixels, radius: float) -> Pixels:
    """The image or mask with a Gaussian blur of `radius` pixels."""
    if radius <= 0:
        return pixels
    # A mask is mostly empty, so only the part that the blur can reach is computed.
    spot = bounds_of(pixels) if pixels.ndim == 2 else (slice(0, pixels.shape[0]), slice(0, pixels.shape[1]))
    result = np.zeros_like(pixels)
    if spot is not None:
        spot = grow(spot, reach_of_blur(radius))
        image = Image.fromarray(np.clip(pixels[spot] * 255, 0, 255).astype(np.uint8))
        result[spot] = from_image(image.filter(ImageFilter.GaussianBlur(radius)))
    return result


def reach_of_blur(radius: float) -> int:
    """How many pixels a blur spreads at most: Pillow blurs three times with a box of about `radius`."""
    return 3 * (math.ceil(radius) + 2)


def blend(base: Pixels, top: Pixels | Colour, mask: Pixels, strength: float = 1.0) -> Pixels:
    """`base` covered with `top` (an image or a colour) where `mask` is set."""
    result = base.copy()
    # Only the part where the mask is set is computed.
    if (spot := bounds_of(mask)) is not None:
        paint = colour(top) if isinstance(top, tuple) else top[spot]
        below = result[spot]
        below += (paint - below) * (mask[spot] * np.float32(strength))[..., None]
    return result


Spot = tuple[slice, slice]
"""Rows and columns of an array."""


def bounds_of(mask: Pixels) -> Spot | None:
    """The rows and columns in which the mask is not zero; None for an empty mask."""
    rows = np.flatnonzero(mask.any(axis=1))
    if not len(rows):
        return None
    columns = np.flatnonzero(mask[rows[0] : rows[-1] + 1].any(axis=0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def grow(spot: Spot, reach: int) -> Spot:
    """The rows and columns with `reach` more on each side, but no negative index."""
    rows, columns = spot
    return (
        slice(max(rows.start - reach, 0), rows.stop + reach),
        slice(max(columns.start - reach, 0), columns.stop + reach),
    )


def emboss(base: Pixels, height: Pixels, strength: float) -> Pixels:
    """`base` as a relief of `height` (a smooth mask) with light from the top left."""
    slope_y, slope_x = np.gradient(height)
    slope = np.clip((slope_x * -0.6 + slope_y * -0.8) * strength, -0.6, 0.6)
    shade = np.asarray(slope, np.float32)[..., None]
    return np.asarray(np.where(shade > 0, base + (1 - base) * shade, base * (1 + shade)), np.float32)


def smooth_noise(rng: np.random.Generator, size: Size, cell: float) -> Pixels:
    """A mask of cloudy noise with features of about `cell` pixels."""
    total = np.zeros((size[1], size[0]), np.float32)
    for octave in range(3):
        step = max(cell / 2**octave, 1.0)
        coarse = (max(2, round(size[1] / step)), max(2, round(size[0] / step)))
        grain = Image.fromarray((rng.random(coarse) * 255).astype(np.uint8))
        total += np.float32(0.5**octave) * from_image(grain.resize(size, Image.Resampling.BICUBIC))
    return total / np.float32(1.75)


def homography(source: Sequence[Point], target: Sequence[Point]) -> Matrix:
    """The 3x3 matrix that maps the four `source` points to the four `target` points."""
    rows, right = [], []
    for (x, y), (u, v) in zip(source, target, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        right += [u, v]
    return np.append(np.linalg.solve(np.array(rows, float), np.array(right, float)), 1.0).reshape(3, 3)


def translation(dx: float, dy: float) -> Matrix:
    """The matrix of a shift."""
    return np.array([[1, 0, dx], [0, 1, dy], [0, 0, 1]], float)


def scaling(factor: float) -> Matrix:
    """The matrix of a scaling about the origin."""
    return np.diag([factor, factor, 1.0])


def rotation(degrees: float, about: Point) -> Matrix:
    """The matrix of a rotation about a point, clockwise on the screen."""
    angle = np.deg2rad(degrees)
    cos, sin = np.cos(angle), np.sin(angle)
    turn: Matrix = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]], float)
    return np.asarray(translation(*about) @ turn @ translation(-about[0], -about[1]), float)


def apply(matrix: Matrix, points: Sequence[Point]) -> list[Point]:
    """The points transformed by the matrix."""
    transformed = np.array([(x, y, 1.0) for x, y in points]) @ matrix.T
    return [(float(x / w), float(y / w)) for x, y, w in transformed]


def corners_of(size: tuple[float, float]) -> list[Point]:
    """The corners of an image of this size, clockwise from the top left."""
    return [(0, 0), (size[0], 0), (size[0], size[1]), (0, size[1])]


def box_of(matrix: Matrix, rect: Rect, size: Size) -> Box:
    """The bounding box of a transformed rectangle in an image of `size`, in whole pixels."""
    left, top, right, bottom = rect
    xs, ys = zip(*apply(matrix, [(left, top), (right, top), (right, bottom), (left, bottom)]), strict=True)
    return Box(round(min(xs)), round(min(ys)), round(max(xs)), round(max(ys))).clamped(*size)


def warp(image: Image.Image, matrix: Matrix, size: Size) -> Image.Image:
    """The image transformed by the matrix onto an empty canvas of `size`.

    A reduction by more than 1.5 would skip pixels, so the image is first resized to about its size on the canvas.
    """
    left, right, *_ = apply(matrix, corners_of(image.size))
    shrink = image.width / max(np.hypot(right[0] - left[0], right[1] - left[1]), 1.0)
    if shrink > 1.5:
        reduced = (max(1, round(image.width / shrink)), max(1, round(image.height / shrink)))
        matrix = matrix @ np.diag([image.width / reduced[0], image.height / reduced[1], 1.0])
        image = image.resize(reduced, Image.Resampling.LANCZOS, reducing_gap=3.0)
    inverse = np.linalg.inv(matrix)
    inverse /= inverse[2, 2]
    coefficients = tuple(inverse.flatten()[:8])
    return image.transform(size, Image.Transform.PERSPECTIVE, coefficients, Image.Resampling.BICUBIC)
