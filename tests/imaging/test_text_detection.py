"""Proposed boxes, compared with the true boxes of drawn pictures."""

from io import BytesIO

import pytest
from PIL import Image

from mock_server.drawing.draw import draw
from mock_server.drawing.drawn_picture import Drawing
from mock_server.imaging.geometry import Box
from mock_server.imaging.text_detection import propose_box


def _bytes(drawing: Drawing) -> bytes:
    out = BytesIO()
    drawing.image.save(out, "JPEG", quality=90)
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
    found = propose_box(_bytes(drawing), characters=7)

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
