"""What Python tests get to see: accounts, exchanges and near misses as typed values, made from the admin API's JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self, TypedDict

Document = Mapping[str, Any]


class AccountChanges(TypedDict, total=False):
    """What can be changed of an account."""

    name: str
    status: str
    plans: list[str]
    credits: Mapping[str, int | str] | int | str
    quota: Mapping[str, Any] | int | str
    quota_period: str
    tier: str
    overage: bool
    rate_limit: str | None


class AccountFacts(AccountChanges, total=False):
    """What can be said of a new account, as in `mock.yaml`; what is left out is not limited."""

    key: str


class RequestFacts(TypedDict, total=False):
    """What can be asked of the journal. `key` is the full key; None means that there is none."""

    key: str | None
    provider: str
    product: str | None
    outcome: str | None
    match: str
    scenario: str | None
    status: int
    charged: int
    fault: str | None
    forced: str | None
    account: str | None
    key_id: str | None
    id: str
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


@dataclass(frozen=True, slots=True)
class QuotaView:
    """A volume of requests for one product; `limit` and `remaining` are None where it is unlimited."""

    current: int
    limit: int | None
    remaining: int | None

    @classmethod
    def of(cls, document: Document) -> Self:
        return cls(document["current"], _units(document["limit"]), _units(document["remaining"]))


@dataclass(frozen=True, slots=True)
class Account:
    """An account as it was when it was asked for. `credits` are balances by product, None where unlimited."""

    key: str
    name: str
    status: str
    plans: tuple[str, ...]
    credits: Mapping[str, int | None]
    quota: Mapping[str, QuotaView]
    quota_period: str
    tier: str
    overage: bool
    rate_limit: str | None

    @classmethod
    def of(cls, document: Document) -> Self:
        return cls(
            key=document["key"],
            name=document["name"],
            status=document["status"],
            plans=tuple(document["plans"]),
            credits={product: _units(units) for product, units in document["credits"].items()},
            quota={product: QuotaView.of(quota) for product, quota in document["quota"].items()},
            quota_period=document["quota_period"],
            tier=document["tier"],
            overage=document["overage"],
            rate_limit=document["rate_limit"],
        )


@dataclass(frozen=True, slots=True)
class Picture:
    """What is kept of a picture that was sent; sizes in pixels of the upright picture."""

    sha256: str
    format: str
    width: int
    height: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Nearest:
    """A picture of the set that came close; it would have been recognised with a distance up to the limit."""

    image: str
    distance: float
    limit: float
    reason: str
    region: tuple[int, int, int, int] | None


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its reply, as the journal has it.

    `key` is redacted; `key_id` is a stable short id of it. `match` is how the scenario was found. `milliseconds` is
    the time to decide, `delay` the seconds that were waited on purpose. `reply` is the reply's JSON.
    """

    id: str
    time: datetime
    provider: str
    product: str | None
    key: str | None
    key_id: str | None
    account: str | None
    outcome: str | None
    scenario: str | None
    match: str
    charged: int
    status: int
    milliseconds: float
    delay: float
    fault: str | None
    forced: str | None
    detail: str | None
    method: str
    path: str
    client: str | None
    source: str | None
    aliases: tuple[str, ...]
    notes: tuple[str, ...]
    filename: str | None
    url: str | None
    language: str | None
    image: Picture | None
    nearest: tuple[Nearest, ...]
    reply: Any = field(repr=False)

    @classmethod
    def of(cls, document: Document) -> Self:
        image = document["image"]
        facts = {name: document[name] for name in _PLAIN_FACTS}
        return cls(
            **facts,
            time=datetime.fromisoformat(document["time"]),
            aliases=tuple(document["aliases"]),
            notes=tuple(document["notes"]),
            image=Picture(**image) if image else None,
            nearest=tuple(
                Nearest(**{**near, "region": tuple(near["region"]) if near["region"] else None})
                for near in document["nearest"]
            ),
        )

    def __str__(self) -> str:
        """One line, for failure messages."""
        facts = [
            f"{self.time:%H:%M:%S.%f}"[:-3],
            f"{self.method} {self.path}",
            f"{self.provider} {self.product or '-'}",
            f"{self.status} {self.outcome or '-'}",
            f"scenario {self.scenario or '-'} ({self.match})",
            f"key {self.key or '-'}",
            f"charged {self.charged}",
        ]
        if self.fault:
            facts.append(f"fault {self.fault}")
        if self.detail:
            facts.append(self.detail)
        return "  ".join(facts)


_PLAIN_FACTS = tuple(
    name
    for name in Exchange.__dataclass_fields__
    if name not in ("time", "aliases", "notes", "image", "nearest")
)


@dataclass(frozen=True, slots=True)
class ScenarioMiss:
    """A scenario that nearly applied: the conditions that failed, and how far off its picture is, if it has one."""

    scenario: str
    failed: tuple[str, ...]
    distance: float | None
    limit: float | None
    region: tuple[int, int, int, int] | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A request that found no scenario, and the nearest ones, nearest first."""

    request: Exchange
    scenarios: tuple[ScenarioMiss, ...]

    @classmethod
    def of(cls, document: Document) -> Self:
        scenarios = tuple(
            ScenarioMiss(
                **{
                    **miss,
                    "failed": tuple(miss["failed"]),
                    "region": tuple(miss["region"]) if miss["region"] else None,
                }
            )
            for miss in document["scenarios"]
        )
        return cls(Exchange.of(document["request"]), scenarios)


def _units(units: int | str) -> int | None:
    return units if isinstance(units, int) else None
