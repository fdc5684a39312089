"""Requests that offer an upgrade to another protocol get the same reply as without the offer (RFC 9110, 7.8)."""

import asyncio
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mock_server import MockServer
from tests.support import FIXTURES, PATIENCE, Received, line_to, picture

if TYPE_CHECKING:
    from tests.http.conftest import MakeRequest, Served

pytestmark = pytest.mark.usefixtures("quiet_log")

OFFERS = {
    "h2c": "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n",
    "websocket": "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n",
    "tls": "Connection: upgrade\r\nUpgrade: TLS/1.2\r\n",
    "several": "UPGRADE: h2c, TLS/1.2\r\nConnection: UPGRADE\r\nupgrade: websocket\r\n",
}
BOUNDARY = "6d2f"
UPLOAD = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="image"; filename="car.jpg"\r\n'
    "Content-Type: image/jpeg\r\n\r\n"
).encode() + picture("car")
UPLOAD += f"\r\n--{BOUNDARY}--\r\n".encode()
REFERENCE = b'{"image_url": "http://localhost/images/vin.jpg"}'
CALLS = {
    "vehicore": (
        "POST /api/ocr/plate",
        f"X-API-Key: demo-key\r\nContent-Type: multipart/form-data; boundary={BOUNDARY}\r\n",
        UPLOAD,
    ),
    "carsxe": ("POST /v1/vinocr?key=demo-key", "Content-Type: application/json\r\n", REFERENCE),
    "no such product": ("POST /api/ocr/boat", "", b"body"),
    "wrong method": ("GET /api/ocr/plate", "", b""),
    "admin": ("POST /__admin/requests/count", "Content-Type: application/json\r\n", b'{"outcome": "read"}'),
    "image": ("GET /images/car.jpg", "", b""),
    "nowhere": ("POST /nowhere", "", b"body"),
}
FRAMINGS = ("length", "chunked", "continue")
CUTS = ("one packet", "head and body", "small packets")


@pytest.fixture(scope="module")
def mock() -> Iterator[MockServer]:
    """A server whose journal no other test writes to."""
    with MockServer(FIXTURES) as server:
        yield server


def _request(call: str, framing: str, offer: str) -> tuple[bytes, bytes]:
    line, headers, body = CALLS[call]
    if framing == "chunked":
        headers += "Transfer-Encoding: chunked\r\n"
        half = len(body) // 2
        pieces = [piece for piece in (body[:half], body[half:]) if piece]
        body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    elif body:
        headers += f"Content-Length: {len(body)}\r\n"
    if framing == "continue":
        headers += "Expect: 100-continue\r\n"
    return f"{line} HTTP/1.1\r\nHost: localhost\r\n{offer}{headers}\r\n".encode(), body


def _packets(head: bytes, body: bytes, cut: str) -> list[bytes]:
    if cut == "one packet":
        return [head + body]
    if cut == "head and body":
        return [head, body]
    data = head + body
    # The head in pieces of 7 bytes: every header is cut somewhere.
    step = 7
    return [data[at : at + step] for at in range(0, len(head), step)] + [data[-(-len(head) // step) * step :]]


def _same(reply: Received) -> tuple[int, bytes, dict[str, str]]:
    changing = {"date", "x-mock-request-id"}
    return reply.status, reply.body, {k: v for k, v in reply.headers.items() if k not in changing}


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("offer", OFFERS)
@pytest.mark.parametrize("call", CALLS)
def test_an_offer_changes_nothing(mock: MockServer, call: str, offer: str, framing: str, cut: str) -> None:
    """The body arrives, there is one reply and one journal entry, and the connection serves the next request."""
    method = CALLS[call][0].split()[0]
    plain = b"".join(_request(call, framing, ""))
    with line_to(mock.url) as line:
        before = _total(mock)
        expected = _same(line.ask(plain, method=method))
        entries = _total(mock) - before
        for packet in _packets(*_request(call, framing, OFFERS[offer]), cut):
            line.send(packet)
        offered = _same(line.reply(method=method))

        assert offered == expected
        assert _total(mock) - before == 2 * entries
        assert _same(line.ask(plain, method=method)) == expected


def _total(mock: MockServer) -> int:
    return len(asyncio.run(mock.app.journal.exchanges()))


def test_pipelined_offers_are_answered_in_order(own_server: "Served", ask: "MakeRequest") -> None:
    """Requests with and without an offer in one packet get one reply each, in order, each to its own body."""
    offer = OFFERS["h2c"].strip().split("\r\n")
    requests = [
        ask("/", *(offer if number % 2 else ()), body=b"x" * (number + 1), method="POST") for number in range(6)
    ]
    with own_server.connect() as client:
        client.send(*requests)

        assert [client.reply() for _ in requests] == [b"%d bytes" % (number + 1) for number in range(6)]


def test_a_connect_gets_a_reply(own_server: "Served") -> None:
    """A server that is not a proxy answers CONNECT like any other method."""
    with own_server.connect() as client:
        client.send(b"CONNECT /x HTTP/1.1\r\nHost: mock\r\n\r\nGET / HTTP/1.1\r\nHost: mock\r\n\r\n")

        assert [client.reply() for _ in range(2)] == [b"0 bytes", b"0 bytes"]


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("size", ["small", "large"])
def test_curl_with_http2(mock: MockServer, tmp_path: Path, size: str) -> None:
    """`curl --http2` on plain HTTP offers h2c; for large uploads it also expects `100 Continue`."""
    image = tmp_path / "car.jpg"
    image.write_bytes(picture("car") + b"\0" * (2_000_000 if size == "large" else 0))
    command = ["curl", "-sS", "--http2", "-m", str(PATIENCE), "-o", "-", "-w", "\n%{http_code}"]
    command += ["-H", "X-API-Key: demo-key", "-F", f"image=@{image}", f"{mock.url}/api/ocr/plate"]
    output = subprocess.run(command, capture_output=True, text=True, check=True, timeout=PATIENCE).stdout

    assert output.splitlines()[-1] == "200"
    assert "9DJC652" in output


JAVA = """
import java.net.URI;
import java.net.http.*;
import java.nio.file.*;

public class Upload {
    public static void main(String[] args) throws Exception {
        HttpClient client = HttpClient.newHttpClient();
        for (int call = 0; call < 2; call++) {
            for (boolean expect : new boolean[] {false, true}) {
                HttpRequest request = HttpRequest.newBuilder(URI.create(args[0]))
                    .header("X-API-Key", "demo-key").header("Content-Type", args[1]).expectContinue(expect)
                    .POST(HttpRequest.BodyPublishers.ofFile(Path.of(args[2]))).build();
                HttpResponse<String> reply = client.send(request, HttpResponse.BodyHandlers.ofString());
                System.out.println(reply.version() + " " + reply.statusCode() + " " + reply.body());
            }
        }
    }
}
"""


@pytest.mark.skipif(shutil.which("java") is None, reason="Java is not installed")
def test_the_http_client_of_the_jdk(mock: MockServer, tmp_path: Path) -> None:
    """Java's HttpClient offers h2c with its default settings."""
    (tmp_path / "Upload.java").write_text(JAVA)
    (tmp_path / "body").write_bytes(UPLOAD)
    command = ["java", "Upload.java", f"{mock.url}/api/ocr/plate"]
    command += [f"multipart/form-data; boundary={BOUNDARY}", "body"]
    before = _total(mock)
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE)

    assert ran.stderr == ""
    assert ran.stdout.splitlines() == ['HTTP_1_1 200 {"result":"9DJC652"}'] * 4
    assert _total(mock) - before == 4
