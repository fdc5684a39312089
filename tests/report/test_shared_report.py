"""The report of several processes that share a state."""

import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from mock_server import MockServer
from tests.cli.command import served
from tests.redis_server import RedisServer
from tests.support import FIXTURES, PATIENCE, carsxe, drawn, vehicore

REPORT = "/__admin/report"


def test_servers_count_together(redis_server: RedisServer) -> None:
    """Each process reports what all of them answered, also the last call before the report."""
    state = redis_server.url()
    with (
        MockServer(FIXTURES, state=state) as first,
        MockServer(FIXTURES, state=state) as second,
        httpx.Client(base_url=first.url, timeout=PATIENCE) as one,
        httpx.Client(base_url=second.url, timeout=PATIENCE) as two,
    ):
        for round in range(1, 6):
            vehicore(one)
            vehicore(two, image=drawn("stranger"))
            for client in (one, two):
                summary = client.get(REPORT).json()["summary"]

                assert (summary["requests"], summary["made_up"], summary["keys"]) == (2 * round, round, 1)

        advice = two.get(REPORT).json()["advice"]
        two.delete(REPORT)

        assert [(found["rule"], found["count"]) for found in advice] == [("paid-twice", 8)]
        assert one.get(REPORT).json()["summary"]["requests"] == 0


@pytest.fixture
def workers(redis_server: RedisServer) -> Iterator[list[httpx.Client]]:
    """`serve --workers 2`: clients with a connection each, which the system gives to one worker or the other."""
    if not hasattr(os, "fork"):
        pytest.skip("this system cannot fork")
    arguments = (str(FIXTURES), "--workers", "2", "--state", redis_server.url())
    with served(*arguments) as server, ExitStack() as stack:
        yield [stack.enter_context(httpx.Client(base_url=server.url, timeout=PATIENCE)) for _ in range(8)]


def counted(found: Any) -> dict[str, int]:
    """The replies of all products with their numbers."""
    return {
        f"{one['provider']} {one['product']} {row['outcome']}": row["count"]
        for one in found["coverage"]
        for row in one["outcomes"]
        if row["count"]
    }


def test_workers_count_as_by_hand(workers: list[httpx.Client]) -> None:
    """Calls at once on many connections; each worker reports the sum of all."""
    keys = [workers[0].post("/__admin/accounts", json={}).json()["key"] for _ in range(4)]
    broke = workers[0].post("/__admin/accounts", json={"credits": {"plate": 2}}).json()["key"]

    def use(number: int) -> Counter[str]:
        client, key = workers[number], keys[number % 4]
        replies = {
            "vehicore plate read": [vehicore(client, key=key) for _ in range(3)],
            "vehicore vin service_error": [vehicore(client, "vin", key=key, headers={"Prefer": "code=500"})],
            "vehicore plate unknown_key": [vehicore(client, key=None), vehicore(client, key="nobody")],
            "carsxe plate nothing_found": [carsxe(client, key=key, headers={"Prefer": "outcome=nothing_found"})],
            "carsxe vin read": [carsxe(client, "vin", key=key)],
        }
        found = Counter({name: len(answers) for name, answers in replies.items()})
        status = vehicore(client, key=broke).status_code
        client.post("/api/ocr/plate/")
        return found + Counter({"vehicore plate read" if status == 200 else "vehicore plate out_of_credits": 1})

    with ThreadPoolExecutor(len(workers)) as pool:
        by_hand = sum(pool.map(use, range(len(workers))), Counter[str]())
    reports = [client.get(REPORT, params={"final": "true"}).json() for client in workers]

    assert by_hand["vehicore plate read"] == 8 * 3 + 2
    for found in reports:
        assert counted(found) == dict(by_hand)
        assert found["summary"] == reports[0]["summary"]
    summary = reports[0]["summary"]
    assert (summary["requests"], summary["unserved"], summary["keys"]) == (by_hand.total(), 8, 6)
    assert [(one["method"], one["path"], one["count"]) for one in reports[0]["unserved"]] == [
        ("POST", "/api/ocr/plate/", 8)
    ]


def test_one_key_is_forgotten_by_all_workers(workers: list[httpx.Client]) -> None:
    """A deletion by key reaches the calls that other workers have answered, and may be repeated."""
    mine, theirs = (workers[0].post("/__admin/accounts", json={}).json()["key"] for _ in range(2))
    for client in workers:
        vehicore(client, key=mine)
        vehicore(client, key=theirs)
    for client in workers[:3]:
        assert client.delete(REPORT, params={"key": mine}).status_code < 300
    reports = [client.get(REPORT).json() for client in workers]

    assert [(found["summary"]["requests"], found["summary"]["keys"]) for found in reports] == [(8, 1)] * 8
    assert [[(one["rule"], one["count"]) for one in found["advice"]] for found in reports] == [[("paid-twice", 7)]] * 8


def test_a_reset_of_a_key_divides_its_calls(workers: list[httpx.Client]) -> None:
    """Calls before and after a reset, by whatever worker, are never compared; the numbers stay."""
    key = workers[0].post("/__admin/accounts", json={}).json()["key"]
    for client in workers:
        vehicore(client, key=key)
        assert client.post("/__admin/reset", params={"key": key}).status_code < 300
    found = workers[0].get(REPORT).json()

    assert (found["summary"]["requests"], found["advice"]) == (8, [])
