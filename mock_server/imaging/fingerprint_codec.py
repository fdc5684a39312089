"""A fingerprint as bytes and back: a JSON head, then the arrays one after another."""

from dataclasses import asdict
from math import prod
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from mock_server.imaging.colours import SIDE
from mock_server.imaging.fingerprint import Fingerprint, Patch
from mock_server.imaging.registration import MOSAIC, Frame
from mock_server.imaging.results import PictureFacts
from mock_server.imaging.thumbnails import THUMB, View


def packed(made: Fingerprint) -> bytes:
    """The fingerprint as bytes."""
    head = orjson.dumps(
        {
            "facts": asdict(made.facts),
            "content": made.content.hex(),
            "pixels": made.pixels.hex(),
            "views": [_edges(view.frame) for view in made.views],
            "patches": [
                [_edges(patch.frame), patch.cell, patch.letter, patch.rank, patch.pixels.shape]
                for patch in made.patches
            ],
        }
    )
    arrays: list[NDArray[Any]] = [
        made.palette,
        made.mosaic,
        *(view.thumb for view in made.views),
        *(patch.pixels for patch in made.patches),
    ]
    return b"".join([len(head).to_bytes(4, "little"), head, *(array.tobytes() for array in arrays)])


def unpacked(record: bytes) -> Fingerprint | None:
    """The fingerprint of such bytes; None where they are damaged."""
    try:
        length = int.from_bytes(record[:4], "little")
        return _read(orjson.loads(record[4 : 4 + length]), record, 4 + length)
    except (ValueError, KeyError, TypeError, IndexError):
        return None


def _read(head: dict[str, Any], record: bytes, start: int) -> Fingerprint:
    place = start

    def array(shape: tuple[int, ...], kind: type[np.generic]) -> NDArray[Any]:
        nonlocal place
        count = prod(shape)
        values = np.frombuffer(record, dtype=kind, count=count, offset=place).reshape(shape).copy()
        place += values.nbytes
        return values

    palette = array((SIDE, SIDE, 3), np.uint8)
    mosaic = array((MOSAIC, MOSAIC), np.uint8)
    views = tuple(View(Frame(*edges), array((THUMB, THUMB), np.float32)) for edges in head["views"])
    patches = tuple(
        Patch(Frame(*edges), cell, letter, rank, array(tuple(shape), np.uint8))
        for edges, cell, letter, rank, shape in head["patches"]
    )
    facts = PictureFacts(**head["facts"])
    content, pixels = bytes.fromhex(head["content"]), bytes.fromhex(head["pixels"])
    return Fingerprint(facts, content, pixels, palette, mosaic, views, patches)


def _edges(frame: Frame) -> tuple[float, float, float, float]:
    return frame.left, frame.top, frame.width, frame.height
