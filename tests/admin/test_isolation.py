"""Tests that share a server do not affect each other if each has its own key."""

from concurrent.futures import ThreadPoolExecutor

import httpx

from mock_server import MockServer
from tests.support import PATIENCE, picture

KEYS, REQUESTS, CREDITS, THREADS = 100, 20, 13, 16


def test_a_hundred_keys_at_once(mock: MockServer) -> None:
    """Credits, sequences and the journal of 100 keys are exact after 20 requests each from 16 threads."""
    mock.reset()
    image = picture("car")
    steps = [{"outcome": "service_error", "times": 3}, {"outcome": "read"}]
    when = {"image": "car.jpg", "filename": "shared.jpg"}
    mock.add_scenario({"scenario": "shared", "when": when, "then": steps, "reading": {"plate": "S1"}})
    with ThreadPoolExecutor(THREADS) as pool, httpx.Client(base_url=mock.url, timeout=PATIENCE) as client:
        keys = list(pool.map(lambda _: mock.create_account(credits={"plate": CREDITS}).key, range(KEYS)))

        def ask(key: str) -> int:
            sent = {"image": ("shared.jpg", image)}
            return client.post("/api/ocr/plate", files=sent, headers={"X-API-Key": key}).status_code

        statuses = list(pool.map(ask, keys * REQUESTS))

    assert len(set(keys)) == KEYS
    assert {status: statuses.count(status) for status in set(statuses)} == {
        500: 3 * KEYS,
        200: CREDITS * KEYS,
        402: (REQUESTS - 3 - CREDITS) * KEYS,
    }
    for key in keys:
        outcomes = [exchange.outcome for exchange in mock.requests(key=key)]
        assert len(outcomes) == REQUESTS
        assert outcomes.count("service_error") == 3
        assert outcomes.count("read") == CREDITS
        assert mock.account(key).credits["plate"] == 0
    assert mock.count() == KEYS * REQUESTS


def test_reset_of_one_key_leaves_the_others(mock: MockServer) -> None:
    """The counters, the sequence and the requests of one key are reset; those of another key stay."""
    keys = [mock.create_account(credits={"plate": 2}).key for _ in range(2)]
    with httpx.Client(base_url=mock.url, timeout=PATIENCE) as client:
        for key in keys:
            client.post("/api/ocr/plate", files={"image": picture("car")}, headers={"X-API-Key": key})
    mock.reset(keys[0])

    assert [mock.count(key=key) for key in keys] == [0, 1]
    assert [mock.account(key).credits["plate"] for key in keys] == [2, 1]


def test_reset_of_a_key_without_an_account(mock: MockServer) -> None:
    """An unknown key can have requests in the journal. Its reset deletes them, and a second reset is no error."""
    known = mock.create_account().key
    with httpx.Client(base_url=mock.url, timeout=PATIENCE) as client:
        for key in (known, "unknown-key"):
            client.post("/api/ocr/plate", files={"image": picture("car")}, headers={"X-API-Key": key})
    for _ in range(2):
        mock.reset("unknown-key")

    assert [mock.count(key=key) for key in (known, "unknown-key")] == [1, 0]
