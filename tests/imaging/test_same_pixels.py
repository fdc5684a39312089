"""A copy with the same pixels is labelled `pixels`, whatever its format and colours; any other copy `perceptual`."""

from io import BytesIO

import pytest
from PIL import Image, ImageDraw, ImageFont

from mock_server.drawing.draw import draw
from mock_server.imaging.geometry import Box
from mock_server.imaging.index import ImageIndex, Reference, Region

TEXT = "KA-RL 204"


def _saved(image: Image.Image, format: str, **options: object) -> bytes:
    out = BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def _opened(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data))


def _sign(ground: str, ink: str) -> tuple[Image.Image, Box]:
    """A sign in full colours between discs, without any noise."""
    picture = Image.new("RGB", (640, 400), ground)
    pen = ImageDraw.Draw(picture)
    for place, colour in enumerate(("red", "lime", "blue", "yellow", "magenta", "cyan", "black", "white")):
        x, y = 70 * place, 20 + 30 * (place % 3)
        pen.ellipse((x, y, x + 90, y + 100), colour)
    box = Box(160, 250, 480, 340)
    pen.rectangle((box.xmin, box.ymin, box.xmax, box.ymax), ground, "black")
    pen.text((320, 295), TEXT, ink, ImageFont.load_default(70), anchor="mm")
    return picture, box


def _photo(seed: int) -> tuple[Image.Image, Box]:
    scene = draw("scene", text=TEXT, region="de", seed=seed)
    box = scene.truth.plates[0].box
    assert box is not None
    return scene.image.convert("RGB"), box


def _grey_photo(seed: int) -> tuple[Image.Image, Box]:
    picture, box = _photo(seed)
    return picture.convert("L"), box


def _large_photo(seed: int) -> tuple[Image.Image, Box]:
    """One whose texts are compared in a reduced copy."""
    picture, box = _photo(seed)
    large = picture.resize((2 * picture.width, 2 * picture.height))
    return large, Box(2 * box.xmin, 2 * box.ymin, 2 * box.xmax, 2 * box.ymax)


SUBJECTS = {
    "photo": _photo(11),
    "large photo": _large_photo(12),
    "grey photo": _grey_photo(13),
    "black on white": _sign("white", "black"),
    "red on white": _sign("white", "red"),
    "white on lime": _sign("lime", "white"),
    "black on lime": _sign("lime", "black"),
    "cyan on blue": _sign("blue", "cyan"),
    "yellow on red": _sign("red", "yellow"),
}
JPEGS: dict[str, dict[str, object]] = {"usual": {"quality": 75}, "coarse": {"quality": 30}}
LOSSLESS: dict[str, dict[str, object]] = {
    "PNG": {"compress_level": 1},
    "WEBP": {"lossless": True, "quality": 0, "method": 0},
    "TIFF": {},
}


@pytest.mark.parametrize("jpeg", JPEGS)
@pytest.mark.parametrize("subject", SUBJECTS)
def test_lossless_copies_of_a_jpeg_have_the_same_pixels(subject: str, jpeg: str) -> None:
    """Its PNG, WebP and TIFF are labelled `pixels`, also where a JPEG decoder clips the colours of many pixels.

    The decoder's own grey levels then differ from those of the colours.
    """
    picture, box = SUBJECTS[subject]
    known = _saved(picture, "JPEG", **JPEGS[jpeg])
    index = ImageIndex.build([Reference("own", known, (Region(box, len(TEXT)),))])

    sent = {format: _saved(_opened(known), format, **options) for format, options in LOSSLESS.items()}
    found = {format: [(hit.id, hit.method) for hit in index.find(data).matches] for format, data in sent.items()}

    assert found == {format: [("own", "pixels")] for format in LOSSLESS}


@pytest.mark.parametrize("jpeg", JPEGS)
@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_jpeg_has_the_same_pixels_as_its_lossless_copy(subject: str, jpeg: str) -> None:
    """The JPEG of which a fixture is the PNG is labelled `pixels`."""
    picture, box = SUBJECTS[subject]
    sent = _saved(picture, "JPEG", **JPEGS[jpeg])
    known = _saved(_opened(sent), "PNG", compress_level=1)
    index = ImageIndex.build([Reference("own", known, (Region(box, len(TEXT)),))])

    assert [(hit.id, hit.method) for hit in index.find(sent).matches] == [("own", "pixels")]


def test_a_grey_jpeg_and_its_gif_have_the_same_pixels() -> None:
    """A GIF keeps the 256 grey levels of a JPEG; its mosaic is blurred and so is no proof of a difference."""
    picture, box = SUBJECTS["grey photo"]
    jpeg = _saved(picture, "JPEG", quality=85)
    gif = _saved(_opened(jpeg), "GIF")

    for known, sent in ((jpeg, gif), (gif, jpeg)):
        index = ImageIndex.build([Reference("own", known, (Region(box, len(TEXT)),))])

        assert [(hit.id, hit.method) for hit in index.find(sent).matches] == [("own", "pixels")]


def test_a_jpeg_whose_file_alone_was_changed_has_the_same_pixels() -> None:
    """A comment in the file changes the bytes, not the pixels."""
    picture, box = SUBJECTS["photo"]
    known = _saved(picture, "JPEG", quality=85)
    index = ImageIndex.build([Reference("own", known, (Region(box, len(TEXT)),))])
    comment = b"\xff\xfe\x00\x07hello"

    assert [(hit.id, hit.method) for hit in index.find(known[:2] + comment + known[2:]).matches] == [("own", "pixels")]


@pytest.mark.parametrize("format", ["PNG", "JPEG"])
@pytest.mark.parametrize("subject", ["photo", "black on white", "cyan on blue"])
def test_a_copy_with_a_loss_has_other_pixels(subject: str, format: str) -> None:
    """A JPEG of a high quality is labelled `perceptual`; so is a PNG in which one pixel differs."""
    picture, box = SUBJECTS[subject]
    known = _saved(picture, format, optimize=False)
    index = ImageIndex.build([Reference("own", known, (Region(box, len(TEXT)),))])
    changed = _opened(known)
    ImageDraw.Draw(changed).point((5, 5), "grey")

    for data in (_saved(_opened(known), "JPEG", quality=98), _saved(changed, "PNG", compress_level=1)):
        assert [(hit.id, hit.method) for hit in index.find(data).matches] == [("own", "perceptual")]
