"""A pipeline over Redis decides as a pipeline in memory does, and sees what other processes have changed."""

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest

from mock_server.core.account import Account, AccountStatus
from mock_server.core.accounts import Accounts
from mock_server.core.clock import Clock
from mock_server.core.conditions import Conditions
from mock_server.core.decision import Decision
from mock_server.core.delay import Uniform
from mock_server.core.library import Defaults, FixtureSet, Library, references_of
from mock_server.core.model import Billing, OutcomeName, Problem, Product, ReadRequest, Traits
from mock_server.core.overrides import Override
from mock_server.core.pictures import Pictures
from mock_server.core.reading import PlateReading, Reading
from mock_server.core.redis_state import RedisClient, RedisStore
from mock_server.core.redis_state.redis_client import Argument
from mock_server.core.request_pipeline import RequestPipeline
from mock_server.core.scenario import Scenario, Step
from mock_server.core.store import MemoryStore, Store
from mock_server.errors import FetchError
from mock_server.imaging.index import ImageIndex
from tests.redis_server import RedisServer
from tests.support import drawn

pytestmark = pytest.mark.anyio

CAR = drawn("CAR 123")
ACCOUNT = Account("demo", "key", credits={Product.PLATE: 8, Product.VIN: 8})
PLATE = Reading((PlateReading("CAR123"),))
SCENARIOS = (
    Scenario("known", Conditions(images=("car",), filename="car*"), PLATE),
    Scenario("none", Conditions(filename="none*"), steps=(Step(OutcomeName.NOTHING_FOUND),)),
    Scenario(
        "flaky",
        Conditions(filename="flaky*"),
        PLATE,
        (Step(OutcomeName.SERVICE_ERROR, times=2), Step(OutcomeName.READ)),
    ),
    Scenario("slow", Conditions(filename="slow*"), PLATE, (Step(OutcomeName.READ, delay=Uniform(0, 1)),)),
    Scenario("linked", Conditions(url="https://known.test/*"), PLATE),
)

ACME = Traits("acme", Billing.CREDITS, frozenset({OutcomeName.READ}))


class Bench:
    """A pipeline over a store, and the URLs that it fetched."""

    def __init__(self, store: Store) -> None:
        fixtures = FixtureSet(scenarios=SCENARIOS, defaults=Defaults(), images={"car": CAR})
        self.store = store
        self.fetched: list[str] = []
        self.pipeline = RequestPipeline(
            Library.of(fixtures, ImageIndex.build(references_of(fixtures))),
            accounts=Accounts(store, Clock()),
            store=store,
            pictures=Pictures(self._fetch),
        )

    async def _fetch(self, url: str) -> tuple[bytes, str]:
        self.fetched.append(url)
        raise FetchError("not there")

    async def ask(self, **facts: object) -> Decision:
        """Decide one request; with a URL it carries no picture."""
        given = {"image": None if "url" in facts else CAR, "filename": "car.jpg", **facts}
        # The facts of one request, of as many types as a request has.
        request = ReadRequest("acme", Product.PLATE, "key", **given)  # type: ignore[arg-type]
        decision = await self.pipeline.decide(request, ACME)
        assert isinstance(decision, Decision)
        if not await self.pipeline.charge(decision):
            await self.pipeline.refuse(decision)
        return decision


@pytest.fixture
async def shared(redis_server: RedisServer) -> AsyncIterator[Callable[[], RedisStore]]:
    """Makes stores that share one state."""
    url = redis_server.url()
    async with contextlib.AsyncExitStack() as stack:

        def made() -> RedisStore:
            store = RedisStore(RedisClient(url))
            stack.push_async_callback(store.close)
            return store

        yield made


async def test_every_request_is_decided_as_it_would_be_in_memory(shared: Callable[[], RedisStore]) -> None:
    """Scenarios, sequences, random delays, refusals and forced outcomes: the same decisions and the same counts."""
    benches = Bench(MemoryStore()), Bench(shared())
    requests: list[dict[str, object]] = [
        {},
        {"filename": "none.jpg"},
        {"filename": "flaky.jpg"},
        {"filename": "flaky.jpg"},
        {"filename": "slow.jpg"},
        {"filename": "flaky.jpg"},
        {"image": drawn("never seen")},
        {"image": b"no picture"},
        {"problem": Problem(OutcomeName.INVALID_REQUEST, "odd")},
        {"url": "https://known.test/a.jpg"},
        {"url": "https://unknown.test/a.jpg"},
        {"headers": {"prefer": "outcome=blocked_key"}},
        {"headers": {"prefer": "scenario=flaky"}},
        {},
        {"filename": "slow.jpg"},
        # Nothing is left from here on.
        {},
        {"filename": "none.jpg"},
        {"filename": "flaky.jpg"},
        {"url": "https://known.test/b.jpg"},
    ]
    decided = []
    for bench in benches:
        await bench.store.put_account(ACCOUNT)
        decided.append([await bench.ask(**request) for request in requests])

    assert decided[1] == decided[0]
    assert {decision.outcome.name for decision in decided[0]} >= {
        OutcomeName.READ,
        OutcomeName.OUT_OF_CREDITS,
        OutcomeName.NOTHING_FOUND,
    }
    assert benches[1].fetched == benches[0].fetched
    assert await benches[1].store.positions("flaky") == await benches[0].store.positions("flaky")


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        (replace(ACCOUNT, status=AccountStatus.INACTIVE), OutcomeName.INACTIVE_ACCOUNT),
        (replace(ACCOUNT, plans=frozenset({Product.VIN})), OutcomeName.PLAN_EXCLUDED),
        (replace(ACCOUNT, credits={Product.PLATE: 1, Product.VIN: 1}), OutcomeName.OUT_OF_CREDITS),
        (replace(ACCOUNT, rate_limit="1/hour"), OutcomeName.RATE_LIMITED),
        (None, OutcomeName.UNKNOWN_KEY),
    ],
    ids=["inactive", "another plan", "fewer units", "a rate", "gone"],
)
async def test_the_next_request_sees_a_change_by_another_process(
    shared: Callable[[], RedisStore], changed: Account | None, name: OutcomeName
) -> None:
    """An account that this process has served before is checked again: nothing is spent or fetched by its old terms."""
    here, there = Bench(shared()), shared()
    await there.put_account(ACCOUNT)
    before = await here.ask()
    if changed is None:
        await there.remove_account("key")
    else:
        await there.put_account(changed)
    # A rate of 1/hour admits the first request.
    after = [await here.ask(url="https://unknown.test/a.jpg"), await here.ask()][-1]

    is_admitted = name in (OutcomeName.OUT_OF_CREDITS, OutcomeName.RATE_LIMITED)

    assert (before.outcome.name, before.charged) == (OutcomeName.READ, 1)
    assert (after.outcome.name, after.charged) == (name, 0)
    assert here.fetched == (["https://unknown.test/a.jpg"] if is_admitted else [])


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"filename": "none.jpg"},
        {"filename": "flaky.jpg"},
        {"image": b"no picture"},
        {"problem": Problem(OutcomeName.INVALID_REQUEST, "odd")},
        {"headers": {"prefer": "outcome=service_error"}},
        {"headers": {"prefer": "outcome=nothing_found"}},
        {"url": "https://unknown.test/a.jpg"},
    ],
    ids=["read", "free", "counted", "broken", "odd", "forced", "forced and free", "fetched"],
)
async def test_every_kind_of_request_checks_the_account(
    shared: Callable[[], RedisStore], facts: dict[str, object]
) -> None:
    """Requests that cost nothing, or fail before a picture is looked up, are refused once their account is inactive."""
    here, there = Bench(shared()), shared()
    await there.put_account(ACCOUNT)
    await here.ask()
    await there.put_account(replace(ACCOUNT, status=AccountStatus.INACTIVE))
    decision = await here.ask(**facts)

    assert (decision.outcome.name, decision.charged) == (OutcomeName.INACTIVE_ACCOUNT, 0)
    assert here.fetched == []
    assert await there.positions("flaky") == {}


async def test_overrides_cost_a_round_trip_only_while_they_count(redis_server: RedisServer) -> None:
    """Without an override, with one for another key, and with one for all calls a request is as cheap as before."""
    client, sent = RedisClient(redis_server.url()), []
    command = client.command

    async def count(*words: Argument) -> object:
        sent.append(words)
        return await command(*words)

    client.command = count  # type: ignore[method-assign]
    bench = Bench(RedisStore(client))
    await bench.store.put_account(Account("unlimited", "key"))
    await bench.ask()

    async def commands(*overrides: tuple[str | None, int | None]) -> int:
        """How many commands a second request sends, after a first one with the same overrides."""
        bench.pipeline.overrides.all = tuple(
            Override(f"{key}{times}", Scenario("override", Conditions(key=key), steps=(Step(times=times),)))
            for key, times in overrides
        )
        for _ in range(3):
            sent.clear()
            await bench.ask()
        return len(sent)

    usual = await commands()

    assert await commands(("other", 5)) == usual
    assert await commands((None, None)) == usual
    assert await commands((None, 1)) == usual
    assert await commands(("key", 50)) == usual + 1
    await client.close()
