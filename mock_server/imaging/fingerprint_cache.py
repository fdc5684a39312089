"""Fingerprints kept on disk between runs, by the content of the picture.

The digest of a file is stored with its size and time of change, so that a second start reads no picture.
"""

from dataclasses import asdict, astuple
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from mock_server.disk_cache import DiskCache, signature_of
from mock_server.imaging.anchors import GLYPHS, KEYPOINT, Anchor
from mock_server.imaging.array_store import ArrayStore, StoredArray
from mock_server.imaging.colours import PALETTE_CELLS
from mock_server.imaging.fingerprint import Fingerprint, Patch
from mock_server.imaging.geometry import Frame
from mock_server.imaging.registration import MOSAIC
from mock_server.imaging.results import PictureFacts, Region
from mock_server.imaging.thumbnails import THUMBNAIL_CELLS

VERSION = "19"
"""Raised with every change of what a fingerprint holds or how it is made."""

# Most thumbnails show the whole picture, or what a crop leaves of it.
_shared_frame = lru_cache(64)(Frame)
_GREY, _HALVES = np.dtype(np.uint8), np.dtype(np.float16)
# Shapes that all fingerprints share.
_PALETTE, _MOSAIC, _GLYPHS = (PALETTE_CELLS, PALETTE_CELLS, 3), (MOSAIC, MOSAIC), GLYPHS[::-1]


class FingerprintCache:
    """The fingerprints in a cache on disk; the arrays of those that are used are kept in `store`. Thread-safe."""

    def __init__(self, disk: DiskCache, store: ArrayStore) -> None:
        self._disk, self._store = disk, store

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
        return _decode(record, self._store) if record else None

    def put(self, sha256: str, regions: tuple[Region, ...], fingerprint: Fingerprint) -> Fingerprint:
        """Store a fingerprint. Returns an equal one, whose arrays are in the store."""
        record = _encode(fingerprint)
        self._disk.put(_key(sha256, regions), record, VERSION)
        return _decode(record, self._store) or fingerprint


def _key(sha256: str, regions: tuple[Region, ...]) -> str:
    return f"fingerprint {sha256} {regions!r}"


def _signature(path: Path) -> str:
    return str(signature_of(path.stat()))


def _encode(fingerprint: Fingerprint) -> bytes:
    """The fingerprint as bytes: a JSON header, then the arrays one after another."""
    header = orjson.dumps(
        {
            "facts": asdict(fingerprint.facts),
            "content": fingerprint.content.hex(),
            "pixels": fingerprint.pixels.hex(),
            "thumbnails": [astuple(frame) for frame in fingerprint.frames],
            "patches": [
                [astuple(patch.frame), patch.pitch, patch.character, patch.is_declared, patch.shape]
                for patch in fingerprint.patches
            ],
            "anchors": [
                [astuple(anchor.frame), anchor.finest, *anchor.keypoints.shape] for anchor in fingerprint.anchors
            ],
        }
    )
    arrays = [
        fingerprint.stored_palette,
        fingerprint.stored_mosaic,
        fingerprint.stored_thumbnails,
        *(patch.stored for patch in fingerprint.patches),
        *(part for anchor in fingerprint.anchors for part in (anchor.keypoints, anchor.stored_glyphs)),
    ]
    return b"".join([len(header).to_bytes(4, "little"), header, *(array.read().tobytes() for array in arrays)])


def _decode(record: bytes, store: ArrayStore) -> Fingerprint | None:
    try:
        start = 4 + int.from_bytes(record[:4], "little")
        return _fingerprint(orjson.loads(record[4:start]), record[start:], store)
    except (ValueError, KeyError, TypeError, IndexError):
        return None


def _fingerprint(header: dict[str, Any], arrays: bytes, store: ArrayStore) -> Fingerprint:
    storage, offset = store.keep(arrays)

    def array(shape: tuple[int, ...], kind: np.dtype[Any] = _GREY) -> StoredArray:
        nonlocal offset
        stored = StoredArray(storage, offset, shape, kind)
        offset += stored.length
        return stored

    return Fingerprint(
        facts=PictureFacts(**header["facts"]),
        content=bytes.fromhex(header["content"]),
        pixels=bytes.fromhex(header["pixels"]),
        # Python evaluates arguments in this order, which is the order of the arrays.
        stored_palette=array(_PALETTE),
        stored_mosaic=array(_MOSAIC),
        frames=tuple(_shared_frame(*frame) for frame in header["thumbnails"]),
        stored_thumbnails=array((len(header["thumbnails"]), THUMBNAIL_CELLS, THUMBNAIL_CELLS), _HALVES),
        patches=tuple(
            Patch(Frame(*frame), pitch, character, is_declared, array(tuple(shape)))
            for frame, pitch, character, is_declared, shape in header["patches"]
        ),
        anchors=tuple(
            Anchor(Frame(*frame), finest, array((count,), KEYPOINT), array(_GLYPHS))
            for frame, finest, count in header["anchors"]
        ),
    )
