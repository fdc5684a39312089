"""Reading the pictures of an index: in parallel, and only those that are not known already."""

import contextlib
import ctypes
import hashlib
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from mock_server.errors import ImageError
from mock_server.imaging.decode import decode
from mock_server.imaging.fingerprint import Fingerprint, Reference, Region, fingerprint
from mock_server.imaging.fingerprint_cache import FingerprintCache

Key = tuple[str, tuple[Region, ...]]

# After so many pictures have been decoded, what that left in the allocator is worth giving back.
_MANY = 100


@dataclass(frozen=True, slots=True)
class Entry:
    """A reference with its fingerprint."""

    reference: Reference
    print: Fingerprint

    @property
    def key(self) -> Key:
        """What the fingerprint was made of."""
        return self.print.facts.sha256, self.reference.regions


def read(reference: Reference) -> bytes:
    """The bytes of a reference's picture."""
    return reference.source if isinstance(reference.source, bytes) else reference.source.read_bytes()


def load(
    references: Iterable[Reference],
    known: Mapping[Key, Entry],
    cache: Path | None,
    max_pixels: int,
    progress: Callable[[int, int], None] | None,
    workers: int | None,
) -> list[Entry]:
    """The entries of all references, in their order; taken from `known` or the cache where they are there."""
    wanted = list(references)
    entries: list[Entry] = []
    with FingerprintCache(cache) as kept, ThreadPoolExecutor(workers) as pool:
        # What is at hand is fetched sooner than it is handed to another thread.
        at_hand = [_at_hand(reference, known, kept, max_pixels) for reference in wanted]
        missing = [reference for reference, entry in zip(wanted, at_hand, strict=True) if entry is None]
        made = pool.map(lambda reference: _read(reference, known, kept, max_pixels), missing)
        for entry in at_hand:
            entries.append(next(made) if entry is None else entry)
            if progress:
                progress(len(entries), len(wanted))
    if len(missing) >= _MANY:
        _give_back()
    return entries


def _at_hand(
    reference: Reference, known: Mapping[Key, Entry], cache: FingerprintCache, max_pixels: int
) -> Entry | None:
    """The entry of a file that has not changed since it was last read, if it is kept."""
    digest = cache.digest_of(reference.source)
    return None if digest is None else _kept(reference, digest, known, cache, max_pixels)


def _read(
    reference: Reference, known: Mapping[Key, Entry], cache: FingerprintCache, max_pixels: int
) -> Entry:
    """The entry of a picture that has to be read."""
    data = read(reference)
    digest = hashlib.sha256(data).hexdigest()
    cache.put_digest(reference.source, digest)
    if kept := _kept(reference, digest, known, cache, max_pixels):
        return kept
    made = _made(reference, data, max_pixels)
    cache.put(digest, reference.regions, made)
    return Entry(reference, made)


def _kept(
    reference: Reference, digest: str, known: Mapping[Key, Entry], cache: FingerprintCache, max_pixels: int
) -> Entry | None:
    before = known.get((digest, reference.regions))
    made = before.print if before else cache.get(digest, reference.regions)
    # A run with a higher limit may have kept what this one must refuse.
    if made is None or made.facts.width * made.facts.height > max_pixels:
        return None
    return Entry(reference, made)


def _made(reference: Reference, data: bytes, max_pixels: int) -> Fingerprint:
    try:
        return fingerprint(decode(data, max_pixels=max_pixels), reference.regions)
    except ImageError as error:
        error.add_note(f"picture: {reference.id}")
        raise


def _give_back() -> None:
    """Return freed memory to the system, where the C library can: glibc keeps it for more of the same."""
    with contextlib.suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)
