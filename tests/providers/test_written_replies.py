"""Replies that a scenario writes out: a gateway's HTML page, JSON that is cut off, an empty body."""

import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from mock_server.errors import RefusedError
from mock_server.server import MockServer
from tests.conftest import MakeClient
from tests.support import FIXTURES, PATIENCE, call, eventually, latest, new_key, picture, vehicore

HTML = "<html><h1>502 Bad Gateway – nginx</h1></html>"


def keyed(mock: MockServer, step: Any, **account: Any) -> str:
    """A key whose every request gets this step."""
    key = new_key(mock, **account)
    mock.add_scenario({"scenario": "written", "when": {"key": key}, "reading": {"plate": "ABC123"}, "then": step})
    return key


REPLIES: list[tuple[Any, int, str | None, bytes]] = [
    ({"status": 502, "headers": {"Content-Type": "text/html"}, "body": HTML}, 502, "text/html", HTML.encode()),
    (413, 413, None, b""),
    ({"headers": {"Content-Type": "application/json"}, "body": '{"success": true, "resu'},
     200, "application/json", b'{"success": true, "resu'),
    ({"headers": {"Content-Type": "text/plain"}, "body": '{"success": true}'}, 200, "text/plain", b'{"success": true}'),
    ({"body": "{}"}, 200, None, b"{}"),
    ({"headers": {"Content-Type": "application/json"}}, 200, "application/json", b""),
    ({}, 200, None, b""),
    (204, 204, None, b""),
    ({"status": 529, "body": "overloaded"}, 529, None, b"overloaded"),
]  # fmt: skip


@pytest.mark.pins("mock-written-reply")
@pytest.mark.parametrize(("reply", "status", "kind", "body"), REPLIES, ids=str)
def test_replies(mock: MockServer, http: httpx.Client, reply: Any, status: int, kind: str | None, body: bytes) -> None:
    """Every provider sends the status, the headers and the body as they are written, and no other content type."""
    key = keyed(mock, {"reply": reply})
    for provider in mock.app.control.providers.values():
        got = call(http, provider, key=key)

        assert (got.status_code, got.headers.get("content-type"), got.content) == (status, kind, body)
        assert got.headers["x-mock-scenario"] == "written"
        assert "transfer-encoding" not in got.headers
        assert ("content-length" in got.headers) is (status != 204)


def test_it_is_recorded_as_no_outcome_of_the_provider(mock: MockServer, http: httpx.Client) -> None:
    """Journal, filter and metrics call the outcome `reply`; the journal has the text of the body."""
    key = keyed(mock, {"reply": {"status": 502, "body": HTML}})
    vehicore(http, key=key)
    (exchange,) = mock.requests(key=key, outcome="reply")

    assert (exchange.outcome, exchange.scenario, exchange.status) == ("reply", "written", 502)
    assert (exchange.reply, exchange.text, exchange.charged) == (HTML, None, 0)
    assert 'outcome="reply"' in http.get("/__admin/metrics").text


@pytest.mark.parametrize(("charge", "charged"), [("[read]", 0), ("[read, reply]", 1)])
def test_it_costs_nothing_unless_charge_says_so(serve: MakeClient, tmp_path: Path, charge: str, charged: int) -> None:
    """A reply that is not the provider's costs no unit, whatever its status; `charge` may name it."""
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "mock.yaml").write_text(f"charge: {charge}\n")
    (tmp_path / "scenarios" / "a.yaml").write_text("scenario: a\nthen: {reply: {status: 200, body: '{}'}}\n")
    client = serve(tmp_path)
    vehicore(client)

    assert client.get("/__admin/requests").json()["requests"][0]["charged"] == charged


def test_steps_around_it(mock: MockServer, http: httpx.Client) -> None:
    """A written reply is a step like any other: it has `times`, a delay and a fault."""
    steps = [
        {"reply": 503, "times": 2},
        {"reply": {"status": 504, "body": "12345678"}, "delay": "1ms", "fault": "TRUNCATED_BODY"},
        "read",
    ]
    key = keyed(mock, steps)
    statuses = [vehicore(http, key=key).status_code for _ in range(2)]
    with pytest.raises(httpx.RemoteProtocolError):
        vehicore(http, key=key)

    assert statuses == [503, 503]
    assert latest(mock).fault == "TRUNCATED_BODY"
    assert vehicore(http, key=key).json() == {"result": "ABC123"}


def test_a_body_that_is_cut_off_has_the_length_of_the_whole(mock: MockServer) -> None:
    """TRUNCATED_BODY sends the right Content-Length and half of the body, then the connection closes."""
    key = keyed(mock, {"fault": "TRUNCATED_BODY"})
    form = httpx.Request("POST", mock.url + "/api/ocr/plate", files={"image": ("a.jpg", picture("car"))})
    head = f"POST /api/ocr/plate HTTP/1.1\r\nHost: mock\r\nX-API-Key: {key}\r\n"
    head += f"Content-Type: {form.headers['content-type']}\r\nContent-Length: {form.headers['content-length']}\r\n\r\n"
    parts = urlsplit(mock.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=PATIENCE) as line:
        line.sendall(head.encode() + form.read())
        received = b"".join(iter(lambda: line.recv(65536), b""))
    start, _, body = received.partition(b"\r\n\r\n")

    assert start.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"content-length: 19" in start
    assert body == b'{"result":"ABC123"}'[:9]


def test_a_date_of_its_own_is_the_only_one(mock: MockServer, http: httpx.Client) -> None:
    """A reply with a date has no second one; the next reply on the same connection has the server's again."""
    date = "Thu, 01 Jan 1970 00:00:00 GMT"
    steps = [{"reply": {"headers": {"Date": date}}}, {"outcome": "service_error", "headers": {"date": date}}, "read"]
    key = keyed(mock, steps)
    replies = [vehicore(http, key=key) for _ in range(3)]
    dates = [reply.headers.get_list("date") for reply in replies]

    assert dates[:2] == [[date]] * 2
    assert (len(dates[2]), dates[2] == [date]) == (1, False)


def test_a_reply_that_has_no_body_has_no_length_either(mock: MockServer, http: httpx.Client) -> None:
    """Nothing of it can be cut off: TRUNCATED_BODY closes the connection after the head."""
    key = keyed(mock, [{"reply": status, "fault": "TRUNCATED_BODY"} for status in (204, 304)])
    # The client would send the second call on a connection that is being closed.
    replies = [vehicore(http, key=key, headers={"Connection": "close"}) for _ in range(2)]

    assert [reply.status_code for reply in replies] == [204, 304]
    assert ["content-length" in reply.headers for reply in replies] == [False, False]


def test_an_account_without_units_gets_its_own_error(mock: MockServer, http: httpx.Client) -> None:
    """The checks of the account come first, as for every scenario."""
    assert vehicore(http, key=keyed(mock, {"reply": 502}, credits=0)).status_code == 402


def test_match_shows_it(mock: MockServer, http: httpx.Client) -> None:
    """A dry run has the same reply."""
    key = keyed(mock, {"reply": {"status": 502, "body": HTML}})
    files = {"image": ("a.jpg", picture("car"))}
    result = http.post("/__admin/match", files=files, data={"key": key}).json()

    assert (result["outcome"], result["status"], result["reply"]) == ("reply", 502, HTML)


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    """A fixtures directory with body files: text, and bytes that are no text."""
    (tmp_path / "scenarios" / "pages").mkdir(parents=True)
    (tmp_path / "scenarios" / "pages" / "502.html").write_text(HTML, encoding="utf-8")
    (tmp_path / "scenarios" / "pages" / "raw.bin").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "scenarios" / "a.yaml").write_text(
        "scenario: gateway\nwhen: {product: plate}\n"
        "then: {reply: {status: 502, headers: {Content-Type: text/html}, body_file: pages/502.html}}\n"
        "---\nscenario: raw\nwhen: {product: vin}\nthen: {reply: {body_file: pages/raw.bin}}\n"
    )
    return tmp_path


def test_body_files(serve: MakeClient, pages: Path) -> None:
    """The body may come from a file beside the scenario; a changed file is served without a restart."""
    client = serve(pages, watch=True)

    assert vehicore(client).content == HTML.encode()
    assert vehicore(client, "vin").content == b"\xff\xfe\x00"

    (pages / "scenarios" / "pages" / "502.html").write_text("<p>later</p>")

    assert eventually(lambda: vehicore(client).content == b"<p>later</p>")


def test_body_files_at_a_second_start(serve: MakeClient, pages: Path) -> None:
    """A start that reads the scenarios from the cache reads the current file."""
    assert vehicore(serve(pages)).content == HTML.encode()

    (pages / "scenarios" / "pages" / "502.html").write_text("<p>later</p>")

    assert vehicore(serve(pages)).content == b"<p>later</p>"


@pytest.mark.parametrize(("product", "name"), [("plate", "gateway"), ("vin", "raw")])
def test_body_files_can_be_sent_back(serve: MakeClient, pages: Path, product: str, name: str) -> None:
    """The document of a scenario with a body file is accepted by PUT, and the replies stay the same."""
    client = serve(pages)
    before = vehicore(client, product)
    document = client.get(f"/__admin/scenarios/{name}").json()
    put = client.put(f"/__admin/scenarios/{name}", json=document)
    after = vehicore(client, product)

    assert put.status_code == 201
    assert (after.status_code, after.content) == (before.status_code, before.content)


def test_a_runtime_scenario_reads_no_file(mock: MockServer) -> None:
    """A document that comes over HTTP cannot name a file of the server."""
    with pytest.raises(RefusedError, match='send its text as "body"') as caught:
        mock.add_scenario({"scenario": "file", "then": {"reply": {"body_file": str(FIXTURES / "mock.yaml")}}})

    assert [error["pointer"] for error in caught.value.errors] == ["/then/reply/body_file"]


def test_an_override_writes_a_reply(mock: MockServer, http: httpx.Client) -> None:
    """The next call gets the reply, with the details of any step; the document of a GET can be sent back."""
    key = new_key(mock)
    reply = {"status": 502, "body": HTML}
    put = http.put("/__admin/overrides", json={"key": key, "reply": reply, "times": 2})
    again = http.put("/__admin/overrides", json=put.json() | {"key": key})
    edited = {"key": key, "provider": "carsxe", "outcome": "read", "omit": ["results.box"], "add": {"a": [None]}}

    assert (put.status_code, again.status_code, again.json()["reply"]) == (201, 200, reply)
    assert vehicore(http, key=key).content == HTML.encode()
    assert http.put("/__admin/overrides", json=edited).json()["add"] == {"a": [None]}
    assert call(http, mock.app.control.providers["carsxe"], key=key).json()["a"] == [None]

    refused = http.put("/__admin/overrides", json={"key": key, "reply": {"body_file": "a.html"}})

    assert refused.json()["errors"][0]["pointer"] == "/reply/body_file"


@pytest.mark.parametrize("name", ["X-Mock-Scenario", "x-mock-request-id", "X-Mock-Match", "X-Mock-Detail"])
def test_a_header_of_the_mock_that_a_scenario_sends_itself(mock: MockServer, http: httpx.Client, name: str) -> None:
    """The reply has it once, with the scenario's value. The journal has the mock's."""
    headers = {name: "mine"}
    key = keyed(mock, [{"outcome": "service_error", "headers": headers}, {"reply": {"headers": headers}}])
    replies = [vehicore(http, key=key) for _ in range(2)]

    assert [reply.headers.get_list(name) for reply in replies] == [["mine"]] * 2
    assert [exchange.scenario for exchange in mock.requests(key=key)] == ["written"] * 2
