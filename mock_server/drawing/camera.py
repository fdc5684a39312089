"""What lies between the scene and the file: light, weather, lens, sensor."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from mock_server.drawing.pixel_effects import (
    Matrix,
    Pixels,
    Rect,
    blurred,
    from_image,
    mapped,
    over,
    smooth_noise,
)
from mock_server.imaging.geometry import Box


@dataclass(frozen=True, slots=True)
class Shot:
    """How a picture is taken.

    `blur`: radius of a soft focus in pixels. `motion`: length of a sideways smear in pixels. `glare`: 0 to 1, sun or
    flash on the text. `noise`: 0 to 1. `rotate`: degrees clockwise. `night`, `rain`: 0 to 1. `quality`: of the JPEG.
    """

    blur: float = 0.0
    motion: float = 0.0
    glare: float = 0.0
    noise: float = 0.1
    rotate: float = 0.0
    night: float = 0.0
    rain: float = 0.0
    quality: int = 86


def exposed(pixels: Pixels, shot: Shot, spot: Box | None, rng: np.random.Generator) -> Image.Image:
    """The finished 8-bit picture of `pixels`; `spot` is the box that glare falls on."""
    if shot.rain:
        pixels = _rained(pixels, shot.rain, rng)
    if shot.motion >= 1:
        pixels = _smeared(pixels, shot.motion)
    pixels = blurred(np.clip(pixels, 0, 1), shot.blur)
    if shot.glare and spot:
        pixels = _glared(pixels, shot.glare, spot, rng)
    pixels = _toned(_vignetted(_bloomed(pixels)))
    if not shot.blur:
        pixels = _sharpened(pixels)
    return _grained(pixels, shot, rng)


def _bloomed(pixels: Pixels) -> Pixels:
    """Bright parts spill a little light."""
    bright = np.clip(pixels - 0.82, 0, 1)
    return np.asarray(pixels + blurred(np.clip(bright * 4, 0, 1), pixels.shape[0] / 90) * 0.10, np.float32)


def _sharpened(pixels: Pixels) -> Pixels:
    """Telephones sharpen what they take."""
    clipped = np.clip(pixels, 0, 1)
    return np.asarray(clipped + (clipped - blurred(clipped, 1.1)) * 0.45, np.float32)


def _vignetted(pixels: Pixels) -> Pixels:
    height, width = pixels.shape[:2]
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    shade = 1 - 0.16 * np.clip(x**2 + y**2 - 0.25, 0, 2)
    return np.asarray(pixels * shade[..., None], np.float32)


def _toned(pixels: Pixels) -> Pixels:
    """A camera's gentle S-curve."""
    clipped: Pixels = np.clip(pixels, 0, 1)
    curve = clipped * clipped * (3 - 2 * clipped)
    return np.asarray(clipped * 0.72 + curve * 0.28, np.float32)


def _grained(pixels: Pixels, shot: Shot, rng: np.random.Generator) -> Image.Image:
    height, width = pixels.shape[:2]
    amount = 0.005 + 0.07 * shot.noise
    luma = rng.normal(0, 1, (height, width, 1)).astype(np.float32)
    chroma = rng.normal(0, 1, (height // 2 + 1, width // 2 + 1, 3)).astype(np.float32)
    chroma = np.repeat(np.repeat(chroma, 2, axis=0), 2, axis=1)[:height, :width]
    # Dark parts show more of it, as sensors do.
    sensitivity = 1.15 - 0.6 * pixels.mean(axis=2, keepdims=True)
    noisy = pixels + (luma * 0.8 + chroma * 0.45) * np.float32(amount) * sensitivity
    return Image.fromarray((np.clip(noisy, 0, 1) * 255 + 0.5).astype(np.uint8))


def _smeared(pixels: Pixels, length: float) -> Pixels:
    steps = max(2, round(length))
    total = np.zeros_like(pixels)
    for step in range(steps):
        total += np.roll(pixels, step - steps // 2, axis=1)
    return total / np.float32(steps)


def _glared(pixels: Pixels, strength: float, spot: Box, rng: np.random.Generator) -> Pixels:
    height, width = pixels.shape[:2]
    x = spot.xmin + spot.width * rng.uniform(0.25, 0.75)
    y = spot.ymin + spot.height * rng.uniform(0.0, 0.4)
    reach = spot.height * 0.9
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    distance = np.hypot((columns - x) / 1.6, rows - y)
    core = np.exp(-((distance / reach) ** 2)) * 0.75 + np.exp(-distance / (reach * 3)) * 0.45
    angle = np.arctan2(rows - y, columns - x)
    rays = (np.abs(np.cos(angle * 3 + rng.uniform(0, 3))) ** 60) * np.exp(-distance / (reach * 2.4)) * 0.5
    cover = np.clip((core + rays) * strength, 0, 0.96).astype(np.float32)
    return over(pixels, (255, 252, 240), cover)


def _rained(pixels: Pixels, strength: float, rng: np.random.Generator) -> Pixels:
    height, width = pixels.shape[:2]
    grey = pixels.mean(axis=2, keepdims=True)
    haze = np.array((0.60, 0.64, 0.68), np.float32)
    pixels = (pixels * 0.62 + grey * 0.26 + haze * 0.10).astype(np.float32)
    image = Image.new("L", (width, height))
    draw = ImageDraw.Draw(image)
    for _ in range(round(width * height / 2600 * strength)):
        x, y = rng.uniform(0, width), rng.uniform(-20, height)
        long = rng.uniform(0.015, 0.05) * height
        draw.line((x, y, x + long * 0.16, y + long), fill=int(rng.integers(60, 170)), width=1)
    pixels = over(pixels, (226, 232, 238), blurred(from_image(image), 0.7), 0.40)
    return _dropped(pixels, strength, rng)


def _dropped(pixels: Pixels, strength: float, rng: np.random.Generator) -> Pixels:
    """A few drops on the lens: small upside-down views of the scene."""
    height, width = pixels.shape[:2]
    soft = blurred(np.clip(pixels, 0, 1), height / 60)
    for _ in range(round(9 * strength)):
        x, y = rng.uniform(0, width), rng.uniform(0, height * 0.45)
        radius = rng.uniform(0.006, 0.016) * height
        rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
        drop = np.clip(1.4 - np.hypot(columns - x, (rows - y) * 0.86) / radius, 0, 1)
        pixels = over(pixels, np.clip(soft[::-1] * 1.12, 0, 1).astype(np.float32), drop, 0.7)
    return pixels


def at_night(pixels: Pixels, strength: float) -> Pixels:
    """The scene without the sun: dark and bluish, with some light from behind the camera in its middle."""
    height, width = pixels.shape[:2]
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j].astype(np.float32)
    beam = np.exp(-(((x - 0.5) / 0.42) ** 2) - ((y - 0.72) / 0.30) ** 2)[..., None]
    grey = pixels.mean(axis=2, keepdims=True)
    moon = np.array((0.20, 0.24, 0.36), np.float32)
    lamp = np.array((0.50, 0.46, 0.38), np.float32)
    dark = (pixels * 0.55 + grey * 0.45) ** 1.5 * (moon + lamp * beam)
    return np.asarray(pixels * (1 - strength) + dark * strength, np.float32)


def with_far_lights(pixels: Pixels, strength: float, horizon: float, rng: np.random.Generator) -> Pixels:
    """Lamps far away at night: soft discs above and along the horizon."""
    height, width = pixels.shape[:2]
    tones = ((255, 196, 110), (255, 222, 170), (255, 240, 220), (255, 90, 60), (150, 200, 255))
    for number in range(26):
        image = Image.new("L", (width, height))
        x, y = rng.uniform(0, width), height * (horizon - abs(rng.normal(0, 0.10)) + 0.03)
        radius = height * rng.uniform(0.006, 0.017)
        ImageDraw.Draw(image).ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
        disc = blurred(from_image(image), height / 500)
        tone = np.array(tones[number % len(tones)], np.float32) / 255
        pixels = np.asarray(
            pixels + disc[..., None] * tone * np.float32(rng.uniform(0.25, 0.75) * strength), np.float32
        )
    return pixels


def glow(pixels: Pixels, mask: Pixels, rgb: tuple[int, int, int], radius: float, strength: float) -> Pixels:
    """Light that spreads from `mask` into the picture."""
    wide = blurred(mask, radius) + 0.5 * blurred(mask, radius * 2.5)
    return (pixels + wide[..., None] * np.array(rgb, np.float32) / 255 * np.float32(strength)).astype(
        np.float32
    )


def box_around(matrix: Matrix, rect: Rect) -> Rect:
    """The upright box around a rectangle after the matrix moved it."""
    left, top, right, bottom = rect
    points = mapped(matrix, [(left, top), (right, top), (right, bottom), (left, bottom)])
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return min(xs), min(ys), max(xs), max(ys)


def streaks(size: tuple[int, int], rng: np.random.Generator) -> Pixels:
    """Fine horizontal brushing, as on metal, -1 to 1."""
    width, height = size
    lines = rng.normal(0, 1, (height, max(2, width // 60))).astype(np.float32)
    image = Image.fromarray(np.clip(lines * 40 + 128, 0, 255).astype(np.uint8))
    return (np.asarray(image.resize(size, Image.Resampling.BICUBIC), np.float32) - 128) / np.float32(128) + (
        smooth_noise(rng, size, width / 3) - np.float32(0.5)
    ) * np.float32(0.6)
