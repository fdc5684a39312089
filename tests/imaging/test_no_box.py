"""References without a declared box: a faint text beside strong textures, and colours that clients shift.

The backgrounds are railings, which look more like text than the text does, and stained glass.
"""

import random
from collections.abc import Callable
from functools import cache
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont

from mock_server.imaging.geometry import Frame
from mock_server.imaging.index import ImageIndex, Reference
from mock_server.imaging.photometric_fit import ToneCurve
from mock_server.imaging.undeclared_comparison import PART_LIMIT, compare_part

SIZE = (720, 540)
# A text, and one that differs from it in one character.
TEXTS = {"railing": ("NK 8031", "NK 8081"), "glass": ("5UGP 17", "5UCP 17"), "faint": ("TVR2560", "TUR2560")}


def railing(rng: random.Random) -> Image.Image:
    """Wrought iron: rows of loops and bars from edge to edge, finer and stronger than any character."""
    picture = Image.new("RGB", SIZE, (168, 172, 160))
    draw = ImageDraw.Draw(picture)
    for top in range(20, 260, 60):
        step = rng.randint(9, 14)
        for x in range(0, SIZE[0], step):
            draw.line((x, top, x + rng.randint(-5, 5), top + 38), (22, 26, 24), 3)
            draw.arc((x, top + rng.randint(0, 20), x + step, top + 36), 0, rng.randint(140, 360), (22, 26, 24), 2)
    return picture


def glass(rng: random.Random) -> Image.Image:
    """Panes in colours that clip when the picture gets brighter."""
    picture = Image.new("RGB", SIZE, (90, 120, 210))
    draw = ImageDraw.Draw(picture)
    for _ in range(90):
        x, y = rng.uniform(0, SIZE[0]), rng.uniform(0, SIZE[1])
        points = [(x + rng.uniform(-90, 90), y + rng.uniform(-90, 90)) for _ in range(4)]
        draw.polygon(points, (rng.randint(20, 255), rng.randint(20, 255), rng.randint(20, 255)))
    return picture


GROUNDS: dict[str, Callable[[random.Random], Image.Image]] = {"railing": railing, "glass": glass, "faint": railing}


LEVELS = np.arange(256, dtype=np.float64)
SAME_TONES = ToneCurve(LEVELS, LEVELS)


@cache
def drawn(kind: str, text: str) -> Image.Image:
    picture = GROUNDS[kind](random.Random(kind))
    draw = ImageDraw.Draw(picture)
    ground, ink = ((150, 152, 158), (104, 106, 110)) if kind == "faint" else ((236, 232, 214), (30, 30, 60))
    draw.rectangle((210, 360, 470, 430), ground)
    draw.text((340, 395), text, ink, ImageFont.load_default(52), anchor="mm")
    grain = np.random.default_rng(len(kind)).normal(0, 2.5, (SIZE[1], SIZE[0], 1))
    return Image.fromarray(np.clip(np.asarray(picture) + grain, 0, 255).astype(np.uint8))


def saved(image: Image.Image, format: str = "JPEG", **options: object) -> bytes:
    out = BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def lively(image: Image.Image) -> Image.Image:
    strong = ImageEnhance.Color(ImageEnhance.Contrast(image).enhance(1.2)).enhance(1.25)
    return ImageEnhance.Brightness(strong).enhance(1.1).filter(ImageFilter.UnsharpMask(1.5, 80, 2))


CHANGES: dict[str, Callable[[Image.Image], bytes]] = {
    "jpeg 45": lambda image: saved(image, quality=45),
    "few colours": lambda image: saved(image.quantize(256), "GIF"),
    "brighter": lambda image: saved(ImageEnhance.Brightness(image).enhance(1.25), quality=88),
    "lively": lambda image: saved(lively(image), quality=80),
    "soft": lambda image: saved(image.filter(ImageFilter.GaussianBlur(1.2)), quality=88),
    "at half the size": lambda image: saved(image.resize((360, 270), Image.Resampling.LANCZOS), quality=88),
    "cropped": lambda image: saved(image.crop((25, 18, 700, 530)), quality=88),
}


@cache
def index(kind: str, text: str) -> ImageIndex:
    return ImageIndex.build([Reference(kind, saved(drawn(kind, text), quality=93))], workers=1)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("kind", TEXTS)
def test_found_beside_strong_textures(kind: str, change: str) -> None:
    """Changes of the whole picture make no difference, and one character does, although no box is declared."""
    text, neighbour = TEXTS[kind]
    data = CHANGES[change](drawn(kind, text))

    assert [hit.id for hit in index(kind, text).find(data).matches] == [kind]
    assert index(kind, neighbour).find(data).matches == ()


def test_changes_of_single_channels_make_no_difference() -> None:
    """Two colours with equal grey levels may become different ones; only the comparison in colour explains that."""
    known = Image.new("RGB", (112, 64), (120, 120, 120))
    draw = ImageDraw.Draw(known)
    draw.rectangle((30, 20, 60, 44), (255, 62, 64))
    sent = known.point([min(255, round(value * 1.5)) for value in range(256)] * 3).convert("L")
    frame = Frame(0, 0, *known.size)
    in_grey = compare_part(known.convert("L"), 14.0, sent, frame, 0.5, lambda: None, SAME_TONES)
    in_colour = compare_part(known.convert("L"), 14.0, sent, frame, 0.5, lambda: known, SAME_TONES)

    assert in_grey is not None
    assert in_colour is not None
    assert in_grey.score > PART_LIMIT
    assert in_colour.score < PART_LIMIT


def test_colours_are_read_only_where_they_may_decide() -> None:
    """The colours of a part that is the same in grey are not read."""
    known = drawn("railing", "NK 8031").convert("L").crop((220, 360, 332, 424))

    def never() -> Image.Image:
        raise AssertionError

    result = compare_part(known, 14.0, known, Frame(0, 0, *known.size), 0.5, never, SAME_TONES)

    assert result is not None
    assert result.score < PART_LIMIT


@cache
def before_a_fence(text: str, ground: tuple[int, int, int], ink: tuple[int, int, int]) -> Image.Image:
    """A small faint plate before a fence that itself passes for a line of text, four times as high."""
    rng = random.Random("fence")
    picture = Image.new("RGB", SIZE, (120, 112, 104))
    draw = ImageDraw.Draw(picture)
    for x in range(0, SIZE[0], 14):
        top, bottom = 200 + rng.randint(0, 20), 330 - rng.randint(0, 20)
        draw.rectangle((x, top, x + rng.randint(4, 9), bottom), (rng.randint(10, 70),) * 3)
    draw.rectangle((430, 262, 520, 284), ground)
    draw.text((475, 273), text, ink, ImageFont.load_default(16), anchor="mm")
    soft = np.asarray(picture.filter(ImageFilter.GaussianBlur(0.6)))
    grain = np.random.default_rng(1).normal(0, 2.5, (SIZE[1], SIZE[0], 1))
    return Image.fromarray(np.clip(soft + grain, 0, 255).astype(np.uint8))


PLATES = {"yellow": ((214, 190, 60), (120, 120, 120)), "grey": ((170, 172, 178), (112, 114, 118))}
ENLARGED = {"enlarged": lambda image: saved(image.resize((936, 702), Image.Resampling.LANCZOS), quality=88)}


@pytest.mark.parametrize("change", ["jpeg 45", "cropped", "enlarged"])
@pytest.mark.parametrize("plate", PLATES)
def test_a_line_within_a_larger_one_is_compared(plate: str, change: str) -> None:
    """A plate of an eighth of the width, before what looks like text too, is found, and its neighbour is not."""
    sent = (CHANGES | ENLARGED)[change](before_a_fence("1VM 5SZ", *PLATES[plate]))
    own, neighbour = (
        ImageIndex.build([Reference(text, saved(before_a_fence(text, *PLATES[plate]), quality=93))], workers=1)
        for text in ("1VM 5SZ", "1VM 5SS")
    )

    assert [hit.id for hit in own.find(sent).matches] == ["1VM 5SZ"]
    assert neighbour.find(sent).matches == ()
