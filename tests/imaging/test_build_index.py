"""Building and updating an index, with and without a cache."""

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from mock_server import tuning
from mock_server.disk_cache import DiskCache
from mock_server.imaging import index as image_index
from mock_server.imaging.array_store import ArrayStore
from mock_server.imaging.box_proposal import propose_box
from mock_server.imaging.decode import decode
from mock_server.imaging.fingerprint import Fingerprint, fingerprint
from mock_server.imaging.fingerprint_cache import FingerprintCache
from mock_server.imaging.geometry import Box
from mock_server.imaging.index import ImageIndex, Reference, Region


def picture(text: str, seed: int = 1) -> bytes:
    rng = np.random.default_rng(seed)
    rough = Image.fromarray(rng.integers(0, 255, (12, 16), dtype=np.uint8)).resize((640, 480), Image.Resampling.BICUBIC)
    image = rough.convert("RGB")
    draw = ImageDraw.Draw(image)
    draw.rectangle((200, 300, 440, 360), "white")
    draw.text((320, 330), text, "black", ImageFont.load_default(44), anchor="mm")
    out = BytesIO()
    image.save(out, "JPEG", quality=90)
    return out.getvalue()


def files(folder: Path, count: int) -> list[Reference]:
    references = []
    for number in range(count):
        path = folder / f"{number}.jpg"
        path.write_bytes(picture(f"AB {number}CD", number))
        references.append(Reference(path.name, path, (Region(Box(200, 300, 440, 360), 7),)))
    return references


def test_a_second_start_reads_no_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a cache, unchanged files are not opened, and searches return the same results."""
    references = files(tmp_path, 4)
    first = ImageIndex.build(references, cache=tmp_path / "cache")
    changed = picture("AB 2CD", 2)[:-2] + b"\x00\xff\xd9"

    def unread(path: Path) -> bytes:
        with path.open("rb") as file:
            assert path.parent == tmp_path / "cache"
            return file.read()

    with monkeypatch.context() as patched:
        patched.setattr(Path, "read_bytes", unread)
        second = ImageIndex.build(references, cache=tmp_path / "cache")

    assert len(second) == 4
    assert second.find(changed).matches == first.find(changed).matches


@pytest.mark.parametrize(("limit", "returned"), [(4, 1), (5, 0)])
def test_a_second_start_returns_freed_memory(
    limit: int, returned: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A start that reads many fingerprints from the cache gives freed memory back once; a small one does not."""
    references = files(tmp_path, 4)
    ImageIndex.build(references, cache=tmp_path / "cache")
    calls: list[int] = []
    monkeypatch.setattr(image_index, "_TRIM_AFTER", limit)
    monkeypatch.setattr(tuning, "return_freed_memory", lambda: calls.append(len(calls)))

    assert len(ImageIndex.build(references, cache=tmp_path / "cache")) == 4

    assert len(calls) == returned


def test_a_stored_fingerprint_is_the_computed_one(tmp_path: Path) -> None:
    """What is kept of a picture that was read, and what comes from the cache, has the arrays that were computed."""
    regions = (Region(Box(200, 300, 440, 360), 7),)
    computed = fingerprint(decode(picture("AB 1CD")), regions)
    disk = DiskCache(tmp_path / "cache")
    cache = FingerprintCache(disk, ArrayStore(disk.unnamed_file))
    kept = cache.put(computed.facts.sha256, regions, computed)
    stored = cache.get(computed.facts.sha256, regions)

    assert stored is not None
    assert arrays(kept) == arrays(stored) == arrays(computed)


def arrays(one: Fingerprint) -> list[object]:
    """All arrays of a fingerprint, with their kinds, shapes and bytes."""
    pixels: list[NDArray[Any]] = [one.palette, one.mosaic, *(thumbnail.pixels for thumbnail in one.thumbnails)]
    texts: list[NDArray[Any]] = [patch.pixels for patch in one.patches]
    keypoints: list[NDArray[Any]] = [part for each in one.anchors for part in (each.keypoints.read(), each.glyphs)]
    return [(array.dtype, array.shape, array.tobytes()) for array in (*pixels, *texts, *keypoints)]


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    """The cache compares the contents of a file, not its name."""
    references = files(tmp_path, 2)
    ImageIndex.build(references, cache=tmp_path / "cache")
    (tmp_path / "0.jpg").write_bytes(picture("ZZ 999", 9))
    index = ImageIndex.build(references, cache=tmp_path / "cache")

    assert [hit.id for hit in index.find(picture("ZZ 999", 9)).matches] == ["0.jpg"]
    assert index.find(picture("AB 0CD", 0)).matches == ()


@pytest.mark.parametrize("damage", [b"", b"no database at all" * 100])
def test_a_damaged_cache_is_ignored(tmp_path: Path, damage: bytes) -> None:
    """The index is built, whatever the files of the cache contain."""
    references = files(tmp_path, 1)
    ImageIndex.build(references, cache=tmp_path / "cache")
    for file in (tmp_path / "cache").iterdir():
        file.write_bytes(damage)

    assert len(ImageIndex.build(references, cache=tmp_path / "cache")) == 1


def test_an_update_keeps_what_is_unchanged(tmp_path: Path) -> None:
    """An update adds new pictures, keeps unchanged ones and drops removed ones."""
    references = files(tmp_path, 3)
    index = ImageIndex.build(references)
    renewed = index.updated([references[0], references[2], Reference("new", picture("NEW 77", 7))])

    assert [hit.id for hit in renewed.find(picture("NEW 77", 7)).matches] == ["new"]
    assert renewed.find(picture("AB 1CD", 1)).matches == ()
    assert [hit.id for hit in index.find(picture("AB 1CD", 1)).matches] == ["1.jpg"]


def test_an_update_without_a_change_is_the_same_index(tmp_path: Path) -> None:
    """A file that was saved again with the same content, or nothing at all, needs no new index."""
    references = files(tmp_path, 3)
    index = ImageIndex.build(references, cache=tmp_path / "cache")
    (tmp_path / "1.jpg").write_bytes(picture("AB 1CD", 1))

    assert index.updated(files(tmp_path, 3), cache=tmp_path / "cache") is index
    assert index.updated(references[:2]) is not index
    assert index.updated(reversed(references)) is not index


def test_an_update_shares_unchanged_fingerprints(tmp_path: Path) -> None:
    """One changed picture: the new index has the entries of the others, and nothing of them is stored again."""
    references = files(tmp_path, 3)
    index = ImageIndex.build(references, cache=tmp_path / "cache")
    (tmp_path / "1.jpg").write_bytes(picture("ZZ 999", 9))
    renewed = index.updated(references, cache=tmp_path / "cache")

    assert [new is old for new, old in zip(renewed._entries, index._entries, strict=True)] == [True, False, True]


def test_progress_is_reported(tmp_path: Path) -> None:
    """The callback gets the number of pictures done and the number of all, after each picture."""
    calls: list[tuple[int, int]] = []
    ImageIndex.build(files(tmp_path, 3), progress=lambda done, of: calls.append((done, of)))

    assert calls == [(1, 3), (2, 3), (3, 3)]


def test_the_same_picture_twice_is_a_collision() -> None:
    """Two references with the same pixels are reported as a collision, and a search finds both."""
    copy = BytesIO()
    Image.open(BytesIO(picture("AB 123"))).save(copy, "PNG")
    index = ImageIndex.build([Reference("a", picture("AB 123")), Reference("b", copy.getvalue())])

    assert [(pair.a, pair.b) for pair in index.collisions()] == [("a", "b")]
    assert [hit.id for hit in index.find(picture("AB 123")).matches] == ["a", "b"]


@pytest.mark.parametrize(("width", "reported"), [(28, [(4.0, True)]), (49, [(7.0, False)]), (70, [])])
def test_a_text_that_is_too_small_is_reported(width: int, reported: list[tuple[float, bool]]) -> None:
    """A box with fewer than eight pixels per character is reported; with fewer than five, it is certainly too small."""
    region = Region(Box(10, 10, 10 + width, 20), 7)
    index = ImageIndex.build([Reference("tiny", picture("AB 123"), (region,))])

    assert [(small.character, small.is_certain) for small in index.too_small()] == reported


@pytest.mark.parametrize(("ink", "is_reported"), [(150, True), (60, False)])
def test_a_faint_text_is_reported(ink: int, is_reported: bool) -> None:
    """A text that differs from its ground by fewer than thirty grey levels is reported with its contrast."""
    card = Image.linear_gradient("L").resize((640, 480)).convert("RGB")
    pen = ImageDraw.Draw(card)
    pen.rectangle((100, 200, 400, 280), (172, 172, 172))
    pen.text((250, 240), "KD 4821", (ink, ink, ink), ImageFont.load_default(60), anchor="mm")
    out = BytesIO()
    card.save(out, "PNG")
    index = ImageIndex.build([Reference("card", out.getvalue(), (Region(Box(110, 205, 390, 275), 7),))])

    assert [faint.id for faint in index.too_faint()] == (["card"] if is_reported else [])


def test_a_neighbour_is_explained() -> None:
    """The explanation of a near miss has the reference, the reason and the place, and can be drawn."""
    index = ImageIndex.build([Reference("a", picture("AB 123"), (Region(Box(200, 300, 440, 360), 6),))])
    sent = picture("AB 128")
    explanation = index.explain(sent)

    assert explanation.search.matches == ()
    assert [(near.id, near.reason) for near in explanation.search.near_misses] == [("a", "other_text")]
    assert "other text" in explanation.summary
    (place,) = explanation.regions
    assert 360 <= (place.xmin + place.xmax) / 2 <= 440
    assert 300 <= (place.ymin + place.ymax) / 2 <= 360
    drawn = Image.open(BytesIO(index.explanation_picture(explanation, sent)))
    assert drawn.format == "PNG"
    assert drawn.width > 1200


def test_a_box_is_proposed_where_a_text_stands() -> None:
    """A plate is proposed; nothing is proposed where nothing looks like text."""
    box = propose_box(picture("AB 123"))
    even = BytesIO()
    Image.linear_gradient("L").save(even, "PNG")

    assert box is not None
    assert box.xmin < 260
    assert box.xmax > 380
    assert box.ymin < 330 < box.ymax
    assert propose_box(even.getvalue()) is None


def _slanted(angle: float, pitch: float) -> tuple[bytes, Box]:
    """A label with eight characters at this pitch on even ground, turned by an angle, and the box around it."""
    label = Image.new("L", (round(80 * pitch), round(14 * pitch)), 205)
    pen, face = ImageDraw.Draw(label), ImageFont.load_default(13 * pitch)
    for place, character in enumerate("HK4E8X2M"):
        pen.text(((place + 0.5) * 10 * pitch, 7 * pitch), character, 30, face, anchor="mm")
    label = label.resize((round(8 * pitch), round(1.4 * pitch)), Image.Resampling.LANCZOS)
    turned = label.rotate(angle, Image.Resampling.BICUBIC, expand=True, fillcolor=150)
    card = Image.linear_gradient("L").resize((400, 300)).point([100 + value // 3 for value in range(256)])
    card.paste(turned, (60, 50))
    out = BytesIO()
    card.save(out, "PNG")
    return out.getvalue(), Box(60, 50, 60 + turned.width, 50 + turned.height)


@pytest.mark.parametrize("angle", [0, 15, 30, -40, 50])
@pytest.mark.parametrize(("pitch", "is_reported"), [(6.0, True), (10.0, False)])
def test_a_slanted_text_is_measured_along_its_line(angle: float, pitch: float, is_reported: bool) -> None:
    """The box around a slanted text is narrower than the text is long; its width does not give the characters' size."""
    data, box = _slanted(angle, pitch)
    small = ImageIndex.build([Reference("slanted", data, (Region(box, 8),))]).too_small()

    assert bool(small) is is_reported
    assert [one.character for one in small] == pytest.approx([pitch] * is_reported, abs=0.8)
