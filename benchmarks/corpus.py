"""Drawing tools for the scenes of the matching benchmark, all from seeds.

A seed determines everything of a scene except its text. Two pictures of one scene differ in their characters only.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from mock_server.imaging.geometry import Box

Noise = NDArray[np.float32]
_FONTS = (
    "/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf",
    "/usr/share/fonts/truetype/dejavu/DejaVuSansMono-Bold.ttf",
    "/usr/share/fonts/truetype/liberation/LiberationSansNarrow-Bold.ttf",
    "/usr/share/fonts/truetype/liberation/LiberationMono-Bold.ttf",
    "/usr/share/fonts/truetype/liberation/LiberationSans-Regular.ttf",
)
# Two pixels differ from so many grey levels on, and two texts hardly differ below this share of their pixels.
_DIFFERENT = 24
_HARDLY = 0.02
_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"
_DIGITS = "0123456789"
# Characters that are easily confused: they make the hardest neighbours.
LOOK_ALIKES = {
    "0": "DO8", "1": "I7T", "2": "Z7", "3": "8B9", "4": "A", "5": "S6", "6": "G8", "7": "1T", "8": "B306",
    "9": "83",
    "B": "83R", "C": "G", "D": "0", "E": "FB", "F": "EP", "G": "C6", "H": "NMW", "J": "U", "K": "X", "L":
    "E", "M": "NW",
    "N": "MH", "P": "RF", "R": "PK", "S": "5", "T": "7Y", "U": "VJ", "V": "UY", "W": "VM", "X": "KY", "Y":
    "VT", "Z": "2", "A": "4R",
}  # fmt: skip


@dataclass(frozen=True)
class Drawn:
    """A picture with its true text and box."""

    image: Image.Image
    text: str
    box: Box

    @property
    def cell(self) -> float:
        """Pixels per character."""
        return self.box.width / max(len(self.text), 1)


@dataclass(frozen=True)
class Scene:
    """A scene in one style; `draw(text)` draws it with this text."""

    style: str
    seed: int
    length: int
    draw: Callable[[str], Drawn]


def font(seed: int, size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """One of the fonts on this machine, or Pillow's own."""
    present = [name for name in _FONTS if Path(name).exists()]
    return ImageFont.truetype(present[seed % len(present)], size) if present else ImageFont.load_default(size)


def random_text(rng: random.Random, length: int) -> str:
    """Letters and digits, as on a plate (7 or 8) or as a VIN (17)."""
    return "".join(rng.choice(_LETTERS if rng.random() < 0.45 else _DIGITS) for _ in range(length))


def neighbour(text: str, rng: random.Random, *, hard: bool = True) -> str:
    """`text` with one character replaced by a look-alike (`hard`) or by any other."""
    place = rng.randrange(len(text))
    choices = LOOK_ALIKES.get(text[place], "") if hard else ""
    other = rng.choice(choices or [c for c in _LETTERS + _DIGITS if c != text[place]])
    return text[:place] + other + text[place + 1 :]


def hardly_differ(one: Drawn, other: Drawn) -> bool:
    """Whether two pictures of a scene differ by a 0 for an O in under 2 % of the pixels of their text.

    No reader tells these apart either, so they are counted apart from the other neighbours.
    """
    changed = {a + b for a, b in zip(one.text, other.text, strict=True) if a != b}
    if not changed <= {"0O", "O0"}:
        return False
    edges = (one.box.xmin, one.box.ymin, one.box.xmax, one.box.ymax)
    levels = (np.asarray(drawn.image.convert("L").crop(edges), dtype=np.int16) for drawn in (one, other))
    difference = np.abs(np.subtract(*levels))
    return bool((difference > _DIFFERENT).mean() < _HARDLY)


def clouds(rng: np.random.Generator, width: int, height: int, roughness: float = 1.0) -> Noise:
    """Noise from 0 to 1 with a spectrum similar to that of photographs."""
    total = np.zeros((height, width), np.float32)
    weight, step = 1.0, 4
    while step < max(width, height):
        grid = rng.random((max(2, height * step // max(width, height) + 1), step + 1), dtype=np.float32)
        layer = Image.fromarray(grid).resize((width, height), Image.Resampling.BICUBIC)
        total += weight * np.asarray(layer)
        weight *= 0.55 * roughness
        step *= 2
    low, high = total.min(), total.max()
    scaled: Noise = ((total - low) / max(high - low, 1e-6)).astype(np.float32)
    return scaled


def tinted(grey: Noise, dark: tuple[int, int, int], light: tuple[int, int, int]) -> Image.Image:
    """A grey picture as a blend of two colours."""
    low, high = np.array(dark, np.float32), np.array(light, np.float32)
    return Image.fromarray((low + grey[..., None] * (high - low)).clip(0, 255).astype(np.uint8))


def colour(rng: random.Random, low: int = 0, high: int = 255) -> tuple[int, int, int]:
    """A random colour with channels in a range."""
    return rng.randint(low, high), rng.randint(low, high), rng.randint(low, high)


def plate(text: str, width: int, height: int, seed: int, *, contrast: int = 200) -> Image.Image:
    """A flat plate with a frame and a text that fills most of it."""
    rng = random.Random(seed)
    ground = rng.choice([(245, 245, 240), (250, 220, 60), (235, 240, 255), (30, 60, 140)])
    level = sum(ground) // 3
    ink_level = max(0, level - contrast) if level > 128 else min(255, level + contrast)
    picture = Image.new("RGB", (width * 2, height * 2), ground)
    draw = ImageDraw.Draw(picture)
    draw.rounded_rectangle(
        (3, 3, width * 2 - 4, height * 2 - 4), height // 5, outline=(ink_level,) * 3, width=max(2, height // 18)
    )
    write(draw, text, (0, 0, width * 2, height * 2), seed, (ink_level,) * 3)
    return picture.resize((width, height), Image.Resampling.LANCZOS)


def write(
    draw: ImageDraw.ImageDraw, text: str, area: tuple[int, int, int, int], seed: int, ink: tuple[int, int, int]
) -> None:
    """Draw `text` with even spacing over nine tenths of an area."""
    left, top, right, bottom = area
    cell = 0.9 * (right - left) / len(text)
    size = int(min((bottom - top) * 0.75, cell * 1.35))
    face = font(seed, max(size, 4))
    start = left + 0.05 * (right - left)
    for place, character in enumerate(text):
        draw.text((start + (place + 0.5) * cell, (top + bottom) / 2), character, ink, face, anchor="mm")


def quad(picture: Image.Image, sticker: Image.Image, corners: list[tuple[float, float]]) -> None:
    """Paste `sticker` in perspective: its corners, clockwise from top left, at `corners` of `picture`."""
    width, height = sticker.size
    source = [(0.0, 0.0), (float(width), 0.0), (float(width), float(height)), (0.0, float(height))]
    rows, wanted = [], []
    for (x, y), (u, v) in zip(corners, source, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        wanted += [u, v]
    coefficients = np.linalg.solve(np.array(rows), np.array(wanted))
    warp = (Image.Transform.PERSPECTIVE, [float(value) for value in coefficients], Image.Resampling.BICUBIC)
    layer = sticker.transform(picture.size, *warp)
    mask = Image.new("L", sticker.size, 255).transform(picture.size, *warp)
    picture.paste(layer, mask=mask)


def sensor(picture: Image.Image, seed: int, sigma: float) -> Image.Image:
    """Add the noise of a camera."""
    rng = np.random.default_rng(seed)
    values = np.asarray(picture, dtype=np.float32) + rng.normal(0, sigma, (picture.height, picture.width, 1))
    return Image.fromarray(values.clip(0, 255).astype(np.uint8))


def softened(picture: Image.Image, radius: float) -> Image.Image:
    """Blur as an imperfect lens does."""
    return picture.filter(ImageFilter.GaussianBlur(radius)) if radius else picture
