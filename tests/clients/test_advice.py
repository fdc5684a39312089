"""Every rule of advice finds the clients that break it, and finds nothing in clients that behave.

The clients are real programs. Those in Python wait by moving the mock's clock, those in Node wait for a moment.
"""

import os
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mock_server import MockServer
from mock_server.report import advice_rules
from mock_server.report.advice import NAMES
from tests.support import FIXTURES, PATIENCE, eventually, picture, tool

from .retrying import other_clients, python_clients
from .retrying.python_clients import Client

RIGHT = {**python_clients.RIGHT, **other_clients.RIGHT}
WRONG = {**python_clients.WRONG, **other_clients.WRONG}
PROGRAMS = Path(__file__).parent / "retrying"
_DOWN = {"reply": {"status": 503, "body": "<html>down</html>"}}
_VERY_SLOW = 0.3


@dataclass(frozen=True)
class Situation:
    """What happens to the first calls of a client, by an override or by steps; then the picture is read."""

    override: Mapping[str, Any] | None = None
    steps: Sequence[Mapping[str, Any]] = ()
    image: Callable[[], bytes] = lambda: picture("car")


SITUATIONS: Mapping[str, Situation] = {
    "fine": Situation(),
    "down": Situation({**_DOWN, "times": 1}),
    "down for three calls": Situation({**_DOWN, "times": 3}),
    "failing": Situation({"outcome": "service_error", "times": 1}),
    "failing for three calls": Situation({"outcome": "service_error", "times": 3}),
    "failing for ever": Situation({"outcome": "service_error", "times": "always"}),
    "rate limited": Situation({"outcome": "rate_limited", "times": 1}),
    "rate limited for two calls": Situation({"outcome": "rate_limited", "times": 2}),
    "asks for 120 s": Situation({"reply": {**_DOWN["reply"], "headers": {"Retry-After": "120"}}, "times": 1}),
    "asks for less each time": Situation(
        steps=[{"reply": {**_DOWN["reply"], "headers": {"Retry-After": seconds}}} for seconds in ("40", "9", "2")]
    ),
    "not found": Situation({"reply": {"status": 404, "body": "{}"}, "times": "always"}),
    "bad image": Situation(image=lambda: b"no image"),
    "out of credits": Situation({"outcome": "out_of_credits", "times": "always"}),
    "used up": Situation({"reply": {"status": 429, "body": "{}"}, "times": "always"}),
    "nothing found": Situation({"outcome": "nothing_found", "times": "always"}),
    "slow": Situation({"outcome": "read", "delay": "30s"}),
    "slow for two calls": Situation({"outcome": "read", "delay": "30s", "times": 2}),
    "a little slow": Situation({"outcome": "read", "delay": "200ms"}),
    "very slow": Situation({"outcome": "read", "delay": f"{int(_VERY_SLOW * 1000)}ms"}),
    "huge": Situation(image=lambda: picture("car") + bytes(advice_rules.MOST_BYTES)),
}
_CALM = [name for name in SITUATIONS if name not in ("slow", "slow for two calls", "very slow", "huge")]


@pytest.fixture(scope="module")
def mock() -> Iterator[MockServer]:
    """A server for these tests alone: they move its clock and delete its report."""
    with MockServer(FIXTURES) as server:
        yield server


def prepare(mock: MockServer, situation: Situation) -> str:
    """Begin the report anew; gives a key in that situation."""
    mock.reset()
    mock.clear_report()
    key = mock.create_account().key
    if situation.override:
        mock.set_override(key=key, **situation.override)
    if situation.steps:
        mock.add_scenario(
            {"scenario": "steps", "when": {"key": key}, "priority": 1, "then": [*situation.steps, "read"]}
        )
    return key


def advice(mock: MockServer) -> dict[str, int]:
    """The rules that were broken, each with its number of cases."""
    return {one["rule"]: one["count"] for one in mock.report(final=True)["advice"]}


def run_python(client: Client, mock: MockServer, situation: Situation) -> object:
    """Let a client in Python make its calls."""
    key = prepare(mock, situation)
    return client(f"{mock.url}/api/ocr/plate", key, situation.image(), mock.advance)


@pytest.mark.parametrize("situation", _CALM)
@pytest.mark.parametrize("name", RIGHT)
def test_a_right_client_gets_no_advice(name: str, situation: str, mock: MockServer) -> None:
    """Whatever happens to its calls."""
    run_python(RIGHT[name], mock, SITUATIONS[situation])

    assert advice(mock) == {}


@pytest.fixture
def _every_pause_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine, a client that does not wait would take longer than the shortest pause."""
    monkeypatch.setattr(advice_rules, "SHORTEST_PAUSE", 30.0)


@pytest.mark.usefixtures("_every_pause_is_short")
@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_client_breaks_exactly_one_rule(name: str, mock: MockServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rule that it is there for, and no other."""
    rule, situation, client = WRONG[name]
    if rule == "no-timeout":
        monkeypatch.setattr(advice_rules, "PATIENCE", _VERY_SLOW)
    run_python(client, mock, SITUATIONS[situation])

    # A closed connection is noticed a moment later.
    assert eventually(lambda: list(advice(mock)) == [rule]), advice(mock)


def test_every_rule_has_a_wrong_client() -> None:
    """No rule is without a test."""
    assert {rule for rule, _, _ in WRONG.values()} == set(NAMES)


NODE_PROGRAMS = ("fetch_loop.mjs", "axios_retry.cjs", "undici_retry.cjs")
NODE_WRONG = {
    "everything": ("retried-final-error", ("not found", "out of credits")),
    "hurried": ("ignored-retry-after", ("rate limited",)),
    "once": ("no-retry", ("down",)),
    "early": ("gave-up-early", ("slow",)),
}
_NODE_ROWS = [
    *((mode, situation, rule) for mode, (rule, situations) in NODE_WRONG.items() for situation in situations),
    ("hurried", "down for three calls", "no-backoff"),
]


def run_node(program: str, mode: str, mock: MockServer, situation: Situation, place: Path, modules: Path) -> None:
    """Run a client in Node."""
    key = prepare(mock, situation)
    image = place / "photo.jpg"
    image.write_bytes(situation.image())
    subprocess.run(
        [tool("node"), str(PROGRAMS / program), f"{mock.url}/api/ocr/plate", key, str(image), mode],
        env={**os.environ, "NODE_PATH": str(modules)},
        check=True,
        capture_output=True,
        timeout=PATIENCE,
    )


@pytest.mark.parametrize(
    "situation", ["fine", "down for three calls", "rate limited", "not found", "used up", "bad image", "a little slow"]
)
@pytest.mark.parametrize("program", NODE_PROGRAMS)
def test_a_right_client_in_node_gets_no_advice(
    program: str, situation: str, mock: MockServer, tmp_path: Path, node_modules: Path
) -> None:
    """Whatever happens to its calls."""
    run_node(program, "right", mock, SITUATIONS[situation], tmp_path, node_modules)

    assert advice(mock) == {}


@pytest.mark.usefixtures("_every_pause_is_short")
@pytest.mark.parametrize(
    ("program", "mode", "situation", "rule"),
    [
        *((program, *row) for program in NODE_PROGRAMS for row in _NODE_ROWS),
        ("fetch_loop.mjs", "twice", "fine", "paid-twice"),
        ("fetch_loop.mjs", "extra-field", "fine", "undocumented-shape"),
    ],
)
def test_a_wrong_client_in_node_breaks_exactly_one_rule(
    program: str, mode: str, situation: str, rule: str, mock: MockServer, tmp_path: Path, node_modules: Path
) -> None:
    """The rule that it is there for, and no other."""
    run_node(program, mode, mock, SITUATIONS[situation], tmp_path, node_modules)

    assert eventually(lambda: list(advice(mock)) == [rule]), advice(mock)


def test_a_rule_can_be_switched_off() -> None:
    """The setting names the rules; the report says that they are off."""
    with MockServer(FIXTURES, advice_off="paid-twice,no-retry") as server:
        run_python(WRONG["a picture read twice"][2], server, SITUATIONS["fine"])
        found = server.report(final=True)

    assert (found["advice"], found["rules_off"]) == ([], ["paid-twice", "no-retry"])
