"""One suite for both rehearsals: counters, latest calls and marks, limited in number."""

from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from mock_server.core import rehearsal as limits
from mock_server.core.journal import JournalEntry
from mock_server.core.redis_state import RedisClient, RedisJournal, RedisRehearsal
from mock_server.core.rehearsal import Change, MemoryRehearsal, ObservedCall, Tally
from mock_server.errors import StoreUnavailableError
from tests.redis_server import RedisServer

pytestmark = pytest.mark.anyio

NOW = 1_800_000_000.0


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits that a test reaches: 8 counters of calls, 6 calls, 4 of them with one key."""
    for name in ("MOST_COUNTERS", "MOST_SCENARIOS", "MOST_OTHERS"):
        monkeypatch.setattr(limits, name, {"MOST_COUNTERS": 8}.get(name, 2))
    for name, value in {"MOST_CALLS": 6, "MOST_CALLS_OF_KEY": 4, "MOST_MARKS": 2}.items():
        monkeypatch.setattr(limits, name, value)


class SharedRehearsal(RedisRehearsal):
    """Counts calls as the mock does: beside their exchanges."""

    def __init__(self, client: RedisClient) -> None:
        super().__init__(client)
        self._journal = RedisJournal(client, max_count=2, max_bytes=10_000_000)

    async def add(self, entry: JournalEntry, call: ObservedCall | None) -> None:
        await self._journal.add(entry, self.counting(entry, call))


Rehearsal = MemoryRehearsal | SharedRehearsal


@pytest.fixture(params=["memory", "redis"])
async def rehearsal(request: pytest.FixtureRequest, small: None) -> AsyncIterator[Rehearsal]:
    """A rehearsal of each kind."""
    async with AsyncExitStack() as stack:
        if request.param == "memory":
            yield MemoryRehearsal(NOW)
            return
        server: RedisServer = request.getfixturevalue("redis_server")
        client = RedisClient(server.url())
        stack.push_async_callback(client.close)
        yield SharedRehearsal(client)


def call(id: str, key: str = "k1", **facts: Any) -> ObservedCall:
    """A call to an invented provider."""
    return replace(
        ObservedCall(id=id, key=key, provider="acme", product="plate", status=200, time=NOW, real=NOW), **facts
    )


def exchange(id: str, key: str | None = "k1", **facts: Any) -> JournalEntry:
    """The exchange of that call."""
    made = JournalEntry(
        id=id,
        time=datetime.fromtimestamp(NOW, UTC),
        provider="acme",
        product="plate",
        key_id=key,
        account="garage",
        outcome="read",
        status=200,
        milliseconds=1.0,
        method="POST",
        path="/read",
    )
    return replace(made, **facts)


async def done(result: Awaitable[None] | None) -> None:
    """Wait for what a rehearsal still has to do."""
    if result is not None:
        await result


def counts(tally: Tally, kind: str) -> dict[tuple[str | None, ...], int]:
    """The counters of a kind, without the kind."""
    return {count.facts[1:]: count.count for count in tally.counts if count.facts[0] == kind}


async def test_calls_are_counted_by_what_happened(rehearsal: Rehearsal) -> None:
    """Two calls that differ in nothing are one counter, which has the id of the first."""
    for id, outcome in (("a", "read"), ("b", "read"), ("c", "nothing_found")):
        await done(rehearsal.add(exchange(id, outcome=outcome, variant="v"), call(id, outcome=outcome)))
    tally = await rehearsal.tally()

    assert counts(tally, "call") == {
        ("k1", "garage", "acme", "plate", "read", "v", None, None, "200"): 2,
        ("k1", "garage", "acme", "plate", "nothing_found", "v", None, None, "200"): 1,
    }
    assert {count.first for count in tally.counts} == {"a", "c"}
    assert [event.call.id for event in tally.events if event.call] == ["a", "b", "c"]


async def test_other_things_are_counted_too(rehearsal: Rehearsal) -> None:
    """Unknown paths, undocumented forms and pictures that no scenario describes have counters of their own."""
    lost = exchange("a", None, provider="-", product=None, outcome=None, path="/reed", detail="did you mean /read?")
    await done(rehearsal.add(lost, None))
    odd = call("b", shapes=("path /old",), undescribed="made_up", picture="p1", name="car.jpg")
    await done(rehearsal.add(exchange("b"), odd))
    tally = await rehearsal.tally()

    assert counts(tally, "unserved") == {("POST", "/reed", "did you mean /read?"): 1}
    assert counts(tally, "alias") == {("acme", "path /old"): 1}
    assert counts(tally, "undescribed") == {("acme", "plate", "made_up", "p1", "car.jpg"): 1}


async def test_events_keep_their_order(rehearsal: Rehearsal) -> None:
    """Calls of several keys and marks come in the order in which they happened."""
    await done(rehearsal.add(exchange("a"), call("a")))
    await rehearsal.mark(Change.CHANGED, "k1")
    await done(rehearsal.add(exchange("b", "k2"), call("b", "k2")))
    await rehearsal.mark(Change.RESET)
    await done(rehearsal.add(exchange("c"), call("c")))
    events = (await rehearsal.tally()).events

    assert [event.call.id if event.call else str(event.mark and event.mark.change) for event in events] == [
        "a",
        "changed",
        "b",
        "reset",
        "c",
    ]


async def test_a_client_that_left_is_noted(rehearsal: Rehearsal) -> None:
    """The note comes after the call was added."""
    waiting = call("a")
    await done(rehearsal.add(exchange("a"), waiting))
    await done(rehearsal.add(exchange("b"), call("b")))
    await done(rehearsal.client_left(waiting))

    assert [event.call.has_left for event in (await rehearsal.tally()).events if event.call] == [True, False]


async def test_one_key_can_be_forgotten(rehearsal: Rehearsal) -> None:
    """What belongs to no key stays."""
    for id, key in (("a", "k1"), ("b", "k2")):
        await done(rehearsal.add(exchange(id, key), call(id, key, shapes=("path /old",))))
    await rehearsal.clear(NOW, "k1")
    tally = await rehearsal.tally()

    assert [count.facts[1] for count in tally.counts if count.facts[0] == "call"] == ["k2"]
    assert [event.call.id for event in tally.events if event.call] == ["b"]
    assert counts(tally, "alias") == {("acme", "path /old"): 2}


async def test_everything_can_begin_anew(rehearsal: Rehearsal) -> None:
    """Counters, calls, marks and the time."""
    await done(rehearsal.add(exchange("a"), call("a")))
    await rehearsal.mark(Change.RESET)
    await rehearsal.clear(NOW + 5)

    assert await rehearsal.tally() == Tally(NOW + 5)


async def test_calls_of_one_key_are_limited(rehearsal: Rehearsal) -> None:
    """The oldest calls of a busy key are dropped and counted; their counter keeps the sum."""
    for number in range(7):
        await done(rehearsal.add(exchange(str(number)), call(str(number))))
    tally = await rehearsal.tally()

    assert [event.call.id for event in tally.events if event.call] == ["3", "4", "5", "6"]
    assert tally.dropped == 3
    assert [count.count for count in tally.counts] == [7]


async def test_calls_of_all_keys_are_limited(rehearsal: Rehearsal) -> None:
    """The key that was silent longest loses its calls."""
    for number, key in enumerate(["k1", "k2", "k1", "k3", "k4", "k5", "k6"]):
        await done(rehearsal.add(exchange(str(number), key), call(str(number), key)))
    tally = await rehearsal.tally()

    assert [event.call.key for event in tally.events if event.call] == ["k1", "k1", "k3", "k4", "k5", "k6"]
    assert tally.dropped == 1


async def test_counters_are_limited(rehearsal: Rehearsal) -> None:
    """Beyond a limit calls are counted without their keys, beyond the next one also without their scenarios."""
    for number in range(20):
        key, scenario = f"k{number}", f"s{number // 2}"
        await done(rehearsal.add(exchange(str(number), key, scenario=scenario), call(str(number), key)))
    found = counts(await rehearsal.tally(), "call")
    read = ("acme", "plate", "read", None, None)

    assert len(found) == 8 + 2 + 1
    assert {facts: count for facts, count in found.items() if facts[0] == "*"} == {
        ("*", None, *read, "s4", "200"): 2,
        ("*", None, *read, "s5", "200"): 2,
        ("*", None, *read, None, "200"): 8,
    }


async def test_a_forgotten_key_makes_room(rehearsal: Rehearsal) -> None:
    """Its counters may be used again; after all is forgotten, all may."""
    for number in range(8):
        await done(rehearsal.add(exchange(str(number), f"k{number}"), call(str(number), f"k{number}")))
    for key in ("k3", "unknown"):
        await rehearsal.clear(NOW, key)
    for number in (8, 9):
        await done(rehearsal.add(exchange("new", f"k{number}"), call("new", f"k{number}")))
    keys = {facts[0] for facts in counts(await rehearsal.tally(), "call")}
    await rehearsal.clear(NOW)
    for number in range(8):
        await done(rehearsal.add(exchange("new", f"n{number}"), call("new", f"n{number}")))

    assert keys == {"k0", "k1", "k2", "k4", "k5", "k6", "k7", "k8", "*"}
    assert {facts[0] for facts in counts(await rehearsal.tally(), "call")} == {f"n{number}" for number in range(8)}


async def test_other_counters_are_limited(rehearsal: Rehearsal) -> None:
    """Paths, pictures and forms beyond their limits are counted together. They take no counters of calls."""
    for number in range(9):
        lost = exchange("a", None, provider="-", product=None, outcome=None, path=f"/{number}", detail="no such path")
        await done(rehearsal.add(lost, None))
        odd = call("b", shapes=(f"field f{number}",), undescribed="made_up", picture=f"p{number}", name="car.jpg")
        await done(rehearsal.add(exchange("b"), odd))
    tally = await rehearsal.tally()

    assert counts(tally, "unserved") == {
        ("POST", "/0", "no such path"): 1,
        ("POST", "/1", "no such path"): 1,
        ("*", "other paths", None): 7,
    }
    assert counts(tally, "alias") == {("acme", "field f0"): 1, ("acme", "field f1"): 1, ("acme", "other forms"): 7}
    assert counts(tally, "undescribed")["acme", "plate", "made_up", "", "other pictures"] == 7
    assert [facts[0] for facts in counts(tally, "call")] == ["k1"]


async def test_the_shipped_limits_bound_everything() -> None:
    """Calls with as many keys, pictures, scenarios and paths are all counted, and few of them are kept."""
    rehearsal, number_of_calls = MemoryRehearsal(NOW), 30_000
    for number in range(number_of_calls):
        key = f"k{number}"
        odd = call(key, key, undescribed="made_up", picture=f"p{number}", shapes=(f"field f{number}",))
        rehearsal.add(exchange(key, key, scenario=f"s{number}"), odd)
        rehearsal.add(exchange(key, None, provider="-", product=None, outcome=None, path=f"/{number}"), None)
    tally = await rehearsal.tally()
    kinds = ("call", "unserved", "undescribed", "alias")

    assert {kind: sum(counts(tally, kind).values()) for kind in kinds} == dict.fromkeys(kinds, number_of_calls)
    assert {kind: len(counts(tally, kind)) for kind in kinds} == {
        **dict.fromkeys(kinds, limits.MOST_OTHERS + 1),
        "call": limits.MOST_COUNTERS + limits.MOST_SCENARIOS + 1,
    }
    assert (len(tally.events), tally.dropped) == (limits.MOST_CALLS, number_of_calls - limits.MOST_CALLS)


async def test_marks_are_limited(rehearsal: Rehearsal) -> None:
    """The latest marks are kept."""
    for number in range(20):
        await rehearsal.mark(Change.CHANGED, f"k{number}")
    marks = [event.mark.key for event in (await rehearsal.tally()).events if event.mark]

    assert marks[-1] == "k19"
    assert len(marks) <= 4


async def test_without_the_store_nothing_fails(own_redis_server: RedisServer) -> None:
    """A call is answered although it cannot be counted."""
    client = RedisClient(own_redis_server.url())
    lost = SharedRehearsal(client)
    own_redis_server.kill()
    await done(lost.add(exchange("a"), call("a")))
    await done(lost.client_left(call("a")))
    with pytest.raises(StoreUnavailableError):
        await lost.tally()
    await client.close()
    own_redis_server.start()
