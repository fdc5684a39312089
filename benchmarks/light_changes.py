"""What light does to a photo, and what telephones and screens make of it."""

from io import BytesIO

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

from benchmarks.changes import saved
from benchmarks.sent_pictures import Sent, corner_moves, rng_of, scaling, warped_to
from mock_server.imaging.geometry import Box


def clahe(image: Image.Image, box: Box) -> Sent:
    """Contrast-limited adaptive histogram equalisation of the luma, in 8 x 8 tiles, with a clip limit of 2."""
    luma, blue, red = image.convert("YCbCr").split()
    values = np.asarray(luma)
    rows, columns = (np.linspace(0, side, 9).astype(int) for side in values.shape)
    curves = np.empty((8, 8, 256), np.float32)
    for row in range(8):
        for column in range(8):
            tile = values[rows[row] : rows[row + 1], columns[column] : columns[column + 1]]
            counts = np.bincount(tile.ravel(), minlength=256).astype(np.float32)
            limit = 2.0 * tile.size / 256
            excess = np.maximum(counts - limit, 0).sum()
            curves[row, column] = np.cumsum(np.minimum(counts, limit) + excess / 256) * (255 / tile.size)
    y = np.clip((np.arange(values.shape[0]) + 0.5) * 8 / values.shape[0] - 0.5, 0, 7)[:, None]
    x = np.clip((np.arange(values.shape[1]) + 0.5) * 8 / values.shape[1] - 0.5, 0, 7)[None, :]
    top, left = np.minimum(y.astype(int), 6), np.minimum(x.astype(int), 6)
    down, across = (y - top).astype(np.float32), (x - left).astype(np.float32)
    upper = curves[top, left, values] * (1 - across) + curves[top, left + 1, values] * across
    lower = curves[top + 1, left, values] * (1 - across) + curves[top + 1, left + 1, values] * across
    equalised = Image.fromarray((upper * (1 - down) + lower * down).clip(0, 255).astype(np.uint8))
    return Sent(saved(Image.merge("YCbCr", (equalised, blue, red)).convert("RGB"), quality=90), scaling())


def night(image: Image.Image, box: Box) -> Sent:
    """A telephone's night mode on a dark picture: shadows lifted, highlights pressed, denoised and sharpened."""
    table = [round(255 * min(1.0, 1.06 * (value / 255) ** 0.6)) for value in range(256)]
    lifted = image.point(table * 3).filter(ImageFilter.GaussianBlur(0.7)).filter(ImageFilter.UnsharpMask(2, 80, 2))
    return Sent(saved(ImageEnhance.Color(lifted).enhance(1.2), quality=85), scaling())


def warm(image: Image.Image, box: Box) -> Sent:
    """A warm white balance: more red, less blue."""
    gains = (1.12, 1.0, 0.78)
    bands = [
        band.point([min(255, round(value * gain)) for value in range(256)])
        for band, gain in zip(image.split(), gains, strict=True)
    ]
    return Sent(saved(Image.merge("RGB", bands), quality=90), scaling())


def of_screen(image: Image.Image, box: Box) -> Sent:
    """A photo of a screen: a slight perspective, the screen's lines, uneven light, noise."""
    rng = rng_of(image, box, "screen")
    matrix = corner_moves(image, 0.012, rng)
    warped = Image.open(BytesIO(warped_to(image, matrix, 95).data)).filter(ImageFilter.GaussianBlur(0.8))
    values = np.asarray(warped, dtype=np.float32)
    rows, columns = np.arange(image.height)[:, None], np.arange(image.width)[None, :]
    lines = 1 + 0.04 * np.sin(rows * 2.1 + columns * 0.02) + 0.03 * np.sin(columns * 1.9)
    light = 1.05 - 0.25 * ((columns / image.width - 0.4) ** 2 + (rows / image.height - 0.6) ** 2)
    noise = np.random.default_rng(rng.randrange(10**6)).normal(0, 3, values.shape)
    shown = 20 + 0.88 * values * (lines * light)[..., None] + noise
    return Sent(saved(Image.fromarray(shown.clip(0, 255).astype(np.uint8)), quality=85), matrix)
