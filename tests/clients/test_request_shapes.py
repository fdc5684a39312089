"""The bytes that each published client puts on the wire, replayed over a bare socket.

`shapes/*.http` holds one file a client, requests apart by `###`. Line ends are CRLF on the wire; `{{lf}}` is a bare
line feed. A first line `# STATUS MESSAGE` is the expected answer if that is no reading; `# 200 key` is that of a
key check.
"""

import base64
import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from mock_server.server import MockServer
from mock_server.settings import shipped_fixtures
from tests.support import PATIENCE

SHAPES = Path(__file__).parent / "shapes"
IMAGES = shipped_fixtures() / "images"
PICTURES = {"plate": ("california-sedan.jpg", "9DJC652"), "vin": ("vin-plate.jpg", "JHLRD77874C026456")}


@pytest.fixture(scope="module")
def mock(fixtures: Path) -> Iterator[MockServer]:
    """The mock, HTTP only: what is under test is the request."""
    with MockServer(fixtures) as server:
        yield server


def recorded() -> Iterator[tuple[str, str, str]]:
    """Each recorded request with a name for it, and with the answer that is expected if it is no reading."""
    for file in sorted(SHAPES.glob("*.http")):
        for number, text in enumerate(file.read_text(encoding="utf-8").split("\n###\n"), 1):
            expected, _, request = text.partition("\n") if text.startswith("# ") else ("", "", text)
            yield f"{file.stem}-{number}", request, expected.removeprefix("# ")


REQUESTS = [pytest.param(text, expected, id=name) for name, text, expected in recorded()]


def product_of(request: str) -> str:
    """What the request asks for, by its path."""
    return "plate" if "plate" in request.partition("?")[0] else "vin"


def render(request: str, mock_url: str, key: str) -> bytes:
    """The request as bytes, with a key, a picture and the right lengths in it."""
    picture, _ = PICTURES[product_of(request)]
    image = (IMAGES / picture).read_bytes()
    url = f"{mock_url}/images/{picture}"
    values = {
        b"{{key}}": key.encode(),
        b"{{image}}": url.encode(),
        b"{{image-with-escaped-slashes}}": url.replace("/", "\\/").encode(),
        b"{{image-as-base64}}": base64.b64encode(image),
        b"{{image-bytes}}": image,
        b"{{image-length}}": str(len(image)).encode(),
        b"{{lf}}": b"\n",
    }
    head, _, body = request.removesuffix("\n").partition("\n\n")
    parts = [part.replace("\n", "\r\n").encode() for part in (head.rstrip("\n"), body)]
    # A form ends with a line end, a JSON text does not.
    parts[1] += b"\r\n" if "multipart" in head else b""
    for placeholder, value in values.items():
        parts = [part.replace(placeholder, value) for part in parts]
    parts[0] = parts[0].replace(b"{{length}}", str(len(parts[1])).encode())
    return b"\r\n\r\n".join(parts)


def send(url: str, request: bytes) -> tuple[int, dict[str, str], bytes]:
    """Send bytes, read one final reply: status, headers (lower case), body."""
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port), timeout=PATIENCE) as connection:
        connection.sendall(request)
        with connection.makefile("rb") as reply:
            status, headers = _head(reply.readline(), iter(reply.readline, b"\r\n"))
            while status == 100:
                status, headers = _head(reply.readline(), iter(reply.readline, b"\r\n"))
            return status, headers, reply.read(int(headers["content-length"]))


def _head(first: bytes, lines: Iterator[bytes]) -> tuple[int, dict[str, str]]:
    headers = dict(line.decode().strip().split(": ", 1) for line in lines)
    return int(first.split()[1]), {name.lower(): value for name, value in headers.items()}


@pytest.mark.parametrize(("request_text", "special"), REQUESTS)
def test_a_recorded_request_is_answered(mock: MockServer, request_text: str, special: str) -> None:
    """Every client's plate and VIN request gets the reading, or what the provider would answer to it."""
    status, headers, body = send(mock.url, render(request_text, mock.url, "demo-key"))

    product = product_of(request_text)
    expected = PICTURES[product][1]
    answer = json.loads(body)
    if special:
        key = {"success": True, "active": True, "user": {"email": "demo@example.com"}}
        code, _, message = special.partition(" ")
        assert (str(status), answer) == (code, key if code == "200" else {"success": False, "message": message})
        return
    assert status == 200, answer
    if "vehicore" in request_text:
        assert answer == {"result": expected}
    elif product == "plate":
        assert answer["results"][0]["plate"] == expected.lower()
    else:
        assert answer["vin"] == expected
        assert all(candidate["box"]["xmin"] >= 0 for candidate in answer["candidates"])
    assert headers["x-mock-scenario"] in ("sedan", "vin-plate")


@pytest.mark.parametrize(("request_text", "special"), REQUESTS)
def test_a_recorded_request_with_an_unknown_key_is_refused(mock: MockServer, request_text: str, special: str) -> None:
    """The key is found where each client puts it, and an unknown one is told in the provider's words."""
    status, _, body = send(mock.url, render(request_text, mock.url, "nobody-has-this"))

    answer = json.loads(body)
    if "vehicore" in request_text:
        assert (status, answer["code"]) == (401, "UNAUTHORIZED")
    elif special.startswith("405"):
        assert (status, answer["message"]) == (405, "Method not allowed")
    else:
        assert status == (404 if "vin" in request_text.partition("?")[0] else 401)
        assert answer["message"] == "User with this API key was not found or the API key is disabled"


def test_every_client_of_the_contract_is_recorded() -> None:
    """No client goes missing from the table."""
    names = {re.sub(r"-\d+$", "", name) for name, *_ in recorded()}

    carsxe = {"python", "node", "node-older", "cli", "go", "java", "php", "n8n", "n8n-older", "dotnet", "mcp-server"}
    carsxe |= {"swift", "claude-plugin", "codex-plugin", "gemini-extension", "openclaw", "openclaw-first"}
    carsxe |= {"databricks", "agent-skill", "ruby-other-key"}
    documented = {"documented", "documented-older", "documented-eu", "documented-eu-prefix"}
    vehicore = {f"vehicore-{language}" for language in ("curl", "node", "python", "java", "go")}
    assert carsxe | documented | vehicore | {"ruby-image-url", "ruby-upload-url", "ruby-image"} <= names


QUIRKS = {
    "dotnet": [b"source=c%23", b"application/json; charset=utf-8"],
    "go": [b"\\u0026", b'"}\n', b"source=my-own-text"],
    "java": [b'name="my car""}'],
    "mcp-server": [b"Content-Type: text/plain", b"\r\n\r\nhttp://", b"POST /vinocr?"],
    "n8n-older": [b"key: demo-key"],
    "node-older": [b'{"key":"demo-key"', b"POST /vin-ocr HTTP"],
    "php": [b"http:\\/\\/"],
    "swift": [b"http:\\/\\/"],
}


@pytest.mark.parametrize("client", QUIRKS)
def test_the_quirks_are_on_the_wire(client: str) -> None:
    """What is peculiar about a client's requests is in the bytes that are sent."""
    requests = [text for name, text, _ in recorded() if re.sub(r"-\d+$", "", name) == client]
    sent = b"".join(render(text, "http://127.0.0.1:8080", "demo-key") for text in requests)

    assert [quirk for quirk in QUIRKS[client] if quirk not in sent] == []
