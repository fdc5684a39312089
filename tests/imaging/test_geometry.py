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
