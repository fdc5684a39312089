"""Reading the pictures of an index: in parallel, and only those that are not known already."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from mock_server.errors import ImageError
from mock_server.imaging.cache import Cache
from mock_server.imaging.decode import decode
from mock_server.imaging.fingerprint import Fingerprint, Reference, Region, fingerprint

Key = tuple[str, tuple[Region, ...]]


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
    with Cache(cache) as kept, ThreadPoolExecutor(workers) as pool:
        for entry in pool.map(lambda reference: _entry(reference, known, kept, max_pixels), wanted):
            entries.append(entry)
            if progress:
                progress(len(entries), len(wanted))
    return entries


def _entry(reference: Reference, known: Mapping[Key, Entry], cache: Cache, max_pixels: int) -> Entry:
    digest = cache.digest_of(reference.source)
    data: bytes | None = None
    if digest is None:
        data = read(reference)
        digest = hashlib.sha256(data).hexdigest()
        cache.keep_digest(reference.source, digest)
    if before := known.get((digest, reference.regions)):
        return Entry(reference, before.print)
    made = cache.fingerprint(digest, reference.regions)
    if made is None:
        made = _made(reference, data if data is not None else read(reference), max_pixels)
        cache.keep(digest, reference.regions, made)
    return Entry(reference, made)


def _made(reference: Reference, data: bytes, max_pixels: int) -> Fingerprint:
    try:
        return fingerprint(decode(data, max_pixels=max_pixels), reference.regions)
    except ImageError as error:
        error.add_note(f"picture: {reference.id}")
        raise
