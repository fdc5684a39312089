"""Builds the entries of an index in parallel; reads only the pictures that are not in the cache."""

import contextlib
import ctypes
import hashlib
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from mock_server.disk_cache import DiskCache
from mock_server.errors import ImageError
from mock_server.imaging.decode import decode, pixel_limit
from mock_server.imaging.fingerprint import Fingerprint, Reference, Region, fingerprint
from mock_server.imaging.fingerprint_cache import FingerprintCache

Key = tuple[str, tuple[Region, ...]]

# After decoding this many pictures, the memory that glibc keeps for more of them is returned to the system.
_TRIM_AFTER = 100


@dataclass(frozen=True, slots=True)
class Entry:
    """A reference with its fingerprint."""

    reference: Reference
    fingerprint: Fingerprint

    @property
    def key(self) -> Key:
        """What the fingerprint was made from: the SHA-256 of the bytes, and the regions."""
        return self.fingerprint.facts.sha256, self.reference.regions


def read(reference: Reference) -> bytes:
    """The bytes of a reference's picture."""
    return reference.source if isinstance(reference.source, bytes) else reference.source.read_bytes()


def build_entries(
    references: Iterable[Reference],
    known: Mapping[Key, Entry],
    cache_directory: Path | None,
    max_pixels: int,
    progress: Callable[[int, int], None] | None,
    workers: int | None,
) -> list[Entry]:
    """The entries of all references, in their order; fingerprints come from `known` or the cache where possible."""
    wanted = list(references)
    entries: list[Entry] = []
    cache = FingerprintCache(DiskCache(cache_directory))
    with ThreadPoolExecutor(workers) as pool:
        # In this thread: fetching a stored fingerprint takes less time than handing the task to another thread.
        stored = [_unchanged(reference, known, cache, max_pixels) for reference in wanted]
        missing = [reference for reference, entry in zip(wanted, stored, strict=True) if entry is None]
        built = pool.map(lambda reference: _read_entry(reference, known, cache, max_pixels), missing)
        for entry in stored:
            entries.append(next(built) if entry is None else entry)
            if progress:
                progress(len(entries), len(wanted))
    if len(missing) >= _TRIM_AFTER:
        _trim_memory()
    return entries


def _unchanged(
    reference: Reference, known: Mapping[Key, Entry], cache: FingerprintCache, max_pixels: int
) -> Entry | None:
    """The stored entry of a file whose size and time of change are those of the last read."""
    digest = cache.digest_of(reference.source)
    return None if digest is None else _stored(reference, digest, known, cache, max_pixels)


def _read_entry(reference: Reference, known: Mapping[Key, Entry], cache: FingerprintCache, max_pixels: int) -> Entry:
    """The entry of a picture that has to be read; it is decoded only if no fingerprint of these bytes is stored."""
    data = read(reference)
    digest = hashlib.sha256(data).hexdigest()
    cache.put_digest(reference.source, digest)
    if stored := _stored(reference, digest, known, cache, max_pixels):
        return stored
    try:
        built = fingerprint(decode(data, max_pixels=max_pixels, sha256=digest), reference.regions)
    except ImageError as error:
        error.add_note(f"picture: {reference.id}")
        raise
    cache.put(digest, reference.regions, built)
    return Entry(reference, built)


def _stored(
    reference: Reference, digest: str, known: Mapping[Key, Entry], cache: FingerprintCache, max_pixels: int
) -> Entry | None:
    before = known.get((digest, reference.regions))
    stored = before.fingerprint if before else cache.get(digest, reference.regions)
    # A process with a higher limit may have stored a picture that this one must refuse.
    if stored is None:
        return None
    facts = stored.facts
    if facts.width * facts.height > pixel_limit(facts.format, max_pixels):
        return None
    return Entry(reference, stored)


def _trim_memory() -> None:
    """Return freed memory to the system, where the C library can."""
    with contextlib.suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)
