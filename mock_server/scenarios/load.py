"""From a fixtures directory to a `FixtureSet`: read, compiled and checked, with all mistakes at once."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock

from mock_server.core.account import Account
from mock_server.core.fixture_set import Defaults, FixtureSet
from mock_server.errors import FixturesError, Mistake
from mock_server.scenarios.discovery import Directory, FixtureFile, unnamed_pictures
from mock_server.scenarios.fixture_cache import CachedFixtures, CheckedPictures, FixtureCache
from mock_server.scenarios.lint import check_set
from mock_server.scenarios.lint_images import PictureChecks
from mock_server.scenarios.node import UnreadableError
from mock_server.scenarios.parse_results import ParsedFile, ParsedMock, ParsedScenario, raise_if_wrong
from mock_server.scenarios.vocabulary import ANY, Vocabulary


@dataclass(frozen=True, slots=True)
class Loaded:
    """A set that can be served, and its warnings; `parsed` has the source of each scenario."""

    set: FixtureSet
    warnings: tuple[Mistake, ...] = ()
    parsed: tuple[ParsedScenario, ...] = field(default=(), repr=False)


def load(root: Path, *, vocabulary: Vocabulary = ANY, accounts: Sequence[Account] = ()) -> Loaded:
    """Load the fixtures directory `root`; `accounts` are used if its `mock.yaml` lists none.

    Raises FixturesError with every mistake in every file. Mistakes name files with `root` as it was given, so that the
    path is right from the user's working directory.
    """
    return FixtureLoader(root, vocabulary=vocabulary, accounts=accounts).load()


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
        self._cache = FixtureCache(cache, self.path, root, vocabulary)
        cached = self._cache.read()
        self._files = dict(cached.files)
        self._mock_file = cached.mock
        self._pictures = PictureChecks(cached.sizes)
        self._checked = cached.checked
        self._saved_state = self.state
        self._loading = Lock()

    @property
    def state(self) -> frozenset[object]:
        """The signatures of all files and pictures: equal for two loads if nothing has changed between them."""
        files = ((id, signature) for id, (signature, _) in self._files.items())
        mock = self._mock_file[0] if self._mock_file else None
        return frozenset([mock, *files, *self._pictures.signatures()])

    def checked_warnings(self, max_pixels: int) -> tuple[Mistake, ...] | None:
        """The warnings about the pictures if an earlier run has indexed the same files without a mistake."""
        checked = self._checked
        if checked is None or (checked.max_pixels, checked.accounts) != (max_pixels, self.accounts):
            return None
        return checked.warnings if self.state == self._saved_state else None

    def save(self, checked: CheckedPictures | None = None) -> None:
        """Write a set without mistakes to the cache; `checked` if its pictures were indexed."""
        if checked is not None or self.state != self._saved_state:
            self._cache.write(CachedFixtures(self._files, self._mock_file, self._pictures.sizes(), checked))
            self._saved_state, self._checked = self.state, checked

    def load(self) -> Loaded:
        """The directory as it is now. Raises FixturesError with every mistake in every file. Thread-safe."""
        with self._loading:
            return self._load()

    def _load(self) -> Loaded:
        directory = Directory(self.root, self.path)
        directory.check()
        mock, mistakes = self._mock(directory)
        parsed, in_files = self._scenarios(directory)
        images, in_pictures = self._pictures.check(directory, parsed)
        accounts = tuple(self.accounts) if mock.accounts is None else mock.accounts
        fixtures = FixtureSet(
            root=directory.root,
            scenarios=tuple(replace(one.scenario, order=number) for number, one in enumerate(parsed)),
            accounts=accounts,
            defaults=mock.defaults,
            images=images,
            unnamed=unnamed_pictures(directory.root, images),
        )
        found = sorted({*mistakes, *directory.misplaced(), *in_files, *in_pictures, *check_set(parsed, accounts)})
        raise_if_wrong(found)
        return Loaded(fixtures, tuple(found), tuple(parsed))

    def declared_accounts(self) -> tuple[Account, ...]:
        """The accounts of `mock.yaml` alone. Raises FixturesError."""
        mock, mistakes = self._mock(Directory(self.root, self.path))
        raise_if_wrong(mistakes)
        return mock.accounts or ()

    def defaults(self) -> Defaults:
        """The defaults of `mock.yaml` alone. Raises FixturesError."""
        mock, mistakes = self._mock(Directory(self.root, self.path))
        raise_if_wrong(mistakes)
        return mock.defaults

    def _mock(self, directory: Directory) -> tuple[ParsedMock, list[Mistake]]:
        file, mistakes = directory.mock_file()
        known, self._mock_file = self._mock_file, None
        if file is None:
            return ParsedMock(), mistakes
        if known is None or known[0] != file.signature:
            known = file.signature, self._read_mock(file)
        self._mock_file = known
        return known[1], list(known[1].mistakes)

    def _scenarios(self, directory: Directory) -> tuple[list[ParsedScenario], list[Mistake]]:
        files, mistakes = directory.scenario_files()
        before, self._files = self._files, {}
        scenarios: list[ParsedScenario] = []
        for file in files:
            known = before.get(file.id)
            if known is None or known[0] != file.signature:
                known = file.signature, self._read_scenarios(file)
            self._files[file.id] = known
            scenarios += known[1].scenarios
            mistakes += known[1].mistakes
        return scenarios, mistakes

    # The models load slowly, and a start that reads nothing new does not need them: they are imported when needed.

    def _read_mock(self, file: FixtureFile) -> ParsedMock:
        from mock_server.scenarios.mock_reader import mock_file
        from mock_server.scenarios.yaml_reader import decode

        try:
            return mock_file(decode(file.read()), shown=file.shown, vocabulary=self.vocabulary)
        except UnreadableError as error:
            return ParsedMock(mistakes=(error.mistake(file.shown),))

    def _read_scenarios(self, file: FixtureFile) -> ParsedFile:
        from mock_server.scenarios.scenario_reader import scenario_file
        from mock_server.scenarios.yaml_reader import decode

        try:
            text = decode(file.read())
        except UnreadableError as error:
            return ParsedFile(mistakes=(error.mistake(file.shown),))
        return scenario_file(text, id=file.id, shown=file.shown, path=str(file.path), vocabulary=self.vocabulary)


def declared_accounts(root: Path, *, vocabulary: Vocabulary = ANY, cache: Path | None = None) -> tuple[Account, ...]:
    """The accounts of a directory's `mock.yaml`, without reading its scenarios. Raises FixturesError."""
    loader = FixtureLoader(root, vocabulary=vocabulary, cache=cache)
    accounts = loader.declared_accounts()
    loader.save()
    return accounts


def load_result(loader: FixtureLoader) -> Loaded | FixturesError:
    """The set, or its mistakes."""
    try:
        return loader.load()
    except FixturesError as error:
        return error
