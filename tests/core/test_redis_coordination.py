"""Processes that share a Redis agree on the clock and on the runtime scenarios."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from mock_server.core.accounts import Accounts
from mock_server.core.clock import Clock
from mock_server.core.conditions import Conditions
from mock_server.core.library import FixtureSet, Library
from mock_server.core.live_scenarios import LiveScenarios, RuntimeScenario
from mock_server.core.overrides import Override
from mock_server.core.pictures import Pictures
from mock_server.core.redis_state import RedisClient, RedisCoordination
from mock_server.core.request_pipeline import RequestPipeline
from mock_server.core.scenario import Scenario, Step
from mock_server.core.store import MemoryStore
from mock_server.errors import FetchError
from mock_server.imaging.index import ImageIndex
from tests.redis_server import RedisServer

pytestmark = pytest.mark.anyio


class Process:
    """What one process has: a clock, scenarios, and their coordination."""

    def __init__(self, url: str) -> None:
        store, self.clock = MemoryStore(), Clock()
        pipeline = RequestPipeline(
            Library.of(FixtureSet(), ImageIndex.build([])),
            accounts=Accounts(store, self.clock),
            store=store,
            pictures=Pictures(self._fetch),
        )
        self.client = RedisClient(url)
        self.coordination = RedisCoordination(self.client)
        self.live = LiveScenarios(pipeline, self.coordination)
        self.overrides = pipeline.overrides
        self.coordination.attach(self.clock, self.overrides, self.live, self._declare)

    async def add(self, *names: str) -> None:
        """Add scenarios in one change."""
        async with self.coordination.changing():
            for name in names:
                await self.live.add(RuntimeScenario(Scenario(name, Conditions(key=name))), is_replacing=True)

    async def runtime(self) -> list[str]:
        """The ids of the runtime scenarios, in the order they were added."""
        await self.coordination.refresh()
        served = [one for one in self.live.library.scenarios.in_order() if one.order < 0]
        assert [one.id for one in served] == list(self.live.runtime)
        return [one.name for one in served]

    async def _fetch(self, url: str) -> tuple[bytes, str]:
        raise FetchError(url)

    async def _declare(self) -> None:
        """There are no accounts."""


@pytest.fixture
async def pair(redis_server: RedisServer) -> AsyncIterator[tuple[Process, Process]]:
    """Two processes that share a state."""
    url = redis_server.url()
    pair = Process(url), Process(url)
    async with AsyncExitStack() as stack:
        for each in pair:
            stack.push_async_callback(each.client.close)
        yield pair


async def test_changes_are_applied_in_their_order(pair: tuple[Process, Process]) -> None:
    """One or several at a time; a scenario that is added again is the latest one."""
    here, there = pair
    await here.add("a")
    assert await there.runtime() == ["a"]
    await here.add("b", "c")
    await here.add("a")
    assert await there.runtime() == ["b", "c", "a"]
    await there.add("d")
    await there.live.remove("b?key=b")
    assert await here.runtime() == ["c", "a", "d"]
    await here.live.clear()
    assert await there.runtime() == []
    await there.add("e")
    assert await here.runtime() == ["e"]


async def test_a_process_may_miss_any_number_of_changes(pair: tuple[Process, Process]) -> None:
    """After more changes than are listed, and when it starts, a process reads all scenarios."""
    here, there = pair
    assert await there.runtime() == []
    names = [f"scenario {number}" for number in range(1200)]
    await here.add(*names)
    await here.live.remove("scenario 7?key=scenario 7")

    assert await there.runtime() == [name for name in names if name != "scenario 7"]


async def test_the_clock_changes_alone_or_with_scenarios(pair: tuple[Process, Process]) -> None:
    """A change of the clock leaves the scenarios as they are."""
    here, there = pair
    await here.add("a")
    async with here.coordination.changing():
        here.clock.freeze(1000.0)

    assert await there.runtime() == ["a"]
    assert there.clock.now() == 1000.0
    async with there.coordination.changing():
        there.clock.advance(5)
        await there.add("b")
    assert await here.runtime() == ["a", "b"]
    assert here.clock.now() == 1005.0


async def test_a_change_that_fails_is_reverted(pair: tuple[Process, Process]) -> None:
    """The next refresh restores what the processes share."""
    here, there = pair
    await here.add("a")

    async def fail() -> None:
        async with here.coordination.changing():
            here.clock.freeze(1.0)
            await here.live.clear()
            raise RuntimeError("half done")

    with pytest.raises(RuntimeError, match="half done"):
        await fail()
    assert await there.runtime() == ["a"]
    assert await here.runtime() == ["a"]
    assert here.clock.state == there.clock.state == Clock().state


async def test_overrides_are_shared(pair: tuple[Process, Process]) -> None:
    """Another process has them at its next refresh, and they can be removed there."""
    here, there = pair
    override = Override("one", Scenario("override", Conditions(key="k"), steps=(Step(times=3),)))
    async with here.coordination.changing():
        here.overrides.all = (override,)
    await here.add("a")

    assert await there.runtime() == ["a"]
    assert there.overrides.all == (override,)
    assert there.overrides.is_active
    async with there.coordination.changing():
        there.overrides.all = ()
    await here.coordination.refresh()
    assert not here.overrides.is_active


async def test_a_pause_of_chaos_is_shared(pair: tuple[Process, Process]) -> None:
    """What one process switches off, the others switch off, until one of them switches it on."""
    here, there = pair
    for is_paused in (True, False):
        async with here.coordination.changing():
            here.overrides.is_chaos_paused = is_paused
        await there.coordination.refresh()

        assert there.overrides.is_chaos_paused is is_paused
