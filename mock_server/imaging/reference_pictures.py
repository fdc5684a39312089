"""The pictures of an index's references, read again where a comparison needs more than their fingerprints."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray

from mock_server.errors import ImageError
from mock_server.imaging.build_index import Entry, read
from mock_server.imaging.decode import Picture, decode
from mock_server.imaging.fingerprint import Fingerprint
from mock_server.imaging.picture_header import can_draft
from mock_server.imaging.reference_image import ReferenceImages

# Digests of all pixels of JPEG pictures kept in memory.
_PIXEL_DIGESTS = 4096
# Grey levels by which the mosaics of a JPEG and of a lossless copy of its pixels may differ: 13 were the most, with
# saturated colours at a low quality. A decoder reduces a JPEG before it clips the colours, other pictures are reduced
# after that.
_REDUCTION_DIFFERENCE = 16
# Every how many rows and columns of a mosaic two pictures are compared first.
_SAMPLING = 32


class ReferencePictures:
    """Reads the pictures of references, given by their positions in the index. Thread-safe."""

    def __init__(self, entries: Sequence[Entry], max_pixels: int) -> None:
        self._entries, self._max_pixels = entries, max_pixels
        self.images = ReferenceImages(entries, max_pixels)
        # Not a bound method: a cycle of references would keep a replaced index alive.
        self._pixels = lru_cache(_PIXEL_DIGESTS)(partial(_read_pixels, entries, max_pixels))

    def decoded(self, position: int) -> Picture:
        """The picture; raises OSError, and the errors of `ImageError`."""
        return decode(read(self._entries[position].reference), max_pixels=self._max_pixels)

    def pixels(self, position: int) -> bytes:
        """The digest of all pixels; empty where the picture can no longer be read."""
        return self._pixels(position)

    def lossless_copies(self) -> list[tuple[int, int]]:
        """Positions of a JPEG and of a reference in another format that has the same pixels.

        Only JPEGs that look like such a reference are decoded in full.
        """
        jpegs: dict[tuple[int, int], list[int]] = defaultdict(list)
        others: dict[tuple[int, int], list[int]] = defaultdict(list)
        for position, entry in enumerate(self._entries):
            by_size = jpegs if can_draft(entry.fingerprint.facts.format) else others
            by_size[entry.fingerprint.size].append(position)
        return [
            (jpeg, copy)
            for size, copies in others.items()
            if size in jpegs
            for jpeg, copy in self._alike(jpegs[size], copies)
            if self._is_copy(jpeg, copy)
        ]

    def _alike(self, jpegs: list[int], copies: list[int]) -> Iterator[tuple[int, int]]:
        """Pairs of pictures of one size whose samples are nearly the same. Not each pair: there can be millions."""
        samples = np.stack([self._sample(jpeg) for jpeg in jpegs])
        means = samples.mean(axis=1)
        order = np.argsort(means)
        for copy in copies:
            sample = self._sample(copy)
            # Where no sample differs by more, the means do not either.
            first, end = np.searchsorted(
                means, sample.mean() + np.array([-1, 1]) * (_REDUCTION_DIFFERENCE + 0.5), sorter=order
            )
            near = order[first:end]
            is_alike = (np.abs(samples[near] - sample) <= _REDUCTION_DIFFERENCE).all(axis=1)
            yield from ((jpegs[index], copy) for index in near[is_alike])

    def _sample(self, position: int) -> NDArray[np.int16]:
        return self._entries[position].fingerprint.mosaic[::_SAMPLING, ::_SAMPLING].astype(np.int16).ravel()

    def _is_copy(self, jpeg: int, copy: int) -> bool:
        one, other = self._entries[jpeg].fingerprint, self._entries[copy].fingerprint
        return may_be_equal(one, other.mosaic, other.facts.format) and self.pixels(jpeg) == other.pixels


def may_be_equal(reference: Fingerprint, mosaic: NDArray[np.uint8], format: str) -> bool:
    """Whether a picture with this mosaic may have the same pixels as a reference of the same size."""
    formats = {format, reference.facts.format}
    if len(formats) == 2 and "GIF" in formats:
        # The mosaic of a GIF is made of a blurred copy.
        return True
    most = 0 if can_draft(format) == can_draft(reference.facts.format) else _REDUCTION_DIFFERENCE
    known = reference.mosaic
    # A few rows first: most pictures differ there.
    return all(
        int(np.abs(known[rows].astype(np.int16) - mosaic[rows]).max()) <= most
        for rows in (slice(None, None, _SAMPLING), slice(None))
    )


def _read_pixels(entries: Sequence[Entry], max_pixels: int, position: int) -> bytes:
    reference, fingerprint = entries[position].reference, entries[position].fingerprint
    if not can_draft(fingerprint.facts.format):
        return fingerprint.pixels
    with suppress(OSError, ImageError):
        return decode(read(reference), max_pixels=max_pixels).pixels()
    return b""
