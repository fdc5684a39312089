"""A picture has one working copy, whichever way it is decoded, at every size that a camera or a scan can have."""

import random
from functools import cache
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance, ImageFont

from mock_server.imaging.decode import decode
from mock_server.imaging.geometry import Box
from mock_server.imaging.index import ImageIndex, Reference, Region

# Longer sides on either side of every power of two times the least working side, and between them.
SIDES = [*range(900, 9_301, 700), 1_999, 2_000, 2_001, 2_999, 3_000, 3_999, 4_000, 4_001, 7_999, 8_000, 9_299, 16_001]


def encoded(image: Image.Image, format: str = "JPEG", quality: int = 90) -> bytes:
    out = BytesIO()
    image.save(out, format, quality=quality)
    return out.getvalue()


@cache
def strip(side: int) -> Image.Image:
    """Coloured panes in a long strip; a small one enlarged, which is quick to draw at any size."""
    rng = np.random.default_rng(5)
    panes = Image.fromarray(rng.integers(0, 256, (1, 80, 3), dtype=np.uint8))
    return panes.resize((side, max(40, side // 100)), Image.Resampling.BICUBIC)


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("format", ["JPEG", "PNG"])
def test_all_working_copies_are_the_same(side: int, format: str) -> None:
    """Decoded reduced, decoded in full and in colour, the copies have one size and show the same in each place."""
    data = encoded(strip(side), format)
    at_once, after_full = decode(data), decode(data)
    after_full.full()
    copies = [at_once.working, after_full.working, at_once.working_colours().convert("L")]
    factor = round(1 / at_once.zoom)

    assert at_once.zoom == after_full.zoom == 1 / factor
    assert {copy.size for copy in copies} == {tuple(-(-edge // factor) for edge in at_once.size)}
    assert max(at_once.working.size) <= 2_000
    assert factor == 1 or max(at_once.working.size) >= 1_000
    levels = [np.asarray(copy, dtype=np.int16) for copy in copies]
    assert max(np.abs(one - levels[0]).mean() for one in levels) < 2


@pytest.mark.parametrize("size", [(2_500, 1), (5_000, 3), (3, 9_000)])
def test_a_line_of_pixels_is_decoded(size: tuple[int, int]) -> None:
    """A side that would vanish when it is reduced keeps a pixel."""
    picture = decode(encoded(Image.new("RGB", size, "gold")))

    assert picture.size == size
    assert min(picture.working.size) >= 1


@cache
def glass(width: int, height: int, text: str) -> Image.Image:
    """Panes of saturated colours and a label on them."""
    rng = random.Random(17)
    picture = Image.new("RGB", (width, height), (90, 120, 210))
    draw = ImageDraw.Draw(picture)
    for _ in range(120):
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        points = [(x + rng.uniform(-0.15, 0.15) * height, y + rng.uniform(-0.4, 0.4) * height) for _ in range(4)]
        draw.polygon(points, (rng.randint(20, 255), rng.randint(20, 255), rng.randint(20, 255)))
    draw.rectangle(label(width, height), (236, 232, 214))
    font = ImageFont.load_default(0.25 * height)
    draw.text((0.5 * width, 0.6 * height), text, (30, 30, 60), font, anchor="mm")
    return picture


def label(width: int, height: int) -> tuple[int, int, int, int]:
    half = round(0.85 * height)
    return width // 2 - half, round(0.4 * height), width // 2 + half, round(0.8 * height)


@pytest.mark.parametrize("boxed", [True, False], ids=["box", "no box"])
@pytest.mark.parametrize("width", [1_800, 3_264, 5_200])
def test_a_photo_matches_at_every_size(width: int, boxed: bool) -> None:
    """A JPEG of any size matches a copy whose colours changed; its neighbour by one character does not match."""
    height = width // 6
    sent = glass(width, height, "5UGP 17")
    vivid = ImageEnhance.Brightness(ImageEnhance.Color(sent).enhance(1.2)).enhance(1.1)
    data = encoded(vivid.resize((width // 2, height // 2), Image.Resampling.BOX), quality=85)
    regions = (Region(Box(*label(width, height)), 6),) if boxed else ()

    own = ImageIndex.build([Reference("own", encoded(sent), regions)], workers=1).find(data)
    other = ImageIndex.build([Reference("other", encoded(glass(width, height, "5UCP 17")), regions)], workers=1).find(
        data
    )

    assert [match.id for match in own.matches] == ["own"]
    assert other.matches == ()
