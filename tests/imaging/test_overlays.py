"""Photos without a declared box: what was laid over them does not hide them, and a small plate still decides."""

from collections.abc import Callable
from functools import cache
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from mock_server.drawing.draw import draw
from mock_server.imaging.geometry import Box
from mock_server.imaging.index import ImageIndex, Reference
from tests.support import encoded

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


@cache
def index(text: str) -> ImageIndex:
    return ImageIndex.build([Reference(text, _encoded(street(text), 93))], workers=1)


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


def two_lines(image: Image.Image) -> Image.Image:
    pen, face = ImageDraw.Draw(image), ImageFont.load_default(30)
    pen.text((18, 880), "GATE 4\n2024-05-17 09:41:20", "#30ff50", face, stroke_width=2, stroke_fill="black")
    return image


def short_caption(image: Image.Image) -> Image.Image:
    ImageDraw.Draw(image).text((1190, 14), "REC", "red", ImageFont.load_default(30))
    return timestamp(image)


def along_a_side(image: Image.Image) -> Image.Image:
    turned = image.transpose(Image.Transpose.ROTATE_90)
    ImageDraw.Draw(turned).text((40, 12), "17-05-2024 09:41", "#ffe000", ImageFont.load_default(32))
    return turned.transpose(Image.Transpose.ROTATE_270)


def clear_bar(image: Image.Image) -> Image.Image:
    part = image.crop((0, 0, 1280, 80))
    image.paste(Image.blend(part, Image.new("RGB", part.size, "#101820"), 0.6))
    ImageDraw.Draw(image).text((24, 20), "SITE 12   17/05/2024   09:41:20", "white", ImageFont.load_default(36))
    return image


# Where faces and signs are covered: away from the plate, one of them at an edge.
PLACES = ((120, 180, 240, 320), (900, 120, 1010, 260), (1150, 500, 1280, 640))


def _covered(cover: Callable[[Image.Image], Image.Image]) -> Callable[[Image.Image], Image.Image]:
    def covered(image: Image.Image) -> Image.Image:
        for place in PLACES:
            image.paste(cover(image.crop(place)), place)
        return image

    return covered


def _pixelated(part: Image.Image) -> Image.Image:
    return part.resize((7, 8), Image.Resampling.BOX).resize(part.size, Image.Resampling.NEAREST)


def _smiling(part: Image.Image) -> Image.Image:
    pen = ImageDraw.Draw(part)
    pen.ellipse((2, 2, part.width - 3, part.height - 3), "#ffd040")
    for x in (0.35, 0.65):
        pen.ellipse((x * part.width - 7, 40, x * part.width + 7, 62), "#604010")
    pen.arc((0.25 * part.width, 0.4 * part.height, 0.75 * part.width, 0.75 * part.height), 20, 160, "#604010", 6)
    return part


OVERLAYS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "timestamp": timestamp,
    "captions": two_captions,
    "bar above": _bar(0),
    "bar below": _bar(896),
    "two lines": two_lines,
    "short caption": short_caption,
    "along a side": along_a_side,
    "clear bar": clear_bar,
    "blurred": _covered(lambda part: part.filter(ImageFilter.GaussianBlur(16))),
    "pixelated": _covered(_pixelated),
    "blacked out": _covered(lambda part: Image.new("RGB", part.size)),
    "smiling": _covered(_smiling),
}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_does_not_hide_a_picture(overlay: str) -> None:
    """With something laid over it, a picture is found, its boxes in place, and its neighbour is not."""
    sent = _encoded(OVERLAYS[overlay](street(TEXT).copy()))
    match = index(TEXT).find(sent).matches[0]

    assert match.placement.scale == pytest.approx((1, 1), abs=0.003)
    assert match.placement.shift == pytest.approx((0, 0), abs=1.5)
    assert index(NEIGHBOUR).find(sent).matches == ()


def pale(text: str) -> Image.Image:
    """A plate on ground of little contrast, without any other detail."""
    x, y = np.meshgrid(np.linspace(0, 3, 1280), np.linspace(0, 2, 960))
    grain = np.random.default_rng(5).normal(0, 2, x.shape)
    ground = Image.fromarray((190 + 12 * np.sin(x) * np.cos(2 * y) + grain).astype(np.uint8)).convert("RGB")
    pen = ImageDraw.Draw(ground)
    pen.rectangle((500, 480, 700, 524), (228, 228, 224))
    pen.text((600, 502), text, (90, 90, 96), ImageFont.load_default(30), anchor="mm")
    return ground


@pytest.mark.parametrize(
    "overlay", ["timestamp", "captions", "bar above", "bar below", "two lines", "clear bar", "smiling"]
)
def test_an_overlay_does_not_hide_a_picture_of_little_contrast(overlay: str) -> None:
    """What was laid over it has more contrast than all of the picture, and more detail."""
    own, neighbour = (ImageIndex.build([Reference(text, _encoded(pale(text), 93))]) for text in (TEXT, NEIGHBOUR))
    sent = _encoded(OVERLAYS[overlay](pale(TEXT)))

    assert own.find(sent).matches
    assert neighbour.find(sent).matches == ()


def test_a_reference_that_shows_all_is_ahead_of_one_with_something_laid_over_it() -> None:
    """A card with a text is not the card without it, which has the same ground."""
    references = [Reference("empty", _encoded(sign("A 1"), 93)), Reference("full", _encoded(two_signs(), 93))]
    found = ImageIndex.build(references, workers=1).find(_encoded(two_signs(), 80))

    assert [match.id for match in found.matches] == ["full"]


def test_a_caption_of_hardly_another_grey_does_not_hide_a_picture() -> None:
    """Most of its characters do not stand out from the ground."""
    picture = street(TEXT).copy()
    level = picture.convert("L").crop((900, 900, 1280, 950)).resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
    assert isinstance(level, int)
    ImageDraw.Draw(picture).text((930, 908), "2024-05-17 09:41", (level + 35,) * 3, ImageFont.load_default(34))
    sent = _encoded(picture)

    assert index(TEXT).find(sent).matches
    assert index(NEIGHBOUR).find(sent).matches == ()


@cache
def plate_box() -> Box:
    box = draw("scene", text=TEXT, region="de", seed=21, size=(1280, 960)).truth.plates[0].box
    assert box is not None
    return box


@pytest.mark.parametrize("share", [1.0, 0.2], ids=["all", "a character"])
@pytest.mark.parametrize("cover", [_smiling, _pixelated])
def test_a_covered_plate_is_no_match(cover: Callable[[Image.Image], Image.Image], share: float) -> None:
    """What covers the text is never left out: the near miss shows the place."""
    box, picture = plate_box(), street(TEXT).copy()
    place = (box.xmax - round(share * box.width), box.ymin - 40, box.xmax, box.ymax + 40)
    picture.paste(cover(picture.crop(place)), place)
    result = index(TEXT).find(_encoded(picture))
    near_miss = result.near_misses[0]

    assert result.matches == ()
    assert near_miss.reason == "other_text"
    assert near_miss.region is not None
    assert near_miss.region.overlaps(box)


def two_signs() -> Image.Image:
    """A sign with a line of text below."""
    image = sign("A 1")
    ImageDraw.Draw(image).text((60, 400), "LANE 7 OPEN", "white", ImageFont.load_default(40))
    return image


def sign(text: str) -> Image.Image:
    """A few large characters on even ground."""
    image = Image.new("RGB", (640, 480), "steelblue")
    ImageDraw.Draw(image).text((60, 130), text, "white", ImageFont.load_default(100))
    return image


@pytest.mark.parametrize(
    ("own", "other"), [("a", "b"), ("3", "8"), ("R", "G"), ("4T", "48"), ("3A", "RA"), ("UK", "UE")]
)
@pytest.mark.parametrize("quality", [95, 60])
def test_another_character_on_even_ground_is_no_cover(own: str, other: str, quality: int) -> None:
    """Where little is left beside what differs, nothing is left out."""
    signs = ImageIndex.build([Reference(own, _encoded(sign(own)))], workers=1)

    assert signs.find(_encoded(sign(other), quality)).matches == ()


@pytest.mark.parametrize(("own", "other", "height"), [("0 C", "2 C", 147), ("k.", "ky", 190), ("9I.", "9IN", 110)])
def test_another_large_character_is_no_cover(own: str, other: str, height: int) -> None:
    """It is as large and as smooth as a cover, and the other characters are all that is left."""

    def sign_of(text: str) -> bytes:
        image = Image.new("RGB", (400, 300), (60, 62, 70))
        ImageDraw.Draw(image).rectangle((2, 2, 397, 297), outline=(150, 150, 150), width=4)
        ImageDraw.Draw(image).text((40, 60), text, (150, 150, 150), ImageFont.load_default(height))
        return _encoded(image, 95)

    signs = ImageIndex.build([Reference(own, sign_of(own))], workers=1)

    assert signs.find(sign_of(other)).matches == ()


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


@pytest.mark.parametrize("size", [(640, 5), (640, 9), (640, 13), (1200, 30), (2000, 20), (300, 60), (60, 60)])
def test_a_strip_with_another_part_is_no_match(size: tuple[int, int]) -> None:
    """It has one row of the blocks that overlays are found by, or none."""
    noise = np.random.default_rng(1).integers(0, 256, (max(2, size[1] // 3), max(2, size[0] // 3), 3), dtype=np.uint8)
    strip = Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC)
    strips = ImageIndex.build([Reference("strip", _encoded(strip, 95))], workers=1)
    assert strips.find(_encoded(strip, 70)).matches
    strip.paste((200, 10, 10), (size[0] // 3, size[1] // 4, size[0] // 3 + max(1, size[0] // 8), size[1] // 2 + 1))

    assert strips.find(_encoded(strip, 70)).matches == ()


@pytest.mark.parametrize("size", [(40, 20), (36, 20), (44, 18), (40, 24), (30, 15), (24, 24), (9, 640)])
def test_a_small_part_of_tiny_noise_is_no_match(size: tuple[int, int]) -> None:
    """A part smaller than a character elsewhere, pasted in without a codec: it is another picture wherever it lies."""
    rng = np.random.default_rng(2)
    whole = Image.fromarray(rng.integers(0, 256, size[::-1], dtype=np.uint8))
    noise = ImageIndex.build([Reference("noise", encoded(whole))], workers=1)
    found = []
    for part in ((8, 5), (11, 6)):
        for place in ((1, 1), (size[0] // 2, 1), (size[0] - part[0] - 1, size[1] - part[1] - 1)):
            sent = whole.copy()
            sent.paste(Image.fromarray(rng.integers(0, 256, part[::-1], dtype=np.uint8)), place)
            found += [(part, place, match.score) for match in noise.find(encoded(sent)).matches]

    assert found == []


SMALL_SIGNS = [
    ((64, 64), 28, (6, 15), "EX", "FX"),
    ((80, 24), 14, (4, 1), "eK", "eS"),
    ((80, 24), 20, (5, 1), "S", "B"),
    ((80, 24), 20, (4, 0), "SfH", "SfG"),
    ((80, 24), 28, (6, 1), "DN", "9N"),
    ((120, 40), 20, (15, 8), "W", "M"),
    ((160, 120), 60, (5, 12), "kNG", "kNC"),
]


@pytest.mark.parametrize(("size", "height", "place", "own", "other"), SMALL_SIGNS)
def test_another_character_of_a_small_picture_is_no_cover(
    size: tuple[int, int], height: int, place: tuple[int, int], own: str, other: str
) -> None:
    """In a small picture, a cover would be like a character."""

    def small_sign(text: str) -> bytes:
        image, out = Image.new("RGB", size, (40, 110, 190)), BytesIO()
        ImageDraw.Draw(image).text(place, text, (168, 238, 62), ImageFont.load_default(height))
        image.save(out, "PNG")
        return out.getvalue()

    signs = ImageIndex.build([Reference(own, small_sign(own))], workers=1)

    assert signs.find(small_sign(other)).matches == ()
