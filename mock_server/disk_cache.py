"""A cache on disk for results that can be computed again: one file for each entry.

Nothing in the cache is executed, and nothing in it is trusted: the directory and the files must belong to this user and
must not be writable by others, and each file begins with a checksum. A file that cannot be used is a miss. A directory
that cannot be used is a cache without own entries: nothing is written.

The container image brings entries for the shipped pictures. They are as trustworthy as the code beside them.
"""

import os
import stat
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import xxhash
from platformdirs import user_cache_path

from mock_server.atomic_write import write_atomically

_CHECKSUM_BYTES = 16
_WRITABLE_BY_OTHERS = 0o022
_SHIPPED = Path(__file__).parent / "_cache"


def default_cache_directory() -> Path | None:
    """The user's cache directory for this program; None without a home directory."""
    try:
        directory = user_cache_path("vehicle-ocr-mock", appauthor=False)
    except RuntimeError:  # newer versions of platformdirs
        return None
    return directory if directory.is_absolute() else None


Signature = int
"""A number that changes with the content of a file."""


def signature_of(facts: os.stat_result) -> Signature:
    """The signature of a file, by `os.stat`: a hash, which takes a sixth of the memory of its parts.

    Copies, archives and reproducible builds set `st_mtime`. Nothing sets `st_ctime`.
    """
    return hash((facts.st_mtime_ns, facts.st_ctime_ns, facts.st_size, facts.st_ino))


class DiskCache:
    """The cache in `directory`, or a cache that is always empty if that is None. Safe for threads and processes."""

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory if directory and _is_usable(directory) else None
        self._sources = [(self._directory, _user())] if self._directory else []
        if directory and _SHIPPED.is_dir():
            self._sources.append((_SHIPPED, Path(__file__).stat().st_uid))

    def get(self, key: str, version: str = "") -> bytes | None:
        """The value that was stored under `key` by the same `version` of the code; None if there is none."""
        for directory, owner in self._sources:
            path = directory / _hash(key).hex()
            try:
                data = path.read_bytes() if _is_safe(path, stat.S_ISREG, owner) else b""
            except OSError:
                continue
            value = data[_CHECKSUM_BYTES:]
            if data[:_CHECKSUM_BYTES] == _checksum(key, version, value):
                return value
        return None

    def put(self, key: str, value: bytes, version: str = "") -> None:
        """Store a value if that is possible."""
        if self._directory is None:
            return
        with suppress(OSError):
            data = _checksum(key, version, value) + value
            write_atomically(self._directory / _hash(key).hex(), data, mode=0o600)

    def unnamed_file(self) -> BinaryIO | None:
        """A file in the directory that has no name and vanishes when it is closed; None where that is not possible."""
        with suppress(OSError):
            # Without a buffer: its descriptor is used directly.
            return tempfile.TemporaryFile(buffering=0, dir=self._directory) if self._directory else None
        return None


def _checksum(key: str, version: str, value: bytes) -> bytes:
    return xxhash.xxh3_128_digest(_hash(key) + _hash(version) + value)


def _hash(text: str) -> bytes:
    # The name of a file may hold bytes that are not text.
    return xxhash.xxh3_128_digest(text.encode("utf-8", "backslashreplace"))


def _is_usable(directory: Path) -> bool:
    """Make the directory if it is missing; whether it can be trusted."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        return _is_safe(directory, stat.S_ISDIR, _user())
    except OSError:
        return False


def _user() -> int:
    return os.geteuid() if os.name == "posix" else 0


def _is_safe(path: Path, is_kind: Callable[[int], bool], owner: int) -> bool:
    """Whether `path` is of the expected kind, belongs to `owner` and cannot be changed by others.

    Nothing is opened: opening a FIFO would block. A symbolic link is never of the expected kind.
    """
    facts = path.lstat()
    if not is_kind(facts.st_mode):
        return False
    if os.name != "posix":
        return True
    return facts.st_uid == owner and not facts.st_mode & _WRITABLE_BY_OTHERS
