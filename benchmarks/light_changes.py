"""What light does to a photo, and what telephones and screens make of it."""

from collections.abc import Callable
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageFilter

from benchmarks.changes import saved
from benchmarks.sent_pictures import Sent, corner_moves, rng_of, scaling, warped_to
from mock_server.imaging.geometry import Box


def clahe(limit: float, tiles: int) -> Callable[[Image.Image, Box], Sent]:
    """Contrast-limited adaptive histogram equalisation of the luma, in so many tiles a side, with this clip limit."""

    def make(image: Image.Image, box: Box) -> Sent:
        luma, blue, red = image.convert("YCbCr").split()
        values = np.asarray(luma)
        curves = _tone_curves(values, limit, tiles)
        y = np.clip((np.arange(values.shape[0]) + 0.5) * tiles / values.shape[0] - 0.5, 0, tiles - 1)[:, None]
        x = np.clip((np.arange(values.shape[1]) + 0.5) * tiles / values.shape[1] - 0.5, 0, tiles - 1)[None, :]
        top, left = np.minimum(y.astype(int), tiles - 2), np.minimum(x.astype(int), tiles - 2)
        down, across = (y - top).astype(np.float32), (x - left).astype(np.float32)
        upper = curves[top, left, values] * (1 - across) + curves[top, left + 1, values] * across
        lower = curves[top + 1, left, values] * (1 - across) + curves[top + 1, left + 1, values] * across
        equalised = Image.fromarray((upper * (1 - down) + lower * down).clip(0, 255).astype(np.uint8))
        return Sent(saved(Image.merge("YCbCr", (equalised, blue, red)).convert("RGB"), quality=90), scaling())

    return make


def _tone_curves(values: NDArray[np.uint8], clip_limit: float, tiles: int) -> NDArray[np.float32]:
    """The tone curve of each tile, of shape (tiles, tiles, 256)."""
    rows, columns = (np.linspace(0, side, tiles + 1).astype(int) for side in values.shape)
    curves = np.empty((tiles, tiles, 256), np.float32)
    for row in range(tiles):
        for column in range(tiles):
            tile = values[rows[row] : rows[row + 1], columns[column] : columns[column + 1]]
            counts = np.bincount(tile.ravel(), minlength=256).astype(np.float32)
            limit = clip_limit * tile.size / 256
            excess = np.maximum(counts - limit, 0).sum()
            curves[row, column] = np.cumsum(np.minimum(counts, limit) + excess / 256) * (255 / tile.size)
    return curves


def night(gamma: float, denoised: float, sharpened: int) -> Callable[[Image.Image, Box], Sent]:
    """A telephone's night mode on a dark picture: shadows lifted, highlights pressed, denoised and sharpened."""

    def make(image: Image.Image, box: Box) -> Sent:
        table = [round(255 * min(1.0, 1.06 * (value / 255) ** gamma)) for value in range(256)]
        lifted = image.point(table * 3).filter(ImageFilter.GaussianBlur(denoised))
        sharp = lifted.filter(ImageFilter.UnsharpMask(2, sharpened, 2))
        return Sent(saved(ImageEnhance.Color(sharp).enhance(1.2), quality=85), scaling())

    return make


def faint(image: Image.Image, box: Box) -> Sent:
    """A dark picture of little contrast, with the noise of its short exposure."""
    noise = np.random.default_rng(rng_of(image, box, "faint").randrange(10**6)).normal(0, 2.5, np.asarray(image).shape)
    dark = 18 + 0.3 * np.asarray(image, np.float32) + noise
    return Sent(saved(Image.fromarray(dark.clip(0, 255).astype(np.uint8)), quality=88), scaling())


def warm(red: float, blue: float) -> Callable[[Image.Image, Box], Sent]:
    """A warm white balance: more red, less blue."""

    def make(image: Image.Image, box: Box) -> Sent:
        bands = [
            band.point([min(255, round(value * gain)) for value in range(256)])
            for band, gain in zip(image.split(), (red, 1.0, blue), strict=True)
        ]
        return Sent(saved(Image.merge("RGB", bands), quality=90), scaling())

    return make


def of_screen(share: float, moire: float, slope: float) -> Callable[[Image.Image, Box], Sent]:
    """A photo of a screen: a slight perspective, the screen's lines, uneven light, noise.

    `share`: of the picture's sides by which each corner moves. `moire`: the depth of the lines, at this `slope`.
    """

    def make(image: Image.Image, box: Box) -> Sent:
        rng = rng_of(image, box, "screen")
        matrix = corner_moves(image, share, rng)
        warped = Image.open(BytesIO(warped_to(image, matrix, 95).data)).filter(ImageFilter.GaussianBlur(0.8))
        values = np.asarray(warped, dtype=np.float32)
        rows, columns = np.arange(image.height)[:, None], np.arange(image.width)[None, :]
        lines = 1 + moire * (np.sin(rows * 2.1 + columns * slope) + 0.75 * np.sin(columns * 1.9))
        light = 1.05 - 0.25 * ((columns / image.width - 0.4) ** 2 + (rows / image.height - 0.6) ** 2)
        noise = np.random.default_rng(rng.randrange(10**6)).normal(0, 3, values.shape)
        shown = 20 + 0.88 * values * (lines * light)[..., None] + noise
        return Sent(saved(Image.fromarray(shown.clip(0, 255).astype(np.uint8)), quality=85), matrix)

    return make
