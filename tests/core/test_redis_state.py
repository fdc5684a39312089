"""What only the shared store does: several that use it at once, and a server that goes away and comes back."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import replace

import pytest

from mock_server.core.account import Account
from mock_server.core.model import Billing, Product
from mock_server.core.rate_limit import Rate
from mock_server.core.redis_state import RedisClient, RedisStore
from mock_server.core.store import Admission, Meter
from mock_server.errors import SettingsError, StoreUnavailableError
from tests.redis_server import RedisServer
from tests.support import PATIENCE

pytestmark = pytest.mark.anyio

ACCOUNT = Account("demo", "demo-key")
CREDITS = Meter("demo-key", Billing.CREDITS, Product.PLATE)
QUOTA = Meter("demo-key", Billing.QUOTA, Product.PLATE, "2026-11")
NOON = 1_800_000_000.0

MakeStore = Callable[[str], RedisStore]


@pytest.fixture
async def connect() -> AsyncIterator[MakeStore]:
    """Makes stores, closed after the test."""
    async with AsyncExitStack() as stack:

        def made(url: str) -> RedisStore:
            store = RedisStore(RedisClient(url))
            stack.push_async_callback(store.close)
            return store

        yield made


def admit(account: Account) -> Admission:
    """Measured by credits alone."""
    return Admission(account, CREDITS)


async def test_what_one_changes_the_other_sees_at_once(redis_server: RedisServer, connect: MakeStore) -> None:
    """Also where the other has met the account before."""
    url = redis_server.url()
    here, there = connect(url), connect(url)
    await here.put_account(ACCOUNT)
    await there.enter("demo-key", admit)
    changed = replace(ACCOUNT, tier="gold")
    await here.put_account(changed)
    await here.spend(CREDITS, None)

    assert await there.enter("demo-key", admit) == Admission(changed, CREDITS, used=1)
    await here.remove_account("demo-key")
    assert await there.enter("demo-key", admit) is None


async def test_namespaces_and_databases_are_separate(redis_server: RedisServer, connect: MakeStore) -> None:
    """The same meter has different counts there."""
    url = redis_server.url("one")
    elsewhere = [redis_server.url("two"), url.partition("?")[0], url.replace("/0?", "/1?")]
    await connect(url).spend(CREDITS, None)

    assert [await connect(other).used(CREDITS) for other in elsewhere] == [0, 0, 0]
    assert await connect(url).used(CREDITS) == 1


async def test_the_last_unit_is_not_spent_twice(redis_server: RedisServer, connect: MakeStore) -> None:
    """Several processes together spend exactly the limit."""
    url = redis_server.url()
    stores = [connect(url) for _ in range(4)]
    spent = await asyncio.gather(*(store.spend(CREDITS, 100) for _ in range(50) for store in stores))

    assert sorted(unit for unit in spent if unit) == list(range(1, 101))


async def test_accounts_that_several_processes_declare_start_once(
    redis_server: RedisServer, connect: MakeStore
) -> None:
    """A process that starts later does not reset the counts."""
    url = redis_server.url()
    stores = [connect(url) for _ in range(4)]

    async def declared(store: RedisStore) -> None:
        await store.put_account(ACCOUNT, begin={QUOTA: 5})
        await store.spend(QUOTA, None)

    await asyncio.gather(*map(declared, stores))

    assert await stores[0].used(QUOTA) == 9


async def test_old_counters_expire(redis_server: RedisServer, connect: MakeStore) -> None:
    """Counters of a period and rate windows expire. Counters without a period do not."""
    store = connect(redis_server.url("expiry"))
    await store.put_account(ACCOUNT)
    await store.spend(CREDITS, None)
    await store.spend(QUOTA, None)
    await store.enter("demo-key", lambda account: Admission(account, CREDITS, rate=Rate(5, 60), now=NOON))
    left = {
        name: int(redis_server.command("TTL", f"vehicle-ocr-mock:expiry:{name}").strip(":\r\n"))
        for name in ("accounts", "used::demo-key", "used:2026-11:demo-key", "hits:demo-key")
    }

    assert left["accounts"] == left["used::demo-key"] == -1
    assert 62 * 86400 < left["used:2026-11:demo-key"] <= 100 * 86400
    assert 60 < left["hits:demo-key"] <= 60 + 86400


async def test_calls_fail_while_the_server_is_down(own_redis_server: RedisServer, connect: MakeStore) -> None:
    """When the server is back, they succeed, and the data is there."""
    store = connect(own_redis_server.url())
    await store.put_account(ACCOUNT)
    await store.spend(CREDITS, None)
    own_redis_server.kill()

    with pytest.raises(StoreUnavailableError):
        await store.spend(CREDITS, None)
    with pytest.raises(StoreUnavailableError):
        await store.enter("demo-key", admit)
    own_redis_server.start()
    assert await _until_answered(lambda: store.spend(CREDITS, None)) == 2
    assert await store.enter("demo-key", admit) == Admission(ACCOUNT, CREDITS, used=2)


async def test_calls_in_flight_when_the_server_dies_fail_and_are_not_repeated(
    own_redis_server: RedisServer, connect: MakeStore
) -> None:
    """Only the calls in flight may have spent a unit without returning it."""
    store = connect(own_redis_server.url())
    told: list[int] = []
    enough = asyncio.Event()
    failed = 0

    async def spend_on() -> None:
        nonlocal failed
        try:
            for _ in range(100_000):
                told.append(await store.spend(CREDITS, None) or 0)
                if len(told) == 200:
                    enough.set()
        except StoreUnavailableError:
            failed += 1

    spending = [asyncio.create_task(spend_on()) for _ in range(8)]
    await asyncio.wait_for(enough.wait(), PATIENCE)
    own_redis_server.kill()
    await asyncio.wait_for(asyncio.gather(*spending), PATIENCE)
    own_redis_server.start()
    used = await _until_answered(lambda: store.used(CREDITS))

    assert failed == 8
    assert len(told) == len(set(told))
    assert len(told) <= used <= len(told) + 8


async def test_a_server_that_does_not_answer_counts_as_down(own_redis_server: RedisServer, connect: MakeStore) -> None:
    """A call times out, over an open connection and over a new one."""
    store = connect(own_redis_server.url())
    await store.spend(CREDITS, None)
    own_redis_server.pause()

    for _ in range(2):
        began = time.monotonic()
        with pytest.raises(StoreUnavailableError, match="no answer within 2 seconds"):
            await asyncio.wait_for(store.spend(CREDITS, None), PATIENCE)
        assert time.monotonic() - began > 1.9  # the clock of an event loop is less exact
    own_redis_server.pause(resume=True)
    assert await _until_answered(lambda: store.used(CREDITS)) >= 1


async def test_scripts_are_loaded_again(redis_server: RedisServer, connect: MakeStore) -> None:
    """A restart or SCRIPT FLUSH removes the scripts from the server."""
    store = connect(redis_server.url())
    await store.spend(CREDITS, 2)
    redis_server.command("SCRIPT", "FLUSH")

    assert await asyncio.gather(*(store.spend(CREDITS, 2) for _ in range(3))) == [2, None, None]


async def test_a_cancelled_call_does_not_disturb_the_others(redis_server: RedisServer, connect: MakeStore) -> None:
    """Every other call gets its own reply."""
    store = connect(redis_server.url())
    given_up = asyncio.create_task(store.spend(CREDITS, None))
    others = [asyncio.create_task(store.advance("demo-key", "flaky")) for _ in range(5)]
    await asyncio.sleep(0)
    given_up.cancel()
    with suppress(asyncio.CancelledError):
        await given_up

    assert await asyncio.gather(*others) == [0, 1, 2, 3, 4]


async def test_calls_of_one_moment_share_a_pipeline(own_redis_server: RedisServer, connect: MakeStore) -> None:
    """Two hundred calls use one connection, and each gets its own reply."""
    store = connect(own_redis_server.url())
    await store.put_account(ACCOUNT)
    await store.enter("demo-key", admit)
    own_redis_server.command("CONFIG", "RESETSTAT")
    entries, units = await asyncio.gather(
        asyncio.gather(*(store.enter("demo-key", admit) for _ in range(100))),
        asyncio.gather(*(store.spend(CREDITS, 60) for _ in range(100))),
    )
    stats = own_redis_server.command("INFO", "stats")

    # The commands of this test open connections, too.
    assert int(re.findall(r"total_connections_received:(\d+)", stats)[0]) <= 2
    assert entries == [Admission(ACCOUNT, CREDITS)] * 100
    assert sorted(unit for unit in units if unit) == list(range(1, 61))


async def test_requests_go_on_together(own_redis_server: RedisServer, connect: MakeStore) -> None:
    """Ten requests of five calls each, half of them a moment later, take six round trips instead of ten."""
    store = connect(own_redis_server.url())
    await store.advance("warm", "up")

    async def request(key: str) -> list[int]:
        return [await store.advance(key, "flaky") for _ in range(5)]

    own_redis_server.command("CONFIG", "RESETSTAT")
    early = [asyncio.create_task(request(f"early {number}")) for number in range(5)]
    for _ in range(2):  # the first calls are issued, then sent
        await asyncio.sleep(0)
    late = [asyncio.create_task(request(f"late {number}")) for number in range(5)]

    assert await asyncio.gather(*early, *late) == [[0, 1, 2, 3, 4]] * 10
    reads = re.findall(r"total_reads_processed:(\d+)", own_redis_server.command("INFO", "stats"))
    assert int(reads[0]) <= 6 + 2  # the commands of this test are read, too


async def test_concurrent_calls_for_different_counters_are_independent(
    redis_server: RedisServer, connect: MakeStore
) -> None:
    """Each counter has its own limit and its own count."""
    store = connect(redis_server.url())
    meters = [Meter(f"key {number}", Billing.CREDITS, Product.PLATE) for number in range(30)]
    told = await asyncio.gather(*(store.spend(meter, limit) for limit, meter in enumerate(meters) for _ in range(20)))

    assert [[unit for unit in told[start : start + 20] if unit] for start in range(0, 600, 20)] == [
        list(range(1, min(limit, 20) + 1)) for limit in range(30)
    ]


async def test_the_error_names_the_address(connect: MakeStore) -> None:
    """No server listens there."""
    with pytest.raises(StoreUnavailableError, match=r"127\.0\.0\.1:1"):
        await connect("redis://127.0.0.1:1/0").used(CREDITS)


@pytest.mark.parametrize("url", ["http://localhost", "redis://localhost:port", "redis://localhost?colour=red", "file"])
def test_a_bad_url_is_a_settings_error(url: str) -> None:
    """The mistake is found at the start."""
    with pytest.raises(SettingsError, match="--state"):
        RedisClient(url)


@pytest.mark.parametrize("url", ["redis://h:1/2", "rediss://u:p@h", "unix:///run/redis.sock", "valkey://h"])
def test_all_kinds_of_urls_are_accepted(url: str) -> None:
    """TCP, TLS, Unix socket, and the schemes of Valkey."""
    RedisClient(url)


async def _until_answered(call: Callable[[], Awaitable[int | None]]) -> int:
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                return await call() or 0
            except StoreUnavailableError:
                await asyncio.sleep(0.02)


async def test_a_command_that_cannot_be_written_fails_alone(redis_server: RedisServer) -> None:
    """The commands beside it and after it get their replies."""
    client = RedisClient(redis_server.url())
    try:
        before = client.command("ECHO", "before")
        with pytest.raises(UnicodeEncodeError):
            await client.command("ECHO", "\ud800")
        after = client.command("ECHO", "after")

        assert await asyncio.wait_for(before, PATIENCE) == b"before"
        assert await asyncio.wait_for(after, PATIENCE) == b"after"
    finally:
        await client.close()
