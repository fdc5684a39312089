"""Which override answers a call, and how many calls it answers, in memory and in Redis."""

import asyncio

import pytest

from mock_server.core.conditions import Conditions
from mock_server.core.model import OutcomeName, Product, ReadRequest
from mock_server.core.overrides import Override, Overrides
from mock_server.core.scenario import Scenario, Step
from mock_server.core.store import DryRunStore, MemoryStore, Store

pytestmark = pytest.mark.anyio

Scope = tuple[str | None, str | None, Product | None]
PLATE, VIN = Product.PLATE, Product.VIN


def override(name: str, scope: Scope = (None, None, None), times: int | None = None) -> Override:
    """An override with its name as the message."""
    key, provider, product = scope
    when = Conditions(key=key, provider=provider, product=product)
    step = Step(OutcomeName.SERVICE_ERROR, message=name, times=times)
    return Override(name, Scenario("override", when, steps=(step,)))


def overrides_of(*all: Override) -> Overrides:
    """A set of overrides."""
    overrides = Overrides()
    overrides.all = all
    return overrides


async def answer(
    overrides: Overrides, store: Store, key: str = "k", provider: str = "p", product: Product = PLATE
) -> str:
    """The message of the override that answers a call; empty without one."""
    taken = await overrides.take(ReadRequest(provider, product, key), store)
    return taken.steps[0].message or "" if taken else ""


NARROWER: list[Scope] = [
    ("k", "p", PLATE),
    ("k", "p", None),
    ("k", None, PLATE),
    ("k", None, None),
    (None, "p", PLATE),
    (None, "p", None),
    (None, None, PLATE),
    (None, None, None),
]
"""Every kind of scope, the narrowest first."""


@pytest.mark.parametrize("number", range(len(NARROWER)))
async def test_the_narrowest_answers(number: int) -> None:
    """A key counts before a provider, and a provider before a product; the order in which they were set does not."""
    broad_first = [override(str(scope), scope) for scope in reversed(NARROWER[number:])]

    assert await answer(overrides_of(*broad_first), MemoryStore()) == str(NARROWER[number])
    assert await answer(overrides_of(*reversed(broad_first)), MemoryStore()) == str(NARROWER[number])


@pytest.mark.parametrize("scope", [("other", None, None), (None, "other", None), (None, None, VIN), ("k", "p", VIN)])
async def test_other_calls_are_left_alone(scope: Scope) -> None:
    """A call of another key, provider or product does not meet it, and is not counted."""
    store = MemoryStore()
    one = override("one", scope, times=1)

    assert await answer(overrides_of(one), store) == ""
    assert await one.remaining(store) == 1


async def test_a_broader_one_follows(store: Store) -> None:
    """When the narrower one is used up, the broader one answers; then none does."""
    narrow, broad = override("narrow", ("k", None, None), 2), override("broad", times=1)
    overrides = overrides_of(broad, narrow)

    assert [await answer(overrides, store) for _ in range(4)] == ["narrow", "narrow", "broad", ""]
    assert [await one.remaining(store) for one in (narrow, broad)] == [0, 0]
    assert not overrides.is_active


async def test_always_never_ends(store: Store) -> None:
    """Without a number of times every call is answered, and none is counted."""
    always = override("always")
    overrides = overrides_of(always)

    assert {await answer(overrides, store) for _ in range(20)} == {"always"}
    assert await always.remaining(store) is None
    assert overrides.is_active


async def test_exactly_n_calls(store: Store) -> None:
    """Of many concurrent calls in two processes, exactly as many are answered as the override says."""
    processes = [overrides_of(override("once", times=13)) for _ in range(2)]
    answers = await asyncio.gather(*(answer(processes[number % 2], store, f"k{number}") for number in range(200)))

    assert answers.count("once") == 13
    # Each process notices once that nothing is left.
    assert not any(process.is_active for process in processes)


async def test_used_up_overrides_cost_nothing() -> None:
    """A process asks the store once after the last call, and no more."""

    class CountingStore(MemoryStore):
        calls = 0

        async def advance(self, key: str, scenario: str) -> int:
            self.calls += 1
            return await super().advance(key, scenario)

    store = CountingStore()
    overrides = overrides_of(override("once", times=1))
    for _ in range(5):
        await answer(overrides, store)

    assert store.calls == 2


async def test_a_dry_run_counts_nothing(store: Store) -> None:
    """A dry run sees what the next call would meet, and leaves it for the call."""
    overrides = overrides_of(override("once", times=1))
    dry_run = DryRunStore(store)

    assert [await answer(overrides, dry_run) for _ in range(3)] == ["once"] * 3
    assert [await answer(overrides, store) for _ in range(2)] == ["once", ""]
    assert await answer(overrides, dry_run) == ""


async def test_the_count_can_be_cleared(store: Store) -> None:
    """A counter that is cleared begins at 0, and others stay."""
    first, second = override("first", times=1), override("second", ("k", None, None), times=1)
    overrides = overrides_of(first, second)
    for _ in range(2):
        await answer(overrides, store)
    await store.clear_positions(first.counter)

    assert [await one.remaining(store) for one in (first, second)] == [1, 0]


async def test_no_override_is_inactive() -> None:
    """Without an override there is nothing to check."""
    overrides = overrides_of(override("one"))
    overrides.all = ()

    assert not overrides.is_active
    assert not Overrides().is_active
