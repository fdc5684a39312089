"""What `verify` says when it does not find what was expected: what it looked for, and what came closest."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from mock_server.core.exchange import Exchange

Find = Callable[[Mapping[str, Any]], Sequence[Exchange]]

_MOST_TOLD = 5


def expected(times: int | None, at_least: int | None, at_most: int | None) -> tuple[int, int | None]:
    """The fewest and the most that are fine. Raises ValueError for a contradiction."""
    if times is not None:
        if at_least is not None or at_most is not None:
            raise ValueError("times goes without at_least and at_most")
        return times, times
    fewest = at_least if at_least is not None else (0 if at_most is not None else 1)
    if at_most is not None and fewest > at_most:
        raise ValueError(f"at_least {fewest} is above at_most {at_most}")
    return fewest, at_most


def failure(facts: Mapping[str, Any], bounds: tuple[int, int | None], count: int, find: Find) -> str:
    """The message: expected and found, then the requests that differ in one fact only."""
    lines = [f"expected {_times(bounds)} with {_told(facts)}; found {count}"]
    if count:
        lines += [f"  {exchange}" for exchange in find(facts)[-_MOST_TOLD:]]
    closest = _differing_in_one(facts, find)
    if closest:
        lines += ["closest:", *closest[:_MOST_TOLD]]
    elif not count:
        recorded = len(find({}))
        lines.append(f"nothing comes close; the journal has {_requests(recorded)} in all")
    return "\n".join(lines)


def _differing_in_one(facts: Mapping[str, Any], find: Find) -> list[str]:
    found: list[tuple[int, str]] = []
    for name, wanted in facts.items():
        rest = {other: value for other, value in facts.items() if other != name}
        matching = {exchange.id for exchange in find(facts)}
        values = Counter(_fact(exchange, name) for exchange in find(rest) if exchange.id not in matching)
        for value, count in values.items():
            told = _told({**rest, name: value}, order=facts, redacted=name)
            found.append((count, f"  {_requests(count)} with {told}; expected {name} {_shown(name, wanted)}"))
    return [line for _, line in sorted(found, key=lambda pair: -pair[0])]


def _fact(exchange: Exchange, name: str) -> Any:
    if name in ("sha256", "format"):
        return getattr(exchange.image, name) if exchange.image else None
    if name in ("since", "until"):
        return f"{exchange.time:%Y-%m-%dT%H:%M:%S%z}"
    return getattr(exchange, name)


def _told(facts: Mapping[str, Any], *, order: Iterable[str] = (), redacted: str | None = None) -> str:
    names = list(order) or list(facts)
    told = [
        f"{name} {facts[name] if name == redacted and facts[name] else _shown(name, facts[name])}"
        for name in names
    ]
    return ", ".join(told) or "any facts"


def _shown(name: str, value: Any) -> str:
    if value is None:
        return "-"
    if name == "key":
        # As the journal shows it: keys are not to stand in the output of a test.
        return f"…{value[-2:]}" if len(value) > 6 else "…"
    return str(value)


def _times(bounds: tuple[int, int | None]) -> str:
    fewest, most = bounds
    if fewest == most:
        return _requests(fewest)
    if most is None:
        return f"at least {_requests(fewest)}"
    return f"at most {_requests(most)}" if fewest == 0 else f"{fewest} to {_requests(most)}"


def _requests(count: int) -> str:
    return f"{count} request" if count == 1 else f"{count} requests"
