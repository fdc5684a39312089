"""Filters of the journal: they compare the texts, numbers and choices that an exchange records."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from types import NoneType, UnionType
from typing import Any, get_args, get_type_hints

from mock_server.admin.validation import PARAMETER, as_choice, as_count, as_text, as_time, check_names, pointer
from mock_server.core.exchange import NO_PROVIDER, Exchange, Picture
from mock_server.core.journal import key_id

ABSENT = "-"
"""Stands for a field that is null, as in the header `X-Mock-Scenario: -`."""


def _fields(model: type, *kinds: type) -> dict[str, type]:
    """The fields of a dataclass that have one of some types, with that type or the enum that they are limited to."""
    fields: dict[str, type] = {}
    for name, hint in get_type_hints(model, include_extras=True).items():
        marks = getattr(hint, "__metadata__", ())
        plain = hint.__origin__ if marks else hint
        types = set(get_args(plain) if isinstance(plain, UnionType) else [plain]) - {NoneType}
        if types <= set(kinds):
            fields[name] = marks[0].choices if marks else types.pop()
    return fields


FIELDS: Mapping[str, type] = {**_fields(Exchange, str, int), **_fields(Picture, str)}
"""The fields that a filter compares, with their types. `key` is compared by its hash."""
FILTERS = (*FIELDS, "since", "until", "limit")

Test = Callable[[Exchange], bool]


@dataclass(frozen=True, slots=True)
class RequestFilter:
    """The tests that an exchange must pass, and the maximum length of a list."""

    tests: Sequence[Test] = ()
    limit: int | None = None

    def __call__(self, exchange: Exchange) -> bool:
        return all(test(exchange) for test in self.tests)


def parse_filter(filters: Mapping[str, Any], providers: Collection[str], *, parameters: bool = False) -> RequestFilter:
    """The filter of a document, or of query parameters. Raises FixturesError for unknown names and wrong values."""
    check_names(filters, FILTERS, parameters=parameters)
    tests: list[Test] = []
    limit = None
    for name, value in filters.items():
        place = PARAMETER + name if parameters else pointer(name)
        if name == "limit":
            limit = as_count(value, place)
        else:
            tests.append(_test(name, value, place, providers))
    return RequestFilter(tests, limit)


def _test(name: str, value: Any, place: str, providers: Collection[str]) -> Test:
    if name in ("since", "until"):
        bound = datetime.fromtimestamp(as_time(value, place), UTC)
        return lambda exchange: (exchange.time >= bound) is (name == "since")
    expected = _expected(name, value, place, providers)
    if name == "key":
        name, expected = "key_id", None if expected is None else key_id(expected)
    return lambda exchange: _field(exchange, name) == expected


def _expected(name: str, value: Any, place: str, providers: Collection[str]) -> Any:
    kind = FIELDS[name]
    if kind is int:
        return as_count(value, place)
    if name == "provider":
        return as_choice(value, [*providers, NO_PROVIDER], place, name)
    if value is None or value == ABSENT:
        return None
    return as_choice(value, list(kind), place, name) if issubclass(kind, StrEnum) else as_text(value, place)


def _field(exchange: Exchange, name: str) -> Any:
    return getattr(exchange if hasattr(exchange, name) else exchange.image, name, None)
