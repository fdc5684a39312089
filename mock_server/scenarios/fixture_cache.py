"""The content of fixture files, cached on disk between runs: a start then reads only the files that have changed."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import orjson
import xxhash

import mock_server
from mock_server.core.account import Account
from mock_server.core.serialization import from_json, to_json, without_defaults
from mock_server.disk_cache import DiskCache
from mock_server.errors import Mistake
from mock_server.scenarios.discovery import Signature
from mock_server.scenarios.lint_images import PictureSignature, Size
from mock_server.scenarios.parse_results import ParsedFile, ParsedMock
from mock_server.scenarios.vocabulary import Vocabulary
from mock_server.version import __version__

_PACKAGE = Path(mock_server.__file__).parent


@dataclass(frozen=True, slots=True)
class CheckedPictures:
    """The pictures of the set were indexed without a mistake: with this limit, these accounts and these warnings."""

    max_pixels: int
    accounts: tuple[Account, ...]
    warnings: tuple[Mistake, ...]


@dataclass(frozen=True, slots=True)
class CachedFixtures:
    """The files of a directory with their signatures. `sizes` are the pictures that can be read."""

    files: Mapping[str, tuple[Signature, ParsedFile]] = field(default_factory=dict)
    mock: tuple[Signature, ParsedMock] | None = None
    sizes: Mapping[str, tuple[PictureSignature, Size]] = field(default_factory=dict)
    checked: CheckedPictures | None = None


class FixtureCache:
    """The entry of one fixtures directory in the cache; without a cache directory it is always empty.

    `root` is the absolute path, `shown` the path in mistakes.
    """

    def __init__(self, directory: Path | None, root: Path, shown: Path, vocabulary: Vocabulary) -> None:
        self._directory = directory
        self._key = f"fixtures {root}\n{shown}"
        self._vocabulary = vocabulary

    def read(self) -> CachedFixtures:
        """The cached content; nothing if there is none that can be used."""
        if self._directory is None:
            return CachedFixtures()
        with DiskCache(self._directory) as disk:
            data = disk.get(self._key, self._version())
        try:
            return from_json(CachedFixtures, data) if data else CachedFixtures()
        except (TypeError, ValueError, KeyError, StopIteration):
            return CachedFixtures()

    def write(self, content: CachedFixtures) -> None:
        """Replace the cached content, if it can be cached."""
        if self._directory is None:
            return
        try:
            data = to_json(without_defaults(content))
        except orjson.JSONEncodeError:
            # The name of a file may hold bytes that are not text.
            return
        with DiskCache(self._directory) as disk:
            disk.put(self._key, data, self._version())

    def _version(self) -> str:
        """Another text for another version of the code or another vocabulary."""
        text = "\n".join([__version__, *_words(self._vocabulary), *_sources()])
        return xxhash.xxh3_128_hexdigest(text.encode())


def _words(vocabulary: Vocabulary) -> Iterator[str]:
    yield ",".join(sorted(vocabulary.settings))
    for provider, outcomes in sorted(vocabulary.providers.items()):
        variants = sorted((str(outcome), sorted(names)) for outcome, names in outcomes.items())
        yield f"{provider} {variants}"


def _sources() -> Iterator[str]:
    """The modules that read fixtures and pictures, with their size and time of change."""
    for directory in ("scenarios", "core", "imaging", "identifiers"):
        for entry in sorted(os.scandir(_PACKAGE / directory), key=lambda entry: entry.name):
            if entry.name.endswith(".py"):
                facts = entry.stat()
                yield f"{entry.name} {facts.st_mtime_ns} {facts.st_size}"
