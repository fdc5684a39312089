"""Orientations turn images, grids, frames and boxes in the same way."""

import numpy as np
import pytest
from PIL import Image

from mock_server.imaging.geometry import Box, Frame, Orientation, Placement

SIZE = (7, 4)
MARK = Box(1, 0, 3, 1)


def marked() -> Image.Image:
    image = Image.new("L", SIZE)
    image.paste(255, (MARK.xmin, MARK.ymin, MARK.xmax, MARK.ymax))
    return image


@pytest.mark.parametrize("orientation", Orientation)
def test_the_inverse_undoes_an_orientation(orientation: Orientation) -> None:
    """An image turned there and back is the same image."""
    turned = orientation.apply_to_image(marked())

    assert turned.size == orientation.apply_to_size(SIZE)
    assert orientation.inverse.apply_to_image(turned).tobytes() == marked().tobytes()


@pytest.mark.parametrize("orientation", Orientation)
def test_grids_turn_as_images_do(orientation: Orientation) -> None:
    """The pixels of a turned image are the turned pixels."""
    turned = np.asarray(orientation.apply_to_image(marked()))

    assert np.array_equal(orientation.apply_to_grid(np.asarray(marked())), turned)


@pytest.mark.parametrize("orientation", Orientation)
def test_boxes_and_frames_turn_as_images_do(orientation: Orientation) -> None:
    """A box, and a frame in fractions of the picture, cover the same pixels after turning."""
    turned = orientation.apply_to_image(marked())
    edges = turned.getbbox()
    frame = Frame(MARK.xmin / SIZE[0], MARK.ymin / SIZE[1], MARK.width / SIZE[0], MARK.height / SIZE[1])
    in_pixels = orientation.apply_to_frame(frame).scaled(*turned.size)

    assert edges is not None
    assert Placement(SIZE, turned.size, orientation).map(MARK) == Box(*edges)
    assert (in_pixels.left, in_pixels.top) == pytest.approx(edges[:2])
    assert (in_pixels.width, in_pixels.height) == pytest.approx((edges[2] - edges[0], edges[3] - edges[1]))


def test_a_placement_in_perspective_moves_down_with_its_part() -> None:
    """Corners are divided by their distance; a part of the sent picture begins some rows further down in the whole."""
    part = Placement((100, 50), (80, 60), scale=(0.9, 1.1), shift=(3, 2), skew=(0.02, 0.01), perspective=(0.002, 0.001))
    box = Box(20, 10, 60, 40)
    corners = [(x, y) for x in (20, 60) for y in (10, 40)]
    across = [(0.9 * x + 0.02 * y + 3) / (1 + 0.002 * x + 0.001 * y) for x, y in corners]
    down = [(1.1 * y + 0.01 * x + 2) / (1 + 0.002 * x + 0.001 * y) for x, y in corners]

    assert part.map(box) == Box(round(min(across)), round(min(down)), round(max(across)), round(max(down)))
    moved = part.moved_down(15, (80, 100)).map(box)
    assert moved == Box(round(min(across)), round(min(down) + 15), round(max(across)), round(max(down) + 15))
