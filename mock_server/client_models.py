"""Accounts, exchanges and near misses as Python tests see them, and the arguments of the client's methods."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypedDict, TypeVar

from mock_server.core.account import AccountStatus, QuotaPeriod
from mock_server.core.exchange import Choice, Document, Exchange, ScenarioMiss
from mock_server.core.model import Fault, OutcomeName, Product

if TYPE_CHECKING:
    from pydantic import TypeAdapter

T = TypeVar("T")

UNLIMITED = "unlimited"
ALWAYS: Literal["always"] = "always"

_LOCK = Lock()
_ADAPTERS: dict[Any, Any] = {}


def adapter(kind: type[T]) -> "TypeAdapter[T]":
    """Reads and describes the JSON of a class."""
    # Pydantic reads the docstrings from the source, and Python 3.11 cannot parse source in two threads at once.
    with _LOCK:
        if kind not in _ADAPTERS:
            from pydantic import TypeAdapter  # the import is slow, and a server does not need it

            _ADAPTERS[kind] = TypeAdapter(kind)
        found: TypeAdapter[T] = _ADAPTERS[kind]
        return found


class _UnlimitedAsText:
    """Marks a number of units: the text "unlimited" in JSON is None in Python."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema  # only to read and describe JSON

        return core_schema.no_info_before_validator_function(
            lambda value: None if value == UNLIMITED else value, handler(source)
        )

    def __get_pydantic_json_schema__(self, schema: object, handler: object) -> dict[str, Any]:
        return {"oneOf": [{"type": "integer"}, {"const": UNLIMITED}]}


Units = Annotated[int | None, _UnlimitedAsText()]


def _sent(units: int | None) -> int | str:
    return UNLIMITED if units is None else units


@dataclass(frozen=True, slots=True)
class QuotaView(Document):
    """The quota of one product in the current period."""

    current: int
    """Requests that were counted."""
    limit: Units
    """Requests that are allowed; None if unlimited."""
    remaining: Units
    """Requests that are left; None if unlimited."""

    def document(self) -> dict[str, Any]:
        return {"current": self.current, "limit": _sent(self.limit), "remaining": _sent(self.remaining)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Account(Document):
    """An account, with the balances at the time of the call."""

    key: str
    """The API key."""
    name: str
    status: Annotated[str, Choice(AccountStatus)]
    plans: tuple[str, ...]
    """Products that the account may use."""
    credits: Mapping[str, Units]
    """Prepaid units that are left, by product; None if unlimited."""
    quota: Mapping[str, QuotaView]
    """Requests in the current period, by product. `shared` is there if the account has one quota for all products."""
    quota_period: Annotated[str, Choice(QuotaPeriod)]
    """When the quota is renewed."""
    tier: str
    """Name of the subscription tier."""
    overage: bool
    """Whether requests over the quota succeed."""
    rate_limit: str | None
    """Such as 5/second; None if unlimited."""
    wallet: bool = False
    """Whether requests with the same `Idempotency-Key` are charged once."""

    def document(self) -> dict[str, Any]:
        credits = {product: _sent(units) for product, units in self.credits.items()}
        return Document.document(self) | {"credits": credits}


@dataclass(frozen=True, slots=True)
class NearMiss(Document):
    """A request that no scenario matched."""

    request: Exchange
    scenarios: tuple[ScenarioMiss, ...]
    """The nearest scenarios, nearest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Override(Document):
    """What happens to the next calls, before any scenario."""

    id: str
    key: str | None = None
    """The API key whose calls it answers; None for all keys."""
    provider: str | None = None
    """The provider whose calls it answers; None for all providers."""
    product: Annotated[str | None, Choice(Product)] = None
    """The product whose calls it answers; None for all products."""
    outcome: Annotated[str | None, Choice(OutcomeName)] = None
    """Kind of reply; None if the reply is written out."""
    message: str | None = None
    """Text that replaces the provider's own message."""
    variant: str | None = None
    """Documented alternative of the outcome."""
    fault: Annotated[str | None, Choice(Fault)] = None
    """Connection fault instead of a reply."""
    delay: Any = None
    """Delay of the reply, as in a scenario file."""
    headers: dict[str, Any] = field(default_factory=dict)
    """Headers that are added to the reply."""
    trouble: dict[str, Any] | None = None
    """Errors of the recognition itself, as in a scenario file."""
    omit: tuple[str, ...] = ()
    """Paths of fields that the reply lacks."""
    add: dict[str, Any] = field(default_factory=dict)
    """Paths of new fields, with their values."""
    reply: dict[str, Any] | None = None
    """Reply in place of the provider's: status, headers and body."""
    chance: str | None = None
    """Share of the calls that it answers, such as 10%; None for all of them."""
    times: int | Literal["always"]
    """The number of calls that it answers."""
    remaining: int | Literal["always"]
    """The number of calls that it will still answer."""


class OverrideFields(TypedDict, total=False):
    """What happens to the next calls of a key, a provider or a product: one of outcome, fault, reply; and details."""

    key: str | None
    provider: str | None
    product: str | None
    outcome: str
    message: str
    variant: str
    fault: str
    delay: str | Mapping[str, Any]
    headers: Mapping[str, str]
    trouble: Mapping[str, Any]
    omit: Sequence[str] | str
    add: Mapping[str, Any]
    reply: Mapping[str, Any] | int
    chance: str
    times: int | Literal["always"]


class AccountChanges(TypedDict, total=False):
    """The fields of an account that can be changed."""

    name: str
    status: str
    plans: list[str]
    credits: Mapping[str, int | str] | int | str
    quota: Mapping[str, Any] | int | str
    quota_period: str
    tier: str
    overage: bool
    rate_limit: str | None
    wallet: bool


class AccountFields(AccountChanges, total=False):
    """The fields of a new account, as in `mock.yaml`. Without a field there is no limit."""

    key: str


class RequestFilters(TypedDict, total=False):
    """Filters of the journal: the fields of an exchange. `key` is the full API key; None means that there is none."""

    id: str
    provider: str
    product: str | None
    key: str | None
    key_id: str | None
    account: str | None
    outcome: str | None
    variant: str | None
    scenario: str | None
    match: str
    charged: int
    status: int
    fault: str | None
    forced: str | None
    text: str | None
    detail: str | None
    method: str
    path: str
    client: str | None
    source: str | None
    filename: str | None
    url: str | None
    language: str | None
    sha256: str
    format: str
    since: datetime | str | float
    until: datetime | str | float
    limit: int
