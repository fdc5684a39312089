"""The message of `verify` if the journal has not the expected number of requests."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from mock_server.core.exchange import Exchange
from mock_server.core.redaction import redacted
from mock_server.suggest import many

Find = Callable[..., Sequence[Exchange]]
"""Returns the requests that match some filters."""

Bounds = tuple[int, int | None]
"""The smallest and the largest number of requests; None for no upper bound."""

_MOST_LINES = 5


def bounds_of(times: int | None, at_least: int | None, at_most: int | None) -> Bounds:
    """The bounds that the arguments of `verify` mean. Raises ValueError if they contradict each other."""
    if times is not None:
        if at_least is not None or at_most is not None:
            raise ValueError("give times, or at_least and at_most")
        return times, times
    smallest = at_least if at_least is not None else (0 if at_most is not None else 1)
    if at_most is not None and smallest > at_most:
        raise ValueError(f"at_least {smallest} is above at_most {at_most}")
    return smallest, at_most


def failure_message(filters: Mapping[str, Any], bounds: Bounds, find: Find) -> str:
    """What was expected and found, and the requests that differ from the filters in one field."""
    found = find(**filters)
    shown = {name: _shown(name, value) for name, value in filters.items()}
    lines = [f"expected {_number(bounds)} with {_joined(shown)}; found {len(found)}"]
    lines += [f"  {exchange}" for exchange in found[-_MOST_LINES:]]
    closest = Counter(dict(_closest(filters, shown, found, find))).most_common(_MOST_LINES)
    if closest:
        lines += ["closest:", *(f"  {many(count, 'request')} with {text}" for text, count in closest)]
    elif not found:
        lines.append(f"nothing comes close; the journal has {many(len(find()), 'request')} in all")
    return "\n".join(lines)


def _closest(
    filters: Mapping[str, Any], shown: Mapping[str, str], found: Sequence[Exchange], find: Find
) -> Iterator[tuple[str, int]]:
    ids = {exchange.id for exchange in found}
    for name in filters:
        others = {other: value for other, value in filters.items() if other != name}
        values = Counter(_value(exchange, name) for exchange in find(**others) if exchange.id not in ids)
        for value, count in values.items():
            yield f"{_joined({**shown, name: value})}; expected {name} {shown[name]}", count


def _value(exchange: Exchange, name: str) -> str:
    if name in ("since", "until"):
        return f"{exchange.time:%Y-%m-%dT%H:%M:%S%z}"
    value = exchange.value(name)
    return "-" if value is None else str(value)


def _shown(name: str, value: Any) -> str:
    if value is None:
        return "-"
    # The output of a test must not have the whole key.
    return redacted(value) if name == "key" else str(value)


def _joined(values: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items()) or "any fields"


def _number(bounds: Bounds) -> str:
    smallest, largest = bounds
    if largest is None:
        return f"at least {many(smallest, 'request')}"
    if smallest == largest:
        return many(smallest, "request")
    return f"at most {many(largest, 'request')}" if smallest == 0 else f"{smallest} to {many(largest, 'request')}"
