"""The rehearsal report as JSON. Its JSON Schema is made from these classes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from mock_server.core.exchange import Document

VERSION: Literal[1] = 1


@dataclass(frozen=True, slots=True)
class Answer(Document):
    """An outcome and its variant, and how often it was the answer."""

    outcome: str
    variant: str | None
    count: int


@dataclass(frozen=True, slots=True)
class OutcomeRow(Document):
    """One documented reply of a provider for a product. Outcomes that give the same reply are one row."""

    outcome: str
    variant: str | None
    status: int
    label: str
    """The status and the code or the message of the reply."""
    count: int
    """How many requests got this reply."""
    keys: int
    """How many API keys got it."""
    accounts: Sequence[str]
    """Names of the first accounts that got it. The accounts of the pytest plugin have the names of the tests."""
    same: Sequence[Answer]
    """The outcomes and variants that give this reply, this one included."""
    needs: str | None
    """What accounts and settings lack for this reply. The row does not count as missing then."""


@dataclass(frozen=True, slots=True)
class FaultRow(Document):
    """One connection fault."""

    fault: str
    count: int
    keys: int
    accounts: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductCoverage(Document):
    """What was rehearsed of one product of a provider."""

    provider: str
    title: str
    """The provider's name as people write it."""
    product: str
    requests: int
    rehearsed: int
    """Documented replies that were seen."""
    of: int
    """Documented replies that are possible with the accounts and settings of the run."""
    outcomes: Sequence[OutcomeRow]
    faults: Sequence[FaultRow]
    faults_rehearsed: int
    other: Sequence[Answer]
    """Replies that are not the provider's: written by a scenario, or errors of the mock."""


@dataclass(frozen=True, slots=True)
class UsedScenario(Document):
    """A scenario that answered requests."""

    scenario: str
    count: int


@dataclass(frozen=True, slots=True)
class ScenarioUse(Document):
    """Which scenarios answered requests, and which never did."""

    used: Sequence[UsedScenario]
    unused: Sequence[str]


@dataclass(frozen=True, slots=True)
class Undescribed(Document):
    """A picture that no scenario describes."""

    provider: str
    product: str
    answer: str
    """How it was answered: `made_up` for an invented reading, `error` for a 501 of the mock, otherwise the outcome."""
    picture: str | None
    """File name of the upload, or URL without its query."""
    count: int
    request: str
    """Id of the first request."""


@dataclass(frozen=True, slots=True)
class Unserved(Document):
    """A path that nothing serves."""

    method: str
    path: str
    hint: str | None
    count: int
    request: str


@dataclass(frozen=True, slots=True)
class Undocumented(Document):
    """An undocumented form that a client used: an alias of a path or field, or a field the provider does not have."""

    provider: str
    form: str
    count: int
    request: str


@dataclass(frozen=True, slots=True)
class Evidence(Document):
    """One case in which a client broke a rule."""

    provider: str
    product: str
    key_id: str
    """Hash of the API key, empty for a request without a key."""
    account: str | None
    requests: Sequence[str]
    """Ids of the requests, in order."""
    times: Sequence[datetime]
    """When they arrived, by the mock's clock."""
    text: str
    """What happened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice(Document):
    """A rule that a client broke."""

    rule: str
    summary: str
    level: Literal["D", "C", "I", "A"]
    """How well the rule is founded: documented, seen in an official client, inferred, or assumed."""
    source: str
    why: str
    mend: str
    """What to change in the client."""
    section: str
    """Section of the documentation."""
    count: int
    evidence: Sequence[Evidence]
    """The first cases."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary(Document):
    """The numbers of the report."""

    requests: int
    keys: int
    rehearsed: int
    """Rehearsed replies of the products that were called at all."""
    of: int
    """Possible replies of these products; of all products if none was called."""
    percent: float
    """Rehearsed replies in percent of the possible ones."""
    faults_rehearsed: int
    faults_of: int
    unused_scenarios: int
    made_up: int
    """Requests with an invented reading."""
    undescribed: int
    """Requests with a picture that no scenario describes, those with an invented reading included."""
    unserved: int
    """Requests to paths that nothing serves."""
    advice: int
    """Rules that a client broke."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report(Document):
    """The rehearsal report: what the tests have exercised, and how the client behaved."""

    version: Literal[1]
    since: datetime
    """When counting began, by the mock's clock."""
    made: datetime
    summary: Summary
    coverage: Sequence[ProductCoverage]
    scenarios: ScenarioUse
    undescribed: Sequence[Undescribed]
    unserved: Sequence[Unserved]
    undocumented: Sequence[Undocumented]
    advice: Sequence[Advice]
    rules_off: Sequence[str]
    """Rules of advice that are switched off."""
    dropped: int
    """Calls that are counted, but too old for advice: only the latest calls of each key are kept."""
