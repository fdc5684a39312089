"""Pictures of which a part is sent, or which are turned, squashed or shown in a screenshot: the text decides."""

from collections.abc import Callable
from functools import cache
from io import BytesIO

import pytest
from PIL import Image, ImageDraw

from mock_server.drawing.draw import draw
from mock_server.imaging.geometry import Box
from mock_server.imaging.index import ImageIndex, Reference, Region

# Text and a neighbour that differs in one character, by the seed of the scene.
TEXTS = {11: ("KA-RL 204", "KA-RL 264"), 12: ("B-OT 7713", "B-OT 7713"[:-1] + "8"), 13: ("M-XY 519", "M-XV 519")}

Change = Callable[[Image.Image, Box], Image.Image]


@cache
def _scene(seed: int, text: str) -> tuple[Image.Image, Box]:
    scene = draw("scene", text=text, region="de", seed=seed)
    box = scene.truth.plates[0].box
    assert box is not None
    return scene.image.convert("RGB"), box


def _encoded(image: Image.Image, quality: int = 88) -> bytes:
    out = BytesIO()
    image.save(out, "JPEG", quality=quality)
    return out.getvalue()


def _around(width: float, height: float, longer: int = 0) -> Change:
    """A crop around the box of so many times its width and height."""

    def change(image: Image.Image, box: Box) -> Image.Image:
        across, down = round((width - 1) / 2 * box.width), round((height - 1) / 2 * box.height)
        edges = Box(box.xmin - across, box.ymin - down, box.xmax + across, box.ymax + down).clamped(*image.size)
        part = image.crop((edges.xmin, edges.ymin, edges.xmax, edges.ymax))
        return part.resize((longer, round(longer * part.height / part.width))) if longer else part

    return change


def _screenshot(image: Image.Image, box: Box) -> Image.Image:
    page = Image.new("RGB", (1080, 1920), "black")
    page.paste(image.resize((1080, 810)), (0, 480))
    pen = ImageDraw.Draw(page)
    pen.text((40, 30), "07:45   IMG_2201.JPG", "white", font_size=40)
    pen.text((90, 1780), "Share   Edit   Delete", "white", font_size=44)
    return page


def _turned(degrees: float) -> Change:
    return lambda image, box: image.rotate(degrees, Image.Resampling.BICUBIC)


CHANGES: dict[str, Change] = {
    "the vehicle": _around(3.5, 10),
    "around the plate": _around(2.5, 2.5),
    "the plate": _around(1.15, 1.15),
    "the plate, enlarged": _around(1.15, 1.15, 640),
    "a corner": lambda image, box: image.crop((box.xmin - 20, box.ymin - 30, image.width, image.height)),
    "screenshot": _screenshot,
    "squashed": lambda image, box: image.resize((640, 640)),
    "stretched": lambda image, box: image.resize((round(1.15 * image.width), image.height)),
    "turned to the left": _turned(2),
    "turned to the right": _turned(-3),
}


@cache
def _index(neighbours: bool) -> ImageIndex:
    references = []
    for seed, texts in TEXTS.items():
        picture, box = _scene(seed, texts[neighbours])
        references.append(Reference(f"scene-{seed}", _encoded(picture, 93), (Region(box, len(texts[0])),)))
    return ImageIndex.build(references)


@pytest.mark.parametrize("change", CHANGES)
def test_a_part_of_a_picture_is_found_by_its_text(change: str) -> None:
    """Every picture matches its own reference; with the neighbours' alone, none."""
    sent = {seed: _encoded(CHANGES[change](*_scene(seed, texts[0]))) for seed, texts in TEXTS.items()}
    found = {seed: [hit.id for hit in _index(False).find(data).matches] for seed, data in sent.items()}
    neighbours = {seed: [hit.id for hit in _index(True).find(data).matches] for seed, data in sent.items()}

    assert found == {seed: [f"scene-{seed}"] for seed in TEXTS}
    assert neighbours == {seed: [] for seed in TEXTS}


@pytest.mark.parametrize("change", ["the vehicle", "around the plate", "a corner", "turned to the left"])
def test_boxes_are_mapped_into_the_part(change: str) -> None:
    """The box lies around the text in what was sent, within two pixels."""
    picture, box = _scene(11, TEXTS[11][0])
    marked = Image.new("L", picture.size, 0)
    ImageDraw.Draw(marked).rectangle((box.xmin, box.ymin, box.xmax - 1, box.ymax - 1), 255)
    true = CHANGES[change](marked, box).point([0] * 128 + [255] * 128).getbbox()
    assert true is not None

    match = _index(False).find(_encoded(CHANGES[change](picture, box))).matches[0]
    mapped = match.placement.map(box)

    assert (mapped.xmin, mapped.ymin, mapped.xmax, mapped.ymax) == pytest.approx(true, abs=2)


def test_the_text_decides_among_several_known_plates() -> None:
    """A crop that shows one of two known plates matches the scenario of that plate alone."""
    page = Image.new("RGB", (2048, 768))
    boxes = {}
    for place, seed in enumerate((11, 13)):
        picture, box = _scene(seed, TEXTS[seed][0])
        page.paste(picture, (1024 * place, 0))
        boxes[seed] = Box(box.xmin + 1024 * place, box.ymin, box.xmax + 1024 * place, box.ymax)
    whole = _encoded(page, 93)
    index = ImageIndex.build([Reference(str(seed), whole, (Region(box, 8),)) for seed, box in boxes.items()])

    for seed, box in boxes.items():
        found = index.find(_encoded(_around(2.5, 4)(page, box))).matches

        assert [hit.id for hit in found] == [str(seed)]


def test_another_car_with_the_same_plate_is_a_near_miss() -> None:
    """Where the plate is the same and everything around it differs, the near miss says so."""
    picture, box = _scene(12, TEXTS[12][0])
    pasted = draw("scene", text="", place="garage", body="van", seed=5).image.convert("RGB")
    left, top = box.xmin - box.width // 3, box.ymin - box.height
    pasted.paste(picture.crop((left, top, box.xmax + box.width // 3, box.ymax + box.height)), (left, top))

    index = ImageIndex.build([Reference("own", _encoded(picture, 93), (Region(box, 9),))])
    search = index.find(_encoded(pasted))

    assert search.matches == ()
    assert search.near_misses[0].reason == "other_surroundings"
