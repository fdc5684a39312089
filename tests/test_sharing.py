"""Mocks with one state behave as one: a change in one holds in the other."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from mock_server import MockServer
from tests.redis_server import RedisServer
from tests.support import FIXTURES, PATIENCE, carsxe, drawn, eventually, vehicore

ADDED = {"scenario": "added", "when": {"filename": "added*"}, "reading": {"plate": "ADDED1"}}

Pair = tuple[MockServer, MockServer]


@pytest.fixture(scope="module")
def pair(redis_server: RedisServer) -> Iterator[Pair]:
    """Two mocks on one state."""
    url = redis_server.url()
    with MockServer(FIXTURES, state=url) as one, MockServer(FIXTURES, state=url) as two:
        yield one, two


@pytest.fixture
def mocks(pair: Pair) -> Pair:
    """The same, after a reset."""
    pair[0].reset()
    return pair


@pytest.fixture
def clients(mocks: Pair) -> Iterator[tuple[httpx.Client, httpx.Client]]:
    """A client of each."""
    with (
        httpx.Client(base_url=mocks[0].url, timeout=PATIENCE) as one,
        httpx.Client(base_url=mocks[1].url, timeout=PATIENCE) as two,
    ):
        yield one, two


Clients = tuple[httpx.Client, httpx.Client]


def test_the_clock_is_one(mocks: Pair, clients: Clients) -> None:
    """A freeze, an advance or a release holds for the next request to either mock."""
    one, two = mocks
    one.freeze("2031-05-01T10:00:00Z")
    key = two.create_account(rate_limit="1/hour").key
    statuses = [vehicore(client, key=key).status_code for client in (*clients, *clients)]
    two.advance("1h")
    statuses += [vehicore(client, key=key).status_code for client in clients]

    assert statuses == [200, 429, 429, 429, 200, 429]
    assert {exchange.time.isoformat() for exchange in one.requests(key=key)} == {
        "2031-05-01T10:00:00+00:00",
        "2031-05-01T11:00:00+00:00",
    }
    assert clients[0].get("/__admin/clock").json() == clients[1].get("/__admin/clock").json()
    one.release()
    assert clients[1].get("/__admin/clock").json()["frozen"] is False


def test_advances_add_up(mocks: Pair, clients: Clients) -> None:
    """No change of the clock is lost if both mocks change it."""
    mocks[0].freeze("2031-05-01T10:00:00Z")
    for _ in range(5):
        for mock in mocks:
            mock.advance("1m")

    assert clients[0].get("/__admin/clock").json()["now"] == "2031-05-01T10:10:00.000Z"


def test_the_next_request_to_either_mock_uses_runtime_scenarios(mocks: Pair, clients: Clients) -> None:
    """Added, replaced and removed scenarios."""
    one, two = mocks
    answers: list[tuple[str, bool]] = []
    for act in (
        lambda: one.add_scenario(ADDED),
        lambda: two.add_scenario({**ADDED, "reading": {"plate": "SECOND2"}}, replace=True),
        lambda: one.remove_scenario("added"),
    ):
        act()
        replies = [vehicore(client, filename="added.jpg") for client in clients]
        answers += [(reply.headers["X-Mock-Scenario"], "ADDED1" in reply.text) for reply in replies]

    assert answers == [("added", True)] * 2 + [("added", False)] * 2 + [("car", False)] * 2


def test_each_key_has_its_own_names_in_both(mocks: Pair, clients: Clients) -> None:
    """Two keys have a scenario of the same name, added in different mocks; each mock serves and removes both."""
    keys = [mock.create_account().key for mock in mocks]
    for mock, key in zip(mocks, keys, strict=True):
        when = {"key": key, "filename": "own*"}
        mock.add_scenario({"scenario": "own", "when": when, "reading": {"plate": f"OWN{keys.index(key)}"}})
    results = [vehicore(client, key=key, filename="own.jpg").json() for client in clients for key in keys]
    mocks[0].remove_scenario("own", key=keys[1])

    assert results == [{"result": "OWN0"}, {"result": "OWN1"}] * 2
    assert mocks[1].scenario("own", key=keys[0])["when"]["key"] == keys[0]


def test_pictures_are_shared_with_their_scenarios(mocks: Pair, clients: Clients) -> None:
    """The other mock recognises and shows a picture, until its scenario is removed."""
    picture = drawn("runtime", (640, 480))
    scenario = mocks[0].add_scenario({"scenario": "drawn", "when": {"image": picture}, "reading": {"plate": "DRAWN1"}})
    shown = clients[1].get(scenario["pictures"][0])
    reply = vehicore(clients[1], image=picture)

    assert (shown.status_code, shown.content) == (200, picture)
    assert (reply.headers["X-Mock-Scenario"], reply.headers["X-Mock-Match"]) == ("drawn", "sha256")
    mocks[1].remove_scenario("drawn")
    assert vehicore(clients[0], image=picture).headers["X-Mock-Scenario"] != "drawn"
    assert clients[0].get(scenario["pictures"][0]).status_code == 404


def test_the_journal_is_one(mocks: Pair, clients: Clients) -> None:
    """Both show all exchanges in order, with thumbnails. A deletion holds for both."""
    key = mocks[0].create_account().key
    ids = [vehicore(client, key=key).headers["X-Mock-Request-Id"] for client in clients * 3]

    for mock, client in zip(mocks, clients, strict=True):
        assert [exchange.id for exchange in mock.requests(key=key)] == ids
        thumbnails = [client.get(f"/__admin/requests/{id}/thumbnail") for id in ids]
        assert {(reply.status_code, reply.headers["content-type"]) for reply in thumbnails} == {(200, "image/jpeg")}
    clients[0].delete("/__admin/requests", params={"key": key})
    assert mocks[1].requests(key=key) == []


def test_the_last_units_are_given_once(mocks: Pair, clients: Clients) -> None:
    """Of calls at the same time as many succeed as there are units. The journal has them all, as they were answered."""
    key = mocks[0].create_account(credits={"plate": 5}).key
    with ThreadPoolExecutor(16) as threads:
        replies = list(threads.map(lambda number: vehicore(clients[number % 2], key=key), range(48)))

    assert Counter(reply.status_code for reply in replies) == {200: 5, 402: 43}
    assert mocks[1].account(key).credits["plate"] == 0
    for mock in mocks:
        exchanges = {exchange.id: exchange for exchange in mock.requests(key=key)}
        shown = [exchanges[reply.headers["X-Mock-Request-Id"]] for reply in replies]
        assert [(one.status, one.charged) for one in shown] == [
            (reply.status_code, 1 if reply.status_code == 200 else 0) for reply in replies
        ]
        assert {(one.outcome, one.image is not None) for one in shown} == {("read", True), ("out_of_credits", True)}


def test_a_call_that_cannot_be_recorded_is_the_providers_error(own_redis_server: RedisServer) -> None:
    """Its client gets no success, and the journal has no exchange of it."""
    url = own_redis_server.url("broken")
    with MockServer(FIXTURES, state=url) as mock, httpx.Client(base_url=mock.url, timeout=PATIENCE) as client:
        key = mock.create_account().key
        own_redis_server.command("SET", "vehicle-ocr-mock:broken:journal", "text")
        replies = [request(client, key=key) for request in (vehicore, carsxe)]
        own_redis_server.command("DEL", "vehicle-ocr-mock:broken:journal")

        assert [reply.status_code for reply in replies] == [500, 500]
        assert [reply.headers["X-Mock-Scenario"] for reply in replies] == ["-", "-"]
        assert mock.requests(key=key) == []
        assert vehicore(client, key=key).status_code == 200
        assert [exchange.status for exchange in mock.requests(key=key)] == [200]


def test_near_misses_are_the_same(mocks: Pair, clients: Clients) -> None:
    """One mock explains what the other did not recognise."""
    key = mocks[0].create_account().key
    vehicore(clients[0], image=drawn("never seen"), key=key)
    here, there = (
        client.get("/__admin/requests/unmatched/near-misses", params={"key": key}).json() for client in clients
    )

    assert len(here["nearMisses"]) == 1
    assert here == there


def test_accounts_are_one(mocks: Pair, clients: Clients) -> None:
    """An account of one mock exists in the other, with its balance and its changes."""
    key = mocks[0].create_account(credits={"plate": 3}).key
    statuses = [vehicore(client, key=key).status_code for client in clients * 2]
    mocks[1].update_account(key, credits={"plate": 1})
    statuses += [vehicore(client, key=key).status_code for client in clients]
    mocks[0].update_account(key, status="inactive")

    assert statuses == [200, 200, 200, 402, 200, 402]
    assert vehicore(clients[1], key=key).status_code == 401


def test_the_next_request_sees_a_changed_account(mocks: Pair, clients: Clients) -> None:
    """A change in one mock holds for the next request to the other, even if that one has served the account before."""
    key = mocks[0].create_account(credits={"plate": 100}).key
    assert [vehicore(client, key=key).status_code for client in clients] == [200, 200]
    statuses = []
    for changes in (
        {"status": "inactive"},
        {"status": "active", "plans": ["vin"]},
        {"plans": ["plate", "vin"], "credits": {"plate": 0}},
        {"credits": {"plate": 2}},
        {"rate_limit": "1/hour"},
    ):
        mocks[0].update_account(key, **changes)
        statuses.append([vehicore(clients[1], key=key).status_code for _ in range(2)])
    mocks[0].delete_account(key)
    statuses.append([vehicore(clients[1], key=key).status_code])

    assert statuses == [[401, 401], [402, 402], [402, 402], [200, 200], [402, 429], [401]]


def test_a_forced_scenario_may_come_from_the_other_mock(mocks: Pair, clients: Clients) -> None:
    """A client can force a scenario from the moment it is added to either mock until it is removed."""
    one, two = mocks
    vehicore(clients[1])
    one.add_scenario(ADDED)
    forced = vehicore(clients[1], headers={"Prefer": "scenario=added"})
    two.remove_scenario("added")

    assert (forced.status_code, forced.headers["X-Mock-Scenario"]) == (200, "added")
    assert vehicore(clients[0], headers={"Prefer": "scenario=added"}).status_code == 501


def test_overrides_are_shared(mocks: Pair, clients: Clients) -> None:
    """An override that is set in one mock answers calls of both, exactly as often as it says."""
    one, two = mocks
    key = one.create_account().key
    one.set_override(outcome="service_error", key=key, times=7)
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda number: vehicore(clients[number % 2], key=key).status_code, range(40)))

    assert Counter(statuses) == {500: 7, 200: 33}
    assert two.overrides() == []
    with two.override(outcome="out_of_credits", key=key, times="always"):
        assert [vehicore(client, key=key).status_code for client in clients] == [402, 402]
    assert [vehicore(client, key=key).status_code for client in clients] == [200, 200]
    one.set_override(outcome="service_error", key=key)
    two.reset(key)
    assert one.overrides() == []
    assert vehicore(clients[0], key=key).status_code == 200


CHANCES = """
scenario: flaky
when: {filename: "flaky*"}
reading: {plate: ABC123}
then: [{outcome: service_error, chance: 30%, times: 5}, {outcome: rate_limited, chance: 50%}, read]
---
scenario: cycle
when: {filename: "cycle*"}
reading: {plate: ABC123}
repeat: cycle
then: [{outcome: service_error, chance: 100%, times: 2}, {outcome: rate_limited, chance: 0%}, {outcome: read, times: 3}]
"""


def test_chance_and_chaos_are_those_of_one_mock(redis_server: RedisServer, tmp_path: Path) -> None:
    """Call after call, and for calls at once in their number: two mocks on one state do what one does in memory."""
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "chances.yaml").write_text(CHANCES)
    (tmp_path / "mock.yaml").write_text("accounts: [{name: a, key: key-a}]\nchaos: {upstream_down: 10%}\n")
    url, names = redis_server.url(), [f"{name}.jpg" for name in ("flaky", "cycle") for _ in range(40)]

    def status(mock: MockServer, name: str) -> tuple[str, int]:
        with httpx.Client(base_url=mock.url, timeout=PATIENCE) as client:
            reply = vehicore(client, key="key-a", filename=name)
        return name, reply.status_code

    with MockServer(tmp_path, seed=3) as alone:
        expected = [status(alone, name) for name in names]
    with MockServer(tmp_path, seed=3, state=url) as one, MockServer(tmp_path, seed=3, state=url) as two:
        mocks = [one, two] * (len(names) // 2)
        alternating = [status(mock, name) for mock, name in zip(mocks, names, strict=True)]
        one.reset()
        with ThreadPoolExecutor(8) as pool:
            at_once = [Counter(pool.map(status, mocks[:40], group)) for group in (names[:40], names[40:])]

    assert len(set(expected)) > 4
    assert alternating == expected
    assert at_once == [Counter(expected[:40]), Counter(expected[40:])]


def test_a_reset_puts_both_back(mocks: Pair, clients: Clients) -> None:
    """Runtime scenarios, accounts, counters, journal and clock."""
    one, two = mocks
    one.freeze("2031-05-01T10:00:00Z")
    one.add_scenario(ADDED)
    key = one.create_account().key
    vehicore(clients[0], key=key)
    two.reset()

    for mock, client in zip(mocks, clients, strict=True):
        assert mock.requests() == []
        assert "added" not in {scenario["scenario"] for scenario in mock.scenarios()}
        assert client.get("/__admin/clock").json()["frozen"] is False
        assert client.get(f"/__admin/accounts/{key}").status_code == 404


def test_without_the_state_admin_calls_fail_and_health_checks_succeed(own_redis_server: RedisServer) -> None:
    """Admin calls get a 503, clients the provider's own 500. Afterwards everything is as before."""
    with (
        MockServer(FIXTURES, state=own_redis_server.url()) as mock,
        httpx.Client(base_url=mock.url, timeout=PATIENCE) as client,
    ):
        key = mock.create_account(credits={"plate": 5}).key
        mock.add_scenario(ADDED)
        assert vehicore(client, key=key).status_code == 200
        own_redis_server.kill()
        gone = [client.get("/__admin/accounts"), client.put("/__admin/clock", json={"freeze": True})]

        assert {(reply.status_code, reply.headers["content-type"]) for reply in gone} == {
            (503, "application/problem+json")
        }
        assert vehicore(client, key=key).status_code == 500
        assert client.get("/__admin/health").json()["status"] == "healthy"
        own_redis_server.start()
        assert _back(client)
        assert mock.account(key).credits["plate"] == 4
        assert "added" in {scenario["scenario"] for scenario in mock.scenarios()}


def test_an_empty_state_is_initialised_again(own_redis_server: RedisServer) -> None:
    """If the server comes back empty, the accounts of the files are declared again, and the rest is lost."""
    url = own_redis_server.url()
    with ExitStack() as stack:
        mocks = [stack.enter_context(MockServer(FIXTURES, state=url)) for _ in range(2)]
        clients = [stack.enter_context(httpx.Client(base_url=mock.url, timeout=PATIENCE)) for mock in mocks]
        mocks[0].add_scenario(ADDED)
        mocks[1].freeze("2031-05-01T10:00:00Z")
        own_redis_server.kill()
        own_redis_server.forget()
        own_redis_server.start()

        assert all(map(_back, clients))
        assert Counter(vehicore(client).status_code for client in clients * 3) == {200: 6}
        for mock, client in zip(mocks, clients, strict=True):
            assert "added" not in {scenario["scenario"] for scenario in mock.scenarios()}
            assert client.get("/__admin/clock").json()["frozen"] is False


def _back(client: httpx.Client) -> bool:
    return eventually(lambda: client.get("/__admin/accounts").status_code == 200)
