"""One line of text on even ground, which hardly determines scale and position."""

from collections.abc import Callable
from io import BytesIO

import pytest
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont

from mock_server.imaging.geometry import Box
from mock_server.imaging.index import ImageIndex, Reference, Region

TEXT, NEIGHBOUR = "7KVD 309", "7KVD 308"
# Size, colours of ground and ink, left edge and vertical centre of the line as shares of the picture.
CARDS = {
    "high up": ((640, 480), "thistle", "darkgreen", 0.2, 0.3),
    "at the bottom": ((520, 400), "midnightblue", "palegoldenrod", 0.1, 0.85),
    "small in a corner": ((800, 600), "whitesmoke", "black", 0.6, 0.1),
    "wide": ((700, 160), "gold", "navy", 0.15, 0.5),
}


def saved(image: Image.Image, format: str = "JPEG", **options: object) -> bytes:
    out = BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def drawn(card: str, text: str) -> tuple[Image.Image, Box]:
    size, ground, ink, left, height = CARDS[card]
    picture = Image.new("RGB", size, ground)
    font = ImageFont.load_default(size[1] // 12 + 20)
    place = (left * size[0], height * size[1])
    ImageDraw.Draw(picture).text(place, text, ink, font, anchor="lm")
    edges = ImageDraw.Draw(picture).textbbox(place, text, font, anchor="lm")
    return picture, Box(*(round(edge) for edge in edges))


def known(card: str, text: str, *, boxed: bool) -> ImageIndex:
    picture, box = drawn(card, text)
    regions = (Region(box, len(text)),) if boxed else ()
    return ImageIndex.build([Reference(card, saved(picture, quality=92), regions)])


CHANGES: dict[str, Callable[[Image.Image], bytes]] = {
    "jpeg 50": lambda image: saved(image, quality=50),
    "png": lambda image: saved(image, "PNG"),
    "webp": lambda image: saved(image, "WEBP", quality=60),
    "at 0.7": lambda image: saved(image.resize((image.width * 7 // 10, image.height * 7 // 10)), quality=80),
    "twice the size": lambda image: saved(image.resize((image.width * 2, image.height * 2)), quality=80),
    "soft": lambda image: saved(image.filter(ImageFilter.GaussianBlur(1.0)), quality=85),
    "brighter": lambda image: saved(ImageEnhance.Brightness(image).enhance(1.2), quality=85),
    "less contrast": lambda image: saved(ImageEnhance.Contrast(image).enhance(0.75), quality=85),
    "cropped": lambda image: saved(image.crop((10, 8, image.width - 12, image.height - 9)), quality=85),
}


@pytest.mark.parametrize("boxed", [True, False], ids=["boxed", "no box"])
@pytest.mark.parametrize("card", CARDS)
def test_a_lone_line_is_found_again_and_its_neighbour_is_not(card: str, boxed: bool) -> None:
    """Changes by clients make no difference, and one character does."""
    index, other = known(card, TEXT, boxed=boxed), known(card, NEIGHBOUR, boxed=boxed)
    sent = {change: make(drawn(card, TEXT)[0]) for change, make in CHANGES.items()}

    assert [change for change, data in sent.items() if not index.find(data).matches] == []
    assert [change for change, data in sent.items() if other.find(data).matches] == []


@pytest.mark.parametrize("card", CARDS)
def test_a_lone_line_keeps_its_shape(card: str) -> None:
    """The box stays on the text: registration does not stretch a picture whose height it cannot determine."""
    picture, box = drawn(card, TEXT)
    hit = known(card, TEXT, boxed=True).find(saved(picture, quality=60)).matches[0]
    mapped = hit.placement.map(box)

    errors = [abs(getattr(mapped, edge) - getattr(box, edge)) for edge in ("xmin", "ymin", "xmax", "ymax")]

    assert max(errors) <= 1


def test_metadata_makes_no_difference() -> None:
    """A JPEG with other metadata matches by its pixels; one with other pixels does not."""
    picture, _ = drawn("high up", TEXT)
    data = saved(picture, quality=88)
    index = ImageIndex.build([Reference("card", data, ())])
    commented = data[:2] + b"\xff\xfe\x00\x07hello" + data[2:]

    assert [hit.method for hit in index.find(commented).matches] == ["pixels"]
    assert [hit.method for hit in index.find(saved(picture, quality=87)).matches] == ["perceptual"]
