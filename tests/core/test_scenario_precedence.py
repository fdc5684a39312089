"""The rules of precedence: which rule decides between two scenarios that hold for one request."""

from typing import Any

import pytest

from mock_server.core.conditions import Conditions
from mock_server.core.matching import Scenarios
from mock_server.core.model import Fault, OutcomeName
from mock_server.core.scenario import Scenario, Step
from mock_server.core.scenario_precedence import Rule, losers
from tests.core.test_matching import asked

PICTURE = {"images": ("a",)}
ERROR = (Step(OutcomeName.SERVICE_ERROR),)
READ = (Step(),)


def _scenario(name: str, when: dict[str, Any], steps: tuple[Step, ...] = READ, **fields: Any) -> Scenario:
    return Scenario(name, Conditions(**when), steps=steps, **fields)


def _lost(*scenarios: Scenario) -> list[tuple[str, Rule | None]]:
    """The scenarios in order of precedence for one request, each with the rule by which it loses."""
    found = Scenarios(scenarios).matches(asked(("a", "pixels"), ("b", "perceptual")))
    return [(found[0].scenario.name, None), *((match.scenario.name, rule) for match, rule in losers(found))]


@pytest.mark.parametrize(
    ("bound", "steps"),
    [
        ({"filename": "Front-*"}, ERROR),
        ({"url": "https://*"}, ERROR),
        ({"header": {"X-Lane": "*"}}, ERROR),
        ({"key": "key-1"}, ERROR),
        ({"account": "demo"}, ERROR),
        ({"key": "key-1"}, (Step(fault=Fault.EMPTY_RESPONSE),)),
        ({"key": "key-1"}, (Step(times=1), Step(OutcomeName.RATE_LIMITED))),
        ({"key": "key-1", "images": ("b",)}, ERROR),
    ],
)
def test_a_bound_error_comes_before_a_picture(bound: dict[str, Any], steps: tuple[Step, ...]) -> None:
    """However many conditions the picture's scenario has, and wherever it stands."""
    picture = _scenario("picture", {**PICTURE, "provider": "acme", "product": "plate", "language": "uk"})
    error = _scenario("error", bound, steps, order=1)

    assert _lost(picture, error) == [("error", None), ("picture", Rule.ERROR_BINDING)]
    assert _lost(error, picture) == [("error", None), ("picture", Rule.ERROR_BINDING)]


@pytest.mark.parametrize(
    ("when", "steps", "priority"),
    [
        pytest.param({"key": "key-1"}, READ, 5, id="a reading"),
        pytest.param({"key": "key-1"}, (Step(OutcomeName.NOTHING_FOUND),), 5, id="a result of recognition"),
        pytest.param({"product": "plate"}, ERROR, 5, id="an error that is not bound"),
        pytest.param({"key": "key-1"}, ERROR, 6, id="a lower priority"),
    ],
)
def test_everything_else_loses_against_a_picture(when: dict[str, Any], steps: tuple[Step, ...], priority: int) -> None:
    """The rule concerns errors, that are bound, with an equal priority."""
    picture = _scenario("picture", {**PICTURE, "provider": "acme"}, order=1)

    assert _lost(_scenario("other", when, steps, priority=priority), picture)[0] == ("picture", None)


def test_an_error_takes_the_place_of_a_picture_only() -> None:
    """Where another rule would answer, it answers as without the picture; where a picture would, the error does."""
    error = _scenario("error", {"filename": "Front-*"}, ERROR)
    rule = _scenario("rule", {"filename": "Front-*", "key": "key-1"}, order=1)
    picture = _scenario("picture", {**PICTURE, "provider": "acme", "product": "plate"}, order=2)

    assert _lost(error, rule) == [("rule", None), ("error", Rule.MORE_CONDITIONS)]
    assert _lost(rule, picture) == [("picture", None), ("rule", Rule.MORE_CONDITIONS)]
    assert _lost(error, rule, picture) == [
        ("error", None),
        ("picture", Rule.ERROR_BINDING),
        ("rule", Rule.MORE_CONDITIONS),
    ]


@pytest.mark.parametrize(
    ("winner", "loser", "rule"),
    [
        (_scenario("one", {}, priority=4), _scenario("two", {"key": "key-1"}), Rule.PRIORITY),
        (_scenario("one", {"key": "key-1"}), _scenario("two", {}), Rule.MORE_CONDITIONS),
        (_scenario("one", PICTURE, order=-1), _scenario("two", PICTURE, order=1), Rule.RUNTIME),
        (_scenario("one", PICTURE, order=3), _scenario("two", {"images": ("b",)}), Rule.PICTURE_DISTANCE),
        (_scenario("one", PICTURE, order=1), _scenario("two", PICTURE, order=2), Rule.ORDER),
        (_scenario("one", PICTURE, order=-2), _scenario("two", PICTURE, order=-1), Rule.ORDER),
    ],
)
def test_the_rule_by_which_a_scenario_loses(winner: Scenario, loser: Scenario, rule: Rule) -> None:
    """The first rule that distinguishes the two."""
    assert _lost(loser, winner) == [("one", None), ("two", rule)]
    assert rule.why_lost


def test_a_scenario_with_two_pictures_that_were_recognised_is_listed_once() -> None:
    """It does not lose against itself."""
    assert _lost(_scenario("one", {"images": ("a", "b")})) == [("one", None)]
