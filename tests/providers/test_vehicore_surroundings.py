"""What clients of VehiCore may meet beside its documented replies: a gateway in front, and a model behind."""

import httpx
import pytest

from mock_server.server import MockServer
from tests.support import new_key, vehicore

pins = pytest.mark.pins

PAGE = "<html><body><h1>Gateway</h1></body></html>"


@pins("vehicore-gateway")
@pytest.mark.parametrize("status", [413, 502, 503, 504])
def test_a_gateway(mock: MockServer, http: httpx.Client, status: int) -> None:
    """A scenario can answer as a gateway does: with its status, and a page instead of the envelope."""
    key = new_key(mock)
    reply = {"status": status, "headers": {"Content-Type": "text/html"}, "body": PAGE}
    mock.add_scenario({"scenario": "gateway", "when": {"key": key}, "then": [{"reply": reply}]})
    answer = vehicore(http, key=key)

    assert (answer.status_code, answer.headers["content-type"], answer.text) == (status, "text/html", PAGE)


@pins("vehicore-vision")
def test_words_that_change(mock: MockServer, http: httpx.Client) -> None:
    """A scenario can answer the same picture in other words each time, after a delay."""
    key = new_key(mock)
    texts = ["No licence plate is visible.", "I cannot see a plate in this image."]
    steps = [{"outcome": "nothing_found", "message": text, "delay": "20ms"} for text in texts]
    mock.add_scenario({"scenario": "vision", "when": {"key": key}, "then": steps, "repeat": "cycle"})
    replies = [vehicore(http, key=key).json()["result"] for _ in range(3)]

    assert replies == [*texts, texts[0]]
    assert {one.delay for one in mock.requests(key=key)} == {0.02}
