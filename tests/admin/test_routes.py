"""Every route of the admin API: a success, bad input, and a call without the token."""

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from mock_server import MockServer
from mock_server.admin.admin_app import OPERATIONS, PREFIX
from tests.support import FIXTURES, PATIENCE, drawn, vehicore

TOKEN = "a-token-for-tests"
_SCENARIO = {"scenario": "of-this-test", "then": {"outcome": "service_error"}, "when": {"key": "unknown"}}


@dataclass(frozen=True)
class Case:
    """A call and the expected status. `{id}` is the id of an earlier request."""

    method: str
    path: str
    status: int
    sent: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.status}"


def _json(document: Any) -> dict[str, Any]:
    return {"json": document}


SUCCESSES = [
    Case("GET", "/health", 200),
    Case("GET", "/accounts", 200),
    Case("POST", "/accounts", 201),
    Case("GET", "/accounts/demo-key", 200),
    Case("PATCH", "/accounts/demo-key", 200, _json({"tier": "gold"})),
    Case("DELETE", "/accounts/demo-key", 204),
    Case("GET", "/scenarios", 200),
    Case("POST", "/scenarios", 201, _json(_SCENARIO)),
    Case("GET", "/scenarios/car", 200),
    Case("PUT", "/scenarios/of-this-test", 201, _json(_SCENARIO)),
    Case("DELETE", "/scenarios/added", 204),
    Case("PUT", "/scenarios/car/state", 200, _json({"key": "demo-key", "position": 1})),
    Case("GET", "/scenarios/car/thumbnail", 200),
    Case("GET", "/overrides", 200),
    Case("PUT", "/overrides", 201, _json({"outcome": "read", "key": "unknown"})),
    Case("DELETE", "/overrides", 204),
    Case("GET", "/requests", 200),
    Case("DELETE", "/requests", 200),
    Case("POST", "/requests/count", 200, _json({"outcome": "read"})),
    Case("POST", "/requests/find", 200, _json({"outcome": "read"})),
    Case("GET", "/requests/unmatched", 200),
    Case("GET", "/requests/unmatched/near-misses", 200),
    Case("GET", "/requests/unmatched/near-misses?limit=200", 200),
    Case("GET", "/requests/{id}", 200),
    Case("GET", "/requests/{id}/thumbnail", 200),
    Case("GET", "/requests/{id}/image", 200),
    Case("POST", "/requests/{id}/scenario", 201, _json({"scenario": "made", "reading": {"plate": "AB1"}})),
    Case("GET", "/uploads", 200),
    Case("POST", "/scenarios/validate", 200, _json(_SCENARIO)),
    Case("POST", "/box", 200, {"files": {"image": ("car.jpg", drawn())}}),
    Case("GET", "/workbench", 200),
    Case("GET", "/chaos", 200),
    Case("PUT", "/chaos", 200),
    Case("DELETE", "/chaos", 200),
    Case("POST", "/match", 200, {"files": {"image": ("car.jpg", drawn())}}),
    Case("POST", "/reset", 204),
    Case("POST", "/reload", 200),
    Case("GET", "/export", 200),
    Case("GET", "/report", 200),
    Case("GET", "/report?format=html&final=true", 200),
    Case("DELETE", "/report", 204),
    Case("DELETE", "/report?key=demo-key", 204),
    Case("GET", "/clock", 200),
    Case("PUT", "/clock", 200, _json({"advance": "1d"})),
    Case("DELETE", "/clock", 200),
    Case("GET", "/metrics", 200),
    Case("GET", "/openapi.json", 200),
    Case("GET", "/docs", 200),
    Case("GET", "/", 200),
]

EDITS = [
    Case("PUT", "/scenarios/of-this-test/file", 200, _json({**_SCENARIO, "when": {"key": "demo-key"}})),
    Case("DELETE", "/scenarios/of-this-test/file", 204),
]

BAD = [
    Case("POST", "/accounts", 400, _json({"credits": {"plate": -1}})),
    Case("POST", "/accounts", 400, {"content": b"{"}),
    Case("POST", "/accounts", 400, _json(["no", "object"])),
    Case("POST", "/accounts", 409, _json({"key": "demo-key"})),
    Case("GET", "/accounts/unknown", 404),
    Case("PATCH", "/accounts/demo-key", 400, _json({"status": "sleeping"})),
    Case("PATCH", "/accounts/demo-key", 400, _json({"key": "another"})),
    Case("PATCH", "/accounts/unknown", 404, _json({})),
    Case("DELETE", "/accounts/unknown", 404),
    Case("POST", "/scenarios", 400, _json({"scenario": "Bad Name"})),
    Case("POST", "/scenarios", 400, {"files": {"image": ("x.png", drawn())}}),
    Case("POST", "/scenarios", 409, _json({"scenario": "car"})),
    Case("GET", "/scenarios/nowhere", 404),
    Case("PUT", "/scenarios/of-this-test", 400, _json({"scenario": "another"})),
    Case("DELETE", "/scenarios/nowhere", 404),
    Case("DELETE", "/scenarios/car", 409),
    Case("PUT", "/scenarios/car/state", 400, _json({"key": "demo-key", "position": -1})),
    Case("PUT", "/scenarios/nowhere/state", 404, _json({"key": "demo-key", "position": 1})),
    Case("GET", "/scenarios/nowhere/thumbnail", 404),
    Case("GET", "/requests?outcome=reed", 400),
    Case("GET", "/requests?key=a&key=b", 400),
    Case("DELETE", "/requests?since=yesterday", 400),
    Case("POST", "/requests/count", 400, _json({"outcom": "read"})),
    Case("POST", "/requests/find", 400, _json({"limit": -1})),
    Case("GET", "/requests/unmatched?status=ok", 400),
    Case("GET", "/requests/unmatched/near-misses?product=boat", 400),
    Case("GET", "/requests/unmatched/near-misses?limit=201", 400),
    Case("GET", "/requests/nowhere", 404),
    Case("GET", "/requests/nowhere/thumbnail", 404),
    Case("POST", "/match", 400, {"files": {"picture": ("car.jpg", drawn())}}),
    Case("POST", "/match", 400, {"data": {"product": "boat"}, "files": {"image": ("car.jpg", drawn())}}),
    Case("POST", "/match", 400, _json({"provider": "unknown"})),
    Case("GET", "/requests/nowhere/image", 404),
    Case("POST", "/requests/nowhere/scenario", 404, _json({"scenario": "made"})),
    Case("POST", "/scenarios/validate", 400, {"content": b"{"}),
    Case("POST", "/box", 400, {"files": {"image": ("car.jpg", b"no picture")}}),
    Case("POST", "/box", 400, {"files": {"text": ("car.jpg", b"AB1")}}),
    Case("PUT", "/scenarios/car/file", 409, _json({"scenario": "car"})),
    Case("DELETE", "/scenarios/car/file", 409),
    Case("DELETE", "/scenarios/nowhere/file", 404),
    Case("GET", "/requests?parts=maybe", 400),
    Case("POST", "/reset?kei=a", 400),
    Case("PUT", "/clock", 400, _json({"freeze": "tomorrow"})),
    Case("PUT", "/clock", 400, _json({"advance": "1d", "freeze": True})),
    Case("PUT", "/clock", 400, _json({"advance": "99999999d"})),
    Case("GET", "/nowhere", 404),
    Case("PATCH", "/clock", 405),
]


@pytest.fixture
def sent(mock: MockServer, admin: httpx.Client) -> str:
    """The id of a request; there is also a runtime scenario named added."""
    mock.add_scenario({"scenario": "added", "when": {"filename": "unknown"}})
    with httpx.Client(base_url=mock.url, timeout=PATIENCE) as client:
        return vehicore(client).headers["X-Mock-Request-Id"]


@pytest.mark.parametrize("case", SUCCESSES, ids=str)
def test_a_correct_call_succeeds(case: Case, admin: httpx.Client, sent: str) -> None:
    """A correct call gets the documented status. The body must not be cached."""
    reply = admin.request(case.method, case.path.format(id=sent), **case.sent)

    assert (reply.status_code, reply.headers["cache-control"]) == (case.status, "no-store")


def test_scenarios_are_edited_in_their_files(tmp_path: Path) -> None:
    """With the setting `edit`, a scenario's file is written and deleted."""
    copy = shutil.copytree(FIXTURES, tmp_path / "fixtures")
    with (
        MockServer(copy, edit=True) as server,
        httpx.Client(base_url=f"{server.url}{PREFIX}", timeout=PATIENCE) as client,
    ):
        replies = [client.request(case.method, case.path, **case.sent) for case in EDITS]

    assert [reply.status_code for reply in replies] == [case.status for case in EDITS]


@pytest.mark.parametrize("case", BAD, ids=str)
def test_a_wrong_call_gets_the_reason(case: Case, admin: httpx.Client) -> None:
    """The reply to a mistake is a problem document with more details than the status."""
    reply = admin.request(case.method, case.path, **case.sent)
    problem = reply.json()

    assert (reply.status_code, problem["status"]) == (case.status, case.status)
    assert reply.headers["content-type"] == "application/problem+json"
    assert len(problem["detail"]) > 10


@pytest.mark.parametrize("case", [case for case in SUCCESSES if case.path != "/health"], ids=str)
@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}])
def test_a_call_without_the_token_does_nothing(case: Case, header: dict[str, str], guarded: MockServer) -> None:
    """With a token set, every call without it is refused."""
    url = f"{guarded.url}{PREFIX}{case.path.format(id='0')}"
    reply = httpx.request(case.method, url, headers=header, **case.sent)

    assert (reply.status_code, reply.headers["www-authenticate"][:6]) == (401, "Bearer")


def test_the_token_is_accepted(guarded: MockServer) -> None:
    """A call with the right token is allowed; the name of the scheme can have any case."""
    for scheme in ("Bearer", "bearer"):
        headers = {"Authorization": f"{scheme} {TOKEN}"}

        assert httpx.get(f"{guarded.url}{PREFIX}/accounts", headers=headers, timeout=PATIENCE).status_code == 200


@pytest.mark.parametrize("path", ["/healthz", f"{PREFIX}/health"])
def test_health_is_open(path: str, guarded: MockServer) -> None:
    """Health needs no token."""
    reply = httpx.get(guarded.url + path, timeout=PATIENCE)

    assert reply.json()["status"] == "healthy"
    assert set(reply.json()) == {"status", "version", "uptimeInSeconds", "scenarios", "images", "fixtures"}


def test_the_table_names_every_route() -> None:
    """The table of successes has every operation."""
    called = {(case.method, case.path) for case in [*SUCCESSES, *EDITS]}
    wild = {(method, path.replace("demo-key", "{key}")) for method, path in called}
    wild |= {
        (method, path.replace("/car", "/{name}").replace("of-this-test", "{name}").replace("added", "{name}"))
        for method, path in called
    }

    assert {(operation.method, operation.path) for operation in OPERATIONS} <= wild


def test_off_loopback_a_token_is_generated() -> None:
    """A server that other machines can reach always has a token, which is needed on this machine too."""
    with MockServer(FIXTURES, host="0.0.0.0") as mock:
        local = mock.url
        headers = {"Authorization": f"Bearer {mock.admin_token}"}

        assert len(mock.admin_token or "") >= 32
        assert httpx.get(f"{local}{PREFIX}/accounts", timeout=PATIENCE).status_code == 401
        assert httpx.get(f"{local}{PREFIX}/accounts", headers=headers, timeout=PATIENCE).status_code == 200
        assert mock.create_account().status == "active"
