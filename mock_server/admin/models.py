"""The JSON documents that the admin API sends. OpenAPI's schemas are made from these classes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from mock_server.client_models import Account, NearMiss, Override
from mock_server.core.exchange import OUTCOMES, Choice, Document, Exchange, Loser, Picture, ScenarioMiss
from mock_server.core.model import Fault, MatchKind


@dataclass(frozen=True, slots=True)
class Reloaded(Document):
    """The fixtures that are served after a reload."""

    scenarios: int
    """Number of scenarios in files."""
    images: int
    """Number of images that scenarios name."""
    accounts: int
    """Number of accounts in `mock.yaml`."""


@dataclass(frozen=True, slots=True)
class AccountList(Document):
    """All accounts."""

    accounts: Sequence[Account]


@dataclass(frozen=True, slots=True)
class SequencePosition(Document):
    """How far an API key has come in a scenario's sequence of steps."""

    key: str
    """The API key; at most its last two characters are shown."""
    key_id: str
    """A hash of the API key."""
    account: str | None
    """Name of the account."""
    position: int
    """How many requests the sequence has answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedScenario(Document):
    """A scenario: the document of a fixture file, and its state."""

    scenario: str
    """Name of the scenario."""
    description: str = ""
    priority: int = 5
    """1 is the highest priority, 9 the lowest."""
    when: dict[str, Any]
    reading: dict[str, Any]
    then: list[dict[str, Any]]
    repeat: Literal["last", "cycle"] = "last"
    runtime: bool
    """Whether it was added at run time, not by a fixture file."""
    file: str | None = None
    """The fixture file that it comes from."""
    line: int | None = None
    pictures: Sequence[str] = ()
    """URL paths of its pictures."""
    positions: Sequence[SequencePosition] = ()
    """Positions of API keys in its sequence."""


SCENARIO_STATE = ("runtime", "file", "line", "pictures", "positions")
"""The fields of `ServedScenario` that are no part of the document."""


@dataclass(frozen=True, slots=True)
class ScenarioList(Document):
    """All scenarios."""

    scenarios: Sequence[ServedScenario]


@dataclass(frozen=True, slots=True)
class ScenarioState(SequencePosition):
    """The position of one API key in the sequence of one scenario."""

    scenario: str


@dataclass(frozen=True, slots=True)
class OverrideList(Document):
    """The overrides that will still answer a call."""

    overrides: Sequence[Override]
    """In the order in which they were set."""


@dataclass(frozen=True, slots=True)
class RequestList(Document):
    """Requests of the journal."""

    requests: Sequence[Exchange]
    """Oldest first."""
    total: int
    """Number of requests that match the filter, without its limit."""
    dropped: int
    """Number of requests that the journal dropped because it was full."""
    continued: bool = False
    """Whether the list begins after the request that `after` names."""


@dataclass(frozen=True, slots=True)
class RequestCount(Document):
    """A number of requests."""

    count: int


@dataclass(frozen=True, slots=True)
class DeletedRequests(Document):
    """A number of deleted requests."""

    deleted: int


@dataclass(frozen=True, slots=True)
class NearMissList(Document):
    """Requests that no scenario matched, with the nearest scenarios of each."""

    nearMisses: Sequence[NearMiss]


@dataclass(frozen=True, slots=True)
class ExaminedPicture(Picture):
    """A picture that was sent to `/match`."""

    blank: bool
    """Whether it has almost one colour only."""
    sharpness: float
    """Variance of the Laplacian; a blurred picture has a small one."""


@dataclass(frozen=True, slots=True)
class RecognisedPicture(Document):
    """A known picture that was recognised in the picture that was sent."""

    image: str
    """Path of the known picture in the fixtures directory."""
    match: str
    """How it was recognised: `sha256`, `pixels` or `perceptual`."""
    distance: float
    """Distance between the two pictures; smaller is more similar."""
    limit: float
    """The largest distance at which the picture is recognised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchResult(Document):
    """How a request would be answered, and why."""

    scenario: str | None = None
    """Name of the scenario that would answer."""
    match: Annotated[str, Choice(MatchKind)] = MatchKind.NONE
    """How the scenario was found."""
    outcome: Annotated[str | None, Choice(OUTCOMES)] = None
    account: str | None = None
    """Name of the account, if an API key was given."""
    charged: int = 0
    """Credits or quota units that the request would cost."""
    forced: str | None = None
    """What the request forces, and how."""
    detail: str | None = None
    """The reason for the outcome, in more detail than the reply gives."""
    delay: float = 0.0
    """Deliberate delay in seconds."""
    fault: Annotated[str | None, Choice(Fault)] = None
    """Deliberate connection fault."""
    status: int
    """HTTP status of the reply."""
    reply: Any = None
    """Body of the reply."""
    image: ExaminedPicture | None = None
    """The picture that was sent, if it could be read."""
    pictures: Sequence[RecognisedPicture] = ()
    """Known pictures that were recognised, best first."""
    losers: Sequence[Loser] = ()
    """Other scenarios whose conditions hold, and why each of them loses."""
    nearMisses: Sequence[ScenarioMiss] = ()
    """The nearest scenarios that do not match. Beside a match: only those that share the picture or a condition."""


@dataclass(frozen=True, slots=True)
class CallView(Document):
    """A call as a client sends it, by POST. `{key}` stands for the API key, `{url}` for the URL of the picture."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]
    json: dict[str, str] | None
    """The JSON body, if the call has one."""
    upload: str | None
    """The form part with the picture, if the call uploads it."""
    language: str | None
    """The form part with the language, if the call has one."""


@dataclass(frozen=True, slots=True)
class ProviderView(Document):
    """A provider and its calls."""

    name: str
    title: str
    """Its name as people write it."""
    calls: dict[str, CallView]
    """By product."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workbench(Document):
    """What the dashboard has to choose from."""

    providers: Sequence[ProviderView]
    outcomes: Sequence[str]
    faults: Sequence[str]
    matches: Sequence[str]
    """How a scenario can be found."""
    images: Sequence[str]
    """Names of pictures under `/images/`, at most 2,000."""
    keptUploads: int
    """How many uploads are kept."""
    edit: bool
    """Whether scenarios can be saved into the fixtures directory."""
    report: bool
    """Whether there is a rehearsal report."""


@dataclass(frozen=True, slots=True)
class UploadList(Document):
    """The uploads that are kept."""

    requests: Sequence[str]
    """Ids of the requests that have sent them."""


@dataclass(frozen=True, slots=True)
class ChaosView(Document):
    """The chaos of `mock.yaml`."""

    chaos: dict[str, float]
    """Outcomes and faults that any request may meet, with their chances, 0 to 1."""
    paused: bool
    """Whether it is switched off until the next reset."""


@dataclass(frozen=True, slots=True)
class ProposedBox(Document):
    """Where the text of a picture is."""

    box: Sequence[int] | None
    """[xmin, ymin, xmax, ymax] in pixels of the upright picture; null if that is not certain."""


@dataclass(frozen=True, slots=True)
class CheckedScenario(Document):
    """The result of a check."""

    mistakes: Sequence[dict[str, Any]]
    """Each with its place, as in the errors of a refused request."""
    yaml: str | None
    """The text of the scenario's fixture file; null if there are mistakes."""


@dataclass(frozen=True, slots=True)
class ClockView(Document):
    """The mock's clock."""

    now: datetime
    frozen: bool
    """Whether it stands still."""
    offset: float | None
    """Seconds that it is ahead of the system's clock; null if it stands still."""
