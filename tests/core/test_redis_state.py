"""What only the shared store does: several that use it at once, and a server that goes away and comes back."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import replace

import pytest

from mock_server.core.account import Account
from mock_server.core.model import Product
from mock_server.core.provider_traits import Billing
from mock_server.core.redis_state import RedisClient, RedisStore
from mock_server.core.store import Admission, Meter, Rate
from mock_server.errors import SettingsError, StoreUnavailableError
from tests.redis_server import RedisServer

pytestmark = pytest.mark.anyio

ACCOUNT = Account("demo", "demo-key")
CREDITS = Meter("demo-key", Billing.CREDITS, Product.PLATE)
QUOTA = Meter("demo-key", Billing.QUOTA, Product.PLATE, "2026-11")
NOON = 1_800_000_000.0

MakeStore = Callable[[str], RedisStore]


@pytest.fixture
def anyio_backend() -> str:
    """The event loop that the server runs on."""
    return "asyncio"


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


async def test_namespaces_and_databases_do_not_meet(redis_server: RedisServer, connect: MakeStore) -> None:
    """The same names mean something else elsewhere."""
    url = redis_server.url("one")
    elsewhere = [redis_server.url("two"), url.partition("?")[0], url.replace("/0?", "/1?")]
    await connect(url).spend(CREDITS, None)

    assert [await connect(other).used(CREDITS) for other in elsewhere] == [0, 0, 0]
    assert await connect(url).used(CREDITS) == 1


async def test_the_last_unit_is_not_spent_twice(redis_server: RedisServer, connect: MakeStore) -> None:
    """Several processes together spend what there is, and no more."""
    url = redis_server.url()
    stores = [connect(url) for _ in range(4)]
    spent = await asyncio.gather(*(store.spend(CREDITS, 100) for _ in range(50) for store in stores))

    assert sorted(unit for unit in spent if unit) == list(range(1, 101))


async def test_accounts_declared_by_all_begin_once(redis_server: RedisServer, connect: MakeStore) -> None:
    """A process that starts later does not set back what was spent meanwhile."""
    url = redis_server.url()
    stores = [connect(url) for _ in range(4)]

    async def declared(store: RedisStore) -> None:
        await store.put_account(ACCOUNT, begin={QUOTA: 5})
        await store.spend(QUOTA, None)

    await asyncio.gather(*map(declared, stores))

    assert await stores[0].used(QUOTA) == 9


async def test_what_is_over_expires(redis_server: RedisServer, connect: MakeStore) -> None:
    """Counters of a period and windows do not stay for ever; units that never come back do."""
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


async def test_a_server_that_is_gone_is_told_and_its_return_noticed(
    own_redis_server: RedisServer, connect: MakeStore
) -> None:
    """Calls fail while the server is away; once it is back they succeed, with what it kept."""
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


async def test_calls_under_way_when_the_server_dies_fail_and_are_not_repeated(
    own_redis_server: RedisServer, connect: MakeStore
) -> None:
    """Nothing is spent by a call that its caller believes to have failed, beyond those that were under way."""
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
    await asyncio.wait_for(enough.wait(), 30)
    own_redis_server.kill()
    await asyncio.wait_for(asyncio.gather(*spending), 30)
    own_redis_server.start()
    used = await _until_answered(lambda: store.used(CREDITS))

    assert failed == 8
    assert len(told) == len(set(told))
    assert len(told) <= used <= len(told) + 8


async def test_a_server_that_does_not_answer_counts_as_gone(
    own_redis_server: RedisServer, connect: MakeStore
) -> None:
    """A call fails instead of hanging, with an open connection and with a new one."""
    store = connect(own_redis_server.url())
    await store.spend(CREDITS, None)
    own_redis_server.pause()

    for _ in range(2):
        with pytest.raises(StoreUnavailableError, match="no answer within 2 seconds"):
            await asyncio.wait_for(store.spend(CREDITS, None), 30)
    own_redis_server.pause(resume=True)
    assert await _until_answered(lambda: store.used(CREDITS)) >= 1


async def test_scripts_that_the_server_forgot_are_told_again(
    redis_server: RedisServer, connect: MakeStore
) -> None:
    """A restart or SCRIPT FLUSH empties the server's memory of scripts."""
    store = connect(redis_server.url())
    await store.spend(CREDITS, 2)
    redis_server.command("SCRIPT", "FLUSH")

    assert await asyncio.gather(*(store.spend(CREDITS, 2) for _ in range(3))) == [2, None, None]


async def test_a_caller_that_gives_up_disturbs_nobody(redis_server: RedisServer, connect: MakeStore) -> None:
    """A cancelled call leaves the replies of the others in their places."""
    store = connect(redis_server.url())
    given_up = asyncio.create_task(store.spend(CREDITS, None))
    others = [asyncio.create_task(store.advance("demo-key", "flaky")) for _ in range(5)]
    await asyncio.sleep(0)
    given_up.cancel()
    with suppress(asyncio.CancelledError):
        await given_up

    assert await asyncio.gather(*others) == [0, 1, 2, 3, 4]


async def test_calls_of_one_moment_share_a_pipeline(
    own_redis_server: RedisServer, connect: MakeStore
) -> None:
    """A hundred requests that enter and a hundred that spend use one connection; each gets its own reply."""
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


async def test_units_of_different_counters_do_not_mix_on_their_way(
    redis_server: RedisServer, connect: MakeStore
) -> None:
    """Of many that spend at once, each has its own limit and its own count."""
    store = connect(redis_server.url())
    meters = [Meter(f"key {number}", Billing.CREDITS, Product.PLATE) for number in range(30)]
    told = await asyncio.gather(
        *(store.spend(meter, limit) for limit, meter in enumerate(meters) for _ in range(20))
    )

    assert [[unit for unit in told[start : start + 20] if unit] for start in range(0, 600, 20)] == [
        list(range(1, min(limit, 20) + 1)) for limit in range(30)
    ]


async def test_no_server_at_all_is_told(connect: MakeStore) -> None:
    """The error names the place."""
    with pytest.raises(StoreUnavailableError, match=r"127\.0\.0\.1:1"):
        await connect("redis://127.0.0.1:1/0").used(CREDITS)


@pytest.mark.parametrize(
    "url", ["http://localhost", "redis://localhost:port", "redis://localhost?colour=red", "file"]
)
def test_what_is_no_url_of_a_store_is_refused(url: str) -> None:
    """A mistake in the setting is found at the start."""
    with pytest.raises(SettingsError, match="--state"):
        RedisClient(url)


@pytest.mark.parametrize("url", ["redis://h:1/2", "rediss://u:p@h", "unix:///run/redis.sock", "valkey://h"])
def test_urls_of_every_kind_are_understood(url: str) -> None:
    """Plain, encrypted, local, and under Valkey's name."""
    RedisClient(url)


async def _until_answered(call: Callable[[], Awaitable[int | None]]) -> int:
    for _ in range(200):
        try:
            return await call() or 0
        except StoreUnavailableError:
            await asyncio.sleep(0.02)
    raise AssertionError("the server is back, the store is not")
