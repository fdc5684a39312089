"""Processes that share a state spend a unit and record its exchange in one act."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime

import pytest

from mock_server.core.account import Account
from mock_server.core.journal import JournalEntry
from mock_server.core.model import Billing, Product
from mock_server.core.redis_state import shared_state
from mock_server.core.rehearsal import ObservedCall
from mock_server.core.state import State
from mock_server.core.store import Admission, Meter
from mock_server.errors import StoreUnavailableError
from tests.redis_server import RedisServer
from tests.support import PATIENCE

pytestmark = pytest.mark.anyio

NOW = 1_800_000_000.0
CREDITS = Meter("demo-key", Billing.CREDITS, Product.PLATE)
MONTH = Meter("demo-key", Billing.QUOTA, None, "2026-11")

MakeState = Callable[[str], State]


@pytest.fixture
async def connect() -> AsyncIterator[MakeState]:
    """Makes states, closed after the test."""
    async with AsyncExitStack() as stack:

        def made(url: str) -> State:
            state = shared_state(url, 1000, 10_000_000)
            stack.push_async_callback(state.store.close)
            return state

        yield made


async def shared(state: State, id: str, meter: Meter | None = CREDITS, limit: int | None = None) -> bool:
    """Record one call, which costs a unit of the meter."""
    assert state.share is not None
    time = datetime.fromtimestamp(NOW, UTC)
    entry = JournalEntry(
        id=id, time=time, provider="acme", product="plate", method="POST", path="/", status=200, milliseconds=0.5
    )
    call = ObservedCall(id=id, key="key", provider="acme", product="plate", status=200, time=NOW, real=NOW)
    return await state.share(entry, call, Admission(Account("demo", "demo-key"), meter, limit) if meter else None)


async def recorded(state: State) -> tuple[list[str], list[str]]:
    """The ids of the exchanges in the journal, and of the calls in the rehearsal."""
    calls = [event.call.id for event in (await state.rehearsal.tally()).events if event.call]
    return [entry.id for entry in await state.journal.exchanges()], calls


async def test_only_what_is_charged_is_recorded(redis_server: RedisServer, connect: MakeState) -> None:
    """Of 40 calls at a time, as many are charged as there are units, and these have their exchanges."""
    url = redis_server.url()
    states = connect(url), connect(url)
    names = [f"{number}" for number in range(40)]
    are_charged = await asyncio.gather(*(shared(states[int(name) % 2], name, limit=7) for name in names))

    charged = {name for name, is_charged in zip(names, are_charged, strict=True) if is_charged}
    assert len(charged) == await states[0].store.used(CREDITS) == 7
    for state in states:
        assert [set(ids) for ids in await recorded(state)] == [charged, charged]


@pytest.mark.parametrize(("meter", "used"), [(CREDITS, 3), (MONTH, 3), (None, 0)])
async def test_units_without_a_limit(
    redis_server: RedisServer, connect: MakeState, meter: Meter | None, used: int
) -> None:
    """They are counted by their meter; a call that costs nothing is only recorded."""
    state = connect(redis_server.url())
    assert [await shared(state, name, meter) for name in "abc"] == [True] * 3

    assert await recorded(state) == (["a", "b", "c"], ["a", "b", "c"])
    assert sum([await state.store.used(one) for one in (CREDITS, MONTH)]) == used


async def test_a_counter_is_found_again(redis_server: RedisServer, connect: MakeState) -> None:
    """A reset sets what was charged in this way back to 0, for one key and for all."""
    state = connect(redis_server.url())
    for key in ("demo-key", None):
        for meter in (CREDITS, MONTH):
            await shared(state, "a", meter)
        await state.store.reset(key)

        assert [await state.store.used(meter) for meter in (CREDITS, MONTH)] == [0, 0]


async def test_a_call_that_cannot_be_charged_fails(own_redis_server: RedisServer, connect: MakeState) -> None:
    """A free one is lost, and counted by the next one that is added. Nothing is spent twice."""
    state = connect(own_redis_server.url())
    assert await shared(state, "a")
    own_redis_server.kill()

    assert await shared(state, "free", None)
    with pytest.raises(StoreUnavailableError):
        await shared(state, "b")
    own_redis_server.start()
    async with asyncio.timeout(PATIENCE):
        await _answers_again(state)
    assert not await shared(state, "refused", limit=1)
    assert await shared(state, "c")
    assert await state.store.used(CREDITS) == 2
    assert (await recorded(state), await state.journal.dropped()) == ((["a", "c"], ["a", "c"]), 1)


async def _answers_again(state: State) -> None:
    while True:
        with suppress(StoreUnavailableError):
            await state.store.used(CREDITS)
            return
        await asyncio.sleep(0.01)
