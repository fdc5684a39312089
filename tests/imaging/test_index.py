"""Searches by bytes, by pixels and by look."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from mock_server.errors import ImageError
from mock_server.imaging.geometry import Box
from mock_server.imaging.index import ImageIndex, Reference, Region


def saved(image: Image.Image, format: str = "PNG", **options: object) -> bytes:
    out = BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def card(text: str, ground: str = "white") -> Image.Image:
    picture = Image.new("RGB", (400, 200), ground)
    ImageDraw.Draw(picture).text((200, 100), text, "black", ImageFont.load_default(64), anchor="mm")
    return picture


def soft_shapes(rng: np.random.Generator) -> Image.Image:
    cells = Image.fromarray(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8))
    return cells.resize((400, 300), Image.Resampling.BICUBIC)


def test_the_same_bytes_match_by_their_digest() -> None:
    """An unchanged file matches by its bytes, and its boxes stay where they are."""
    index = ImageIndex.build([Reference("a", saved(card("ABC 123")))])

    hit = index.find(saved(card("ABC 123"))).matches[0]

    assert (hit.id, hit.method) == ("a", "sha256")
    assert hit.placement.map(Box(1, 2, 3, 4)) == Box(1, 2, 3, 4)


@pytest.mark.parametrize("format", ["PNG", "BMP", "TIFF"])
def test_the_same_pixels_match(format: str) -> None:
    """A lossless copy of a JPEG's pixels matches by its pixels."""
    reference = saved(card("ABC 123"), "JPEG")
    index = ImageIndex.build([Reference("a", reference)])

    hit = index.find(saved(Image.open(BytesIO(reference)), format)).matches[0]

    assert (hit.id, hit.method) == ("a", "pixels")


def test_a_re_encoded_picture_matches_and_its_neighbour_does_not() -> None:
    """Another codec makes no difference; another character does."""
    index = ImageIndex.build([Reference("a", saved(card("ABC 123")))])

    assert [hit.id for hit in index.find(saved(card("ABC 123"), "JPEG", quality=95)).matches] == ["a"]

    near = index.find(saved(card("ABC 128"), "JPEG", quality=60))
    assert near.matches == ()
    assert (near.near_misses[0].id, near.near_misses[0].reason) == ("a", "other_text")


def test_a_declared_region_decides() -> None:
    """Of two references that differ in their region only, the right one matches."""
    region = Region(Box(80, 60, 320, 140), 7)
    index = ImageIndex.build([Reference(text, saved(card(text)), (region,)) for text in ("ABC 123", "ABC 128")])

    for text in ("ABC 123", "ABC 128"):
        data = saved(card(text).resize((300, 150)), "JPEG", quality=70)

        assert [hit.id for hit in index.find(data).matches] == [text]


def test_blank_pictures_match_by_their_pixels_alone() -> None:
    """Pictures without content match by their pixels and in no other way."""
    index = ImageIndex.build([Reference("red", saved(Image.new("RGB", (300, 200), "red")))])

    assert index.find(saved(Image.new("RGB", (300, 200), "red"), "BMP")).matches[0].method == "pixels"
    assert index.find(saved(Image.new("RGB", (300, 200), "blue"))).matches == ()


def test_recent_results_need_no_decoding() -> None:
    """The result of an earlier search is returned without decoding."""
    index = ImageIndex.build([Reference("a", saved(card("ABC 123")))])
    data = saved(card("ABC 123"), "JPEG")

    assert index.find_known(data) is None

    search = index.find(data)
    assert index.find_known(data) is search


def test_the_error_names_the_picture_that_cannot_be_read(tmp_path: Path) -> None:
    """The error of a build has the id of the reference as a note."""
    with pytest.raises(ImageError) as caught:
        ImageIndex.build([Reference("broken", b"\x89PNG\r\n\x1a\n")])

    assert "broken" in "".join(caught.value.__notes__)


def test_one_of_many_clusters_is_found() -> None:
    """Retrieval keeps the right one among the few candidates that are compared closely."""
    rng = np.random.default_rng(7)
    scenes = [soft_shapes(rng) for _ in range(150)]
    index = ImageIndex.build(Reference(str(place), saved(scene)) for place, scene in enumerate(scenes))

    sent = [saved(scene.resize((200, 150)), "JPEG", quality=70) for scene in scenes[::10]]

    assert [[hit.id for hit in index.find(data).matches] for data in sent] == [
        [str(place)] for place in range(0, 150, 10)
    ]
