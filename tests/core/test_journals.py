"""One suite for both journals: the latest exchanges, limited in number and in bytes."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import fields
from datetime import UTC, datetime
from typing import Protocol

import pytest

from mock_server.core import exchange as exchange_model
from mock_server.core.conditions import Query
from mock_server.core.exchange import Picture
from mock_server.core.journal import Journal, JournalEntry, MemoryJournal
from mock_server.core.model import Billing, MatchKind, OutcomeName, Product, ReadRequest
from mock_server.core.redis_state import RedisClient, RedisJournal, shared_state
from mock_server.core.store import Meter
from mock_server.errors import StoreUnavailableError
from mock_server.imaging.geometry import Box, Orientation, Placement
from mock_server.imaging.index import ImageMatch, ImageNearMiss, SearchResult
from mock_server.imaging.results import PictureFacts
from tests.redis_server import RedisServer
from tests.support import PATIENCE

pytestmark = pytest.mark.anyio


class Make(Protocol):
    """Creates a journal with limits."""

    def __call__(self, *, max_count: int = 1000, max_bytes: int = 10_000_000) -> Journal: ...


@pytest.fixture(params=["memory", "redis"])
async def make(request: pytest.FixtureRequest) -> AsyncIterator[Make]:
    """Journals of each kind."""
    async with AsyncExitStack() as stack:

        def made(*, max_count: int = 1000, max_bytes: int = 10_000_000) -> Journal:
            if request.param == "memory":
                return MemoryJournal(max_count=max_count, max_bytes=max_bytes)
            client = RedisClient(request.getfixturevalue("redis_server").url())
            stack.push_async_callback(client.close)
            return RedisJournal(client, max_count=max_count, max_bytes=max_bytes)

        yield made


async def reached_again(journal: RedisJournal) -> None:
    """Try until a server that was gone answers."""
    async with asyncio.timeout(PATIENCE):
        while True:
            with suppress(StoreUnavailableError):
                await journal.exchanges()
                return
            await asyncio.sleep(0.01)


async def connected(journal: Journal) -> Journal:
    """A journal whose connection is open."""
    await journal.exchanges()
    return journal


def exchange(id: str, key: str = "one", reply: bytes = b"{}") -> JournalEntry:
    """A short exchange."""
    return JournalEntry(
        id=id,
        time=datetime(2026, 12, 1, tzinfo=UTC),
        provider="vehicore",
        product=Product.PLATE,
        method="POST",
        path="/api/ocr/plate",
        status=200,
        milliseconds=0.4,
        key_id=key,
        body=reply,
    )


def ids(exchanges: Sequence[JournalEntry]) -> list[str]:
    """The ids of exchanges."""
    return [one.id for one in exchanges]


async def test_exchanges_come_back_as_they_were(make: Make) -> None:
    """Every field survives, including the query for near misses."""
    journal = await connected(make())
    facts = PictureFacts("JPEG", 640, 480, 90_000, "ab" * 32, False, 123.25)
    placement = Placement((640, 480), (320, 240), Orientation.LEFT, (0.5, 0.5), (1.0, -2.5))
    search = SearchResult(
        facts,
        (ImageMatch("a.jpg", "perceptual", -3.5, -2.0, placement),),
        (ImageNearMiss("b.jpg", 1.25, -2.0, "text", Box(1, 2, 3, 4)), ImageNearMiss("c.jpg", 2.0, -2.0, "scene")),
    )
    request = ReadRequest("vehicore", Product.PLATE, "key", filename="é.jpg", headers={"x-a": "b"}, notes=("n",))
    full = JournalEntry(
        id="full",
        time=datetime.fromtimestamp(1_800_000_000.123, UTC),
        provider="carsxe",
        product=Product.VIN,
        method="POST",
        path="/v1/vinocr",
        status=429,
        milliseconds=1.25,
        key="…ey",
        key_id="abc",
        account="demo",
        outcome=OutcomeName.RATE_LIMITED,
        match=MatchKind.PERCEPTUAL,
        charged=1,
        notes=("one", "two"),
        image=Picture("ab" * 32, "JPEG", 640, 480, 90_000),
        nearest=(exchange_model.Nearest("b.jpg", 1.25, -2.0, "text", (1, 2, 3, 4)),),
        body=b'{"a": 1}\xff\x00',
        query=Query(request, "demo", search),
    )
    await journal.add(full)
    (found,) = await journal.exchanges()

    assert {each.name: getattr(found, each.name) for each in fields(JournalEntry)} == {
        each.name: getattr(full, each.name) for each in fields(JournalEntry)
    }


async def test_the_latest_are_kept(make: Make) -> None:
    """The oldest are dropped if there are too many, and counted."""
    journal = await connected(make(max_count=3))
    for number in range(8):
        await journal.add(exchange(str(number)))
        if number % 3 == 0:
            await journal.exchanges()

    assert ids(await journal.exchanges()) == ["5", "6", "7"]
    assert await journal.dropped() == 5


async def test_a_long_journal_keeps_nearly_its_limit(make: Make) -> None:
    """Its oldest exchanges may be dropped some at a time; those that are left are the latest, and all are counted."""
    journal = await connected(make(max_count=3000))
    for first in range(0, 3100, 100):
        await asyncio.gather(*(journal.add(exchange(str(number))) for number in range(first, first + 100)))
    kept = ids(await journal.exchanges())

    assert 2997 <= len(kept) <= 3000
    assert kept == [str(number) for number in range(3100 - len(kept), 3100)]
    assert await journal.dropped() == 3100 - len(kept)


async def test_bytes_are_bounded(make: Make) -> None:
    """Long replies leave room for fewer exchanges."""
    journal = await connected(make(max_bytes=60_000))
    for number in range(40):
        await journal.add(exchange(str(number), reply=b"x" * 4000))
    kept = ids(await journal.exchanges())

    assert 8 <= len(kept) <= 15
    assert kept == [str(number) for number in range(40 - len(kept), 40)]
    assert await journal.dropped() == 40 - len(kept)


async def test_an_exchange_larger_than_the_limit_is_dropped(make: Make) -> None:
    """It is dropped at once, and later ones are kept."""
    journal = await connected(make(max_bytes=6000))
    await journal.add(exchange("large", reply=b"x" * 9000))
    assert list(await journal.exchanges()) == []
    await journal.add(exchange("small"))

    assert ids(await journal.exchanges()) == ["small"]


async def test_selected_exchanges_are_deleted(make: Make) -> None:
    """The others keep their order."""
    journal = await connected(make())
    for number in range(6):
        await journal.add(exchange(str(number), key="even" if number % 2 == 0 else "odd"))

    assert await journal.clear(lambda one: one.key_id == "even") == 3
    assert await journal.clear(lambda one: one.key_id == "even") == 0
    await journal.add(exchange("6"))
    assert ids(await journal.exchanges()) == ["1", "3", "5", "6"]


async def test_all_exchanges_are_deleted(make: Make) -> None:
    """Nothing is left, and the count of dropped exchanges is 0 again."""
    journal = await connected(make(max_count=2))
    for number in range(5):
        await journal.add(exchange(str(number)))
    assert len(await journal.exchanges()) == 2

    assert await journal.clear() == 2
    assert (list(await journal.exchanges()), await journal.dropped()) == ([], 0)
    await journal.add(exchange("after"))
    assert ids(await journal.exchanges()) == ["after"]


async def test_dropped_exchanges_do_not_come_back(make: Make) -> None:
    """The limit holds at every reading, and deleting some does not bring back dropped ones."""
    journal = await connected(make(max_count=100))
    for number in range(103):
        await journal.add(exchange(str(number), "odd" if number % 2 else "even"))
    assert ids(await journal.exchanges()) == [str(number) for number in range(3, 103)]
    assert await journal.dropped() == 3

    assert await journal.clear(lambda one: one.key_id == "odd") == 50
    assert ids(await journal.exchanges()) == [str(number) for number in range(4, 103, 2)]
    for number in range(200, 340):
        await journal.add(exchange(str(number)))
    assert ids(await journal.exchanges()) == [str(number) for number in range(240, 340)]
    assert await journal.dropped() == 3 + 50 + 40
    assert await journal.clear() == 100


async def test_many_are_read_at_once(make: Make) -> None:
    """The second reading continues where the first one ended."""
    journal = await connected(make())
    for number in range(450):
        await journal.add(exchange(str(number)))
    assert ids(await journal.exchanges()) == [str(number) for number in range(450)]
    for number in range(450, 900):
        await journal.add(exchange(str(number)))

    assert ids(await journal.exchanges()) == [str(number) for number in range(900)]


async def test_every_process_sees_what_another_one_drops_or_deletes(redis_server: RedisServer) -> None:
    """Processes that have read exchanges before, and one that has not, all read the same."""
    url = redis_server.url()
    clients = RedisClient(url), RedisClient(url), RedisClient(url)
    here, there, late = (RedisJournal(client, max_count=20, max_bytes=10_000_000) for client in clients)
    try:
        await connected(here)
        for number in range(15):
            await here.add(exchange(str(number), key="odd" if number % 2 else "even"))
        assert [len(await journal.exchanges()) for journal in (here, there)] == [15, 15]
        for number in range(15, 25):
            await here.add(exchange(str(number)))

        for journal in (here, there, late):
            assert ids(await journal.exchanges()) == [str(number) for number in range(5, 25)]
            assert await journal.dropped() == 5
        assert await there.clear(lambda one: one.key_id == "odd") == 5
        for journal in (here, there, late):
            assert ids(await journal.exchanges()) == ["6", "8", "10", "12", "14", *map(str, range(15, 25))]
    finally:
        for client in clients:
            await client.close()


async def test_lost_exchanges_are_counted(own_redis_server: RedisServer) -> None:
    """Exchanges that cannot be written count as dropped when the server is back."""
    client = RedisClient(own_redis_server.url())
    journal = RedisJournal(client, max_count=1000, max_bytes=10_000_000)
    await connected(journal)
    own_redis_server.kill()
    for number in range(1500):
        await journal.add(exchange(str(number)))
    own_redis_server.start()
    try:
        await reached_again(journal)
        await journal.add(exchange("after"))

        assert ids(await journal.exchanges()) == ["after"]
        assert await journal.dropped() == 1500
    finally:
        await client.close()


async def test_a_lost_journal_is_not_shown(own_redis_server: RedisServer) -> None:
    """After the server has lost its data, a process shows only what was written since, whatever it has read before."""
    client = RedisClient(own_redis_server.url())
    journal = RedisJournal(client, max_count=1000, max_bytes=10_000_000)
    await connected(journal)
    for number in range(5):
        await journal.add(exchange(f"before {number}"))
    assert len(await journal.exchanges()) == 5
    own_redis_server.kill()
    own_redis_server.forget()
    own_redis_server.start()
    try:
        await reached_again(journal)
        await journal.add(exchange("after"))

        assert ids(await journal.exchanges()) == ["after"]
    finally:
        await client.close()


async def test_concurrent_deletions_delete_only_what_is_selected(redis_server: RedisServer) -> None:
    """Each deletion counts its own exchanges, and the rest stays."""
    url = redis_server.url()
    clients = RedisClient(url), RedisClient(url)
    here, there = (RedisJournal(client, max_count=1000, max_bytes=10_000_000) for client in clients)
    try:
        await connected(here)
        for number in range(40):
            await here.add(exchange(str(number), key=("a", "b", "c", "d")[number % 4]))
        counts = await asyncio.gather(
            *(
                # mypy cannot infer the type of a lambda with a default.
                journal.clear(lambda one, key=key: one.key_id == key)  # type: ignore[misc]
                for journal, key in ((here, "a"), (there, "b"), (here, "c"))
            )
        )

        assert counts == [10, 10, 10]
        for journal in (here, there):
            assert ids(await journal.exchanges()) == [str(number) for number in range(3, 40, 4)]
    finally:
        for client in clients:
            await client.close()


async def test_concurrent_deletions_of_the_same_exchanges(redis_server: RedisServer) -> None:
    """Each exchange is deleted once; a deletion that finds none of them any more is no error."""
    url = redis_server.url()
    clients = RedisClient(url), RedisClient(url)
    here, there = (RedisJournal(client, max_count=1000, max_bytes=10_000_000) for client in clients)
    try:
        await connected(here)
        for number in range(10):
            await here.add(exchange(str(number)))
        await there.exchanges()
        counts = await asyncio.gather(*(journal.clear(lambda one: True) for journal in (here, there, here)))

        assert sum(counts) == 10
        assert ids(await there.exchanges()) == []
    finally:
        for client in clients:
            await client.close()


async def test_added_exchanges_are_there_after_the_end_of_their_process(redis_server: RedisServer) -> None:
    """Another process reads them after the first one has closed its store."""
    url = redis_server.url()
    states = [shared_state(url, 1000, 10_000_000) for _ in range(2)]
    await states[0].store.accounts()
    spending = asyncio.create_task(states[0].store.spend(Meter("key", Billing.CREDITS, Product.PLATE), None))
    await asyncio.sleep(0)
    for number in range(3):
        await states[0].journal.add(exchange(str(number)))
        await asyncio.sleep(0)
    await states[0].store.close()

    assert await spending == 1
    assert ids(await states[1].journal.exchanges()) == ["0", "1", "2"]
    await states[1].store.close()
