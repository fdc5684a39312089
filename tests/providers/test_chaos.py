"""Chance in scenarios, in overrides, and `chaos` in `mock.yaml`, over the whole server."""

from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest

from mock_server.server import MockServer
from tests.conftest import MakeClient
from tests.support import PATIENCE, call, drawn, latest, new_key, vehicore

BROKEN = "broken"


def directory(tmp_path: Path, mock: str, scenarios: str = "") -> Path:
    """A fixtures directory with these files and one account."""
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "mock.yaml").write_text(f"accounts: [{{name: a, key: key-a}}, {{name: b, key: key-b}}]\n{mock}")
    (tmp_path / "scenarios" / "a.yaml").write_text(scenarios or "scenario: a\nreading: {plate: ABC123}\n")
    return tmp_path


def statuses(client: httpx.Client, count: int, key: str = "key-a", **options: Any) -> list[int | str]:
    """The statuses of some calls, or that the connection broke."""
    found: list[int | str] = []
    for _ in range(count):
        try:
            found.append(vehicore(client, key=key, **options).status_code)
        except httpx.TransportError:
            found.append(BROKEN)
    return found


@pytest.mark.pins("mock-chance")
def test_a_step_with_a_chance(serve: MakeClient, tmp_path: Path) -> None:
    """Some calls fail, the same ones after a restart, and other ones for another key or seed."""
    scenario = "scenario: a\nreading: {plate: ABC123}\nthen: [{outcome: service_error, chance: 40%}, read]\n"
    root = directory(tmp_path, "", scenario)
    first = statuses(serve(root), 30)

    assert set(first) == {200, 500}
    assert statuses(serve(root), 30) == first
    assert statuses(serve(root), 30, "key-b") != first
    assert statuses(serve(root, seed=1), 30) != first


def test_other_keys_do_not_matter(serve: MakeClient, tmp_path: Path) -> None:
    """Calls of another key in between change nothing."""
    scenario = "scenario: a\nreading: {plate: ABC123}\nthen: {outcome: service_error, chance: 40%}\n"
    root = directory(tmp_path, "", scenario)
    alone, mixed = serve(root), serve(root)
    expected = statuses(alone, 15)
    found = []
    for _ in range(15):
        found += statuses(mixed, 1)
        statuses(mixed, 2, "key-b")

    assert found == expected


@pytest.mark.pins("mock-chaos")
def test_chaos(serve: MakeClient, tmp_path: Path) -> None:
    """Any request may meet an outcome or a fault, with or without a scenario; the journal says so."""
    root = directory(tmp_path, "chaos: {service_error: 20%, rate_limited: 10%, EMPTY_RESPONSE: 20%}\n")
    client = serve(root)
    found = Counter(statuses(client, 120))
    journal = client.get("/__admin/requests").json()["requests"]
    forced = Counter(entry["forced"] for entry in journal)

    assert found.keys() == {200, 500, 429, BROKEN}
    assert forced == {
        "chaos service_error": found[500],
        "chaos rate_limited": found[429],
        "chaos EMPTY_RESPONSE": found[BROKEN],
        None: found[200],
    }
    assert {entry["charged"] for entry in journal if entry["status"] != 200} == {0}


def test_chaos_repeats(serve: MakeClient, tmp_path: Path) -> None:
    """The same seed and key meet it at the same requests."""
    root = directory(tmp_path, "chaos: {service_error: 30%}\n")
    first = statuses(serve(root), 30)

    assert statuses(serve(root), 30) == first
    assert statuses(serve(root), 30, "key-b") != first


def test_chaos_comes_before_scenarios(serve: MakeClient, tmp_path: Path) -> None:
    """A sequence does not advance at a request that meets chaos; a picture without a scenario meets it, too."""
    scenario = "scenario: a\nwhen: {filename: a.jpg}\nreading: {plate: A}\nthen: [nothing_found, read]\n"
    client = serve(directory(tmp_path, "chaos: {upstream_down: 100%}\n", scenario))

    assert statuses(client, 3, filename="a.jpg") == statuses(client, 3, image=drawn()) == [500] * 3
    assert client.get("/__admin/scenarios/a").json()["positions"] == []


def test_what_a_client_forces_comes_first(serve: MakeClient, tmp_path: Path) -> None:
    """A forced outcome, and an account's own refusal, are never replaced by chaos."""
    client = serve(directory(tmp_path, "chaos: {service_error: 100%}\n"))

    assert statuses(client, 2, headers={"Prefer": "outcome=read"}) == [200, 200]
    assert statuses(client, 2, key="unknown") == [401, 401]


def test_chaos_is_reloaded(serve: MakeClient, tmp_path: Path) -> None:
    """A saved `mock.yaml` changes it for the next requests."""
    root = directory(tmp_path, "chaos: {service_error: 100%}\n")
    client = serve(root)
    before = statuses(client, 2)
    (root / "mock.yaml").write_text("accounts: [{name: a, key: key-a}]\n")
    client.post("/__admin/reload")

    assert (before, statuses(client, 2)) == ([500, 500], [200, 200])


def test_an_override_with_a_chance(mock: MockServer, http: httpx.Client) -> None:
    """It answers its share of the calls, as often as `times` says; the others are answered as usual."""
    key = new_key(mock, "key-chance")
    document = {"key": key, "outcome": "service_error", "chance": "50%", "times": 5}
    put = http.put("/__admin/overrides", json=document)
    found = statuses(http, 40, key)

    assert put.json()["chance"] == "50%"
    assert found.count(500) == 5
    assert found[:5] != [500] * 5
    assert set(found[30:]) == {200}


def test_every_provider(serve: MakeClient, tmp_path: Path) -> None:
    """Each provider answers chaos in its own words."""
    with (
        MockServer(directory(tmp_path, "chaos: {service_error: 100%}\n")) as mock,
        httpx.Client(base_url=mock.url, timeout=PATIENCE) as client,
    ):
        for provider in mock.app.control.providers.values():
            assert call(client, provider, key="key-a").status_code == 500
            assert latest(mock).outcome == "service_error"


@pytest.mark.parametrize("written", ["10%", "0.5%", "100%", "7%", "33.333%"])
def test_a_chance_is_written_as_it_was_read(mock: MockServer, http: httpx.Client, written: str) -> None:
    """The document of a scenario has the percentage."""
    key = new_key(mock)
    mock.add_scenario({"scenario": "chance", "when": {"key": key}, "then": {"chance": written}})
    document = http.get("/__admin/scenarios/chance", params={"key": key}).json()

    assert document["then"] == [{"outcome": "read", "chance": written}]
    assert http.put("/__admin/scenarios/chance", params={"key": key}, json=document).status_code == 200
