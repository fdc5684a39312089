"""Large plates and VINs in other light, other tones and at an angle: one character still makes a difference."""

from collections.abc import Callable
from functools import cache
from io import BytesIO

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from mock_server.imaging.geometry import Box
from mock_server.imaging.index import ImageIndex, Reference, Region
from tests.imaging.labels import leaves, write_label

SIZE = (1120, 840)
# Text, its neighbour by one character, box, and grey levels of ground and ink.
LABELS = {
    "plate over two thirds": ("7KRB482", "7KR8482", Box(190, 330, 930, 560), (225, 60)),
    "VIN over half of the frame": ("WVZ3BR6M9CK402817", "WVZ3BR6M9CK402877", Box(170, 380, 930, 460), (190, 80)),
    "plate of 30 pixels a character": ("HX08NTC", "HX08NTG", Box(420, 520, 640, 575), (235, 45)),
}


@cache
def ground() -> Image.Image:
    """Leaves under light that falls from the left."""
    picture = leaves(SIZE, 8, (70, 85, 60))
    light = np.linspace(1.0, 0.55, SIZE[0], dtype=np.float32)[None, :, None]
    return Image.fromarray((np.asarray(picture) * light).astype(np.uint8)).filter(ImageFilter.GaussianBlur(1.2))


def drawn(kind: str, text: str) -> Image.Image:
    _, _, box, (paper, ink) = LABELS[kind]
    picture = ground().copy()
    write_label(picture, text, box, (paper, paper, paper - 8), (ink, ink, ink + 10))
    grain = np.random.default_rng(5).normal(0, 2, (SIZE[1], SIZE[0], 1))
    return Image.fromarray((np.asarray(picture) + grain).clip(0, 255).astype(np.uint8))


def saved(image: Image.Image, quality: int = 90) -> bytes:
    out = BytesIO()
    image.save(out, "JPEG", quality=quality)
    return out.getvalue()


def equalised_in_tiles(image: Image.Image, tiles: int, limit: float) -> Image.Image:
    """CLAHE of each channel: a tone curve for each tile, interpolated between the tiles' centres."""
    return Image.merge("RGB", [Image.fromarray(_equalised(np.asarray(band), tiles, limit)) for band in image.split()])


def _equalised(values: NDArray[np.uint8], tiles: int, limit: float) -> NDArray[np.uint8]:
    height, width = values.shape
    curves = np.zeros((tiles, tiles, 256))
    for row, column in np.ndindex(tiles, tiles):
        tile = values[
            height * row // tiles : height * (row + 1) // tiles, width * column // tiles : width * (column + 1) // tiles
        ]
        counts = np.bincount(tile.ravel(), minlength=256) / tile.size * 256
        clipped = np.minimum(counts, limit)
        curves[row, column] = np.cumsum(clipped + (256 - clipped.sum()) / 256) * (255 / 256)
    down = np.clip((np.arange(height) + 0.5) * tiles / height - 0.5, 0, tiles - 1.001)[:, None]
    across = np.clip((np.arange(width) + 0.5) * tiles / width - 0.5, 0, tiles - 1.001)[None, :]
    top, left = down.astype(int), across.astype(int)
    mixed = sum(
        curves[top + lower, left + righter, values]
        * np.abs(1 - lower - (down - top))
        * np.abs(1 - righter - (across - left))
        for lower in (0, 1)
        for righter in (0, 1)
    )
    equalised: NDArray[np.uint8] = np.asarray(mixed).clip(0, 255).astype(np.uint8)
    return equalised


def with_gains(image: Image.Image, *gains: float) -> Image.Image:
    bands = zip(image.split(), gains, strict=True)
    return Image.merge(
        "RGB", [band.point([min(255, round(level * gain)) for level in range(256)]) for band, gain in bands]
    )


def in_perspective(image: Image.Image, across: float, down: float) -> Image.Image:
    """Seen from the side, from above or below: the size of things changes by these shares over the picture."""
    width, height = image.size
    bent = (1 - across / 2, 0.0, 0.0, 0.0, 1 - down / 2, 0.0, -across / width, -down / height)
    return image.transform(image.size, Image.Transform.PERSPECTIVE, bent, Image.Resampling.BICUBIC)


def dark(image: Image.Image) -> Image.Image:
    """Little light: a third of the contrast, and noise."""
    noise = np.random.default_rng(3).normal(0, 2, (SIZE[1], SIZE[0], 3))
    return Image.fromarray((15 + 0.33 * np.asarray(image, np.float32) + noise).clip(0, 255).astype(np.uint8))


CHANGES: dict[str, Callable[[Image.Image], bytes]] = {
    "CLAHE, 8 x 8 tiles, limit 3": lambda image: saved(equalised_in_tiles(image, 8, 3.0)),
    "CLAHE, 4 x 4 tiles, limit 4": lambda image: saved(equalised_in_tiles(image, 4, 4.0)),
    "from the side": lambda image: saved(in_perspective(image, 0.04, 0.0)),
    "from below": lambda image: saved(in_perspective(image, -0.02, -0.05)),
    "lamp light": lambda image: saved(with_gains(image, 1.2, 1.0, 0.66)),
    "shade": lambda image: saved(with_gains(image, 0.8, 0.95, 1.3)),
    "dark": lambda image: saved(dark(image)),
}


@cache
def index(kind: str, text: str) -> ImageIndex:
    box = LABELS[kind][2]
    return ImageIndex.build([Reference(text, saved(drawn(kind, text), 93), (Region(box, len(text)),))], workers=1)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("kind", LABELS)
def test_found_in_other_light_and_perspective(kind: str, change: str) -> None:
    """The picture matches under every change; its neighbour by one character does not."""
    text, neighbour = LABELS[kind][:2]
    data = CHANGES[change](drawn(kind, text))

    assert [hit.id for hit in index(kind, text).find(data).matches] == [text]
    assert index(kind, neighbour).find(data).matches == ()


def test_another_paint_is_no_white_balance() -> None:
    """A picture of which one half has other colours is not the same in another light."""
    kind = "VIN over half of the frame"
    text = LABELS[kind][0]
    sent = drawn(kind, text)
    red, green, blue = sent.crop((0, 0, SIZE[0], 370)).split()
    sent.paste(with_gains(Image.merge("RGB", (blue, red, green)), 1.6, 0.4, 1.0), (0, 0))

    search = index(kind, text).find(saved(sent))

    assert search.matches == ()
    assert search.near_misses[0].reason == "other_colours"
