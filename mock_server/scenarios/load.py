"""A fixtures directory to a `FixtureSet`: everything read, compiled and checked, all mistakes at once."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from mock_server.core.account import Account
from mock_server.core.fixture_set import FixtureSet
from mock_server.errors import FixturesError, Mistake
from mock_server.scenarios.files import Directory, FixtureFile, Signature, UnreadableError, text_of
from mock_server.scenarios.parse import ParsedFile, ParsedMock, ParsedScenario, mock_file, scenario_file
from mock_server.scenarios.pictures import path_issue
from mock_server.scenarios.vocabulary import ANY, Vocabulary


@dataclass(frozen=True, slots=True)
class Loaded:
    """A set that can be served, and what is odd about it."""

    set: FixtureSet
    warnings: tuple[Mistake, ...] = ()


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
    _files: dict[str, tuple[Signature, ParsedFile]] = field(default_factory=dict)

    def load(self) -> Loaded:
        """The directory as it is now. Raises FixturesError with every mistake in every file."""
        directory = Directory(self.root)
        if not self.root.is_dir():
            raise FixturesError([Mistake(str(self.root), 1, 1, "there is no such fixtures directory")])
        mock, mistakes = self._mock(directory)
        parsed, more = self._scenarios(directory)
        mistakes += more
        images, more = _pictures(directory, parsed)
        mistakes += more
        fixtures = FixtureSet(
            root=self.root,
            scenarios=tuple(replace(one.scenario, order=number) for number, one in enumerate(parsed)),
            accounts=tuple(self.accounts) if mock.accounts is None else mock.accounts,
            defaults=mock.defaults,
            images=images,
        )
        return _judged(fixtures, mistakes)

    def _mock(self, directory: Directory) -> tuple[ParsedMock, list[Mistake]]:
        file, mistakes = directory.mock_file()
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


def _pictures(directory: Directory, scenarios: list[ParsedScenario]) -> tuple[dict[str, Path], list[Mistake]]:
    """Where each picture is, by id."""
    images: dict[str, Path] = {}
    mistakes: list[Mistake] = []
    for one in scenarios:
        for number, (written, id) in enumerate(one.pictures):
            if id in images:
                continue
            issue = path_issue(directory, id, written, ("when", "image", number))
            if issue is not None:
                mistakes.append(one.source.mistake(issue))
            elif id is not None:
                images[id] = directory.root / id
    return images, mistakes


def _judged(fixtures: FixtureSet, mistakes: list[Mistake]) -> Loaded:
    told = sorted(set(mistakes))
    if any(not mistake.warning for mistake in told):
        raise FixturesError(told)
    return Loaded(fixtures, tuple(told))
