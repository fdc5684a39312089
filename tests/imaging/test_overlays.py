"""Photos without a declared box: what was laid over them does not hide them, and a small plate still decides."""

from collections.abc import Callable
from functools import cache
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from mock_server.drawing.draw import draw
from mock_server.imaging.index import ImageIndex, Reference

TEXT, NEIGHBOUR, OTHER = "HA-KE 382", "HA-KE 392", "M-WT 6071"


def _encoded(image: Image.Image, quality: int = 88) -> bytes:
    out = BytesIO()
    image.save(out, "JPEG", quality=quality)
    return out.getvalue()


@cache
def street(text: str) -> Image.Image:
    """A car whose plate is a tenth of the picture's width, on ground with a grain as coarse as the characters."""
    scene = draw("scene", text=text, region="de", seed=21, size=(1280, 960)).image.convert("RGB")
    grain = Image.fromarray(np.random.default_rng(3).integers(0, 256, (960, 1280), dtype=np.uint8))
    soft = np.asarray(grain.filter(ImageFilter.GaussianBlur(2.5)), dtype=np.int16) - 128
    return Image.fromarray(np.clip(np.asarray(scene) + soft[..., None], 0, 255).astype(np.uint8))


def timestamp(image: Image.Image) -> Image.Image:
    ImageDraw.Draw(image).text((960, 910), "2024-05-17 09:41:20", "#ffb020", ImageFont.load_default(30))
    return image


def two_captions(image: Image.Image) -> Image.Image:
    pen, face = ImageDraw.Draw(image), ImageFont.load_default(36)
    pen.text((20, 14), "CAM 11 YARD SOUTH", "white", face, stroke_width=1, stroke_fill="black")
    pen.text((860, 14), "17/05/2024 09:41:20", "white", face, stroke_width=1, stroke_fill="black")
    return image


def _bar(top: int) -> Callable[[Image.Image], Image.Image]:
    def bar(image: Image.Image) -> Image.Image:
        pen = ImageDraw.Draw(image)
        pen.rectangle((0, top, 1280, top + 64), "black")
        pen.text((24, top + 14), "2024-05-17 09:41:20   61 KM/H   N51.05 E3.72", "white", ImageFont.load_default(34))
        return image

    return bar


OVERLAYS = {"timestamp": timestamp, "captions": two_captions, "bar above": _bar(0), "bar below": _bar(896)}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_does_not_hide_a_picture(overlay: str) -> None:
    """With a caption or a bar over it, a picture is found, its boxes in place, and its neighbour is not."""
    sent = _encoded(OVERLAYS[overlay](street(TEXT).copy()))
    own = ImageIndex.build([Reference("own", _encoded(street(TEXT), 93))], workers=1)
    neighbour = ImageIndex.build([Reference("neighbour", _encoded(street(NEIGHBOUR), 93))], workers=1)
    match = own.find(sent).matches[0]

    assert match.placement.scale == pytest.approx((1, 1), abs=0.003)
    assert match.placement.shift == pytest.approx((0, 0), abs=1.5)
    assert neighbour.find(sent).matches == ()


def label(text: str, y: int) -> bytes:
    """A sticker with a text near an edge of a photo; the ground around it is even."""
    picture = street(TEXT).copy()
    pen = ImageDraw.Draw(picture)
    pen.rectangle((0, y - 40, 1280, y + 40), (228, 228, 224))
    pen.text((640, y), text, (24, 24, 30), ImageFont.load_default(44), anchor="mm")
    return _encoded(picture, 92)


@pytest.mark.parametrize("y", [40, 920])
@pytest.mark.parametrize("shown", ["WVWZZZ1KZ6W186045", "1FAHP2D85EG140932", ""], ids=["one", "all", "wiped"])
def test_a_text_at_an_edge_is_no_overlay(shown: str, y: int) -> None:
    """Where the reference has a line of text at its edge, another text there is a difference."""
    index = ImageIndex.build([Reference("own", label("WVWZZZ1KZ6W186046", y))], workers=1)

    assert index.find(label(shown, y)).matches == ()


@pytest.mark.parametrize("size", [(4112, 12), (24_929, 33), (65_313, 3), (12, 4112), (600, 8), (1, 1)])
@pytest.mark.parametrize("is_divided", [False, True])
def test_a_strip_of_few_pixels_is_searched(size: tuple[int, int], *, is_divided: bool) -> None:
    """Reduced to the size at which bars are looked for, it has a single row."""
    index = ImageIndex.build([Reference("street", _encoded(street(TEXT)))])
    strip = Image.linear_gradient("L").transpose(Image.Transpose.ROTATE_90).resize(size)
    if is_divided:
        strip.paste(200, (size[0] // 3, 0, *size))
    out = BytesIO()
    strip.save(out, "PNG")

    assert index.find(out.getvalue()).matches == ()
