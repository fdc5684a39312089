"""The bytes that each published client puts on the wire, replayed over a bare socket.

`shapes/*.http` holds one file a client, requests apart by `###`. Line ends are CRLF on the wire; `{{lf}}` is a bare
line feed.
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

SHAPES = Path(__file__).parent / "shapes"
IMAGES = shipped_fixtures() / "images"
PICTURES = {"plate": ("california-sedan.jpg", "9DJC652"), "vin": ("vin-plate.jpg", "JHLRD77874C026456")}


@pytest.fixture(scope="module")
def mock(fixtures: Path) -> Iterator[MockServer]:
    """The mock, HTTP only: what is under test is the request."""
    with MockServer(fixtures) as server:
        yield server


def recorded() -> Iterator[tuple[str, str]]:
    """Each recorded request with a name for it."""
    for file in sorted(SHAPES.glob("*.http")):
        for number, text in enumerate(file.read_text(encoding="utf-8").split("\n###\n"), 1):
            yield f"{file.stem}-{number}", text


def product_of(request: str) -> str:
    """What the request asks for, by its path."""
    return "plate" if "plate" in request.partition(" HTTP")[0] else "vin"


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
    parts = [part.replace("\n", "\r\n").encode() for part in (head, body)]
    # A form ends with a line end, a JSON text does not.
    parts[1] += b"\r\n" if "multipart" in head else b""
    for placeholder, value in values.items():
        parts = [part.replace(placeholder, value) for part in parts]
    parts[0] = parts[0].replace(b"{{length}}", str(len(parts[1])).encode())
    return b"\r\n\r\n".join(parts)


def send(url: str, request: bytes) -> tuple[int, dict[str, str], bytes]:
    """Send bytes, read one final reply: status, headers (lower case), body."""
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        connection.sendall(request)
        with connection.makefile("rb") as reply:
            status, headers = _head(reply.readline(), iter(reply.readline, b"\r\n"))
            while status == 100:
                status, headers = _head(reply.readline(), iter(reply.readline, b"\r\n"))
            return status, headers, reply.read(int(headers["content-length"]))


def _head(first: bytes, lines: Iterator[bytes]) -> tuple[int, dict[str, str]]:
    headers = dict(line.decode().strip().split(": ", 1) for line in lines)
    return int(first.split()[1]), {name.lower(): value for name, value in headers.items()}


@pytest.mark.parametrize("request_text", [pytest.param(text, id=name) for name, text in recorded()])
def test_a_recorded_request_is_read(mock: MockServer, request_text: str) -> None:
    """Every client's plate and VIN request gets the reading, in its provider's words."""
    status, headers, body = send(mock.url, render(request_text, mock.url, "demo-key"))

    product = product_of(request_text)
    expected = PICTURES[product][1]
    answer = json.loads(body)
    assert status == 200, answer
    if "vehicore" in request_text:
        assert answer == {"result": expected}
    elif product == "plate":
        assert answer["results"][0]["plate"] == expected.lower()
    else:
        assert answer["vin"] == expected
        assert all(candidate["box"]["xmin"] >= 0 for candidate in answer["candidates"])
    assert headers["x-mock-scenario"] in ("sedan", "vin-plate")


@pytest.mark.parametrize("request_text", [pytest.param(text, id=name) for name, text in recorded()])
def test_a_recorded_request_with_an_unknown_key_is_refused(mock: MockServer, request_text: str) -> None:
    """The key is found where each client puts it, and an unknown one is told in the provider's words."""
    status, _, body = send(mock.url, render(request_text, mock.url, "nobody-has-this"))

    answer = json.loads(body)
    if "vehicore" in request_text:
        assert (status, answer["code"]) == (401, "UNAUTHORIZED")
    else:
        assert status == (401 if product_of(request_text) == "plate" else 404)
        assert answer["message"] == "User with this API key was not found or the API key is disabled"


def test_every_client_of_the_contract_is_recorded() -> None:
    """No client goes missing from the table."""
    names = {re.sub(r"-\d+$", "", name) for name, _ in recorded()}

    carsxe = {"python", "node", "node-older", "cli", "go", "java", "php", "n8n", "dotnet", "mcp-server"}
    documented = {"documented", "documented-older", "documented-eu"}
    vehicore = {f"vehicore-{language}" for language in ("curl", "node", "python", "java", "go")}
    assert carsxe | documented | vehicore | {"ruby-image-url", "ruby-upload-url", "ruby-image"} <= names
