"""Matching in small: changes that must make no difference, and one character that must make one.

The pictures are drawn here in a manner of their own: no limit was tuned on them.
"""

import random
from collections.abc import Callable
from functools import cache
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont, ImageOps

from mock_server.imaging.geometry import Box, Orientation
from mock_server.imaging.index import ImageIndex, Reference, Region

SCENES = range(6)
# A text, and a neighbour in which one character is replaced by a look-alike.
TEXTS = {
    0: ("KXP 408", "KXP 406"),
    1: ("81 BEO 5", "81 BE0 5"),
    2: ("WBA3A5C51", "WBA3A5G51"),
    3: ("T47RQH", "T47RQM"),
    4: ("S 9133", "5 9133"),
    5: ("1HGCM82633A004352", "1HGCM82638A004352"),
}


@cache
def ground(scene: int) -> Image.Image:
    """Discs and stripes on a colour gradient with a little grain."""
    rng = random.Random(4000 + scene)
    width, height = rng.choice([(900, 600), (640, 640), (720, 960)])
    ramp = np.linspace(rng.randint(20, 90), rng.randint(120, 230), height)[:, None]
    grain = np.random.default_rng(scene).normal(0, 3, (height, width))
    channels = [np.clip(ramp * rng.uniform(0.6, 1.0) + grain, 0, 255).astype(np.uint8) for _ in range(3)]
    picture = Image.merge("RGB", [Image.fromarray(channel) for channel in channels])
    draw = ImageDraw.Draw(picture)
    for _ in range(30):
        x, y, r = rng.uniform(0, width), rng.uniform(0, height), rng.uniform(8, 90)
        fill = (rng.randint(0, 255), rng.randint(0, 255), rng.randint(0, 255))
        if rng.random() < 0.5:
            draw.ellipse((x - r, y - r, x + r, y + r * 0.7), fill)
        else:
            draw.line((x, y, x + 3 * r, y + r * rng.uniform(-2, 2)), fill, rng.randint(2, 12))
    return picture.filter(ImageFilter.GaussianBlur(rng.uniform(0, 0.8)))


def drawn(scene: int, text: str) -> tuple[Image.Image, Box]:
    """The scene with a label that shows the text, and the box of the label."""
    rng = random.Random(9000 + scene)
    picture = ground(scene).copy()
    wide = round(picture.width * (0.7 if len(text) > 12 else rng.uniform(0.25, 0.4)))
    high = round(wide * (0.11 if len(text) > 12 else 0.28))
    x, y = rng.randint(10, picture.width - wide - 10), rng.randint(10, picture.height - high - 10)
    draw = ImageDraw.Draw(picture)
    draw.rounded_rectangle((x, y, x + wide, y + high), high // 8, (232, 228, 210), (40, 40, 60), 2)
    size = next(s for s in range(high, 4, -1) if ImageFont.load_default(s).getlength(text) < wide * 0.9)
    draw.text((x + wide / 2, y + high / 2), text, (25, 25, 45), ImageFont.load_default(size), anchor="mm")
    return picture, Box(x, y, x + wide, y + high)


def saved(image: Image.Image, format: str = "JPEG", **options: object) -> bytes:
    out = BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def scaled(image: Image.Image, factor: float) -> Image.Image:
    return image.resize((round(image.width * factor), round(image.height * factor)), Image.Resampling.LANCZOS)


def cropped(image: Image.Image) -> Image.Image:
    return image.crop((8, 12, image.width - 10, image.height - 7))


def letterboxed(image: Image.Image) -> Image.Image:
    return ImageOps.pad(image, (1000, 1000), color=(0, 0, 0))


CHANGES: dict[str, Callable[[Image.Image], bytes]] = {
    "jpeg 80": lambda image: saved(image, quality=80),
    "jpeg 45": lambda image: saved(image, quality=45),
    "progressive": lambda image: saved(image, quality=75, progressive=True),
    "webp": lambda image: saved(image, "WEBP", quality=70),
    "avif": lambda image: saved(image, "AVIF", quality=65, speed=9),
    "png at 0.6": lambda image: saved(scaled(image, 0.6), "PNG"),
    "twice the size": lambda image: saved(scaled(image, 2.0), quality=85),
    "grey": lambda image: saved(ImageOps.grayscale(image), quality=85),
    "brighter": lambda image: saved(ImageEnhance.Brightness(image).enhance(1.15), quality=85),
    "less contrast": lambda image: saved(ImageEnhance.Contrast(image).enhance(0.8), quality=85),
    "soft": lambda image: saved(image.filter(ImageFilter.GaussianBlur(0.8)), quality=85),
    "cropped": lambda image: saved(cropped(image), quality=85),
    "letterboxed": lambda image: saved(letterboxed(image), quality=85),
    "turned 6": lambda image: saved(Orientation(6).apply_to_image(image), quality=85),
    "turned 3": lambda image: saved(Orientation(3).apply_to_image(image), quality=85),
    "mirrored": lambda image: saved(Orientation(2).apply_to_image(image), quality=85),
    "chat app": lambda image: saved(scaled(image, 0.7).filter(ImageFilter.UnsharpMask(1, 50, 2)), quality=65),
}


@cache
def index(neighbours: bool, boxed: bool) -> ImageIndex:
    references = []
    for scene in SCENES:
        text = TEXTS[scene][neighbours]
        picture, box = drawn(scene, text)
        regions = (Region(box, len(text)),) if boxed else ()
        references.append(Reference(f"scene-{scene}", saved(picture, quality=93), regions))
    return ImageIndex.build(references)


@pytest.mark.parametrize("boxed", [True, False], ids=["boxed", "no box"])
@pytest.mark.parametrize("change", CHANGES)
def test_changes_by_clients_make_no_difference(change: str, boxed: bool) -> None:
    """Every picture matches its own reference and no other."""
    found = {}
    for scene in SCENES:
        data = CHANGES[change](drawn(scene, TEXTS[scene][0])[0])
        found[scene] = [hit.id for hit in index(False, boxed).find(data).matches]

    assert found == {scene: [f"scene-{scene}"] for scene in SCENES}


@pytest.mark.parametrize("boxed", [True, False], ids=["boxed", "no box"])
@pytest.mark.parametrize("change", CHANGES)
def test_one_character_makes_a_difference(change: str, boxed: bool) -> None:
    """A picture that differs from a reference in one character does not match, and is nearest to that reference."""
    for scene in SCENES:
        data = CHANGES[change](drawn(scene, TEXTS[scene][0])[0])
        search = index(True, boxed).find(data)

        assert search.matches == ()
        assert search.near_misses[0].id == f"scene-{scene}"


def test_boxes_are_mapped_into_the_sent_picture() -> None:
    """A box moves to where its text is after a crop, padding, scaling or turning."""
    picture, box = drawn(3, TEXTS[3][0])
    known = index(False, True)
    margin = (1000 - 1000 * min(picture.size) / max(picture.size)) / 2
    scale = 1000 / max(picture.size)
    x, y = (margin, 0) if picture.height > picture.width else (0, margin)
    expected = {
        "jpeg 80": box,
        "cropped": Box(box.xmin - 8, box.ymin - 12, box.xmax - 8, box.ymax - 12),
        "twice the size": Box(2 * box.xmin, 2 * box.ymin, 2 * box.xmax, 2 * box.ymax),
        "mirrored": Box(picture.width - box.xmax, box.ymin, picture.width - box.xmin, box.ymax),
        "turned 6": Box(picture.height - box.ymax, box.xmin, picture.height - box.ymin, box.xmax),
        "letterboxed": Box(
            round(box.xmin * scale + x),
            round(box.ymin * scale + y),
            round(box.xmax * scale + x),
            round(box.ymax * scale + y),
        ),
    }
    for change, true in expected.items():
        mapped = known.find(CHANGES[change](picture)).matches[0].placement.map(box)
        errors = [abs(getattr(mapped, edge) - getattr(true, edge)) for edge in ("xmin", "ymin", "xmax", "ymax")]

        assert max(errors) <= 2, change


def test_many_texts_on_one_scene_are_told_apart() -> None:
    """References of one cluster match only their own picture."""
    rng = random.Random(5)
    texts = ["".join(rng.choice("ABCDEFGHKLMNPRSTUXYZ0123456789") for _ in range(7)) for _ in range(120)]
    references = []
    for text in texts:
        picture, box = drawn(0, text)
        references.append(Reference(text, saved(scaled(picture, 0.5), quality=90), (_half(box, text),)))
    known = ImageIndex.build(references)

    for text in texts[::10]:
        data = saved(scaled(drawn(0, text)[0], 0.45), quality=75)

        assert [hit.id for hit in known.find(data).matches] == [text]


def _half(box: Box, text: str) -> Region:
    return Region(Box(box.xmin // 2, box.ymin // 2, box.xmax // 2, box.ymax // 2), len(text))


def test_unrelated_pictures_match_nothing() -> None:
    """Other scenes with other texts do not match."""
    known = index(False, False)
    for scene in range(20, 32):
        picture, _ = drawn(scene, f"{scene} QZ 77")

        assert known.find(saved(picture, quality=80)).matches == ()


def test_too_few_pixels_are_a_near_miss() -> None:
    """A text with too few pixels per character does not match; the near miss says why."""
    picture, _ = drawn(2, TEXTS[2][0])
    search = index(False, True).find(saved(scaled(picture, 0.14), quality=90))

    assert search.matches == ()
    assert search.near_misses[0].reason == "too_small"


def test_colours_make_a_difference() -> None:
    """A red card and a blue one do not match each other, although they are the same in normalised grey."""

    def card(ground: str) -> Image.Image:
        picture = Image.new("RGB", (400, 200), ground)
        ImageDraw.Draw(picture).text((200, 100), "SAME", "black", ImageFont.load_default(60), anchor="mm")
        return picture

    known = ImageIndex.build([Reference(colour, saved(card(colour), "PNG")) for colour in ("red", "blue")])

    assert [hit.id for hit in known.find(saved(card("blue"), quality=80)).matches] == ["blue"]
    assert known.find(saved(card("white"), quality=80)).matches == ()
