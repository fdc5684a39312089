"""Which exchanges are meant: any recorded fact may be asked for, and a mistyped one is told, not matched by nothing."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from mock_server.admin.input_errors import PARAMETER, mistake, one_of, only_known, pointer
from mock_server.admin.times import moment
from mock_server.core.journal import Exchange, key_id
from mock_server.core.model import Fault, MatchKind, OutcomeName, Product

_NONE = "-"
"""Stands for a fact that is absent, as in the header `X-Mock-Scenario: -`."""

_TEXTS: Mapping[str, Callable[[Exchange], str | None]] = {
    "id": lambda exchange: exchange.id,
    "key_id": lambda exchange: exchange.key_id,
    "account": lambda exchange: exchange.account,
    "scenario": lambda exchange: exchange.scenario,
    "forced": lambda exchange: exchange.forced,
    "method": lambda exchange: exchange.method,
    "path": lambda exchange: exchange.path,
    "client": lambda exchange: exchange.client,
    "source": lambda exchange: exchange.source,
    "filename": lambda exchange: exchange.filename,
    "url": lambda exchange: exchange.url,
    "language": lambda exchange: exchange.language,
    "sha256": lambda exchange: exchange.picture.sha256 if exchange.picture else None,
    "format": lambda exchange: exchange.picture.format if exchange.picture else None,
}
_CHOICES: Mapping[str, tuple[Collection[str], Callable[[Exchange], str | None]]] = {
    "product": (list(Product), lambda exchange: exchange.product),
    "outcome": (list(OutcomeName), lambda exchange: exchange.outcome),
    "match": (list(MatchKind), lambda exchange: exchange.match),
    "fault": (list(Fault), lambda exchange: exchange.fault),
}
_NUMBERS: Mapping[str, Callable[[Exchange], int]] = {
    "status": lambda exchange: exchange.status,
    "charged": lambda exchange: exchange.charged,
}
_TIMES = ("since", "until")

FACTS = ("key", "provider", *_CHOICES, *_TEXTS, *_NUMBERS, *_TIMES, "limit")
"""What may be asked for."""


@dataclass(frozen=True, slots=True)
class Filter:
    """What must hold of an exchange, and how many are wanted at most: the latest."""

    tests: Mapping[str, Callable[[Exchange], bool]] = field(default_factory=dict)
    limit: int | None = None

    def __call__(self, exchange: Exchange) -> bool:
        return all(test(exchange) for test in self.tests.values())

    @classmethod
    def of(
        cls, wanted: Mapping[str, Any], providers: Collection[str], *, parameters: bool = False
    ) -> "Filter":
        """The filter that a document, or the parameters of a query, describes. Raises FixturesError."""
        only_known(wanted, FACTS, parameters=parameters)
        tests: dict[str, Callable[[Exchange], bool]] = {}
        limit = None
        for name, value in wanted.items():
            place = PARAMETER + name if parameters else pointer(name)
            if name == "limit":
                limit = _count(value, place)
            else:
                tests[name] = _test(name, value, place, providers)
        return cls(tests, limit)


def _test(name: str, value: Any, place: str, providers: Collection[str]) -> Callable[[Exchange], bool]:
    if name == "key":
        return _has_key(value, place)
    if name in _TIMES:
        return _in_time(name, moment(value, place))
    if name in _NUMBERS:
        number, wanted = _NUMBERS[name], _count(value, place)
        return lambda exchange: number(exchange) == wanted
    if name == "provider":
        provider = one_of(value, providers, place, name)
        return lambda exchange: exchange.provider == provider
    read = _CHOICES[name][1] if name in _CHOICES else _TEXTS[name]
    if value is None or value == _NONE:
        return lambda exchange: read(exchange) is None
    if name in _CHOICES:
        one_of(value, _CHOICES[name][0], place, name)
    elif not isinstance(value, str):
        raise mistake(place, "text is wanted")
    return lambda exchange: read(exchange) == value


def _has_key(value: Any, place: str) -> Callable[[Exchange], bool]:
    if value is None or value == _NONE:
        return lambda exchange: exchange.key_id is None
    if not isinstance(value, str):
        raise mistake(place, "text is wanted")
    wanted = key_id(value)
    return lambda exchange: exchange.key_id == wanted


def _in_time(name: str, bound: float) -> Callable[[Exchange], bool]:
    if name == "since":
        return lambda exchange: exchange.time >= bound
    return lambda exchange: exchange.time < bound


def _count(value: Any, place: str) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 9:
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 10**9:
        raise mistake(place, "a whole number, 0 or more, is wanted")
    return value
