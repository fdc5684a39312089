"""What the clients of a mock have exercised: counters, and the latest calls of each key. The report is made from them.

They are apart from the journal: neither its limits nor `reset` delete them. Both are bounded in memory.
"""

from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import chain
from typing import Protocol

from mock_server.core.exchange import NO_PROVIDER, Exchange

MOST_COUNTERS = 20_000
"""Counters of calls. Calls beyond these are counted without their keys."""
MOST_SCENARIOS = 5_000
"""Counters of calls without keys. Calls beyond these are counted without their scenarios too."""
MOST_OTHERS = 2_000
"""Counters of each other kind. What is beyond these is counted together."""
MOST_CALLS = 20_000
"""Calls of all keys. The calls of the key that was silent longest are dropped first."""
MOST_CALLS_OF_KEY = 200
"""Latest calls of one key."""
MOST_MARKS = 2000

EVERY_KEY = "*"
NO_KEY = ""

Facts = tuple[str | None, ...]
"""What a counter counts: a `Kind`, then what `facts_of` says."""


class Kind(StrEnum):
    """The kinds of counters."""

    CALL = "call"
    UNDESCRIBED = "undescribed"
    UNSERVED = "unserved"
    ALIAS = "alias"


class Change(StrEnum):
    """What happened between two calls of a key: something that decides about replies changed, or a test ended."""

    CHANGED = "changed"
    RESET = "reset"


@dataclass(slots=True, kw_only=True)
class ObservedCall:
    """A call to a provider, as far as advice depends on it.

    `time` is when it arrived (Unix) by the mock's clock, `real` by the system's clock. `seconds` is the time from then
    until the reply was due, of which `delay` was deliberate. equal pictures have the same `picture`; `sha256` is
    known if the picture was read. `size` (bytes) and `pixels` are those of an upload. `undescribed` says how a picture
    was answered that no scenario describes. `has_left`: the client closed the connection before the reply.
    """

    id: str
    key: str = NO_KEY
    provider: str
    product: str = ""
    outcome: str | None = None
    status: int
    time: float
    real: float
    seconds: float = 0.0
    delay: float = 0.0
    fault: str | None = None
    charged: int = 0
    picture: str = ""
    sha256: str | None = None
    name: str | None = None
    size: int = 0
    pixels: int = 0
    retry_after: str | None = None
    shapes: tuple[str, ...] = ()
    undescribed: str | None = None
    has_left: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """A change between calls, for the hash of one key or for every key."""

    change: Change
    key: str = EVERY_KEY


@dataclass(slots=True)
class Event:
    """A call or a mark. Numbers grow in the order of events.

    The class is not frozen, because each request makes one.
    """

    number: int
    call: ObservedCall | None = None
    mark: Mark | None = None


@dataclass(frozen=True, slots=True)
class Count:
    """How often something happened, and the id of the first request of them."""

    facts: Facts
    count: int
    first: str


@dataclass(frozen=True, slots=True)
class Tally:
    """Everything that was counted since `since` (Unix time by the mock's clock).

    `events` are in order. `dropped` is the number of calls that are counted, but whose details were dropped.
    """

    since: float
    counts: tuple[Count, ...] = ()
    events: tuple[Event, ...] = ()
    dropped: int = 0


class Rehearsal(Protocol):
    """Counters and latest calls, of one process or of all processes that share a state."""

    def client_left(self, call: ObservedCall) -> Awaitable[None] | None:
        """Note that the client of a call has closed the connection before it had the reply."""

    async def mark(self, change: Change, key: str = EVERY_KEY) -> None:
        """Note a change that concerns one key (its hash) or every key."""

    async def tally(self) -> Tally:
        """Everything that was counted."""

    async def clear(self, now: float, key: str | None = None) -> None:
        """Begin anew at Unix time `now`, or forget one key (its hash)."""


def facts_of(exchange: Exchange, call: ObservedCall | None) -> list[Facts]:
    """What is counted for an exchange."""
    if exchange.provider == NO_PROVIDER:
        return [(Kind.UNSERVED, exchange.method, exchange.path, exchange.detail)]
    if call is None or exchange.product is None:
        return []
    found: list[Facts] = [
        (
            Kind.CALL,
            exchange.key_id or NO_KEY,
            exchange.account,
            exchange.provider,
            exchange.product,
            exchange.outcome,
            exchange.variant,
            exchange.fault,
            exchange.scenario,
            str(exchange.status),
        )
    ]
    if call.shapes:
        found += [(Kind.ALIAS, exchange.provider, shape) for shape in call.shapes]
    if call.undescribed:
        found.append((Kind.UNDESCRIBED, exchange.provider, exchange.product, call.undescribed, call.picture, call.name))
    return found


def levels(facts: Facts) -> tuple[Facts, ...]:
    """The counter of its own, then those that count it together with others if there are too many.

    As many as `limits` has for the kind, plus the last one, of which there are few.
    """
    if facts[0] == Kind.CALL:
        kind, _, _, provider, product, outcome, variant, fault, scenario, status = facts
        rest = (provider, product, outcome, variant, fault)
        return (facts, (kind, EVERY_KEY, None, *rest, scenario, status), (kind, EVERY_KEY, None, *rest, None, status))
    if facts[0] == Kind.UNDESCRIBED:
        return (facts, (*facts[:4], "", "other pictures"))
    return (facts, (facts[0], "*", "other paths", None) if facts[0] == Kind.UNSERVED else (*facts[:2], "other forms"))


def limits(kind: str) -> tuple[int, ...]:
    """How many counters of a kind there may be before each of the wider `levels` is used."""
    return (MOST_COUNTERS, MOST_COUNTERS + MOST_SCENARIOS) if kind == Kind.CALL else (MOST_OTHERS,)


@dataclass(slots=True)
class _Counter:
    first: str
    count: int = 0


@dataclass(slots=True)
class MemoryRehearsal:
    """A `Rehearsal` in the memory of this process."""

    since: float
    _counters: dict[Facts, _Counter] = field(default_factory=dict)
    _sizes: Counter[str | None] = field(default_factory=Counter)
    _calls: OrderedDict[str, list[Event]] = field(default_factory=OrderedDict)
    _marks: list[Event] = field(default_factory=list)
    _number: int = 0
    _kept: int = 0
    _dropped: int = 0
    settle: Callable[[], None] = lambda: None
    """Called before something is read or marked: adds the calls that wait elsewhere."""

    def add(self, exchange: Exchange, call: ObservedCall | None) -> None:
        for facts in facts_of(exchange, call):
            self._count(facts, exchange.id)
        if call is not None:
            self._keep(call)

    def client_left(self, call: ObservedCall) -> None:
        call.has_left = True

    async def mark(self, change: Change, key: str = EVERY_KEY) -> None:
        self.settle()
        self._marks.append(Event(self._next(), mark=Mark(change, key)))
        if len(self._marks) > 2 * MOST_MARKS:
            del self._marks[:MOST_MARKS]

    async def tally(self) -> Tally:
        self.settle()
        counts = [Count(facts, counter.count, counter.first) for facts, counter in self._counters.items()]
        events = sorted(chain(self._marks, *self._calls.values()), key=lambda event: event.number)
        return Tally(self.since, tuple(counts), tuple(events), self._dropped)

    async def clear(self, now: float, key: str | None = None) -> None:
        self.settle()
        if key is None:
            self.since, self._kept, self._dropped = now, 0, 0
            self._counters.clear()
            self._sizes.clear()
            self._calls.clear()
            self._marks.clear()
            return
        self._kept -= len(self._calls.pop(key, ()))
        for facts in [facts for facts in self._counters if facts[0] == Kind.CALL and facts[1] == key]:
            del self._counters[facts]
            self._sizes[Kind.CALL] -= 1

    def _count(self, facts: Facts, id: str) -> None:
        counter = self._counters.get(facts)
        if counter is None:
            counter = self._counters.setdefault(self._fitting(facts), _Counter(id))
        counter.count += 1

    def _fitting(self, facts: Facts) -> Facts:
        """The narrowest counter that exists or that there is room for."""
        *narrow, widest = levels(facts)
        for counted, limit in zip(narrow, limits(str(facts[0])), strict=True):
            if counted in self._counters:
                return counted
            if self._sizes[facts[0]] < limit:
                self._sizes[facts[0]] += 1
                return counted
        return widest

    def _keep(self, call: ObservedCall) -> None:
        calls = self._calls.get(call.key)
        if calls is None:
            calls = self._calls[call.key] = []
        else:
            self._calls.move_to_end(call.key)
        calls.append(Event(self._next(), call=call))
        self._kept += 1
        if len(calls) > MOST_CALLS_OF_KEY:
            self._drop(calls, MOST_CALLS_OF_KEY // 4)
        while self._kept > MOST_CALLS:
            _, oldest = self._calls.popitem(last=False)
            self._drop(oldest, len(oldest))

    def _drop(self, calls: list[Event], count: int) -> None:
        del calls[:count]
        self._kept -= count
        self._dropped += count

    def _next(self) -> int:
        self._number += 1
        return self._number
