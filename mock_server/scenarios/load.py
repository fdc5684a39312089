"""A fixtures directory to a `FixtureSet`: everything read, compiled and checked, all mistakes at once."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from mock_server.core.account import Account
from mock_server.core.fixture_set import FixtureSet
from mock_server.errors import FixturesError, Mistake
from mock_server.scenarios.cache import Checked, Kept, keep, kept_file, recall
from mock_server.scenarios.discovery import Directory, FixtureFile, Signature, UnreadableError, text_of
from mock_server.scenarios.image_paths import unnamed_pictures
from mock_server.scenarios.lint import check_set
from mock_server.scenarios.lint_images import PictureChecks
from mock_server.scenarios.parse_results import ParsedFile, ParsedMock, ParsedScenario
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
    """Loads one directory again and again, reading only the files that changed.

    `cache`: the directory in which what was understood is kept between runs, see `keep`.
    """

    root: Path
    vocabulary: Vocabulary = ANY
    accounts: Sequence[Account] = ()
    cache: Path | None = None
    _absolute: Path = field(init=False)
    _files: dict[str, tuple[Signature, ParsedFile]] = field(default_factory=dict)
    _mock_file: tuple[Signature, ParsedMock] | None = None
    _pictures: PictureChecks = field(default_factory=PictureChecks)
    _recalled: frozenset[object] = frozenset()
    _checked: Checked | None = None

    def __post_init__(self) -> None:
        # The process may change its directory while it serves.
        self._absolute = Path(os.path.abspath(self.root))  # noqa: PTH100  # links stay what they are
        if self.cache is not None:
            kept = recall(self._kept_file(self.cache))
            self._files, self._mock_file = dict(kept.files), kept.mock
            self._pictures.recall(kept.sizes)
            self._recalled, self._checked = self.state, kept.checked

    @property
    def state(self) -> frozenset[object]:
        """Equal for two loads between which no file and no picture of the directory has changed."""
        files = ((id, signature) for id, (signature, _) in self._files.items())
        mock = self._mock_file[0] if self._mock_file else None
        return frozenset([mock, *files, *self._pictures.signatures()])

    def checked(self, max_pixels: int) -> tuple[Mistake, ...] | None:
        """What was odd about the pictures when this very set was indexed before; None where it was not."""
        checked = self._checked
        if checked is None or (checked.max_pixels, checked.accounts) != (max_pixels, self.accounts):
            return None
        return checked.warnings if self.state == self._recalled else None

    def keep(self, checked: Checked | None = None) -> None:
        """Keep on disk what was understood, and that it was `checked`. For sets that can be served."""
        if self.cache is None or (checked is None and self.state == self._recalled):
            return
        kept = Kept(self._files, self._mock_file, self._pictures.sizes(), checked)
        keep(self._kept_file(self.cache), kept)
        self._recalled, self._checked = self.state, checked

    def _kept_file(self, cache: Path) -> Path:
        return kept_file(cache, self._absolute, self.root, self.vocabulary)

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
            unnamed=unnamed_pictures(directory.root, images),
        )
        told = sorted(
            {*mistakes, *directory.passed_over(), *in_files, *in_pictures, *check_set(parsed, accounts)}
        )
        raise_if_wrong(told)
        return Loaded(fixtures, tuple(told), tuple(parsed))

    def accounts_declared(self) -> tuple[Account, ...]:
        """The accounts of `mock.yaml` alone. Raises FixturesError."""
        mock, mistakes = self._mock(Directory(self.root, self._absolute))
        raise_if_wrong(mistakes)
        return mock.accounts or ()

    def _mock(self, directory: Directory) -> tuple[ParsedMock, list[Mistake]]:
        file, mistakes = directory.mock_file()
        known, self._mock_file = self._mock_file, None
        if file is None:
            return ParsedMock(), mistakes
        if known is None or known[0] != file.signature:
            known = file.signature, self._read_mock(file)
        self._mock_file = known
        return known[1], known[1].mistakes

    def _read_mock(self, file: FixtureFile) -> ParsedMock:
        # The models that check documents take their time to load: a start that reads nothing new needs none.
        from mock_server.scenarios.mock_reader import mock_file

        try:
            return mock_file(text_of(file), shown=file.shown, vocabulary=self.vocabulary)
        except UnreadableError as error:
            return ParsedMock(mistakes=[error.mistake(file.shown)])

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
        from mock_server.scenarios.scenario_reader import scenario_file  # as above

        try:
            parsed = scenario_file(text_of(file), id=file.id, shown=file.shown, vocabulary=self.vocabulary)
        except UnreadableError as error:
            parsed = ParsedFile(mistakes=[error.mistake(file.shown)])
        return file.signature, parsed


def declared_accounts(
    root: Path, *, vocabulary: Vocabulary = ANY, cache: Path | None = None
) -> tuple[Account, ...]:
    """The accounts of a directory's `mock.yaml`, without reading its scenarios. Raises FixturesError."""
    loader = FixtureLoader(root, vocabulary=vocabulary, cache=cache)
    accounts = loader.accounts_declared()
    loader.keep()
    return accounts


def raise_if_wrong(told: Sequence[Mistake]) -> None:
    """Raise FixturesError if more than warnings was told."""
    if any(not mistake.warning for mistake in told):
        raise FixturesError(told)
