"""Bytes are decoded to upright pictures, or raise the error that describes them."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from mock_server.errors import (
    EmptyImageError,
    ImageError,
    NotAnImageError,
    TooManyPixelsError,
    TruncatedImageError,
    UnsupportedImageError,
)
from mock_server.imaging.decode import decode
from mock_server.imaging.geometry import Orientation
from mock_server.imaging.open_image import inspect


def saved(image: Image.Image, format: str, **options: object) -> bytes:
    out = BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def gradient(width: int = 120, height: int = 80) -> Image.Image:
    across = np.linspace(0, 200, width)[None, :] + np.linspace(0, 55, height)[:, None]
    return Image.fromarray(np.repeat(across[..., None], 3, axis=2).astype(np.uint8))


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"])
def test_formats_are_recognised_by_their_bytes(format: str) -> None:
    """The header has the format and the upright size of every supported format."""
    data = saved(gradient(), format)

    header = inspect(data)

    assert (header.format, header.width, header.height, header.byte_count) == (format, 120, 80, len(data))
    assert decode(data).facts.format == format


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "I;16", "I", "F"])
def test_every_mode_shows_the_same_picture(mode: str) -> None:
    """The grey levels are the same for every pixel mode."""
    grey = gradient().convert("L")
    if mode == "I;16":
        image = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    elif mode == "I":
        image = Image.fromarray(np.asarray(grey).astype(np.int32) * 257)
    elif mode == "F":
        image = Image.fromarray(np.asarray(grey).astype(np.float32) / 255)
    elif mode == "PA":
        image = grey.convert("P")
    else:
        image = grey.convert(mode)
    format = "TIFF" if mode in ("CMYK", "I", "F") else "PNG"

    picture = decode(saved(image, format))

    if mode == "1":
        assert set(np.unique(picture.grey)) == {0, 255}
    else:
        assert np.abs(picture.grey.astype(int) - np.asarray(grey).astype(int)).max() <= 12
    assert picture.grey.mean() == pytest.approx(np.asarray(grey).mean(), abs=4)


def test_transparent_pixels_become_white() -> None:
    """A transparent pixel is white, whatever its colour."""
    image = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    image.paste((0, 0, 0, 255), (10, 10, 30, 30))

    grey = decode(saved(image, "PNG")).grey

    assert (int(grey[0, 0]), int(grey[20, 20])) == (255, 0)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(format: str, orientation: int) -> None:
    """Size and pixels are those that a viewer shows."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = saved(Orientation(orientation).inverse.apply_to_image(gradient()), format, exif=exif)

    picture = decode(data)

    assert (inspect(data).width, inspect(data).height) == (120, 80)
    assert picture.size == (120, 80)
    assert np.abs(picture.grey.astype(int) - np.asarray(gradient().convert("L")).astype(int)).mean() < 4


def test_the_first_frame_of_an_animation_is_used() -> None:
    """Later frames of a GIF are ignored."""
    frames = [Image.new("RGB", (30, 30), colour) for colour in ("white", "black")]
    out = BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])

    assert int(decode(out.getvalue()).grey[5, 5]) == 255


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_file_that_ends_early_is_truncated(format: str, share: float) -> None:
    """A picture that ends early raises TruncatedImageError, wherever it ends."""
    rng = np.random.default_rng(1)
    data = saved(Image.fromarray(rng.integers(0, 255, (90, 90, 3), dtype=np.uint8)), format)

    with pytest.raises(TruncatedImageError):
        decode(data[: int(len(data) * share)])


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", EmptyImageError),
        (b"hello, this is text and no picture", NotAnImageError),
        (b"\x00" * 100, NotAnImageError),
        (b"BMW is a maker of cars, not a bitmap", NotAnImageError),
        (b'{"image": 1}', NotAnImageError),
        (b"<html><body></body></html>", NotAnImageError),
        (b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', UnsupportedImageError),
        (b"<svg/>", UnsupportedImageError),
        (b"%PDF-1.7\n", UnsupportedImageError),
        (b"\x00\x00\x01\x00\x01\x00", UnsupportedImageError),
        (b"8BPS\x00\x01", UnsupportedImageError),
        (b"P6\n2 2\n255\n", UnsupportedImageError),
        (b"\xff\xd8\xff", TruncatedImageError),
        (b"\x89PNG\r\n\x1a\n", TruncatedImageError),
    ],
)
def test_bytes_that_are_not_a_readable_picture(data: bytes, error: type[ImageError]) -> None:
    """No bytes, no image, an unsupported format and a damaged file raise different errors."""
    with pytest.raises(error):
        decode(data)
    with pytest.raises(error):
        inspect(data)


@pytest.mark.parametrize("size", [(300, 300), (20000, 20000)])
def test_too_many_pixels_are_refused_by_the_header(size: tuple[int, int]) -> None:
    """The limit applies before anything is decoded, also to sizes above Pillow's own limit."""
    data = bytearray(saved(Image.new("L", (10, 10)), "BMP"))
    data[18:26] = size[0].to_bytes(4, "little") + size[1].to_bytes(4, "little")

    with pytest.raises(TooManyPixelsError) as caught:
        decode(bytes(data), max_pixels=80_000)

    assert (caught.value.pixels, caught.value.limit) == (size[0] * size[1], 80_000)


def test_large_photos_are_reduced_while_decoding() -> None:
    """The working copy is small; the facts are those of the whole picture."""
    picture = decode(saved(gradient(4000, 3000), "JPEG"))

    assert picture.size == (4000, 3000)
    assert max(picture.working.size) <= 2000
    assert picture.zoom == picture.working.width / 4000


@pytest.mark.parametrize(
    ("image", "blank"),
    [
        (Image.new("RGB", (200, 100), (130, 20, 60)), True),
        (Image.effect_noise((300, 200), 6), True),
        (gradient(), False),
    ],
)
def test_blank_pictures_are_recognised(image: Image.Image, blank: bool) -> None:
    """A picture of one colour is blank, with and without noise."""
    assert decode(saved(image, "PNG")).facts.blank is blank


def test_sharpness_falls_with_blur() -> None:
    """Blurring a picture lowers its sharpness."""
    sharp = Image.effect_noise((300, 200), 60)
    soft = sharp.resize((60, 40)).resize((300, 200))

    assert decode(saved(sharp, "PNG")).facts.sharpness > 10 * decode(saved(soft, "PNG")).facts.sharpness


def test_thumbnail_is_a_small_jpeg() -> None:
    """A thumbnail is a JPEG with at most 128 pixels on the longer side."""
    small = Image.open(BytesIO(decode(saved(gradient(800, 400), "PNG")).thumbnail()))

    assert (small.format, small.size) == ("JPEG", (128, 64))
