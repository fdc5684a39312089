"""A fingerprint as bytes and back: a JSON header, then the arrays one after another."""

from dataclasses import asdict, astuple
from math import prod
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from mock_server.imaging.colours import PALETTE_CELLS
from mock_server.imaging.fingerprint import Fingerprint, Patch
from mock_server.imaging.geometry import Frame
from mock_server.imaging.registration import MOSAIC
from mock_server.imaging.results import PictureFacts
from mock_server.imaging.thumbnails import THUMBNAIL_CELLS, FrameThumbnail


def encode_fingerprint(fingerprint: Fingerprint) -> bytes:
    """The fingerprint as bytes."""
    header = orjson.dumps(
        {
            "facts": asdict(fingerprint.facts),
            "content": fingerprint.content.hex(),
            "pixels": fingerprint.pixels.hex(),
            "thumbnails": [astuple(thumbnail.frame) for thumbnail in fingerprint.thumbnails],
            "patches": [
                [astuple(patch.frame), patch.pitch, patch.character, patch.rank, patch.pixels.shape]
                for patch in fingerprint.patches
            ],
        }
    )
    arrays: list[NDArray[Any]] = [
        fingerprint.palette,
        fingerprint.mosaic,
        *(thumbnail.pixels for thumbnail in fingerprint.thumbnails),
        *(patch.pixels for patch in fingerprint.patches),
    ]
    return b"".join([len(header).to_bytes(4, "little"), header, *(array.tobytes() for array in arrays)])


def decode_fingerprint(record: bytes) -> Fingerprint | None:
    """The fingerprint of such bytes; None where they are damaged."""
    try:
        length = int.from_bytes(record[:4], "little")
        return _decode(orjson.loads(record[4 : 4 + length]), record, 4 + length)
    except (ValueError, KeyError, TypeError, IndexError):
        return None


def _decode(header: dict[str, Any], record: bytes, start: int) -> Fingerprint:
    offset = start

    def array(shape: tuple[int, ...], kind: type[np.generic]) -> NDArray[Any]:
        nonlocal offset
        values = np.frombuffer(record, dtype=kind, count=prod(shape), offset=offset).reshape(shape).copy()
        offset += values.nbytes
        return values

    return Fingerprint(
        facts=PictureFacts(**header["facts"]),
        content=bytes.fromhex(header["content"]),
        pixels=bytes.fromhex(header["pixels"]),
        # Python evaluates arguments in this order, which is the order of the arrays.
        palette=array((PALETTE_CELLS, PALETTE_CELLS, 3), np.uint8),
        mosaic=array((MOSAIC, MOSAIC), np.uint8),
        thumbnails=tuple(
            FrameThumbnail(Frame(*frame), array((THUMBNAIL_CELLS, THUMBNAIL_CELLS), np.float32))
            for frame in header["thumbnails"]
        ),
        patches=tuple(
            Patch(Frame(*frame), pitch, character, rank, array(tuple(shape), np.uint8))
            for frame, pitch, character, rank, shape in header["patches"]
        ),
    )
