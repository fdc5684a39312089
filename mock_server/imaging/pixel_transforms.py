"""Conversions of Pillow images: to RGB or grey, smaller, or to a digest. Nothing here reads files."""

from math import ceil

import numpy as np
import xxhash
from numpy.typing import NDArray
from PIL import Image

from mock_server.imaging.geometry import Affine

Grey = NDArray[np.uint8]

# A picture shows nothing if, after averaging over 3 x 3 pixels, its grey levels span less than this and their standard
# deviation is less than this: sensor noise and compression stay below both.
_BLANK_RANGE = 24
_BLANK_DEVIATION = 4.0
# The same without averaging, for pictures of under three pixels a side.
_TINY_BLANK_RANGE = 16
_BAND = 512  # rows
# Pixels for each cell of a resampled grid at most; the image is reduced first.
_PIXELS_PER_CELL = 1.6


def to_rgb(image: Image.Image) -> Image.Image:
    """RGB of any mode; transparent pixels become white."""
    if image.mode == "RGB":
        return image
    if image.mode.startswith(("I", "F")):
        return _to_eight_bits(image).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        rgba = image if image.mode == "RGBA" else image.convert("RGBA")
        rgb = Image.new("RGB", image.size, "white")
        rgb.paste(rgba, mask=rgba.getchannel("A"))
        return rgb
    return image.convert("RGB")


def to_grey(image: Image.Image) -> Image.Image:
    """8-bit grey of any mode."""
    return image if image.mode == "L" else to_rgb(image).convert("L")


def halving_factor(size: tuple[int, int], side: int) -> int:
    """The largest power of two by which a picture can be divided so that its longer side keeps `side` pixels."""
    factor = 1
    while max(size) >= 2 * factor * side:
        factor *= 2
    return factor


def reduced(image: Image.Image, side: int) -> Image.Image:
    """`image` divided by a whole number so that its longer side is at most `side`; much faster than an exact resize."""
    factor = -(-max(image.size) // side)
    return image if factor == 1 else image.reduce(factor)


def fitted(image: Image.Image, side: int) -> Image.Image:
    """`image` shrunk, never enlarged, so that its longer side is at most `side`; for people to look at."""
    longer = max(image.size)
    if longer <= side:
        return image
    size = (max(1, round(image.width * side / longer)), max(1, round(image.height * side / longer)))
    return image.resize(size, Image.Resampling.BILINEAR, reducing_gap=1.0)


def resampled(
    image: Image.Image, cells: Affine, size: tuple[int, int], filter: Image.Resampling = Image.Resampling.BILINEAR
) -> Image.Image:
    """A grid of this (width, height), whose cells `cells` maps to pixels of an image."""
    part, to_part = part_around(image, cells, size)
    return part.transform(size, Image.Transform.AFFINE, to_part.after(cells).coefficients, filter)


def part_around(image: Image.Image, cells: Affine, size: tuple[int, int]) -> tuple[Image.Image, Affine]:
    """The part of an image around such a grid, reduced to about its resolution, and the map from the image to it."""
    columns, rows = size
    cell = np.sqrt(abs(cells.determinant))
    space = max(2, rows // 4)
    box = cells.bounds(-space, -space, columns + space, rows + space)
    # The image's edges are repeated where the grid reaches beyond them: black would look like a part of the text.
    repeated = min(ceil(space * cell), *image.size)
    inside = box.clamped(*image.size)
    left, right, above, below = (
        min(max(missing, 0), repeated)
        for missing in (
            *(inside.xmin - box.xmin, box.xmax - inside.xmax),
            *(inside.ymin - box.ymin, box.ymax - inside.ymax),
        )
    )
    part = image.crop((inside.xmin, inside.ymin, max(inside.xmax, inside.xmin + 1), max(inside.ymax, inside.ymin + 1)))
    if left or right or above or below:
        pixels = np.asarray(part)
        around = [(above, below), (left, right), (0, 0)][: pixels.ndim]
        part = Image.fromarray(np.pad(pixels, around, mode="edge"))
    factor = max(1, int(cell / _PIXELS_PER_CELL + 0.5))
    to_part = Affine(1 / factor, 0, (left - inside.xmin) / factor, 0, 1 / factor, (above - inside.ymin) / factor)
    return part.reduce(factor), to_part


def pixel_digest(image: Image.Image) -> bytes:
    """XXH3-128 over the size and pixels of an RGB picture."""
    digest = xxhash.xxh3_128(repr(image.size).encode())
    # In bands: a copy of all pixels takes as much memory as the picture.
    for top in range(0, image.height, _BAND):
        digest.update(image.crop((0, top, image.width, min(top + _BAND, image.height))).tobytes())
    return digest.digest()


def blank_and_sharpness(small: Image.Image) -> tuple[bool, float]:
    """Whether a grey picture shows nothing, and its sharpness: the variance of its Laplacian."""
    values = np.asarray(small, dtype=np.int16)
    if min(values.shape) < 3:
        return bool(np.ptp(values) < _TINY_BLANK_RANGE), 0.0
    # Every other row is enough for a variance.
    laplacian = values[:-2:2, 1:-1] + values[2::2, 1:-1]
    laplacian += values[1:-1:2, :-2]
    laplacian += values[1:-1:2, 2:]
    laplacian -= values[1:-1:2, 1:-1] << 2
    flat = laplacian.ravel().astype(np.float32)
    sharpness = float(np.vdot(flat, flat)) / flat.size - (float(flat.sum()) / flat.size) ** 2
    smooth = np.asarray(small.reduce(3))
    return bool(np.ptp(smooth) < _BLANK_RANGE and smooth.std() < _BLANK_DEVIATION), sharpness


def _to_eight_bits(image: Image.Image) -> Image.Image:
    """16-bit, 32-bit and floating-point grey scaled to 8 bits; Pillow's own conversion would clip at 255."""
    values: NDArray[np.floating] = np.asarray(image).astype(np.float32)
    top = float(values.max(initial=0))
    if image.mode.startswith("I;16") or top > 255:
        values = values / 257 if top <= 65535 else values * (255 / top)
    elif image.mode == "F" and top <= 1:
        values = values * 255
    return Image.fromarray(np.clip(np.rint(values), 0, 255).astype(np.uint8))
