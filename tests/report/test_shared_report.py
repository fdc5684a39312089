"""The report of several processes that share a state."""

import httpx

from mock_server import MockServer
from tests.redis_server import RedisServer
from tests.support import FIXTURES, drawn, vehicore


def test_workers_count_together(redis_server: RedisServer) -> None:
    """Each process reports what all of them answered, also the last call before the report."""
    state = redis_server.url()
    with (
        MockServer(FIXTURES, state=state) as first,
        MockServer(FIXTURES, state=state) as second,
        httpx.Client(base_url=first.url, timeout=30) as one,
        httpx.Client(base_url=second.url, timeout=30) as two,
    ):
        for round in range(1, 6):
            vehicore(one)
            vehicore(two, image=drawn("stranger"))
            for client in (one, two):
                summary = client.get("/__admin/report").json()["summary"]

                assert (summary["requests"], summary["made_up"], summary["keys"]) == (2 * round, round, 1)

        advice = two.get("/__admin/report").json()["advice"]
        two.delete("/__admin/report")

        assert [(found["rule"], found["count"]) for found in advice] == [("paid-twice", 8)]
        assert one.get("/__admin/report").json()["summary"]["requests"] == 0
