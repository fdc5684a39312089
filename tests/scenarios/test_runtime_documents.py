"""Scenarios and accounts that come at run time: the same models; places are JSON pointers or lines and columns."""

from collections.abc import Mapping
from typing import Any

import pytest

from mock_server.core.account import Account, AccountStatus, Quota
from mock_server.core.delay import Fixed
from mock_server.core.model import OutcomeName, Product
from mock_server.errors import FixturesError
from mock_server.scenarios.mock_reader import parse_account
from mock_server.scenarios.scenario_reader import parse_scenario
from mock_server.scenarios.vocabulary import Vocabulary


def lines_of(document: Mapping[str, Any] | str, vocabulary: Vocabulary) -> list[str]:
    """The mistakes of a scenario."""
    with pytest.raises(FixturesError) as caught:
        parse_scenario(document, vocabulary=vocabulary)
    return [str(mistake) for mistake in caught.value.mistakes]


def test_typed_values() -> None:
    """Numbers and booleans of JSON are accepted; they become text where text is expected."""
    scenario = parse_scenario(
        {
            "scenario": "json",
            "priority": 2,
            "when": {"image": "car.jpg", "key": 12, "properties": {"blank": False, "min_width": 300}},
            "reading": {"plate": 7, "vin": {"text": "JHLRD77874C026456", "confidence": 0.5, "box": [1, 2, 3, 4]}},
            "then": [{"outcome": "nothing_found", "times": 2, "delay": "100ms"}, {"headers": {"X-A": True}}],
        }
    )

    assert scenario.priority == 2
    assert scenario.when.images == ("car.jpg",)
    assert scenario.when.key == "12"
    assert scenario.when.properties is not None
    assert (scenario.when.properties.blank, scenario.when.properties.min_width) == (False, 300)
    assert scenario.reading.plates[0].text == "7"
    assert scenario.reading.vin is not None
    assert scenario.reading.vin.confidence == 0.5
    assert scenario.steps[0].outcome is OutcomeName.NOTHING_FOUND
    assert scenario.steps[0].delay == Fixed(0.1)
    assert scenario.steps[1].headers == {"X-A": "true"}


def test_null_is_nothing() -> None:
    """A key with null is the same as no key."""
    assert parse_scenario({"scenario": "a", "when": None, "reading": {"plate": None}}) == parse_scenario(
        {"scenario": "a"}
    )


@pytest.mark.parametrize(
    ("document", "lines"),
    [
        ({}, ['/: this document lacks the key "scenario"']),
        ({"scenario": "a", "wehn": {}}, ['/wehn: unknown key "wehn" — did you mean "when"?']),
        ({"scenario": "a", "reading": {"plates": ["A", {"score": 2}]}},
         ['/reading/plates/1: an item of "plates" lacks the key "text"',
          '/reading/plates/1/score: "score" must be a number from 0 to 1, not 2']),
        ({"scenario": "a", "then": {"delay": 5}},
         ['/then/delay: "delay" must be a duration such as 200ms, 1.5s or 2m, not 5']),
        ({"scenario": "a", "then": [{"headers": {"X/A~B": [1]}}]},
         ['/then/0/headers/X~1A~0B: "X/A~B" must be text, not a list of 1']),
        ({"scenario": "a", "when": {"provider": "acme"}},
         ['/when/provider: unknown provider "acme" — known: vehicore, carsxe']),
        ("scenario: a\npriority: 0\n", ['scenario:2:11: "priority" must be a whole number from 1 to 9, not "0"']),
        ("scenario: a\n---\nscenario: b\n", ["scenario:1:1: expected one document, not 2"]),
        ("", ["scenario:1:1: expected one document, not 0"]),
        ("[1,\n2", ['scenario:1:1: a list opened by "[" is not closed — noticed on line 3']),
    ],
    ids=str,
)  # fmt: skip
def test_mistakes(document: Mapping[str, Any] | str, lines: list[str], vocabulary: Vocabulary) -> None:
    """Mistakes carry JSON pointers, or lines and columns of the text."""
    assert lines_of(document, vocabulary) == lines


def test_json_text_is_read_too() -> None:
    """JSON is YAML, so a text may be JSON too."""
    assert parse_scenario('{"scenario": "a", "reading": {"plate": "NO"}}').reading.plates[0].text == "NO"


def test_account() -> None:
    """An account has the same form as in mock.yaml; a missing key and name are made up."""
    account = parse_account({"credits": {"plate": 1}, "quota": 5}, name="made", new_key=lambda: "made-key")

    assert account == Account(
        "made",
        "made-key",
        credits={Product.PLATE: 1, Product.VIN: None},
        quota={Product.PLATE: Quota(5), Product.VIN: Quota(5)},
    )

    given = parse_account({"key": 12, "name": "n", "status": "blocked"}, name="made", new_key=lambda: "made-key")

    assert (given.key, given.name, given.status) == ("12", "n", AccountStatus.BLOCKED)


def test_bad_account() -> None:
    """The mistakes of an account have places too."""
    with pytest.raises(FixturesError, match=r'^/credits/plate: "plate" must be a whole number, 0 or more'):
        parse_account({"credits": {"plate": -1}}, name="made", new_key=lambda: "made-key")
