"""Pixels of references that a search needs of a few candidates alone: mosaics and texts.

Those of a small collection stay in memory, all others lie in a file. It has no name, so that no program can change or
remove it, and vanishes with the last fingerprint that refers to it. Processes that were forked share it.
"""

import os
import weakref
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import prod
from threading import Lock
from typing import BinaryIO, Protocol

import numpy as np

from mock_server.imaging.pixel_transforms import Grey

# Bytes that stay in memory before a file is used: the pixels of about 200 pictures.
_IN_MEMORY = 4_000_000
# Files that a fingerprint index may refer to before its pixels are gathered in a new one.
_MOST_FILES = 8


class Pixels(Protocol):
    """Grey pixels, in memory or in a file."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        ...

    def read(self) -> Grey:
        """The pixels."""
        ...


@dataclass(frozen=True, slots=True)
class PixelsInMemory:
    """Pixels that are an array."""

    grey: Grey

    @property
    def shape(self) -> tuple[int, int]:
        rows, columns = self.grey.shape
        return rows, columns

    def read(self) -> Grey:
        return self.grey


@dataclass(frozen=True, slots=True)
class PixelsInFile:
    """Pixels that begin at `offset` of a file."""

    file: "_PixelFile"
    offset: int
    shape: tuple[int, int]

    def read(self) -> Grey:
        return np.frombuffer(self.file.read(self.offset, prod(self.shape)), np.uint8).reshape(self.shape)


class PixelStore:
    """Where the fingerprints of one build keep their pixels. `open_file`: opens the file; None where there can be none.

    Thread-safe.
    """

    def __init__(self, open_file: Callable[[], BinaryIO | None]) -> None:
        self._open_file = open_file if hasattr(os, "pread") else None
        self._file: _PixelFile | None = None
        self._length = 0
        self._lock = Lock()

    def keep(self, grey: Grey) -> Pixels:
        """The same pixels, kept in the file; in memory as long as there are few, or where the file takes no more."""
        with self._lock:
            offset = self._length
            self._length += grey.nbytes
            if self._length > _IN_MEMORY and self._open_file is not None:
                file, self._open_file = self._open_file(), None
                self._file = None if file is None else _PixelFile(file)
        if self._file is not None and self._file.write(offset, grey.tobytes()):
            return PixelsInFile(self._file, offset, (grey.shape[0], grey.shape[1]))
        return PixelsInMemory(grey)


class _PixelFile:
    """Reads and writes at any place without moving a position, which forked processes would share."""

    def __init__(self, file: BinaryIO) -> None:
        with file:
            self._descriptor = os.dup(file.fileno())
        # At the end of the program, threads may still search. The system closes the file.
        weakref.finalize(self, os.close, self._descriptor).atexit = False

    def write(self, offset: int, data: bytes) -> bool:
        """Whether all of `data` could be written."""
        try:
            return os.pwrite(self._descriptor, data, offset) == len(data)
        except OSError:
            return False

    def read(self, offset: int, length: int) -> bytes:
        """Bytes that were written; raises OSError where the disk fails."""
        return os.pread(self._descriptor, length, offset)


def are_scattered(pixels: Iterable[Pixels]) -> bool:
    """Whether they lie in many files, of which the most part may no longer be needed."""
    return len({id(one.file) for one in pixels if isinstance(one, PixelsInFile)}) > _MOST_FILES
