"""Plates boxed at their rim: a plate of the United States has the shape of two lines and shows one."""

import random
from collections.abc import Iterator
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from mock_server.drawing.plate_drawing import flat_plate
from mock_server.identifiers.confusables import look_alikes
from mock_server.imaging.geometry import Box
from mock_server.imaging.index import ImageIndex, Reference, Region
from mock_server.imaging.text_detection import has_two_lines

# Regions whose plates are twice as wide as high, with the state's name above the number and a slogan below.
WIDE = ["us-ca", "us-ny", "us-tx", "us-fl", "us-il", "ca-on"]
TWO_LINES = ["de", "fr", "gb", "in"]
CHARACTERS = "ABCDEFGHJKLMNPRSTUVWXYZ0123456789"


def neighbours(count: int, seed: int) -> Iterator[tuple[str, str]]:
    """Texts of seven characters, and the same with one of them replaced by a look-alike."""
    rng = random.Random(seed)
    for _ in range(count):
        text = "".join(rng.choice(CHARACTERS) for _ in range(7))
        place = rng.randrange(7)
        others = [char for char, _ in look_alikes(text[place])] or ["X"]
        yield text, text[:place] + rng.choice(others) + text[place + 1 :]


def photo(text: str, region: str, seed: int, width: int, *, two_line: bool = False) -> tuple[Image.Image, Box]:
    """Soft ground with a plate on it, and the box of the whole plate."""
    ground = np.random.default_rng(seed).integers(30, 220, (12, 16, 3), dtype=np.uint8)
    picture = Image.fromarray(ground).resize((560, 420), Image.Resampling.BICUBIC)
    plate = flat_plate(text, region, np.random.default_rng(seed), two_line=two_line).image
    plate = plate.resize((width, round(width * plate.height / plate.width)), Image.Resampling.LANCZOS)
    left, top = 120 + seed % 90, 180
    picture.paste(plate.convert("RGB"), (left, top), plate.getchannel("A"))
    return picture, Box(left, top, left + width, top + plate.height)


def saved(image: Image.Image, quality: int = 88) -> bytes:
    out = BytesIO()
    image.save(out, "JPEG", quality=quality)
    return out.getvalue()


def sent(picture: Image.Image) -> list[bytes]:
    small = picture.resize((392, 294), Image.Resampling.LANCZOS)
    return [saved(picture, 65), saved(small), saved(ImageEnhance.Brightness(picture).enhance(1.15))]


@pytest.mark.parametrize(
    ("region", "width"),
    [("us-ca", 150), ("us-ca", 200), ("us-ca", 260), *zip(WIDE[1:], (150, 200, 260, 150, 200), strict=True)],
)
def test_one_character_makes_a_difference_in_a_box_at_the_rim(region: str, width: int) -> None:
    """A plate matches under every change, and none of its neighbours does."""
    for seed, (text, other) in enumerate(neighbours(4, width + WIDE.index(region))):
        picture, box = photo(text, region, seed, width)
        neighbour, _ = photo(other, region, seed, width)
        regions = (Region(box, 7),)
        own = ImageIndex.build([Reference(text, saved(picture, 92), regions)], workers=1)
        without = ImageIndex.build([Reference(other, saved(neighbour, 92), regions)], workers=1)

        for data in sent(picture):
            assert [match.id for match in own.find(data).matches] == [text]
            assert without.find(data).matches == (), (text, other)


@pytest.mark.parametrize("region", TWO_LINES)
def test_two_lines_match_and_their_neighbours_do_not(region: str) -> None:
    """The same holds for plates with two lines."""
    for seed, (text, other) in enumerate(neighbours(4, 70 + TWO_LINES.index(region))):
        picture, box = photo(text, region, seed, 140, two_line=True)
        neighbour, _ = photo(other, region, seed, 140, two_line=True)
        own = ImageIndex.build([Reference(text, saved(picture, 92), (Region(box, 7),))], workers=1)
        without = ImageIndex.build([Reference(other, saved(neighbour, 92), (Region(box, 7),))], workers=1)

        for data in sent(picture):
            assert [match.id for match in own.find(data).matches] == [text]
            assert without.find(data).matches == (), (text, other)


@pytest.mark.parametrize(
    ("region", "two_line"), [*((name, False) for name in WIDE), *((name, True) for name in TWO_LINES)]
)
@pytest.mark.parametrize("width", [60, 110, 260])
def test_lines_are_counted_in_the_picture(region: str, width: int, two_line: bool) -> None:
    """Two lines of similar height are two; a number between small print is one."""
    for seed, text in enumerate(["HB48KME", "MN5ARX8"]):
        picture, box = photo(text, region, seed, width, two_line=two_line)
        inside = picture.convert("L").crop((box.xmin, box.ymin, box.xmax, box.ymax))

        assert has_two_lines(inside) is two_line


def test_ground_without_text_has_no_two_lines() -> None:
    """Even ground, noise and a picture of one row show no two lines."""
    for region in (Image.new("L", (200, 100), 128), Image.effect_noise((200, 100), 40), Image.new("L", (9, 1), 3)):
        assert not has_two_lines(region)


@pytest.mark.parametrize(
    ("box", "characters", "expected"),
    [
        (Box(0, 0, 200, 100), 7, True),
        (Box(0, 0, 200, 50), 7, False),
        (Box(0, 0, 200, 100), 4, False),
        (Box(0, 0, 200, 100), 17, False),
        (Box(0, 0, 200, 100), 0, False),
    ],
    ids=["square enough", "too wide", "too short", "a VIN", "unknown length"],
)
def test_which_regions_may_have_two_lines(box: Box, characters: int, expected: bool) -> None:
    """A tall box with more than four characters may; a VIN never does."""
    assert Region(box, characters).may_have_two_lines is expected
