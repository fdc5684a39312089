"""Builds the entries of an index in parallel; reads only the pictures that are not in the cache."""

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from mock_server import tuning
from mock_server.disk_cache import DiskCache
from mock_server.errors import ImageError
from mock_server.imaging.array_store import ArrayStore, are_scattered
from mock_server.imaging.decoding_process import decode_within
from mock_server.imaging.fingerprint import Fingerprint, fingerprint
from mock_server.imaging.fingerprint_cache import FingerprintCache
from mock_server.imaging.open_image import pixel_limit
from mock_server.imaging.results import Reference, Region

Key = tuple[str, tuple[Region, ...]]

# After decoding this many pictures, the memory that glibc keeps for more of them is returned to the system.
_TRIM_AFTER = 100
# One for each core: glibc keeps some megabytes for each thread that has decoded pictures.
_THREADS = min(32, os.cpu_count() or 1)
# How long a reference may be decoded: these are the user's own pictures, or those of a client of the admin API.
_REFERENCE_SECONDS = 60.0


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
    disk = DiskCache(cache_directory)
    kept = {key: entry.fingerprint.stored_mosaic for key, entry in known.items()}
    # What lies in many files is gathered in one, by being read from the cache.
    is_gathered = cache_directory is not None and are_scattered(kept.values())
    usable = {} if is_gathered else {key: known[key] for key, one in kept.items() if not one.storage.is_lost}
    builder = _Builder(usable, FingerprintCache(disk, ArrayStore(disk.unnamed_file)), max_pixels)
    with ThreadPoolExecutor(workers or _THREADS) as pool:
        # In this thread: fetching a stored fingerprint takes less time than handing the task to another thread.
        stored = [builder.unchanged(reference) for reference in wanted]
        missing = [reference for reference, entry in zip(wanted, stored, strict=True) if entry is None]
        built = pool.map(builder.read, missing)
        for entry in stored:
            entries.append(next(built) if entry is None else entry)
            if progress:
                progress(len(entries), len(wanted))
    if len(missing) >= _TRIM_AFTER:
        tuning.return_freed_memory()
    return entries


@dataclass(frozen=True, slots=True)
class _Builder:
    known: Mapping[Key, Entry]
    cache: FingerprintCache
    max_pixels: int

    def unchanged(self, reference: Reference) -> Entry | None:
        """The stored entry of a file whose size and time of change are those of the last read."""
        digest = self.cache.digest_of(reference.source)
        return None if digest is None else self._stored(reference, digest)

    def read(self, reference: Reference) -> Entry:
        """The entry of a picture that has to be read; it is decoded only if no fingerprint of these bytes is stored."""
        data = read(reference)
        digest = hashlib.sha256(data).hexdigest()
        self.cache.put_digest(reference.source, digest)
        if stored := self._stored(reference, digest):
            return stored
        try:
            with decode_within(data, max_pixels=self.max_pixels, seconds=_REFERENCE_SECONDS) as picture:
                built = fingerprint(picture, reference.regions)
        except ImageError as error:
            error.add_note(f"picture: {reference.id}")
            raise
        return Entry(reference, self.cache.put(digest, reference.regions, built))

    def _stored(self, reference: Reference, digest: str) -> Entry | None:
        before = self.known.get((digest, reference.regions))
        if before and before.reference == reference:
            return before
        stored = before.fingerprint if before else self.cache.get(digest, reference.regions)
        if stored is None:
            return None
        # A process with a higher limit may have stored a picture that this one must refuse.
        facts = stored.facts
        is_allowed = facts.width * facts.height <= pixel_limit(facts.format, self.max_pixels)
        return Entry(reference, stored) if is_allowed else None
