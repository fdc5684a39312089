"""Boxes that are larger than their text, and faint or widely spaced texts: one character still makes a difference."""

import random
from collections.abc import Callable
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont

from mock_server.imaging.geometry import Box
from mock_server.imaging.index import ImageIndex, Reference, Region
from mock_server.imaging.text_detection import text_height

# Text, a neighbour that differs in one character, grey level of the ink on a label of 150, font size, pixels from one
# character to the next, and the space that the box leaves around the label, as shares of its width and height.
CASES = {
    "thin and far apart": ("RD508", "RD50B", 20, 34, 84, (0.0, 0.0)),
    "faint in a generous box": ("4CTE71", "4CTF71", 112, 30, 26, (0.3, 1.1)),
    "one letter much like another": ("KV0923Q", "KV09230", 40, 40, 38, (0.05, 0.1)),
    "small": ("8HN5XZ", "8HNSXZ", 25, 16, 13, (0.02, 0.1)),
}


def _ground(seed: int) -> Image.Image:
    """Rings around two centres: edges in all directions with high contrast."""
    rng = random.Random(seed)
    across, down = np.meshgrid(np.arange(720), np.arange(480))
    waves = [np.hypot(across - rng.uniform(0, 720), down - rng.uniform(0, 480)) / rng.uniform(9, 16) for _ in range(2)]
    levels = 128 + 60 * np.sin(waves[0]) + 50 * np.sign(np.sin(waves[1]))
    return Image.fromarray(levels.clip(0, 255).astype(np.uint8)).convert("RGB").filter(ImageFilter.GaussianBlur(1))


def _drawn(case: str, text: str) -> tuple[Image.Image, Box]:
    _, _, ink, size, step, (beside, above) = CASES[case]
    seed = list(CASES).index(case)
    picture = _ground(seed)
    wide, high = step * (len(text) + 1), round(1.7 * size)
    left, top = 140 + 7 * seed, 190 + 5 * seed
    draw = ImageDraw.Draw(picture)
    draw.rectangle((left, top, left + wide, top + high), (150, 150, 148))
    for place, character in enumerate(text, 1):
        middle = (left + place * step, top + high / 2)
        draw.text(middle, character, (ink, ink, ink), ImageFont.load_default(size), anchor="mm")
    more_x, more_y = round(beside * wide), round(above * high)
    return picture, Box(left - more_x, top - more_y, left + wide + more_x, top + high + more_y)


def _saved(image: Image.Image, quality: int) -> bytes:
    out = BytesIO()
    image.save(out, "JPEG", quality=quality)
    return out.getvalue()


CHANGES: dict[str, Callable[[Image.Image], bytes]] = {
    "jpeg": lambda image: _saved(image, 55),
    "smaller": lambda image: _saved(image.resize((518, 346), Image.Resampling.LANCZOS), 85),
    "cropped": lambda image: _saved(image.crop((11, 4, 712, 472)), 85),
    "brighter": lambda image: _saved(ImageEnhance.Brightness(image).enhance(1.2), 85),
    "sharpened": lambda image: _saved(image.filter(ImageFilter.UnsharpMask(2, 90, 2)), 85),
}


def _index(case: str, text: str) -> ImageIndex:
    picture, box = _drawn(case, text)
    return ImageIndex.build([Reference(text, _saved(picture, 93), (Region(box, len(text)),))], workers=1)


@pytest.mark.parametrize("case", CASES)
def test_found_whatever_the_box_leaves_around_its_text(case: str) -> None:
    """A picture matches under every change."""
    text = CASES[case][0]
    known, picture = _index(case, text), _drawn(case, text)[0]
    found = {change: [hit.id for hit in known.find(make(picture)).matches] for change, make in CHANGES.items()}

    assert found == {change: [text] for change in CHANGES}


@pytest.mark.parametrize("case", CASES)
def test_one_character_matters_whatever_the_box_leaves_around_it(case: str) -> None:
    """A picture whose text differs in one character does not match."""
    text, other = CASES[case][:2]
    known, picture = _index(case, other), _drawn(case, text)[0]
    found = {change: [hit.id for hit in known.find(make(picture)).matches] for change, make in CHANGES.items()}

    assert found == {change: [] for change in CHANGES}


@pytest.mark.parametrize("height", [14, 30, 72])
@pytest.mark.parametrize("framed", [False, True], ids=["bare", "framed"])
def test_the_height_of_text_is_measured(height: int, framed: bool) -> None:
    """The height is right in a region that is several times as high, with and without a frame around the text."""
    region = Image.new("L", (12 * height, 5 * height), 190)
    draw = ImageDraw.Draw(region)
    if framed:
        draw.rectangle((height, height, 11 * height, 4 * height), outline=60, width=max(2, height // 10))
    # Capitals have about seven tenths of the font size.
    draw.text((6 * height, 2.5 * height), "HN40KE7", 30, ImageFont.load_default(height / 0.7), anchor="mm")

    assert 0.75 * height <= text_height(region) <= 1.35 * height


def test_the_height_of_a_region_without_text() -> None:
    """Even ground has no text, so the height is that of the region."""
    assert text_height(Image.new("L", (200, 80), 127)) == pytest.approx(80, abs=2)


@pytest.mark.parametrize(("lost", "found"), [(0.2, True), (0.6, False)])
def test_a_text_that_is_cut_off_does_not_match(lost: float, found: bool) -> None:
    """A fifth of a character may be missing at the edge; more than half could be the part that differs."""
    text = CASES["small"][0]
    letters = Box(167, 205, 246, 232)
    picture = _drawn("small", text)[0].crop((0, 0, letters.xmax + 8, 320))
    index = ImageIndex.build([Reference("own", _saved(picture, 93), (Region(letters, len(text)),))], workers=1)

    search = index.find(_saved(picture.crop((0, 0, round(letters.xmax - lost * 13), 320)), 85))

    assert bool(search.matches) is found
    assert found or search.near_misses[0].reason == "cut_off"


def _tight(case: str, text: str) -> Box:
    """A box around the characters of a label only."""
    _, _, _, size, step, _ = CASES[case]
    seed = list(CASES).index(case)
    left, top = 140 + 7 * seed + step // 2, 190 + 5 * seed + round(0.4 * size)
    return Box(left, top, left + step * len(text), top + round(0.9 * size))


@pytest.mark.parametrize("box", ["tight", "label", "none"])
@pytest.mark.parametrize("shown", ["9QW31ZK", ""], ids=["another text", "wiped clean"])
def test_a_label_with_no_part_of_the_text_does_not_match(box: str, shown: str) -> None:
    """A text without any common character does not match, and neither does an empty label."""
    case = "one letter much like another"
    text = CASES[case][0]
    known, label = _drawn(case, text)
    regions = {"tight": (Region(_tight(case, text), 7),), "label": (Region(label, 7),), "none": ()}[box]
    index = ImageIndex.build([Reference("own", _saved(known, 93), regions)], workers=1)
    other = _drawn(case, shown.ljust(7))[0]
    found = {change: [hit.id for hit in index.find(make(other)).matches] for change, make in CHANGES.items()}

    assert found == {change: [] for change in CHANGES}
