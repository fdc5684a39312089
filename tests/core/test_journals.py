"""One suite over both journals: the latest exchanges, within bounds of count and of bytes."""

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
from mock_server.core.model import MatchKind, OutcomeName, Product, ReadRequest
from mock_server.core.provider_traits import Billing
from mock_server.core.redis_state import RedisClient, RedisJournal, shared_state
from mock_server.core.store import Meter
from mock_server.errors import StoreUnavailableError
from mock_server.imaging.geometry import Box, Orientation, Placement
from mock_server.imaging.index import ImageMatch, ImageNearMiss, SearchResult
from mock_server.imaging.results import PictureFacts
from tests.redis_server import RedisServer

pytestmark = pytest.mark.anyio


class Make(Protocol):
    """Makes a journal with bounds."""

    def __call__(self, *, max_count: int = 1000, max_bytes: int = 10_000_000) -> Journal: ...


@pytest.fixture
def anyio_backend() -> str:
    """The event loop that the server runs on."""
    return "asyncio"


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
    for _ in range(1000):
        with suppress(StoreUnavailableError):
            await journal.exchanges()
            return
        await asyncio.sleep(0.01)


async def connected(journal: Journal) -> Journal:
    """Ready to be added to, as it is once accounts are declared."""
    await journal.exchanges()
    return journal


def exchange(id: str, key: str = "one", reply: bytes = b"{}") -> JournalEntry:
    """An exchange with few facts."""
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
    """Every fact survives, also what is kept to tell near misses."""
    journal = await connected(make())
    facts = PictureFacts("JPEG", 640, 480, 90_000, "ab" * 32, False, 123.25)
    placement = Placement((640, 480), (320, 240), Orientation.LEFT, (0.5, 0.5), (1.0, -2.5))
    search = SearchResult(
        facts,
        (ImageMatch("a.jpg", "perceptual", -3.5, -2.0, placement),),
        (
            ImageNearMiss("b.jpg", 1.25, -2.0, "text", Box(1, 2, 3, 4)),
            ImageNearMiss("c.jpg", 2.0, -2.0, "scene"),
        ),
    )
    request = ReadRequest(
        "vehicore", Product.PLATE, "key", filename="é.jpg", headers={"x-a": "b"}, notes=("n",)
    )
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
    """The oldest go where there are too many; how many went is told."""
    journal = await connected(make(max_count=3))
    for number in range(8):
        await journal.add(exchange(str(number)))
        if number % 3 == 0:
            await journal.exchanges()

    assert ids(await journal.exchanges()) == ["5", "6", "7"]
    assert await journal.dropped() == 5


async def test_bytes_are_bounded(make: Make) -> None:
    """Long replies leave room for fewer exchanges."""
    journal = await connected(make(max_bytes=60_000))
    for number in range(40):
        await journal.add(exchange(str(number), reply=b"x" * 4000))
    kept = ids(await journal.exchanges())

    assert 8 <= len(kept) <= 15
    assert kept == [str(number) for number in range(40 - len(kept), 40)]
    assert await journal.dropped() == 40 - len(kept)


async def test_one_too_large_for_the_bound_is_not_kept(make: Make) -> None:
    """What does not fit at all goes at once, and later ones are kept."""
    journal = await connected(make(max_bytes=6000))
    await journal.add(exchange("large", reply=b"x" * 9000))
    assert list(await journal.exchanges()) == []
    await journal.add(exchange("small"))

    assert ids(await journal.exchanges()) == ["small"]


async def test_those_that_are_meant_are_cleared(make: Make) -> None:
    """The others stay in their order."""
    journal = await connected(make())
    for number in range(6):
        await journal.add(exchange(str(number), key="even" if number % 2 == 0 else "odd"))

    assert await journal.clear(lambda one: one.key_id == "even") == 3
    assert await journal.clear(lambda one: one.key_id == "even") == 0
    await journal.add(exchange("6"))
    assert ids(await journal.exchanges()) == ["1", "3", "5", "6"]


async def test_all_are_cleared(make: Make) -> None:
    """Nothing is left, and counting begins anew."""
    journal = await connected(make(max_count=2))
    for number in range(5):
        await journal.add(exchange(str(number)))
    assert len(await journal.exchanges()) == 2

    assert await journal.clear() == 2
    assert (list(await journal.exchanges()), await journal.dropped()) == ([], 0)
    await journal.add(exchange("after"))
    assert ids(await journal.exchanges()) == ["after"]


async def test_what_was_too_many_does_not_come_back(make: Make) -> None:
    """The bound holds whenever somebody looks, and clearing some makes no room for what was dropped before."""
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


async def test_many_are_read_in_one_go(make: Make) -> None:
    """More than are sent at once, read from the beginning and then from where the last reading ended."""
    journal = await connected(make())
    for number in range(450):
        await journal.add(exchange(str(number)))
    assert ids(await journal.exchanges()) == [str(number) for number in range(450)]
    for number in range(450, 900):
        await journal.add(exchange(str(number)))

    assert ids(await journal.exchanges()) == [str(number) for number in range(900)]


async def test_whoever_read_a_block_before_it_was_cut_shows_what_is_left(redis_server: RedisServer) -> None:
    """What is added together is dropped one by one, also for those who know all of it."""
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


async def test_what_does_not_arrive_is_counted(own_redis_server: RedisServer) -> None:
    """While the server is gone exchanges are dropped, at no one's cost; their number is told afterwards."""
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


async def test_a_journal_that_was_lost_is_shown_no_more(own_redis_server: RedisServer) -> None:
    """A server that comes back empty has what was written since, though others have read what was before."""
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


async def test_of_two_that_clear_at_once_neither_takes_what_is_not_meant(redis_server: RedisServer) -> None:
    """Places are counted anew when some are gone: whoever meant others looks again."""
    url = redis_server.url()
    clients = RedisClient(url), RedisClient(url)
    here, there = (RedisJournal(client, max_count=1000, max_bytes=10_000_000) for client in clients)
    try:
        await connected(here)
        for number in range(40):
            await here.add(exchange(str(number), key=("a", "b", "c", "d")[number % 4]))
        counts = await asyncio.gather(
            *(
                # mypy cannot tell the type of a lambda with a default.
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


async def test_what_was_added_last_is_written_before_the_end(redis_server: RedisServer) -> None:
    """Closing the store of a process waits until its journal is on the server."""
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
