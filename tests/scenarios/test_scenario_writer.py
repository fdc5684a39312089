"""A scenario and its document: reading the document gives the scenario again."""

import tempfile
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_server.core.library import FixtureSet
from mock_server.core.model import Fault, OutcomeName, Product
from mock_server.scenarios.fixture_export import fixture_files
from mock_server.scenarios.load import load
from mock_server.scenarios.scenario_reader import parse_scenario
from mock_server.scenarios.scenario_writer import scenario_document

_OF_OTHER_FILES = ("image", "key", "account")

text = st.text(st.characters(codec="ascii", exclude_categories=["C"]), min_size=1, max_size=12)
score = st.integers(0, 1000).map(lambda number: number / 1000)
size = st.integers(1, 5000)
# All nine decimals that a file may give.
duration = st.integers(0, 3_600_000 * 10**9).map(lambda number: f"{Decimal(number).scaleb(-9):f}ms")
percentage = st.integers(0, 100 * 10**9).map(lambda number: f"{Decimal(number).scaleb(-9):f}%")
box = st.builds(
    lambda x, y, width, height: [x, y, x + width, y + height], st.integers(0, 900), st.integers(0, 900), size, size
)


def optional(required: dict[str, Any], **others: Any) -> st.SearchStrategy[dict[str, Any]]:
    """A mapping with the required keys and some of the others."""
    return st.fixed_dictionaries(required, optional=others)


none = st.just("none")
candidates = none | st.lists(optional({"text": text | none}, score=score | none, box=box | none), max_size=3)
vehicle = none | optional({"type": text | none}, score=score | none, box=box | none)
plate = optional(
    {"text": text | none},
    region=text | none,
    region_score=score | none,
    score=score | none,
    dscore=score | none,
    box=box | none,
    candidates=candidates,
) | optional({"text": text, "vehicle": vehicle})
reading = optional(
    {},
    plates=st.lists(plate, max_size=3),
    vin=optional({"text": text | none}, confidence=score | none, box=box | none, candidates=candidates),
    text=text,
)
when = optional(
    {},
    image=st.lists(text, min_size=1, max_size=3),
    sha256=st.text("0123456789abcdef", min_size=64, max_size=64),
    url=text,
    filename=text,
    key=text,
    account=text,
    provider=text,
    product=st.sampled_from(list(Product)),
    language=text,
    header=st.dictionaries(st.sampled_from(["x-a", "x-b"]), text),
    properties=optional({}, format=st.sampled_from(["JPEG", "png"]), min_width=size, blank=st.booleans()),
)
delay = st.one_of(
    duration,
    st.just({"uniform": ["10ms", "20ms"]}),
    optional({"median": st.just("5ms"), "sigma": score}, max=st.just("1s")).map(lambda given: {"lognormal": given}),
    st.fixed_dictionaries({"chunks": size, "over": duration}).map(lambda given: {"dribble": given}),
)
trouble = optional(
    {},
    score=score.map(lambda number: [number, 1]),
    confuse=st.integers(0, 17),
    region=text,
    bad_check_digit=st.booleans(),
    partial=size,
    unreadable=st.booleans(),
    too_small=size,
    too_blurred=score,
)
path = st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map(".".join)
value = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | score | text,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(text, inner, max_size=2),
    max_leaves=4,
)
written_reply = optional({}, status=st.sampled_from([200, 413, 599]), headers=st.just({"X-A": "b"}), body=st.text())
step = optional({"reply": written_reply}, times=size, delay=delay, fault=st.sampled_from(list(Fault))) | optional(
    {},
    outcome=st.sampled_from(list(OutcomeName)),
    message=st.text(max_size=5),
    variant=text,
    times=size,
    delay=delay,
    fault=st.sampled_from(list(Fault)),
    headers=st.dictionaries(st.sampled_from(["X-A", "x-b"]), text),
    trouble=trouble,
    omit=st.lists(path, min_size=1, max_size=2),
    add=st.dictionaries(path, value, max_size=2),
    chance=percentage,
)
scenarios = optional(
    {"scenario": st.text("abc-1", min_size=1, max_size=8)},
    description=st.text(max_size=5),
    priority=st.integers(1, 9),
    when=when,
    reading=reading,
    then=st.lists(step, min_size=1, max_size=3),
    repeat=st.sampled_from(["last", "cycle"]),
)


@given(written=scenarios)
@settings(max_examples=300, deadline=None)
def test_document_gives_the_scenario_again(written: dict[str, Any]) -> None:
    """No part of a scenario is lost or changed on the way to its document and back."""
    scenario = parse_scenario(written)

    assert parse_scenario(scenario_document(scenario)) == scenario


@given(written=scenarios)
@settings(max_examples=100)
def test_a_file_gives_the_scenario_again(written: dict[str, Any]) -> None:
    """The same by way of the YAML that an export has. Keys, accounts and pictures would need files of their own."""
    conditions = {name: value for name, value in written.get("when", {}).items() if name not in _OF_OTHER_FILES}
    scenario = replace(parse_scenario({**written, "when": conditions}), order=0)
    with tempfile.TemporaryDirectory() as directory:
        for path, content in fixture_files(FixtureSet(scenarios=(scenario,)), ()):
            assert isinstance(content, bytes)
            file = Path(directory, path)
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(content)
        (again,) = load(Path(directory)).set.scenarios

    assert scenario_document(again) == scenario_document(scenario)


@pytest.mark.parametrize(
    ("field", "written"),
    [
        ("chance", "0.00001%"),
        ("chance", "33.333333333%"),
        ("chance", "99.999999999%"),
        ("delay", "0.000001ms"),
        ("delay", "1000.000000001ms"),
        ("delay", "3599.999999999s"),
    ],
)
def test_numbers_keep_all_digits(field: str, written: str) -> None:
    """A small or a fine number is written without an exponent, and without rounding."""
    document = scenario_document(parse_scenario({"scenario": "a", "then": {field: written}}))

    assert document["then"][0][field] == written


def test_short_document() -> None:
    """Empty parts are left out; the values that the author left out are filled in."""
    document = scenario_document(parse_scenario({"scenario": "a", "reading": {"plate": "ABC"}, "when": {"image": "x"}}))

    assert document == {
        "scenario": "a",
        "description": "",
        "priority": 5,
        "when": {"image": ["x"]},
        "reading": {
            "plate": {
                "text": "ABC",
                "region_score": 0.9,
                "score": 0.9,
                "dscore": 0.9,
                "candidates": [{"text": "ABC", "score": 0.9}],
            }
        },
        "then": [{"outcome": "read"}],
        "repeat": "last",
    }
