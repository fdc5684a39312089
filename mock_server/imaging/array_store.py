"""Arrays of references that a search needs of a few candidates alone: mosaics, texts, colours.

Those of a small collection stay in memory, all others lie in a file. It has no name, so that no program can change or
remove it, and vanishes with the last fingerprint that refers to it. Processes that were forked share it.
"""

import os
import weakref
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import prod
from threading import Lock
from typing import Any, BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray

from mock_server.errors import FingerprintsLostError

# Bytes that stay in memory before a file is used: the arrays of about 160 pictures.
_IN_MEMORY = 4_000_000
# Files that a fingerprint index may refer to before its arrays are gathered in a new one.
_MOST_FILES = 8


class _Storage(Protocol):
    is_lost: bool

    def read(self, offset: int, length: int) -> bytes | memoryview: ...


@dataclass(frozen=True, slots=True)
class StoredArray:
    """An array that begins at `offset` of a storage."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    kind: np.dtype[Any]

    def read(self) -> NDArray[Any]:
        """The array; it cannot be written to. Raises FingerprintsLostError where the disk fails."""
        return np.frombuffer(self.storage.read(self.offset, self.length), self.kind).reshape(self.shape)

    @property
    def length(self) -> int:
        """In bytes."""
        return prod(self.shape) * self.kind.itemsize


def in_memory(array: NDArray[Any]) -> StoredArray:
    """An array that was just computed."""
    return StoredArray(_Memory(array.tobytes()), 0, array.shape, array.dtype)


class ArrayStore:
    """Where the fingerprints of one build keep their arrays. `open_file`: opens the file; None where there can be none.

    Thread-safe.
    """

    def __init__(self, open_file: Callable[[], BinaryIO | None]) -> None:
        self._open_file = open_file if hasattr(os, "pread") else None
        self._file: _File | None = None
        self._length = 0
        self._lock = Lock()

    def keep(self, data: bytes) -> tuple[_Storage, int]:
        """Where these bytes are kept: in the file, or in memory while there are few or where the file takes no more."""
        with self._lock:
            offset = self._length
            self._length += len(data)
            if self._length > _IN_MEMORY and self._open_file is not None:
                file, self._open_file = self._open_file(), None
                self._file = None if file is None else _File(file)
        if self._file is not None and self._file.write(offset, data):
            return self._file, offset
        return _Memory(data), 0


class _Memory:
    """Bytes in memory."""

    __slots__ = ("_data",)
    is_lost = False

    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)

    def read(self, offset: int, length: int) -> memoryview:
        return self._data[offset : offset + length]


class _File:
    """Reads and writes at any place without moving a position, which forked processes would share."""

    def __init__(self, file: BinaryIO) -> None:
        with file:
            self._descriptor = os.dup(file.fileno())
        self.is_lost = False
        # At the end of the program, threads may still search. The system closes the file.
        weakref.finalize(self, os.close, self._descriptor).atexit = False

    def write(self, offset: int, data: bytes) -> bool:
        """Whether all of `data` could be written."""
        try:
            return os.pwrite(self._descriptor, data, offset) == len(data)
        except OSError:
            return False

    def read(self, offset: int, length: int) -> bytes:
        """Bytes that were written. Raises FingerprintsLostError where the disk fails."""
        try:
            if len(data := os.pread(self._descriptor, length, offset)) == length:
                return data
            reason = "the file has become shorter"
        except OSError as error:
            reason = str(error)
        self.is_lost = True
        raise FingerprintsLostError(reason)


def are_scattered(arrays: Iterable[StoredArray]) -> bool:
    """Whether they lie in many files, of which the most part may no longer be needed."""
    return len({id(one.storage) for one in arrays if isinstance(one.storage, _File)}) > _MOST_FILES
