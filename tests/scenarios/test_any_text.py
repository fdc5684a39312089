"""For any text the loader gives a set or mistakes with places, and raises nothing else."""

import string
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mock_server.errors import FixturesError, Mistake
from mock_server.scenarios.load import load
from mock_server.scenarios.mock_reader import parse_account
from mock_server.scenarios.scenario_reader import parse_scenario

BAD = sorted((Path(__file__).parent / "bad").rglob("*.yaml"))
KEYS = """scenario when image reading plate plates vin text then outcome times delay uniform lognormal repeat box
score key account accounts status credits quota unlimited unmatched"""
VALUES = """- : , [ ] { } # & * ! | > ' \" % @ ` ? --- ... <<: &a *a ~ null 007 NO 1E10 12:30 read 200ms [1,2,3,4]
../images/x.png /etc/passwd .. cycle"""
SPACES = (" ", "  ", "\n", "\n  ", "\n    ", "\t", "\r\n", "\x00", "\x85", "\u2028", "é", "🚗", "\ufeff")
WORDS = (*KEYS.split(), *VALUES.split(), *SPACES)

yaml_text = st.one_of(
    st.text(),
    st.lists(st.sampled_from(WORDS), max_size=60).map("".join),
    st.lists(st.sampled_from(WORDS), max_size=60).map(" ".join),
)

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(WORDS),
    st.just("9" * 5000),
)
keys = st.one_of(st.sampled_from(WORDS), st.text(string.ascii_lowercase, max_size=4))
json_values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=5), max_leaves=25
)
structured = json_values.map(lambda value: yaml.safe_dump(value, allow_unicode=True))


def mutated(text: str, place: int, removed: int, inserted: str) -> str:
    """`text` with a piece taken out and another put in."""
    start = place % (len(text) + 1)
    return text[:start] + inserted + text[start + removed :]


mutations = st.builds(
    mutated,
    st.sampled_from([path.read_text("utf-8") for path in BAD]),
    st.integers(0, 2000),
    st.integers(0, 6),
    st.sampled_from(["", *WORDS]),
)


def mistakes_of(name: str, data: bytes) -> tuple[str, Sequence[Mistake]]:
    """The directory with this one file that was loaded, and its mistakes."""
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        (root / "scenarios").mkdir()
        (root / name).write_bytes(data)
        try:
            return directory, load(root).warnings
        except FixturesError as error:
            return directory, error.mistakes


def check_directory(name: str, data: bytes) -> None:
    """Load a directory with this one file: a set, or mistakes that each have a place and a line."""
    directory, mistakes = mistakes_of(name, data)
    for mistake in mistakes:
        assert mistake.file.startswith(directory)
        assert mistake.line >= 1
        assert mistake.column >= 1
        assert str(mistake).isprintable()


@given(text=st.one_of(yaml_text, structured, mutations))
@example(text="? ? ? a")
@example(text="{[: x}")
@example(text='when: {image: "\\0"}\nscenario: a')
@example(text=f"when: {{image: {'a' * 5000}}}\nscenario: a")
@example(text="scenario: 1\ntimes: " + "9" * 5000)
@example(text="- &a [*a, *a]\n- *a")
@example(text="a: &a {<<: *a}")
@example(text='scenario: "a\\nb\\u2028c": d')
@settings(max_examples=300, deadline=None)
@pytest.mark.parametrize("name", ["scenarios/any.yaml", "mock.yaml"])
def test_any_text(name: str, text: str) -> None:
    """Any text gives a set, or mistakes with places."""
    check_directory(name, text.encode("utf-8", "surrogatepass"))


@given(data=st.binary(max_size=200))
@settings(max_examples=100, deadline=None)
def test_any_bytes(data: bytes) -> None:
    """Any bytes give a set, or mistakes with places."""
    check_directory("scenarios/any.yaml", data)


@given(document=st.dictionaries(keys, json_values, max_size=6))
@settings(max_examples=200, deadline=None)
def test_any_json(document: dict[str, Any]) -> None:
    """Any mapping gives a scenario and an account, or mistakes with places."""
    document = {"scenario": "a", "key": "k", **document}
    for parse in (parse_scenario, lambda value: parse_account(value, name="a", new_key=lambda: "k")):
        mistakes: Sequence[Mistake] = ()
        try:
            parse(document)
        except FixturesError as error:
            mistakes = error.mistakes

        assert all(mistake.file.startswith("/") for mistake in mistakes)
