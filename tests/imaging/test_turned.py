"""Turned pictures whose thumbnails look upright, because a plate or a label is nearly symmetric."""

from io import BytesIO

import pytest
from PIL import Image

from mock_server.drawing.draw import draw
from mock_server.imaging.index import ImageIndex, Reference, Region

TURNS = list(Image.Transpose)
DRAWINGS = [("plate", "HH-BS 5081", "HH-BS 5061"), ("vin", "JHLRD77874C026456", "JHLRD77874C026458")]


def _encoded(image: Image.Image) -> bytes:
    out = BytesIO()
    image.convert("RGB").save(out, "JPEG", quality=85)
    return out.getvalue()


@pytest.mark.parametrize(("kind", "text", "neighbour"), DRAWINGS)
def test_turned_and_mirrored(kind: str, text: str, neighbour: str) -> None:
    """The picture matches in every orientation, its neighbour in none."""
    # The kinds come from the table above as plain strings.
    known, other = draw(kind, text=text, seed=4), draw(kind, text=neighbour, seed=4)  # type: ignore[arg-type]
    reading = known.truth.plates[0] if known.truth.plates else known.truth.vin
    assert reading is not None
    assert reading.box is not None
    index = ImageIndex.build([Reference("known", _encoded(known.image), (Region(reading.box, len(text)),))])
    found = [index.find(_encoded(known.image.transpose(turn))).matches for turn in TURNS]

    assert [[hit.id for hit in hits] for hits in found] == [["known"]] * len(TURNS)
    assert not any(index.find(_encoded(other.image.transpose(turn))).matches for turn in TURNS)
