"""Fingerprints kept on disk between runs, by the content of the picture.

The digest of a file is stored with its size and time of change, so that a second start reads no picture.
"""

from collections.abc import Callable
from dataclasses import asdict, astuple
from functools import lru_cache
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from mock_server.disk_cache import DiskCache, signature_of
from mock_server.imaging.anchors import GLYPHS, Anchor
from mock_server.imaging.array_blocks import ArrayBlocks
from mock_server.imaging.colours import PALETTE_CELLS
from mock_server.imaging.fingerprint import Fingerprint, Patch
from mock_server.imaging.geometry import Frame
from mock_server.imaging.pixel_store import PixelsInMemory
from mock_server.imaging.registration import MOSAIC
from mock_server.imaging.results import PictureFacts, Region
from mock_server.imaging.thumbnails import THUMBNAIL_CELLS, FrameThumbnail

VERSION = "16"
"""Raised with every change of what a fingerprint holds or how it is made."""

# Most thumbnails show the whole picture, or what a crop leaves of it.
_shared_frame = lru_cache(64)(Frame)
_Copy = Callable[[NDArray[Any]], NDArray[Any]]


class FingerprintCache:
    """The fingerprints in a cache on disk. Thread-safe."""

    def __init__(self, disk: DiskCache) -> None:
        self._disk = disk
        # The keypoints of an index are copied once more, after which these blocks are free again.
        self._blocks, self._keypoint_blocks = ArrayBlocks(), ArrayBlocks()

    def digest_of(self, source: Path | bytes) -> str | None:
        """The SHA-256 of a file that has not changed since it was last read."""
        if isinstance(source, bytes):
            return None
        digest = self._disk.get(f"digest {source.absolute()}", _signature(source))
        return digest.decode() if digest else None

    def put_digest(self, source: Path | bytes, sha256: str) -> None:
        """Store the digest of a file."""
        if not isinstance(source, bytes):
            self._disk.put(f"digest {source.absolute()}", sha256.encode(), _signature(source))

    def get(self, sha256: str, regions: tuple[Region, ...]) -> Fingerprint | None:
        """The fingerprint of a picture with these regions."""
        record = self._disk.get(_key(sha256, regions), VERSION)
        return _decode(record, self._blocks, self._keypoint_blocks) if record else None

    def put(self, sha256: str, regions: tuple[Region, ...], fingerprint: Fingerprint) -> Fingerprint:
        """Store a fingerprint. Returns an equal one, whose arrays do not lie scattered where the picture was decoded.

        An index of 10,000 pictures that were read then takes as much memory as one from the cache.
        """
        record = _encode(fingerprint)
        self._disk.put(_key(sha256, regions), record, VERSION)
        return _decode(record, self._blocks, self._keypoint_blocks) or fingerprint


def _key(sha256: str, regions: tuple[Region, ...]) -> str:
    return f"fingerprint {sha256} {regions!r}"


def _signature(path: Path) -> str:
    return " ".join(map(str, signature_of(path.stat())))


def _encode(fingerprint: Fingerprint) -> bytes:
    """The fingerprint as bytes: a JSON header, then the arrays one after another."""
    header = orjson.dumps(
        {
            "facts": asdict(fingerprint.facts),
            "content": fingerprint.content.hex(),
            "pixels": fingerprint.pixels.hex(),
            "thumbnails": [astuple(thumbnail.frame) for thumbnail in fingerprint.thumbnails],
            "patches": [
                [astuple(patch.frame), patch.pitch, patch.character, patch.is_declared, patch.shape]
                for patch in fingerprint.patches
            ],
            "anchors": [[astuple(anchor.frame), anchor.finest, len(anchor.codes)] for anchor in fingerprint.anchors],
        }
    )
    arrays: list[NDArray[Any]] = [
        fingerprint.palette,
        fingerprint.mosaic,
        *(thumbnail.pixels for thumbnail in fingerprint.thumbnails),
        *(patch.pixels for patch in fingerprint.patches),
        *(
            part
            for anchor in fingerprint.anchors
            for part in (anchor.levels, anchor.offsets, anchor.codes, anchor.glyphs)
        ),
    ]
    return b"".join([len(header).to_bytes(4, "little"), header, *(array.tobytes() for array in arrays)])


def _decode(record: bytes, blocks: ArrayBlocks, keypoint_blocks: ArrayBlocks) -> Fingerprint | None:
    try:
        length = int.from_bytes(record[:4], "little")
        header = orjson.loads(record[4 : 4 + length])
        return _fingerprint(header, record, 4 + length, blocks.copy, keypoint_blocks.copy)
    except (ValueError, KeyError, TypeError, IndexError):
        return None


def _fingerprint(header: dict[str, Any], record: bytes, start: int, copy: _Copy, copy_keypoints: _Copy) -> Fingerprint:
    offset = start

    def array(shape: tuple[int, ...], kind: type[np.generic], copy: _Copy = copy) -> NDArray[Any]:
        nonlocal offset
        values = np.frombuffer(record, dtype=kind, count=prod(shape), offset=offset).reshape(shape)
        offset += values.nbytes
        return copy(values)

    return Fingerprint(
        facts=PictureFacts(**header["facts"]),
        content=bytes.fromhex(header["content"]),
        pixels=bytes.fromhex(header["pixels"]),
        # Python evaluates arguments in this order, which is the order of the arrays.
        palette=array((PALETTE_CELLS, PALETTE_CELLS, 3), np.uint8),
        stored_mosaic=PixelsInMemory(array((MOSAIC, MOSAIC), np.uint8, np.copy)),
        thumbnails=tuple(
            FrameThumbnail(_shared_frame(*frame), array((THUMBNAIL_CELLS, THUMBNAIL_CELLS), np.float16))
            for frame in header["thumbnails"]
        ),
        patches=tuple(
            Patch(Frame(*frame), pitch, character, is_declared, PixelsInMemory(array(tuple(shape), np.uint8, np.copy)))
            for frame, pitch, character, is_declared, shape in header["patches"]
        ),
        anchors=tuple(
            Anchor(
                Frame(*frame),
                finest,
                array((count,), np.uint8, copy_keypoints),
                array((count, 2), np.int16, copy_keypoints),
                array((count,), np.uint64, copy_keypoints),
                array(GLYPHS[::-1], np.uint8),
            )
            for frame, finest, count in header["anchors"]
        ),
    )
