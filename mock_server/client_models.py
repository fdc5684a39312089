"""What Python tests get to see: accounts, exchanges and near misses as typed values, made from the admin API's JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self, TypedDict

from mock_server.core.exchange import Exchange, Region

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
    detail: str | None
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
class ScenarioMiss:
    """A scenario that nearly matched: the conditions that failed and the distance of its picture."""

    scenario: str
    failed: tuple[str, ...]
    distance: float | None
    limit: float | None
    region: Region | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A request that no scenario matched, and the nearest scenarios, nearest first."""

    request: Exchange
    scenarios: tuple[ScenarioMiss, ...]


def _units(units: int | str) -> int | None:
    return units if isinstance(units, int) else None
