"""`/overrides`: what happens to the next calls, before any scenario."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from mock_server import MockServer, Override
from tests.support import PATIENCE, carsxe, drawn, latest, picture, vehicore


@pytest.fixture
def client(mock: MockServer, admin: httpx.Client) -> Iterator[httpx.Client]:
    """A client of the providers; the server is back at its files."""
    with httpx.Client(base_url=mock.url, timeout=PATIENCE) as client:
        yield client


def put(admin: httpx.Client, **document: Any) -> httpx.Response:
    """Set an override."""
    return admin.put("/overrides", json=document)


def statuses(client: httpx.Client, count: int = 3, **sent: Any) -> list[int]:
    """The statuses of some calls of VehiCore."""
    return [vehicore(client, **sent).status_code for _ in range(count)]


def test_the_next_call_fails(mock: MockServer, admin: httpx.Client, client: httpx.Client) -> None:
    """Without `times` it is one call. The header and the journal name the override; nothing is charged."""
    key = mock.create_account(credits={"plate": 5}).key
    created = put(admin, outcome="service_error")
    replies = [vehicore(client, key=key) for _ in range(2)]
    first = mock.requests(key=key)[0]

    assert (created.status_code, created.json()["times"], created.json()["remaining"]) == (201, 1, 1)
    assert [reply.status_code for reply in replies] == [500, 200]
    assert [reply.headers["x-mock-scenario"] for reply in replies] == ["override", "car"]
    assert (first.scenario, first.outcome, first.match, first.charged) == ("override", "service_error", "rule", 0)
    assert first.image is not None
    assert mock.account(key).credits["plate"] == 4
    assert admin.get("/overrides").json() == {"overrides": []}


KINDS = [
    ({"outcome": "out_of_credits"}, 402, {}),
    ({"outcome": "nothing_found", "variant": "validation_error"}, 400, {}),
    ({"outcome": "service_error", "message": "Down.", "headers": {"X-Extra": "1"}}, 500, {"message": "Down."}),
    ({"outcome": "rate_limited"}, 429, {}),
    ({"reply": {"status": 413, "headers": {"X-Gateway": "1"}, "body": '{"a": 1}'}}, 413, {"a": 1}),
    ({"outcome": "read", "omit": "result", "add": {"id": 7}}, 200, {"id": 7}),
    ({"outcome": "read"}, 200, {"result": "9DJC652"}),
]


@pytest.mark.parametrize(("step", "status", "body"), KINDS, ids=lambda value: str(value)[:40])
def test_it_is_a_step(
    step: dict[str, Any], status: int, body: dict[str, Any], admin: httpx.Client, client: httpx.Client
) -> None:
    """It is rendered as the step of a scenario: outcome, variant, message, headers. `read` reads the picture."""
    put(admin, **step)
    reply = vehicore(client)

    assert reply.status_code == status
    assert reply.json() == {**reply.json(), **body}
    assert [reply.headers[name] for name in step.get("headers", {})] == [*step.get("headers", {}).values()]


def test_written_replies(mock: MockServer, admin: httpx.Client, client: httpx.Client) -> None:
    """A reply that is not the provider's costs nothing, and has no outcome of the provider."""
    key = mock.create_account(credits={"plate": 1}).key
    put(admin, reply={"status": 502, "headers": {"Content-Type": "text/html"}, "body": "<html>"}, times=2)
    replies = [vehicore(client, key=key), vehicore(client, image=b"no picture", key=key)]

    assert [(reply.status_code, reply.text, reply.headers["content-type"]) for reply in replies] == [
        (502, "<html>", "text/html")
    ] * 2
    assert [(one.outcome, one.scenario, one.charged) for one in mock.requests(key=key)] == [
        ("reply", "override", 0)
    ] * 2
    assert put(admin, reply={"body_file": "page.html"}).status_code == 400


def test_faults_and_delays(mock: MockServer, admin: httpx.Client, client: httpx.Client) -> None:
    """A fault breaks the connection; a delay is in the journal."""
    key = mock.create_account().key
    put(admin, fault="EMPTY_RESPONSE", delay="1ms")
    with pytest.raises(httpx.RemoteProtocolError):
        vehicore(client, key=key)
    entry = latest(mock)

    assert (entry.fault, entry.delay, entry.scenario) == ("EMPTY_RESPONSE", 0.001, "override")
    put(admin, fault="TRUNCATED_BODY")
    with pytest.raises(httpx.RemoteProtocolError):
        vehicore(client, key=key)
    assert vehicore(client, key=key).status_code == 200


def test_scopes(mock: MockServer, admin: httpx.Client, client: httpx.Client) -> None:
    """Each key, provider and product has its own; the narrower one answers."""
    key = mock.create_account().key
    put(admin, outcome="service_error", times="always")
    put(admin, outcome="upstream_down", provider="carsxe", product="vin", times="always")
    put(admin, outcome="out_of_credits", key=key, times="always")

    assert vehicore(client).status_code == 500
    assert carsxe(client, "vin").status_code == 503
    assert carsxe(client).status_code == 500
    assert vehicore(client, key=key).status_code == 402
    assert carsxe(client, "vin", key=key).status_code == 429


def test_put_replaces_the_same_scope(admin: httpx.Client, client: httpx.Client) -> None:
    """The count begins anew, and GET has the latest one only. What GET returns can be sent back."""
    first = put(admin, outcome="service_error", times=5, provider="vehicore")
    assert statuses(client, 2) == [500, 500]
    second = put(admin, outcome="out_of_credits", times=2, provider="vehicore")
    (listed,) = admin.get("/overrides").json()["overrides"]

    assert (first.status_code, second.status_code) == (201, 200)
    assert listed == second.json()
    assert statuses(client, 1) == [402]
    assert admin.get("/overrides").json()["overrides"][0]["remaining"] == 1
    assert admin.put("/overrides", json=listed).status_code == 200
    assert statuses(client) == [402, 402, 200]
    assert put(admin, outcome="read", provider="vehicore").status_code == 201


@pytest.mark.parametrize(
    ("query", "left"),
    [
        ("", []),
        ("?key=demo-key", ["vehicore", "vin"]),
        ("?provider=vehicore", ["demo-key", "vin"]),
        ("?product=vin", ["demo-key", "vehicore"]),
        ("?key=other", ["demo-key", "vehicore", "vin"]),
        ("?key=demo-key&product=vin", ["demo-key", "vehicore", "vin"]),
    ],
)
def test_delete(query: str, left: list[str], admin: httpx.Client) -> None:
    """All, or those that have the given key, provider and product."""
    for scope in ({"key": "demo-key"}, {"provider": "vehicore"}, {"product": "vin"}):
        put(admin, outcome="service_error", **scope)
    deleted = admin.delete(f"/overrides{query}")
    remaining = admin.get("/overrides").json()["overrides"]

    assert deleted.status_code == 204
    assert [one["key"] or one["provider"] or one["product"] for one in remaining] == left
    assert len(admin.get("/overrides?product=vin").json()["overrides"]) == left.count("vin")


def test_reset(mock: MockServer, admin: httpx.Client, client: httpx.Client) -> None:
    """A reset of a key drops the overrides for that key; a reset of everything drops all."""
    keys = [mock.create_account().key for _ in range(2)]
    for key in keys:
        put(admin, outcome="service_error", key=key, times="always")
    put(admin, outcome="service_error", product="vin", times="always")
    mock.reset(keys[0])

    assert [one.key for one in mock.overrides()] == [keys[1], None]
    assert [vehicore(client, key=key).status_code for key in keys] == [200, 500]
    mock.reset()
    assert mock.overrides() == []
    assert vehicore(client, "vin").status_code == 200


def test_sequences_stand_still(mock: MockServer, admin: httpx.Client, client: httpx.Client) -> None:
    """A call that an override answers is no call of a scenario's sequence."""
    key = mock.create_account().key
    steps = [{"outcome": "out_of_credits"}, {"outcome": "read"}]
    mock.add_scenario({"scenario": "two", "when": {"key": key}, "then": steps, "reading": {"plate": "TWO2"}})
    put(admin, outcome="service_error", key=key, times=2)

    assert statuses(client, 4, key=key) == [500, 500, 402, 200]


@pytest.mark.parametrize(
    ("key", "status"), [(None, 401), ("no-such-key", 401), ("suspended", 401), ("nothing-left", 402)]
)
def test_the_account_comes_first(
    key: str | None, status: int, admin: httpx.Client, mock: MockServer, client: httpx.Client
) -> None:
    """A call that the account does not allow is refused as always, and uses up nothing."""
    put(admin, outcome="service_error")
    mock.create_account(key="suspended", status="inactive")
    mock.create_account(key="nothing-left", credits=0)

    assert vehicore(client, key=key).status_code == status
    assert mock.overrides()[0].remaining == 1


def test_it_wins_over_everything_else(admin: httpx.Client, client: httpx.Client) -> None:
    """It answers unknown pictures, broken ones, and calls that force something."""
    put(admin, outcome="service_error", times="always")
    forced = {"Prefer": "outcome=nothing_found"}

    assert vehicore(client, image=drawn("stranger")).status_code == 500
    assert vehicore(client, image=b"no picture").status_code == 500
    assert vehicore(client, headers=forced).status_code == 500
    assert carsxe(client, reference="https://unknown.test/a.jpg").status_code == 500


def test_a_dry_run_shows_it(admin: httpx.Client, client: httpx.Client) -> None:
    """`/match` says that the override would answer, and does not use it up."""
    put(admin, outcome="service_error")
    shown = [admin.post("/match", files={"image": picture("car")}).json() for _ in range(2)]

    assert [(one["scenario"], one["status"]) for one in shown] == [("override", 500)] * 2
    assert statuses(client, 2) == [500, 200]


def test_exactly_n_of_many_at_once(mock: MockServer, admin: httpx.Client, client: httpx.Client) -> None:
    """Of 60 concurrent calls exactly 17 are answered by it."""
    key = mock.create_account().key
    put(admin, outcome="service_error", key=key, times=17)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: vehicore(client, key=key).status_code, range(60)))

    assert (found.count(500), found.count(200)) == (17, 43)


def test_chance(mock: MockServer, admin: httpx.Client, client: httpx.Client) -> None:
    """A share of the calls, the same calls in every run; calls that it does not answer are not counted."""
    key = mock.create_account(key="key-chance").key
    runs = []
    for _ in range(2):
        put(admin, outcome="service_error", key=key, chance="50%", times="always")
        runs.append(statuses(client, 30, key=key))
    put(admin, outcome="service_error", key=key, chance="50%", times=4)

    assert runs[0] == runs[1]
    assert 5 < runs[0].count(500) < 25
    assert statuses(client, 60, key=key).count(500) == 4
    assert mock.overrides() == []


BAD = [
    ({}, "", "an override needs one of"),
    ({"times": 3}, "", "an override needs one of"),
    ({"outcome": "servis_error"}, "/outcome", 'unknown outcome "servis_error"'),
    ({"fault": "EMPTY"}, "/fault", 'unknown fault "EMPTY"'),
    ({"outcome": "read", "times": 0}, "/times", "1 or more, or always"),
    ({"outcome": "read", "times": "ever"}, "/times", "1 or more, or always"),
    ({"outcome": "read", "times": True}, "/times", "1 or more, or always"),
    ({"outcome": "read", "provider": "vehicor"}, "/provider", 'unknown provider "vehicor"'),
    ({"outcome": "read", "product": "car"}, "/product", 'unknown product "car"'),
    ({"outcome": "read", "delay": "soon"}, "/delay", "a duration"),
    ({"outcome": "invalid_request", "variant": "odd"}, "/variant", "has no variants"),
    ({"outcome": "read", "scenario": "x"}, "/scenario", 'unknown key "scenario"'),
]


@pytest.mark.parametrize(("document", "place", "what"), BAD, ids=[str(document) for document, _, _ in BAD])
def test_mistakes(document: dict[str, Any], place: str, what: str, admin: httpx.Client) -> None:
    """A wrong document is refused with its place, and changes nothing."""
    refused = put(admin, **document)
    (error,) = refused.json()["errors"]

    assert refused.status_code == 400
    assert error["pointer"] == place
    assert what in error["detail"]
    assert admin.get("/overrides").json() == {"overrides": []}


def test_the_context_manager(mock: MockServer, admin: httpx.Client, client: httpx.Client) -> None:
    """It lasts as long as its context, and leaves nothing behind, also after an error."""
    with mock.override(outcome="service_error", times="always") as override:
        assert isinstance(override, Override)
        assert mock.overrides() == [override]
        assert statuses(client, 2) == [500, 500]
    assert statuses(client, 1) == [200]

    def fail() -> None:
        with mock.override(outcome="service_error"):
            raise RuntimeError("failed")

    with pytest.raises(RuntimeError, match="failed"):
        fail()
    assert mock.overrides() == []


def test_contexts_are_nested(mock: MockServer, admin: httpx.Client, client: httpx.Client) -> None:
    """An inner one with the same scope replaces the outer one for a while; another scope lies beside it."""
    with mock.override(outcome="out_of_credits", provider="vehicore", times=3):
        assert statuses(client, 1) == [402]
        with mock.override(outcome="service_error", provider="vehicore", times="always"):
            assert statuses(client, 1) == [500]
            with mock.override(outcome="rate_limited", key="demo-key"):
                assert statuses(client, 2) == [429, 500]
        assert [one.remaining for one in mock.overrides()] == [2]
        assert statuses(client) == [402, 402, 200]
    assert mock.overrides() == []


def test_an_outer_context_ends_after_inner_ones(mock: MockServer, client: httpx.Client) -> None:
    """It leaves nothing behind, although an override that comes back has another id."""
    with mock.override(outcome="out_of_credits", times="always"):
        for outcome in ("service_error", "blocked_key"):
            with mock.override(outcome=outcome), mock.override(outcome="rate_limited"):
                assert statuses(client, 1) == [429]
            assert statuses(client, 1) == [402]
    assert mock.overrides() == []
