"""Pairs of references that no search could tell apart."""

from io import BytesIO

from PIL import Image

from mock_server.drawing.draw import draw
from mock_server.imaging.index import ImageIndex, Reference, Region


def _encoded(image: Image.Image, format: str = "JPEG", quality: int = 90) -> bytes:
    out = BytesIO()
    image.convert("RGB").save(out, format, quality=quality)
    return out.getvalue()


def test_one_picture_encoded_twice_collides() -> None:
    """A re-encoded copy collides with its original, and nothing else does."""
    kept = draw("plate", text="B-MW 1234", region="de", seed=1)
    neighbour = draw("plate", text="B-MW 1284", region="de", seed=1)
    box = kept.truth.plates[0].box
    assert box is not None
    regions = (Region(box, 7),)
    index = ImageIndex.build(
        [
            Reference("kept", _encoded(kept.image), regions),
            Reference("copy", _encoded(kept.image, quality=60), regions),
            Reference("neighbour", _encoded(neighbour.image), regions),
        ]
    )

    assert [{one.a, one.b} for one in index.collisions()] == [{"kept", "copy"}]


def test_boxes_are_not_needed() -> None:
    """Collisions are found without declared boxes, too."""
    drawing = draw("vin", text="JHLRD77874C026456", seed=2)
    neighbour = draw("vin", text="JHLRD77874C026458", seed=2)
    index = ImageIndex.build(
        [
            Reference("kept", _encoded(drawing.image)),
            Reference("copy", _encoded(drawing.image, "WEBP", 80)),
            Reference("neighbour", _encoded(neighbour.image)),
        ]
    )

    assert [{one.a, one.b} for one in index.collisions()] == [{"kept", "copy"}]


def test_texts_that_are_too_small_to_tell_apart_collide() -> None:
    """Two readings of one scene collide where their text has too few pixels, and do not where it has enough."""
    scenes = [draw("scene", text=text, region="de", seed=21).image for text in ("HA-KE 382", "HA-KE 392")]

    def found(width: int) -> int:
        reduced = [scene.resize((width, width * 3 // 4)) for scene in scenes]
        references = [Reference(str(number), _encoded(image)) for number, image in enumerate(reduced)]
        return len(ImageIndex.build(references).collisions())

    assert found(160) == 1
    assert found(640) == 0
