"""Plates on ground without texture, turned by a few degrees: only their own characters say where they lie."""

import random
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from mock_server.imaging.geometry import Box
from mock_server.imaging.index import ImageIndex, Reference, Region

SIZE = (1800, 1200)
# Seed of the place, text, neighbour, pixels from one character to the next.
PLATES = [(3, "1SKD20", "1SKO20", 40), (7, "888B888", "888B8B8", 30)]


def drawn(seed: int, text: str, step: int) -> tuple[Image.Image, Box]:
    """A blue plate at night, under stars."""
    rng = random.Random(seed)
    picture = Image.new("RGB", SIZE, (3, 3, 5))
    draw = ImageDraw.Draw(picture)
    for _ in range(300):
        star = (rng.randint(0, SIZE[0]), rng.randint(0, SIZE[1]))
        draw.point(star, (rng.randint(20, 120),) * 3)
    x, y, width = rng.randint(60, 1100), rng.randint(600, 1000), step * len(text) + 18
    draw.rounded_rectangle((x, y, x + width, y + 54), 6, (30, 60, 140), (220, 220, 220), 2)
    for place, character in enumerate(text):
        middle = (x + 9 + step * (place + 0.5), y + 27)
        draw.text(middle, character, (220, 220, 220), ImageFont.load_default(36), anchor="mm")
    grain = np.random.default_rng(seed).normal(0, 2, (SIZE[1], SIZE[0], 1))
    noisy = (np.asarray(picture) + grain).clip(0, 255).astype(np.uint8)
    return Image.fromarray(noisy), Box(x, y, x + width, y + 54)


def saved(image: Image.Image) -> bytes:
    out = BytesIO()
    image.save(out, "JPEG", quality=90)
    return out.getvalue()


@pytest.mark.parametrize(("seed", "text", "neighbour", "step"), PLATES)
def test_turned_by_a_few_degrees(seed: int, text: str, neighbour: str, step: int) -> None:
    """The picture matches, its neighbour by one character does not."""
    (known, box), (other, _) = drawn(seed, text, step), drawn(seed, neighbour, step)
    own, changed = (
        ImageIndex.build([Reference("known", saved(image), (Region(box, len(text)),))], workers=1)
        for image in (known, other)
    )
    sent = {degrees: saved(known.rotate(degrees, Image.Resampling.BICUBIC)) for degrees in (-3, -1, 2)}

    assert {degrees: [hit.id for hit in own.find(data).matches] for degrees, data in sent.items()} == {
        degrees: ["known"] for degrees in sent
    }
    for data in sent.values():
        search = changed.find(data)
        assert search.matches == ()
        # Where the two differ is about as large as a character.
        regions = [miss.region for miss in search.near_misses if miss.reason == "other_text"]
        assert all(region is not None and 0 < region.width < 4 * step for region in regions), regions
