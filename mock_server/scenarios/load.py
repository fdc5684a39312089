"""From a fixtures directory to a `FixtureSet`: read, compiled and checked, with all mistakes at once.

What was read is cached on disk between runs: a start then reads only the files that have changed.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from threading import Lock

import orjson
import xxhash

import mock_server
from mock_server.core.account import Account
from mock_server.core.library import FixtureSet
from mock_server.core.scenario import Scenario
from mock_server.core.serialization import from_json, to_json, without_defaults
from mock_server.disk_cache import DiskCache, Signature
from mock_server.errors import FixturesError, Mistake
from mock_server.scenarios.body_files import BodyFiles
from mock_server.scenarios.discovery import MOCK_FILE, Directory, FixtureFile, UnreadableError
from mock_server.scenarios.lint import check_set
from mock_server.scenarios.lint_images import PictureSizes, check_pictures
from mock_server.scenarios.source import ParsedFile, ParsedScenario, raise_if_wrong
from mock_server.scenarios.vocabulary import ANY, Vocabulary
from mock_server.version import __version__


@dataclass(frozen=True, slots=True)
class Loaded:
    """A set that can be served, and its warnings; `parsed` has the source of each scenario."""

    set: FixtureSet
    warnings: tuple[Mistake, ...] = ()
    parsed: tuple[ParsedScenario, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class CheckedPictures:
    """The pictures of the set were indexed without a mistake: with this limit, these accounts and these warnings."""

    max_pixels: int
    accounts: tuple[Account, ...]
    warnings: tuple[Mistake, ...]


@dataclass(frozen=True, slots=True)
class _Content:
    """What is known of a directory: its files by id, and its pictures that can be read, each with its signature.

    `bodies` are the signatures of the files with the bodies of written replies.
    """

    files: Mapping[str, tuple[Signature, ParsedFile]] = field(default_factory=dict)
    sizes: PictureSizes = field(default_factory=dict)
    bodies: Mapping[str, Signature] = field(default_factory=dict)
    checked: CheckedPictures | None = None

    @property
    def signature(self) -> int:
        """Equal for two states of the directory if nothing has changed between them."""
        known = {**self.files, **self.sizes}
        signatures = {hash((name, signature)) for name, (signature, _) in known.items()}
        return hash(frozenset(signatures.union(map(hash, self.bodies.items()))))


def load(root: Path, *, vocabulary: Vocabulary = ANY, accounts: Sequence[Account] = ()) -> Loaded:
    """Load the fixtures directory `root`; `accounts` are used if its `mock.yaml` lists none.

    Raises FixturesError with every mistake in every file. Mistakes name files with `root` as it was given, so that the
    path is right from the user's working directory.
    """
    return FixtureLoader(root, vocabulary=vocabulary, accounts=accounts).load()


def load_result(loader: "FixtureLoader", *, is_fresh: bool = False) -> Loaded | FixturesError:
    """The set, or its mistakes. With `is_fresh`, files are read that have the time and the size of before."""
    if is_fresh:
        loader.forget()
    try:
        return loader.load()
    except FixturesError as error:
        return error


def declared_accounts(root: Path, *, vocabulary: Vocabulary = ANY, cache: Path | None = None) -> tuple[Account, ...]:
    """The accounts of a directory's `mock.yaml`, without reading its scenarios. Raises FixturesError."""
    loader = FixtureLoader(root, vocabulary=vocabulary, cache=cache)
    accounts = loader.mock_file().accounts or ()
    loader.save()
    return accounts


class FixtureLoader:
    """Loads one directory repeatedly, reading only the files that have changed.

    `cache` is the directory of the cache on disk, which `save` writes.
    """

    def __init__(
        self, root: Path, *, vocabulary: Vocabulary = ANY, accounts: Sequence[Account] = (), cache: Path | None = None
    ) -> None:
        self.root = root
        self.vocabulary = vocabulary
        self.accounts = tuple(accounts)
        # The process may change its working directory while it serves. Path.resolve() would follow links.
        self.path = Path(os.path.abspath(root))  # noqa: PTH100
        self._cache = cache
        self._cache_key = f"fixtures {self.path}\n{root}"
        self._known = self._read_cache()
        self._saved_state = self.state
        self._not_cached = {id for id, (_, parsed) in self._known.files.items() if parsed.uses_environment}
        self._loading = Lock()

    @property
    def state(self) -> int:
        """A hash of all files and pictures: equal for two loads if nothing has changed between them."""
        return self._known.signature

    def checked_warnings(self, max_pixels: int) -> tuple[Mistake, ...] | None:
        """The warnings about the pictures if an earlier run has indexed the same files without a mistake."""
        checked = self._known.checked
        if checked is None or (checked.max_pixels, checked.accounts) != (max_pixels, self.accounts):
            return None
        return checked.warnings if self.state == self._saved_state else None

    def save(self, checked: CheckedPictures | None = None) -> None:
        """Write a set without mistakes to the cache; `checked` if its pictures were indexed."""
        if checked is not None or self.state != self._saved_state:
            self._known = replace(self._known, checked=checked)
            self._saved_state = self.state
            self._write_cache()

    def forget(self) -> None:
        """Read every file the next time."""
        with self._loading:
            self._known = _Content()

    def load(self) -> Loaded:
        """The directory as it is now. Raises FixturesError with every mistake in every file. Thread-safe."""
        with self._loading:
            return self._load()

    def _load(self) -> Loaded:
        directory = Directory(self.root, self.path)
        mistakes = directory.misplaced()
        files = {file.id: self._read(file) for file in directory.files(mistakes)}
        bodies = BodyFiles(directory, mistakes)
        parsed = tuple(bodies.filled_in(one) for _, file in files.values() for one in file.scenarios)
        images, sizes = check_pictures(directory, parsed, self._known.sizes, mistakes)
        self._known = replace(self._known, files=files, sizes=sizes, bodies=bodies.signatures)
        declared = files[MOCK_FILE][1] if MOCK_FILE in files else ParsedFile()
        accounts = self.accounts if declared.accounts is None else declared.accounts
        mistakes += check_set(parsed, accounts)
        found = sorted({*mistakes, *(mistake for _, file in files.values() for mistake in file.mistakes)})
        raise_if_wrong(found)
        fixtures = FixtureSet(
            root=directory.root,
            scenarios=_in_order([one.scenario for one in parsed]),
            accounts=accounts,
            defaults=declared.defaults,
            images=images,
            unnamed=directory.unnamed_pictures(images),
        )
        return Loaded(fixtures, tuple(found), parsed)

    def mock_file(self) -> ParsedFile:
        """The content of `mock.yaml` alone. Raises FixturesError."""
        mistakes: list[Mistake] = []
        file = Directory(self.root, self.path).mock_file(mistakes)
        if file is None:
            raise_if_wrong(mistakes)
            return ParsedFile()
        known = self._read(file)
        self._known = replace(self._known, files={**self._known.files, file.id: known})
        raise_if_wrong(known[1].mistakes)
        return known[1]

    def _read(self, file: FixtureFile) -> tuple[Signature, ParsedFile]:
        """The content of a file, which is read if it has changed."""
        known = self._known.files.get(file.id)
        if known is not None and known[0] == file.signature and file.id not in self._not_cached:
            return known
        self._not_cached.discard(file.id)
        # The models load slowly, and a start that reads nothing new does not need them: they are imported when needed.
        from mock_server.scenarios.mock_reader import mock_file
        from mock_server.scenarios.scenario_reader import scenario_file
        from mock_server.scenarios.yaml_reader import decode

        parse = mock_file if file.id == MOCK_FILE else scenario_file
        try:
            return file.signature, parse(decode(file.read()), file, self.vocabulary)
        except UnreadableError as error:
            return file.signature, ParsedFile(mistakes=(error.mistake(file.shown),))

    def _read_cache(self) -> _Content:
        if self._cache is None:
            return _Content()
        data = DiskCache(self._cache).get(self._cache_key, _version(self.vocabulary))
        try:
            return from_json(_Content, data) if data else _Content()
        except (TypeError, ValueError, KeyError, StopIteration):
            return _Content()

    def _write_cache(self) -> None:
        if self._cache is None:
            return
        # The values of variables may be secrets, and may be others at the next start.
        files = {id: _without_variables(*found) for id, found in self._known.files.items()}
        try:
            data = to_json(without_defaults(replace(self._known, files=files)))
        except orjson.JSONEncodeError:
            # The name of a file may hold bytes that are not text.
            return
        DiskCache(self._cache).put(self._cache_key, data, _version(self.vocabulary))


def _without_variables(signature: Signature, parsed: ParsedFile) -> tuple[Signature, ParsedFile]:
    return signature, ParsedFile(uses_environment=True) if parsed.uses_environment else parsed


def _version(vocabulary: Vocabulary) -> str:
    """Another text for another version of the code or another vocabulary."""
    words = to_json(vocabulary)
    return xxhash.xxh3_128_hexdigest(b"\n".join([__version__.encode(), words, *_sources()]))


def _sources() -> Iterator[bytes]:
    """The modules that read fixtures and pictures, with their size and time of change."""
    package = Path(mock_server.__file__).parent
    for name in ("scenarios", "core", "imaging", "identifiers"):
        for entry in sorted(os.scandir(package / name), key=lambda entry: entry.name):
            if entry.name.endswith(".py"):
                facts = entry.stat()
                yield f"{entry.name} {facts.st_mtime_ns} {facts.st_size}".encode()


def _in_order(scenarios: Sequence[Scenario]) -> tuple[Scenario, ...]:
    """The scenarios with their places: from 0 in the order of the files, and from -1 downwards for overlays."""
    places, overlay_places = count(), count(-1, -1)
    return tuple(replace(one, order=next(overlay_places if one.overlay else places)) for one in scenarios)
