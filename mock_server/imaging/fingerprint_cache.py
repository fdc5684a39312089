"""Fingerprints kept on disk between runs, by the content of the picture.

The digest of a file is stored with its size and time of change, so that a second start reads no picture.
"""

from pathlib import Path
from types import TracebackType
from typing import Self

from mock_server.disk_cache import DiskCache
from mock_server.imaging.fingerprint import Fingerprint, Region
from mock_server.imaging.fingerprint_codec import decode_fingerprint, encode_fingerprint

VERSION = "10"
"""Raised with every change of what a fingerprint holds or how it is made."""


class FingerprintCache:
    """The cache in `directory`; empty if that is None. Thread-safe; a context manager."""

    def __init__(self, directory: Path | None) -> None:
        self._disk = DiskCache(directory)

    def __enter__(self) -> Self:
        self._disk.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._disk.__exit__(kind, error, trace)

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
        return decode_fingerprint(record) if record else None

    def put(self, sha256: str, regions: tuple[Region, ...], fingerprint: Fingerprint) -> None:
        """Store a fingerprint."""
        self._disk.put(_key(sha256, regions), encode_fingerprint(fingerprint), VERSION)


def _key(sha256: str, regions: tuple[Region, ...]) -> str:
    return f"fingerprint {sha256} {regions!r}"


def _signature(path: Path) -> str:
    facts = path.stat()
    return f"{facts.st_size} {facts.st_mtime_ns}"
