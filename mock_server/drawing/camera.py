"""From the scene to the photo: light, weather, lens and sensor."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from mock_server.drawing.raster import Colour, Pixels, blend, blur, from_image, size_of, stencil
from mock_server.imaging.geometry import Box


@dataclass(frozen=True, slots=True)
class Shot:
    """How a photo is taken.

    `blur`: radius of a soft focus in pixels. `motion`: length of a horizontal motion blur in pixels. `glare`: 0 to 1,
    sun or flash on the text. `noise`: of the sensor, 0 to 1. `rotate`: degrees clockwise. `night`, `rain`: 0 to 1.
    `quality`: of the JPEG, 1 to 100.
    """

    blur: float = 0.0
    motion: float = 0.0
    glare: float = 0.0
    noise: float = 0.1
    rotate: float = 0.0
    night: float = 0.0
    rain: float = 0.0
    quality: int = 86


def expose(pixels: Pixels, shot: Shot, spot: Box | None, rng: np.random.Generator) -> Image.Image:
    """The 8-bit photo of a scene; glare falls on the box `spot`."""
    if shot.rain:
        pixels = _add_rain(pixels, shot.rain, rng)
    if shot.motion >= 1:
        pixels = _motion_blur(pixels, shot.motion)
    pixels = blur(np.clip(pixels, 0, 1), shot.blur)
    if shot.glare and spot:
        pixels = _add_glare(pixels, shot.glare, spot, rng)
    pixels = _contrast(_vignette(_bloom(pixels)))
    if not shot.blur:
        pixels = _sharpen(pixels)
    return _add_noise(pixels, shot.noise, rng)


def coordinates(size: tuple[int, int]) -> tuple[Pixels, Pixels]:
    """The y of each row and the x of each column, in pixels, in shapes that numpy combines to an image."""
    return np.arange(size[1], dtype=np.float32)[:, None], np.arange(size[0], dtype=np.float32)[None, :]


def _bloom(pixels: Pixels) -> Pixels:
    """Bright parts spread a little light."""
    bright = np.clip(pixels - 0.82, 0, 1)
    return np.asarray(pixels + blur(np.clip(bright * 4, 0, 1), pixels.shape[0] / 90) * 0.10, np.float32)


def _vignette(pixels: Pixels) -> Pixels:
    """The corners are darker."""
    width, height = size_of(pixels)
    y, x = np.ogrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    x, y = x.astype(np.float32), y.astype(np.float32)
    shade = 1 - 0.16 * np.clip(x**2 + y**2 - 0.25, 0, 2)
    return np.asarray(pixels * shade[..., None], np.float32)


def _contrast(pixels: Pixels) -> Pixels:
    """The S-shaped tone curve of a camera."""
    clipped: Pixels = np.clip(pixels, 0, 1)
    curve = clipped * clipped * (3 - 2 * clipped)
    return np.asarray(clipped * 0.72 + curve * 0.28, np.float32)


def _sharpen(pixels: Pixels) -> Pixels:
    """The sharpening that phones apply."""
    clipped = np.clip(pixels, 0, 1)
    return np.asarray(clipped + (clipped - blur(clipped, 1.1)) * 0.45, np.float32)


def _add_noise(pixels: Pixels, noise: float, rng: np.random.Generator) -> Image.Image:
    height, width = pixels.shape[:2]
    amount = 0.005 + 0.07 * noise
    luma = rng.normal(0, 1, (height, width, 1)).astype(np.float32)
    chroma = rng.normal(0, 1, (height // 2 + 1, width // 2 + 1, 3)).astype(np.float32)
    chroma = np.repeat(np.repeat(chroma, 2, axis=0), 2, axis=1)[:height, :width]
    # Sensors have more noise in dark parts.
    sensitivity = 1.15 - 0.6 * pixels.mean(axis=2, keepdims=True)
    noisy = pixels + (luma * 0.8 + chroma * 0.45) * np.float32(amount) * sensitivity
    return Image.fromarray((np.clip(noisy, 0, 1) * 255 + 0.5).astype(np.uint8))


def _motion_blur(pixels: Pixels, length: float) -> Pixels:
    steps = max(2, round(length))
    total = np.zeros_like(pixels)
    for step in range(steps):
        total += np.roll(pixels, step - steps // 2, axis=1)
    return total / np.float32(steps)


def _add_glare(pixels: Pixels, strength: float, spot: Box, rng: np.random.Generator) -> Pixels:
    x = spot.xmin + spot.width * rng.uniform(0.25, 0.75)
    y = spot.ymin + spot.height * rng.uniform(0.0, 0.4)
    reach = spot.height * 0.9
    rows, columns = coordinates(size_of(pixels))
    distance = np.hypot((columns - x) / 1.6, rows - y)
    core = np.exp(-((distance / reach) ** 2)) * 0.75 + np.exp(-distance / (reach * 3)) * 0.45
    angle = np.arctan2(rows - y, columns - x)
    rays = (np.abs(np.cos(angle * 3 + rng.uniform(0, 3))) ** 60) * np.exp(-distance / (reach * 2.4)) * 0.5
    return blend(pixels, (255, 252, 240), np.clip((core + rays) * strength, 0, 0.96).astype(np.float32))


def _add_rain(pixels: Pixels, strength: float, rng: np.random.Generator) -> Pixels:
    """Less contrast, streaks in the air, and drops on the lens."""
    width, height = size_of(pixels)
    grey = pixels.mean(axis=2, keepdims=True)
    haze = np.array((0.60, 0.64, 0.68), np.float32)
    pixels = (pixels * 0.62 + grey * 0.26 + haze * 0.10).astype(np.float32)

    def streaks(draw: ImageDraw.ImageDraw) -> None:
        for _ in range(round(width * height / 2600 * strength)):
            x, y = rng.uniform(0, width), rng.uniform(-20, height)
            long = rng.uniform(0.015, 0.05) * height
            draw.line((x, y, x + long * 0.16, y + long), fill=int(rng.integers(60, 170)), width=1)

    pixels = blend(pixels, (226, 232, 238), blur(stencil((width, height), streaks), 0.7), 0.40)
    # A drop shows a small, blurred image of the scene upside down.
    soft = blur(np.clip(pixels, 0, 1), height / 60)
    rows, columns = coordinates((width, height))
    for _ in range(round(9 * strength)):
        x, y = rng.uniform(0, width), rng.uniform(0, height * 0.45)
        radius = rng.uniform(0.006, 0.016) * height
        drop = np.clip(1.4 - np.hypot(columns - x, (rows - y) * 0.86) / radius, 0, 1)
        pixels = blend(pixels, np.clip(soft[::-1] * 1.12, 0, 1).astype(np.float32), drop, 0.7)
    return pixels


def at_night(pixels: Pixels, strength: float) -> Pixels:
    """The scene without the sun: dark and blue, with some light from the camera's side in the middle."""
    width, height = size_of(pixels)
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j].astype(np.float32)
    beam = np.exp(-(((x - 0.5) / 0.42) ** 2) - ((y - 0.72) / 0.30) ** 2)[..., None]
    grey = pixels.mean(axis=2, keepdims=True)
    moon = np.array((0.20, 0.24, 0.36), np.float32)
    lamp = np.array((0.50, 0.46, 0.38), np.float32)
    dark = (pixels * 0.55 + grey * 0.45) ** 1.5 * (moon + lamp * beam)
    return np.asarray(pixels * (1 - strength) + dark * strength, np.float32)


def add_distant_lights(pixels: Pixels, strength: float, horizon: float, rng: np.random.Generator) -> Pixels:
    """Out-of-focus lamps at night, near the horizon (0 top, 1 bottom)."""
    width, height = size_of(pixels)
    tones = ((255, 196, 110), (255, 222, 170), (255, 240, 220), (255, 90, 60), (150, 200, 255))
    for number in range(26):
        x, y = rng.uniform(0, width), height * (horizon - abs(rng.normal(0, 0.10)) + 0.03)
        radius = height * rng.uniform(0.006, 0.017)
        disc = Image.new("L", (width, height))
        ImageDraw.Draw(disc).circle((x, y), radius, fill=255)
        tone = np.array(tones[number % len(tones)], np.float32) / 255
        light = blur(from_image(disc), height / 500)[..., None] * tone
        pixels = np.asarray(pixels + light * np.float32(rng.uniform(0.25, 0.75) * strength), np.float32)
    return pixels


def add_glow(pixels: Pixels, mask: Pixels, rgb: Colour, radius: float, strength: float) -> Pixels:
    """Light that spreads from `mask` over `radius` pixels."""
    wide = blur(mask, radius) + 0.5 * blur(mask, radius * 2.5)
    light = wide[..., None] * np.array(rgb, np.float32) / 255 * np.float32(strength)
    return np.asarray(pixels + light, np.float32)
