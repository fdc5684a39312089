"""Scenarios that no request reaches."""

from hypothesis import given, settings
from hypothesis import strategies as st

from mock_server.core.account import Account
from mock_server.core.conditions import Conditions, Query, covers, specificity
from mock_server.core.matching import Scenarios
from mock_server.core.model import Fault, OutcomeName, Product, ReadRequest
from mock_server.core.scenario import Scenario, Step
from mock_server.core.scenario_precedence import gives_way, takes_place
from mock_server.imaging.geometry import Placement
from mock_server.imaging.index import ImageMatch, SearchResult
from mock_server.imaging.results import PictureFacts
from mock_server.scenarios.lint import AccountNames, find_shadowed

ACCOUNTS = (Account("demo", "demo-key"), Account("other", "other-key"))
PICTURES = ("a", "b", "c")


def maybe(*values: str) -> st.SearchStrategy[str | None]:
    """One of the values, or none."""
    return st.sampled_from([None, *values])


conditions = st.builds(
    Conditions,
    images=st.sampled_from([(), ("a",), ("b",), ("a", "b"), ("a", "b", "c")]),
    filename=maybe("*", "a*", "*.jpg", "a.jpg", "b.jpg"),
    key=maybe("demo-key", "other-key"),
    account=maybe("demo", "other"),
    provider=maybe("vehicore", "carsxe"),
    product=st.sampled_from([None, *Product]),
    language=maybe("en", "EN", "de"),
    header=st.sampled_from([{}, {"x": "*"}, {"x": "1"}, {"x": "1", "y": "2"}]),
)
steps = st.sampled_from(
    [
        (Step(),),
        (Step(OutcomeName.NOTHING_FOUND),),
        (Step(OutcomeName.SERVICE_ERROR),),
        (Step(times=1), Step(fault=Fault.EMPTY_RESPONSE)),
    ]
)
sets = st.lists(st.tuples(conditions, st.integers(4, 6), steps), min_size=2, max_size=5).map(
    lambda drawn: [
        Scenario(f"s{order}", when, steps=steps, priority=priority, order=order)
        for order, (when, priority, steps) in enumerate(drawn)
    ]
)
requests = st.builds(
    Query,
    st.builds(
        ReadRequest,
        provider=st.sampled_from(["vehicore", "carsxe"]),
        product=st.sampled_from(Product),
        key=st.just(None),
        filename=st.sampled_from(["a.jpg", "a.png", "b.jpg"]),
        language=st.sampled_from(["en", "de"]),
        headers=st.sampled_from([{}, {"x": "1"}, {"x": "1", "y": "2"}]),
    ),
    st.just(None),
    st.sampled_from(PICTURES).map(
        lambda id: SearchResult(
            PictureFacts("PNG", 10, 10, 10, "0" * 64, False, 1.0),
            (ImageMatch(id, "perceptual", 0.0, 0.0, Placement((10, 10), (10, 10))),),
        )
    ),
)


def asked_by(asked: Query, account: Account) -> Query:
    """The request with the key of an account."""
    request = asked.request
    named = ReadRequest(
        request.provider,
        request.product,
        account.key,
        filename=request.filename,
        language=request.language,
        headers=request.headers,
    )
    return Query(named, account.name, asked.search)


@given(scenarios=sets, asked=requests, account=st.sampled_from(ACCOUNTS))
@settings(max_examples=300, deadline=None)
def test_shadowed_scenarios_never_win(scenarios: list[Scenario], asked: Query, account: Account) -> None:
    """A scenario that is reported as shadowed answers no request."""
    found = Scenarios(scenarios).matches(asked_by(asked, account))
    unreachable = {scenarios[position].name for position in find_shadowed(scenarios, AccountNames(ACCOUNTS))}

    assert not found or found[0].scenario.name not in unreachable


@given(when=conditions, priority=st.integers(1, 9))
@settings(max_examples=200, deadline=None)
def test_copies_are_found(when: Conditions, priority: int) -> None:
    """A scenario with the conditions of an earlier one is always reported."""
    twins = [Scenario(name, when, priority=priority, order=order) for order, name in enumerate(("one", "two"))]

    assert find_shadowed(twins, AccountNames(ACCOUNTS)) == {1: 0}


@given(scenarios=sets)
@settings(max_examples=300, deadline=None)
def test_few_comparisons_find_all(scenarios: list[Scenario]) -> None:
    """The comparison of scenarios that share a condition finds what a comparison of all pairs finds."""
    accounts = AccountNames(ACCOUNTS)

    def rank(scenario: Scenario) -> tuple[int, int, int]:
        return scenario.priority, -specificity(scenario.when), scenario.order

    def wins(winner: Scenario, loser: Scenario) -> bool:
        if takes_place(winner, loser):
            return True
        pictures = [one for one in scenarios if gives_way(one) and one.priority == winner.priority]
        lifted = (
            loser.is_bound_error
            and not winner.is_bound_error
            and winner.priority == loser.priority
            and any(specificity(one.when) >= specificity(winner.when) for one in pictures)
        )
        return rank(winner) < rank(loser) and not lifted

    unreachable = {
        loser.order
        for loser in scenarios
        for winner in scenarios
        if winner is not loser and wins(winner, loser) and covers(winner.when, accounts.complete(loser.when))
    }

    assert set(find_shadowed(scenarios, accounts)) == unreachable
