"""What was understood of fixture files. Plain values: they are kept on disk between runs."""

from dataclasses import dataclass, field

from mock_server.core.account import Account
from mock_server.core.fixture_set import Defaults
from mock_server.core.scenario import Scenario
from mock_server.errors import Mistake
from mock_server.scenarios.issue import Source

NAMELESS = "scenario-without-a-name"


@dataclass(frozen=True, slots=True)
class ParsedScenario:
    """A scenario, where it comes from, and its pictures: as written, and the ids they mean, if any.

    `whole` is false where parts of it were left out as mistaken.
    """

    scenario: Scenario
    source: Source
    pictures: tuple[tuple[str, str | None], ...] = ()
    whole: bool = True


@dataclass(slots=True)
class ParsedFile:
    """What one scenario file says, as far as it could be understood."""

    scenarios: list[ParsedScenario] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)


@dataclass(slots=True)
class ParsedMock:
    """What `mock.yaml` says; `accounts` is None where it does not speak of them."""

    accounts: tuple[Account, ...] | None = None
    defaults: Defaults = field(default_factory=Defaults)
    mistakes: list[Mistake] = field(default_factory=list)
