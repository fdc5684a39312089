"""The pictures of an index's references, read again where a comparison needs more than their fingerprints."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import cached_property, lru_cache, partial
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mock_server.errors import ImageError
from mock_server.imaging.build_index import Entry, read
from mock_server.imaging.decode import Picture, decode
from mock_server.imaging.fingerprint import Fingerprint
from mock_server.imaging.open_image import can_draft
from mock_server.imaging.text_detection import TextLine, likely_lines

# Grey working copies of references kept in memory, 1 to 3 MB each.
_GREY_COPIES = 16
# References of which the likely lines are kept, at most 8 KB each.
_LINES = 1024
# Grey levels by which the mosaics of a JPEG and of a lossless copy of its pixels may differ: 13 were the most, with
# saturated colours at a low quality. A decoder reduces a JPEG before it clips the colours, other pictures are reduced
# after that.
_REDUCTION_DIFFERENCE = 16
# Every how many rows and columns of a mosaic two pictures are compared first.
_SAMPLING = 32

_Result = TypeVar("_Result")


class ReferencePictures:
    """Reads the pictures of references, given by their positions in the index. Thread-safe."""

    def __init__(self, entries: Sequence[Entry], max_pixels: int) -> None:
        self._entries, self._max_pixels = entries, max_pixels
        # Not bound methods: a cycle of references would keep a replaced index alive.
        self._grey = lru_cache(_GREY_COPIES)(partial(_read_grey, entries, max_pixels))
        self._lines = lru_cache(_LINES)(partial(_find_lines, self._grey))

    def decoded(self, position: int) -> Picture:
        """The picture; raises OSError, and the errors of `ImageError`."""
        return decode(read(self._entries[position].reference), max_pixels=self._max_pixels)

    def grey(self, position: int) -> Image.Image | None:
        """The grey working copy."""
        return _unless_gone(lambda: self._grey(position))

    def colours(self, position: int) -> Image.Image | None:
        """The working copy in RGB."""
        return _unless_gone(lambda: self.decoded(position).working_colours())

    def lines(self, position: int) -> tuple[TextLine, ...]:
        """The lines that may be text."""
        return _unless_gone(lambda: self._lines(position)) or ()

    def pixels(self, position: int) -> bytes | None:
        """The digest of all pixels."""
        fingerprint = self._entries[position].fingerprint
        is_known = not can_draft(fingerprint.facts.format)
        return fingerprint.pixels if is_known else _unless_gone(lambda: self.decoded(position).pixels())

    def lossless_copies(self) -> Iterator[tuple[int, int]]:
        """Positions of a JPEG and of a reference in another format that has the same pixels.

        Only JPEGs that look like such a reference are decoded in full.
        """
        positions: dict[tuple[bool, tuple[int, int]], list[int]] = defaultdict(list)
        for position, entry in enumerate(self._entries):
            positions[can_draft(entry.fingerprint.facts.format), entry.fingerprint.size].append(position)
        for (is_jpeg, size), copies in positions.items():
            if not is_jpeg and (True, size) in positions:
                yield from self._copies(positions[True, size], copies)

    def _copies(self, jpegs: list[int], copies: list[int]) -> Iterator[tuple[int, int]]:
        """The same among pictures of one size. Not each pair is compared: there can be millions."""
        samples = np.stack([self._sample(jpeg) for jpeg in jpegs])
        order = np.argsort(samples[:, 0])
        for copy in copies:
            sample = self._sample(copy)
            most = np.array([-_REDUCTION_DIFFERENCE, _REDUCTION_DIFFERENCE + 1])
            first, end = np.searchsorted(samples[:, 0], sample[0] + most, sorter=order)
            near = order[first:end]
            near = near[(np.abs(samples[near] - sample) <= _REDUCTION_DIFFERENCE).all(axis=1)]
            yield from ((jpegs[place], copy) for place in near.tolist() if self._is_copy(jpegs[place], copy))

    def _sample(self, position: int) -> NDArray[np.int16]:
        return self._entries[position].fingerprint.mosaic[::_SAMPLING, ::_SAMPLING].astype(np.int16).ravel()

    def _is_copy(self, jpeg: int, copy: int) -> bool:
        one, other = self._entries[jpeg].fingerprint, self._entries[copy].fingerprint
        return may_be_equal(one, other.mosaic, other.facts.format) and self.pixels(jpeg) == other.pixels


class ReferenceImage:
    """The working copy of one reference, read on demand; None where its source is gone."""

    def __init__(self, pictures: ReferencePictures, position: int) -> None:
        self._pictures, self._position = pictures, position

    @property
    def grey(self) -> Image.Image | None:
        return self._pictures.grey(self._position)

    @cached_property
    def colours(self) -> Image.Image | None:
        """The same in RGB."""
        return self._pictures.colours(self._position)

    @property
    def lines(self) -> tuple[TextLine, ...]:
        """The lines that may be text."""
        return self._pictures.lines(self._position)

    def part(self, box: tuple[float, float, float, float], size: tuple[int, int]) -> Image.Image | None:
        """A part of the copy in RGB, resized."""
        return None if self.colours is None else self.colours.resize(size, Image.Resampling.BILINEAR, box=box)


def may_be_equal(reference: Fingerprint, mosaic: NDArray[np.uint8], format: str) -> bool:
    """Whether a picture with this mosaic may have the same pixels as a reference of the same size."""
    formats = {format, reference.facts.format}
    if len(formats) == 2 and "GIF" in formats:
        # The mosaic of a GIF is made of a blurred copy.
        return True
    most = 0 if can_draft(format) == can_draft(reference.facts.format) else _REDUCTION_DIFFERENCE
    return int(np.abs(reference.mosaic.astype(np.int16) - mosaic).max()) <= most


def _unless_gone(read: Callable[[], _Result]) -> _Result | None:
    with suppress(OSError, ImageError):
        return read()
    return None


def _read_grey(entries: Sequence[Entry], max_pixels: int, position: int) -> Image.Image:
    return decode(read(entries[position].reference), max_pixels=max_pixels).working


def _find_lines(grey: Callable[[int], Image.Image], position: int) -> tuple[TextLine, ...]:
    return likely_lines(grey(position))
