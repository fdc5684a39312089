"""Proposed boxes, compared with the true boxes of drawn pictures: no box is better than a wrong one."""

import random
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from mock_server.drawing.draw import Kind, draw
from mock_server.drawing.plate_drawing import flat_plate
from mock_server.imaging.box_proposal import propose_box
from mock_server.imaging.geometry import Box


def _encoded(image: Image.Image) -> bytes:
    out = BytesIO()
    image.save(out, "JPEG", quality=90)
    return out.getvalue()


def _overlap(one: Box, other: Box) -> float:
    width = min(one.xmax, other.xmax) - max(one.xmin, other.xmin)
    height = min(one.ymax, other.ymax) - max(one.ymin, other.ymin)
    common = max(width, 0) * max(height, 0)
    return common / (one.width * one.height + other.width * other.height - common)


def test_small_print_is_not_taken_for_the_number() -> None:
    """Of several lines of text, the one that fits the number of characters is proposed."""
    drawing = draw("plate", text="8ABC123", region="us-ca", seed=3)
    box = drawing.truth.plates[0].box
    found = propose_box(_encoded(drawing.image), characters=7)

    assert box is not None
    assert found is not None
    assert found.xmin <= box.xmin < box.xmax <= found.xmax
    assert found.ymin <= box.ymin < box.ymax <= found.ymax
    assert _overlap(found, box) > 0.4


@pytest.mark.parametrize("characters", [None, 7])
def test_a_picture_without_text(characters: int | None) -> None:
    """Nothing is proposed where nothing looks like text."""
    out = BytesIO()
    Image.new("RGB", (640, 480), (120, 130, 140)).save(out, "PNG")

    assert propose_box(out.getvalue(), characters=characters) is None


def _railing(seed: int, size: tuple[int, int] = (900, 600)) -> Image.Image:
    """Bars and posts on a wall: rows of strokes that no text stands in."""
    rng = random.Random(seed)
    picture = Image.new("RGB", size, (168, 172, 160))
    drawing = ImageDraw.Draw(picture)
    for top in range(20, 560, rng.randint(60, 110)):
        height, step = rng.randint(18, 50), rng.randint(8, 30)
        for left in range(0, size[0], step):
            drawing.line((left, top, left + rng.randint(-4, 4), top + height), (22, 26, 24), rng.randint(2, 5))
    return picture.filter(ImageFilter.GaussianBlur(rng.uniform(0, 1)))


@pytest.mark.parametrize("kind", ["scene", "plate", "vin"])
def test_no_proposal_lies_beside_the_text(kind: Kind) -> None:
    """Of drawn pictures, every proposal covers the text, and most plates get one."""
    proposed = 0
    for seed in range(200, 208):
        drawing = draw(kind, seed=seed)
        reading = drawing.truth.vin if kind == "vin" else drawing.truth.plates[0]
        assert reading is not None
        characters = sum(char.isalnum() for char in reading.text)
        found = propose_box(drawing.encoded(), characters=characters)
        proposed += found is not None

        assert found is None or _overlap(found, reading.box) > 0.5, seed

    assert proposed >= (2 if kind == "vin" else 6)


@pytest.mark.parametrize("seed", range(6))
def test_a_plate_among_strokes(seed: int) -> None:
    """A plate on a railing is found or nothing is; a railing alone has no text of any length."""
    picture = _railing(seed)
    for characters in (5, 6, 7, 8, 17):
        assert propose_box(_encoded(picture), characters=characters) is None

    plate = flat_plate("7KVD309", "us-ca", np.random.default_rng(seed))
    small = plate.image.resize((260, 130), Image.Resampling.LANCZOS)
    picture.paste(small.convert("RGB"), (300, 290), small.getchannel("A"))
    scale = 260 / plate.image.width
    left, top, right, bottom = (round(edge * scale) for edge in plate.text_rect)
    found = propose_box(_encoded(picture), characters=7)

    assert found is not None
    assert _overlap(found, Box(300 + left, 290 + top, 300 + right, 290 + bottom)) > 0.5


def test_the_number_of_characters_must_agree() -> None:
    """A line of another length than the text is not proposed."""
    drawing = draw("plate", text="8ABC123", region="us-ca", seed=3)

    assert propose_box(drawing.encoded(), characters=7) is not None
    assert propose_box(drawing.encoded(), characters=6) is None
    assert propose_box(drawing.encoded(), characters=17) is None


def test_two_places_that_could_be_meant() -> None:
    """Where two lines could be the text, none is proposed."""
    plate = flat_plate("7KVD309", "us-ca", np.random.default_rng(1)).image.resize((260, 130))
    picture = Image.new("RGB", (900, 500), (120, 130, 140))
    for place in ((60, 100), (560, 280)):
        picture.paste(plate.convert("RGB"), place, plate.getchannel("A"))

    assert propose_box(_encoded(picture), characters=7) is None
