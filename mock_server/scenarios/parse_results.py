"""The content of fixture files, as far as it could be read. Plain values: they are cached on disk between runs."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from mock_server.core.account import Account
from mock_server.core.fixture_set import Defaults
from mock_server.core.scenario import Scenario
from mock_server.errors import FixturesError, Mistake
from mock_server.scenarios.source import FileSource, Source

NAMELESS = "scenario-without-a-name"


@dataclass(frozen=True, slots=True)
class ParsedScenario:
    """A scenario, its source, and its pictures: the path as written, and the picture's id if the path has one.

    `is_complete` is false if wrong parts of the document were left out.
    """

    scenario: Scenario
    source: Source
    pictures: tuple[tuple[str, str | None], ...] = ()
    is_complete: bool = True

    @property
    def place(self) -> str:
        """File and line, for messages."""
        return (
            f"{self.source.file}:{self.scenario.line}" if isinstance(self.source, FileSource) else "added at run time"
        )

    def at_picture(self, number: int, what: str, hint: str = "", *, warning: bool = False) -> Mistake:
        """A mistake at a picture; `number` is its position in `when.image`."""
        return self.source.mistake(("when", "image", number), what, hint, warning=warning)

    def position_of(self, id: str) -> int:
        """The first position of a picture in `when.image`."""
        return next(number for number, (_, picture) in enumerate(self.pictures) if picture == id)


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """The content of one fixture file, and what is wrong in it; `accounts` is None if it does not list any.

    `uses_environment`: the content has values of variables, which are not written to disk.
    """

    scenarios: tuple[ParsedScenario, ...] = ()
    accounts: tuple[Account, ...] | None = None
    defaults: Defaults = field(default_factory=Defaults)
    mistakes: tuple[Mistake, ...] = ()
    uses_environment: bool = False


def raise_if_wrong(mistakes: Sequence[Mistake]) -> None:
    """Raise FixturesError unless all mistakes are warnings."""
    if any(not mistake.warning for mistake in mistakes):
        raise FixturesError(mistakes)
