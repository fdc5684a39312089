"""The story of a request, for an invented provider: the core knows no provider by name."""

import asyncio

import pytest

from mock_server.core.account import Account
from mock_server.core.accounts import Accounts
from mock_server.core.clock import Clock
from mock_server.core.conditions import Conditions
from mock_server.core.decision import Decision, Policy, Unmatched
from mock_server.core.delay import Fixed
from mock_server.core.library import Defaults, FixtureSet, Library, UnmatchedPolicy, references_of
from mock_server.core.model import (
    Billing,
    MatchKind,
    Outcome,
    OutcomeName,
    Problem,
    Product,
    ReadRequest,
    Traits,
    Usage,
)
from mock_server.core.pictures import Pictures
from mock_server.core.reading import PlateReading, Reading
from mock_server.core.request_pipeline import RequestPipeline
from mock_server.core.scenario import Scenario, Step
from mock_server.core.store import MemoryStore
from mock_server.errors import FetchError
from mock_server.imaging.index import ImageIndex
from tests.support import drawn

CAR = drawn("CAR 123")
KEY = Account("demo", "key", credits={Product.PLATE: 2, Product.VIN: 2})


ACME = Traits(
    "acme",
    Billing.CREDITS,
    frozenset({OutcomeName.READ}),
    {OutcomeName.NOTHING_FOUND: ("shrug", "shout")},
    statuses={Product.PLATE: {299: OutcomeName.NOTHING_FOUND}},
)
"""An invented provider: prepaid, and only a reading is charged."""


async def _no_fetch(url: str) -> tuple[bytes, str]:
    raise FetchError("not fetched: off")


class Bench:
    """A pipeline over a few scenarios, with its store."""

    def __init__(self, *scenarios: Scenario, policy: Policy | None = None, defaults: Defaults | None = None) -> None:
        fixtures = FixtureSet(scenarios=scenarios, defaults=defaults or Defaults(), images={"car": CAR})
        index = ImageIndex.build(references_of(fixtures))
        self.store = MemoryStore()
        accounts = Accounts(self.store, Clock())
        asyncio.run(accounts.create(KEY))
        self.pipeline = RequestPipeline(
            Library.of(fixtures, index),
            accounts=accounts,
            store=self.store,
            pictures=Pictures(_no_fetch),
            policy=policy,
        )

    def ask(self, image: bytes | None = CAR, key: str | None = "key", **facts: object) -> Decision:
        """The decision about one request."""
        decision = self.read(image, key, **facts)
        assert isinstance(decision, Decision)
        return decision

    def read(self, image: bytes | None = CAR, key: str | None = "key", **facts: object) -> Decision | Unmatched:
        """The same; there is no decision if no scenario matches and the policy makes that an error."""
        # The fields of a request have many types.
        request = ReadRequest("acme", Product.PLATE, key, image=image, **facts)  # type: ignore[arg-type]
        return asyncio.run(self._charged(request))

    async def _charged(self, request: ReadRequest) -> Decision | Unmatched:
        decision = await self.pipeline.decide(request, ACME)
        if isinstance(decision, Decision) and not await self.pipeline.charge(decision):
            await self.pipeline.refuse(decision)
        return decision


PLATE = Reading((PlateReading("CAR123"),))
KNOWN = Scenario("known", Conditions(images=("car",)), PLATE)
NOTHING = Scenario("none", Conditions(images=("car",)), steps=(Step(OutcomeName.NOTHING_FOUND),))


def test_a_known_picture_is_read_and_charged() -> None:
    """The decision has the scenario's reading and the kind of match, and costs a unit."""
    decision = Bench(KNOWN).ask()

    assert decision.outcome.name is OutcomeName.READ
    assert decision.outcome.reading is not None
    assert decision.outcome.reading.plates[0].text == "CAR123"
    assert (decision.scenario, decision.match, decision.charged) == ("known", MatchKind.SHA256, 1)
    assert decision.account == "demo"


@pytest.mark.parametrize(
    ("key", "image", "facts", "name"),
    [
        (None, CAR, {}, OutcomeName.MISSING_KEY),
        ("who", b"no picture", {}, OutcomeName.UNKNOWN_KEY),
        ("key", None, {}, OutcomeName.INVALID_REQUEST),
        ("key", b"", {}, OutcomeName.INVALID_IMAGE),
        ("key", b"no picture", {}, OutcomeName.INVALID_IMAGE),
        ("key", None, {"url": "https://x.test/a.jpg"}, OutcomeName.INVALID_IMAGE),
        ("key", CAR, {"problem": Problem(OutcomeName.INVALID_REQUEST, "odd")}, OutcomeName.INVALID_REQUEST),
    ],
)
def test_what_is_refused(key: str | None, image: bytes | None, facts: dict[str, object], name: OutcomeName) -> None:
    """The key is checked first, then the request, then the picture. Refusals are not charged."""
    decision = Bench(KNOWN).ask(image, key, **facts)

    assert (decision.outcome.name, decision.charged) == (name, 0)


def test_a_decision_whose_unit_is_gone_becomes_the_refusal() -> None:
    """Three requests are decided before the first of them is charged, and there are two units."""
    bench = Bench(Scenario("slow", Conditions(images=("car",)), PLATE, steps=(Step(delay=Fixed(2.0)),)))

    async def ask() -> list[Decision]:
        request = ReadRequest("acme", Product.PLATE, "key", image=CAR)
        decisions = [await bench.pipeline.decide(request, ACME) for _ in range(3)]
        made = [one for one in decisions if isinstance(one, Decision)]
        for one in made:
            if not await bench.pipeline.charge(one):
                await bench.pipeline.refuse(one)
        return made

    decisions = asyncio.run(ask())

    assert [(one.outcome.name, one.charged, one.plan.delay) for one in decisions] == [
        *[(OutcomeName.READ, 1, 2.0)] * 2,
        (OutcomeName.OUT_OF_CREDITS, 0, 0.0),
    ]
    assert {one.scenario for one in decisions} == {"slow"}
    assert decisions[-1].outcome.usage == Usage(2, 2)
    assert all(one.cost is None for one in decisions)


def test_units_run_out() -> None:
    """When nothing is left, the request is refused before a scenario is played."""
    bench = Bench(KNOWN)
    names = [bench.ask().outcome.name for _ in range(3)]

    assert names == [OutcomeName.READ, OutcomeName.READ, OutcomeName.OUT_OF_CREDITS]


def test_a_sequence_goes_on_by_key() -> None:
    """Each key has its own position in a sequence. A refused request does not change it."""
    steps = (Step(OutcomeName.SERVICE_ERROR, times=1), Step(OutcomeName.READ))
    bench = Bench(Scenario("flaky", Conditions(images=("car",)), PLATE, steps))
    bench.ask(b"no picture")

    assert [bench.ask().outcome.name for _ in range(2)] == [OutcomeName.SERVICE_ERROR, OutcomeName.READ]


@pytest.mark.parametrize(
    ("unmatched", "name", "match"),
    [
        (UnmatchedPolicy.SYNTHESIZE, OutcomeName.READ, MatchKind.SYNTHESIZED),
        (UnmatchedPolicy.NOTHING_FOUND, OutcomeName.NOTHING_FOUND, MatchKind.NONE),
    ],
)
def test_unknown_pictures(unmatched: UnmatchedPolicy, name: OutcomeName, match: MatchKind) -> None:
    """The policy decides about a picture that no scenario knows."""
    decision = Bench(KNOWN, policy=Policy(unmatched)).ask(drawn("SOMEBODY ELSE"))

    assert (decision.outcome.name, decision.match) == (name, match)


def test_unknown_pictures_may_be_an_error() -> None:
    """There is no decision then, only the facts for the journal; nothing is charged."""
    bench = Bench(KNOWN, policy=Policy(UnmatchedPolicy.ERROR))
    result = bench.read(drawn("SOMEBODY ELSE"))

    assert isinstance(result, Unmatched)
    assert result.account == "demo"
    assert result.search is not None
    assert result.search.matches == ()
    assert bench.ask().charged == 1


def test_a_request_without_a_picture_meets_a_rule_by_its_url() -> None:
    """A scenario can match a URL that is not fetched."""
    rule = Scenario("cdn", Conditions(url="https://cdn.test/*"), PLATE)
    decision = Bench(rule).ask(None, url="https://cdn.test/a.jpg")

    assert (decision.scenario, decision.match, decision.charged) == ("cdn", MatchKind.URL, 1)


def test_a_scenario_may_leave_the_reading_to_another() -> None:
    """A scenario without a reading takes that of the next scenario that matches."""
    slow = Scenario("slow", Conditions(key="key", images=("car",)), priority=1)
    decision = Bench(slow, KNOWN).ask()

    assert decision.scenario == "slow"
    assert decision.outcome.reading is not None
    assert [plate.text for plate in decision.outcome.reading.plates] == [plate.text for plate in PLATE.plates]


@pytest.mark.parametrize(
    ("unmatched", "outcome"),
    [(UnmatchedPolicy.SYNTHESIZE, OutcomeName.READ), (UnmatchedPolicy.NOTHING_FOUND, OutcomeName.NOTHING_FOUND)],
)
def test_a_scenario_without_a_reading_anywhere(unmatched: UnmatchedPolicy, outcome: OutcomeName) -> None:
    """If no matching scenario has a reading, the picture is handled like an unknown one."""
    slow = Scenario("slow", Conditions(images=("car",)))

    assert Bench(slow, policy=Policy(unmatched)).ask().outcome.name is outcome


@pytest.mark.parametrize(
    ("configured", "variant"), [({}, "shrug"), ({"acme": {OutcomeName.NOTHING_FOUND: "shout"}}, "shout")]
)
def test_variants(configured: dict[str, dict[OutcomeName, str]], variant: str) -> None:
    """The variant in `mock.yaml`, or else the first one of the provider."""
    bench = Bench(NOTHING, defaults=Defaults(variants=configured))

    assert bench.ask().outcome.variant == variant


@pytest.mark.parametrize(
    ("charge", "charged"),
    [
        ({}, 0),
        ({"acme": frozenset({OutcomeName.NOTHING_FOUND})}, 1),
        ({"*": frozenset({OutcomeName.NOTHING_FOUND})}, 1),
    ],
)
def test_what_costs(charge: dict[str, frozenset[OutcomeName]], charged: int) -> None:
    """The charged outcomes come from `mock.yaml`, or else from the provider."""
    bench = Bench(NOTHING, defaults=Defaults(charge=charge))

    assert bench.ask().charged == charged


def test_a_charge_list_may_be_empty() -> None:
    """An empty list of a provider wins over the list for all."""
    charge = {"acme": frozenset[OutcomeName](), "*": frozenset({OutcomeName.READ})}

    assert Bench(KNOWN, defaults=Defaults(charge=charge)).ask().charged == 0


@pytest.mark.parametrize(
    ("header", "name", "charged"),
    [
        ("outcome=nothing_found", OutcomeName.NOTHING_FOUND, 0),
        ("code=299", OutcomeName.NOTHING_FOUND, 0),
        ("outcome=blocked_key", OutcomeName.BLOCKED_KEY, 0),
        ("scenario=known", OutcomeName.READ, 1),
        ("outcome=read", OutcomeName.READ, 1),
    ],
)
def test_forcing(header: str, name: OutcomeName, charged: int) -> None:
    """A forced result does not depend on the picture. A forced reading is charged as usual."""
    decision = Bench(KNOWN).ask(drawn("ANYTHING"), headers={"prefer": header})

    assert (decision.outcome.name, decision.charged) == (name, charged)
    assert decision.forced == f"prefer {header}"


def test_forcing_does_not_advance_a_sequence() -> None:
    """A forced outcome does not change the position in the scenario's sequence."""
    steps = (Step(OutcomeName.SERVICE_ERROR, times=1), Step(OutcomeName.READ))
    bench = Bench(Scenario("flaky", Conditions(images=("car",)), PLATE, steps))
    forced = bench.ask(headers={"prefer": "outcome=read"})

    assert forced.outcome.name is OutcomeName.READ
    assert bench.ask().outcome.name is OutcomeName.SERVICE_ERROR


def test_an_outcome_is_a_value() -> None:
    """Two decisions about the same request are equal."""
    bench = Bench(KNOWN)
    first: Outcome = bench.ask(drawn("X")).outcome

    assert bench.ask(drawn("X")).outcome == first
