"""A fixtures directory to a `FixtureSet`: everything read, compiled and checked, all mistakes at once."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from mock_server.core.account import Account
from mock_server.core.fixture_set import FixtureSet
from mock_server.errors import FixturesError, Mistake
from mock_server.scenarios.checks import check_set
from mock_server.scenarios.files import Directory, FixtureFile, Signature, UnreadableError, text_of
from mock_server.scenarios.mock_file import ParsedMock, mock_file
from mock_server.scenarios.picture_checks import PictureChecks
from mock_server.scenarios.scenario_file import ParsedFile, ParsedScenario, scenario_file
from mock_server.scenarios.vocabulary import ANY, Vocabulary


@dataclass(frozen=True, slots=True)
class Loaded:
    """A set that can be served, and what is odd about it; `parsed` knows where each scenario is written."""

    set: FixtureSet
    warnings: tuple[Mistake, ...] = ()
    parsed: tuple[ParsedScenario, ...] = field(default=(), repr=False)


def load(root: Path, *, vocabulary: Vocabulary = ANY, accounts: Sequence[Account] = ()) -> Loaded:
    """Load the fixtures directory `root`; `accounts` stand in where its `mock.yaml` declares none.

    Raises FixturesError with every mistake in every file. Files are named as `root` was given, so that a
    user can follow a line from where they stand.
    """
    return FixtureLoader(root, vocabulary=vocabulary, accounts=accounts).load()


@dataclass(slots=True)
class FixtureLoader:
    """Loads one directory again and again, reading only the files that changed."""

    root: Path
    vocabulary: Vocabulary = ANY
    accounts: Sequence[Account] = ()
    _absolute: Path = field(init=False)
    _files: dict[str, tuple[Signature, ParsedFile]] = field(default_factory=dict)
    _mock_signature: Signature | None = None
    _pictures: PictureChecks = field(default_factory=PictureChecks)

    def __post_init__(self) -> None:
        # The process may change its directory while it serves.
        self._absolute = Path(os.path.abspath(self.root))  # noqa: PTH100  # links stay what they are

    @property
    def state(self) -> frozenset[object]:
        """Equal for two loads between which no file and no picture of the directory has changed."""
        files = ((id, signature) for id, (signature, _) in self._files.items())
        return frozenset([self._mock_signature, *files, *self._pictures.signatures()])

    def load(self) -> Loaded:
        """The directory as it is now. Raises FixturesError with every mistake in every file."""
        directory = Directory(self.root, self._absolute)
        if not directory.root.is_dir():
            raise FixturesError([Mistake(str(self.root), 1, 1, "there is no such fixtures directory")])
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
        )
        told = sorted(
            {*mistakes, *directory.passed_over(), *in_files, *in_pictures, *check_set(parsed, accounts)}
        )
        raise_if_wrong(told)
        return Loaded(fixtures, tuple(told), tuple(parsed))

    def _mock(self, directory: Directory) -> tuple[ParsedMock, list[Mistake]]:
        file, mistakes = directory.mock_file()
        self._mock_signature = file.signature if file else None
        if file is None:
            return ParsedMock(), mistakes
        try:
            parsed = mock_file(text_of(file), shown=file.shown, vocabulary=self.vocabulary)
        except UnreadableError as error:
            return ParsedMock(), [error.mistake(file.shown)]
        return parsed, parsed.mistakes

    def _scenarios(self, directory: Directory) -> tuple[list[ParsedScenario], list[Mistake]]:
        files, mistakes = directory.scenario_files()
        known = self._files
        self._files = {file.id: self._parsed(file, known.get(file.id)) for file in files}
        scenarios: list[ParsedScenario] = []
        for _, parsed in self._files.values():
            scenarios += parsed.scenarios
            mistakes += parsed.mistakes
        return scenarios, mistakes

    def _parsed(
        self, file: FixtureFile, known: tuple[Signature, ParsedFile] | None
    ) -> tuple[Signature, ParsedFile]:
        if known is not None and known[0] == file.signature:
            return known
        try:
            parsed = scenario_file(text_of(file), id=file.id, shown=file.shown, vocabulary=self.vocabulary)
        except UnreadableError as error:
            parsed = ParsedFile(mistakes=[error.mistake(file.shown)])
        return file.signature, parsed


def declared_accounts(root: Path, *, vocabulary: Vocabulary = ANY) -> tuple[Account, ...]:
    """The accounts of a directory's `mock.yaml`, without reading its scenarios. Raises FixturesError."""
    file, mistakes = Directory(root, root).mock_file()
    raise_if_wrong(mistakes)
    if file is None:
        return ()
    try:
        parsed = mock_file(text_of(file), shown=file.shown, vocabulary=vocabulary)
    except UnreadableError as error:
        raise FixturesError([error.mistake(file.shown)]) from error
    raise_if_wrong(parsed.mistakes)
    return parsed.accounts or ()


def raise_if_wrong(told: Sequence[Mistake]) -> None:
    """Raise FixturesError if more than warnings was told."""
    if any(not mistake.warning for mistake in told):
        raise FixturesError(told)
