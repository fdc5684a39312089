"""Boxes of texts across most of the frame, in perspective: they lie where the characters are in the sent picture."""

import random
from io import BytesIO

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from mock_server.imaging.geometry import Box
from mock_server.imaging.index import ImageIndex, Reference, Region
from tests.imaging.labels import leaves, write_label

SIZE = (1280, 960)
# How far each corner of the picture moves at most, as a share of its width and height.
SHARE = 0.03
# Seeds of these moves. In six of these views, the ends of a VIN lie a character's width off its level place.
VIEWS = (1, 2, 6, 10, 12, 17, 19, 22)
# Text, its neighbour by one character, box.
LABELS = {
    "VIN across three fifths of the frame": ("JH4KA7650MC012384", "JH4KA7650MC012334", Box(430, 630, 1210, 700)),
    "VIN across four fifths of the frame": ("1G1YY22G965104378", "1G1YY22G965104373", Box(120, 250, 1150, 330)),
    "plate across half of the frame": ("BX 4807", "BX 4B07", Box(300, 330, 900, 610)),
}


def drawn(text: str, box: Box) -> Image.Image:
    """A label before leaves of many sizes."""
    picture = leaves(SIZE, 21, (80, 85, 70)).filter(ImageFilter.GaussianBlur(1.0))
    write_label(picture, text, box, (205, 205, 198), (60, 60, 66))
    return picture


def seen_from(number: int) -> NDArray[np.float64]:
    """The map (3 x 3) of the picture's pixels to those of a photo of it, taken from somewhere else."""
    rng = random.Random(number)
    rows, wanted = [], []
    for x, y in ((0, 0), (SIZE[0], 0), SIZE, (0, SIZE[1])):
        u, v = x + SHARE * SIZE[0] * rng.uniform(-1, 1), y + SHARE * SIZE[1] * rng.uniform(-1, 1)
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        wanted += [u, v]
    return np.append(np.linalg.solve(np.array(rows), np.array(wanted)), 1.0).reshape(3, 3)


def warped(image: Image.Image, matrix: NDArray[np.float64]) -> Image.Image:
    back = np.linalg.inv(matrix)
    coefficients = (back / back[2, 2]).ravel()[:8].tolist()
    return image.transform(image.size, Image.Transform.PERSPECTIVE, coefficients, Image.Resampling.BICUBIC)


def around(box: Box, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """The edges (xmin, ymin, xmax, ymax) of what `matrix` makes of a box."""
    x, y = (box.xmin, box.xmax, box.xmax, box.xmin), (box.ymin, box.ymin, box.ymax, box.ymax)
    across, down, scale = matrix @ np.array([x, y, (1, 1, 1, 1)], dtype=np.float64)
    across, down = (across / scale).clip(0, SIZE[0]), (down / scale).clip(0, SIZE[1])
    return np.array([across.min(), down.min(), across.max(), down.max()])


def saved(image: Image.Image) -> bytes:
    out = BytesIO()
    image.save(out, "JPEG", quality=90)
    return out.getvalue()


def index(name: str, text: str, box: Box) -> ImageIndex:
    return ImageIndex.build([Reference(name, saved(drawn(text, box)), (Region(box, len(text)),))], workers=1)


@pytest.mark.parametrize("kind", LABELS)
def test_boxes_lie_around_the_text_in_perspective(kind: str) -> None:
    """Every view matches, and no neighbour. 99 % of the boxes lie within 2 pixels, half of their edges within 0.5."""
    text, other, box = LABELS[kind]
    picture, own, neighbour = drawn(text, box), index("known", text, box), index("neighbour", other, box)
    errors = []
    for number in VIEWS:
        matrix = seen_from(number)
        data = saved(warped(picture, matrix))

        matches = own.find(data).matches

        assert [match.id for match in matches] == ["known"], f"view {number}"
        assert neighbour.find(data).matches == (), f"view {number}"
        found = matches[0].placement.map(box)
        errors.append(np.abs(around(box, matrix) - (found.xmin, found.ymin, found.xmax, found.ymax)))
    assert np.percentile(np.max(errors, axis=1), 99) <= 2
    assert np.median(errors) <= 0.5


def test_a_near_miss_shows_the_changed_character_in_perspective() -> None:
    """The place that decides lies on the character in which the neighbour differs, the last one."""
    kind = "VIN across four fifths of the frame"
    text, other, box = LABELS[kind]
    matrix, step = seen_from(16), box.width * 0.94 / len(text)
    last = Box(round(box.xmax - 0.03 * box.width - step), box.ymin, box.xmax, box.ymax)

    nearest = index("neighbour", other, box).find(saved(warped(drawn(text, box), matrix))).near_misses[0]

    assert nearest.region is not None
    left, top, right, bottom = around(last, matrix)
    assert (nearest.reason, left < nearest.region.xmin, nearest.region.xmax < right) == ("other_text", True, True)
    assert (top < nearest.region.ymin, nearest.region.ymax < bottom) == (True, True)
