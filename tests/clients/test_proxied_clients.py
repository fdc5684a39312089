"""Equals of the official clients in their own runtimes, led by the provider's real name as under `exec --proxy`.

The programs in `programs/official/` send what CarsXE's own clients send; `shapes/` has what that is. Each takes lines
with URL, key and image URL, and prints the status and the body as JSON.
"""

import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from mock_server.core.exchange import Exchange
from mock_server.redirect.environment import child_environment
from mock_server.redirect.proxy_environment import proxied_environment
from mock_server.server import MockServer
from tests.support import PATIENCE, tool

from .fixtures import PLATE, VIN
from .test_request_shapes import SHAPES

OFFICIAL = Path(__file__).parent / "programs" / "official"
HOST = "https://api.carsxe.com"
UNKNOWN_KEY = "User with this API key was not found or the API key is disabled"
VIN_TEXT = "JHLRD77874C026456"
DOWN = "https://pictures.example/mock-upstream_down.jpg"


class Call(NamedTuple):
    """A call of both endpoints' table: path, key and image; then the status and a value in the body."""

    path: str
    key: str
    image: str
    status: int
    place: tuple[str | int, ...]
    value: object


_GALLERY = f"{HOST}/images/"
_USED = {"current": 7, "limit": 7, "remaining": 0}
_OFFLINE = "Cannot access the internet at this time"
CALLS = {
    "plate": Call("platerecognition", "demo-key", _GALLERY + PLATE, 200, ("results", 0, "plate"), "9djc652"),
    "VIN": Call("v1/vinocr", "demo-key", _GALLERY + VIN, 200, ("vin",), VIN_TEXT),
    "plate, unknown key": Call("platerecognition", "wrong", _GALLERY + PLATE, 401, ("message",), UNKNOWN_KEY),
    "VIN, unknown key": Call("v1/vinocr", "wrong", _GALLERY + VIN, 404, ("message",), UNKNOWN_KEY),
    "plate, no quota": Call("platerecognition", "no-credits", _GALLERY + PLATE, 429, ("usage", "remaining"), 0),
    "VIN, no quota": Call("v1/vinocr", "no-credits", _GALLERY + VIN, 429, ("usage",), _USED),
    "plate, 503": Call("platerecognition", "demo-key", DOWN, 503, ("message",), _OFFLINE),
    "VIN, 503": Call("v1/vinocr", "demo-key", DOWN, 503, ("message",), _OFFLINE),
}

Environ = Mapping[str, str]
Prepared = tuple[list[str], Environ]


def _go(place: Path, environ: Environ) -> Prepared:
    go, program = tool("go"), str(place / "go_client")
    cache = {"GOCACHE": str(place), "GO111MODULE": "off", "GOTOOLCHAIN": "local", "CGO_ENABLED": "0"}
    command = [go, "build", "-o", program, str(OFFICIAL / "go_client.go")]
    subprocess.run(command, env=os.environ | cache, check=True, timeout=PATIENCE)
    return [program], environ


def _java(place: Path, environ: Environ) -> Prepared:
    tool("javac")
    return [tool("java"), str(OFFICIAL / "JavaClient.java")], environ


def _dotnet(place: Path, environ: Environ) -> Prepared:
    """Mono has its own trust store. Its program cert-sync fills the user's with a bundle."""
    compiler, mono, fill = tool("mcs"), tool("mono"), tool("cert-sync")
    program = str(place / "client.exe")
    command = [compiler, "-r:System.Net.Http", f"-out:{program}", str(OFFICIAL / "DotnetClient.cs")]
    subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE)
    environ = {**environ, "XDG_CONFIG_HOME": str(place)}
    store = [fill, "--user", environ["SSL_CERT_FILE"]]
    subprocess.run(store, env=environ, check=True, capture_output=True, timeout=PATIENCE)
    return [mono, program], environ


def _script(program: str, name: str) -> Callable[[Path, Environ], Prepared]:
    return lambda place, environ: ([tool(program), str(OFFICIAL / name)], environ)


CLIENTS: dict[str, Callable[[Path, Environ], Prepared]] = {
    "go": _go,
    "java": _java,
    "php": _script("php", "php_client.php"),
    "ruby-image": _script("ruby", "ruby_client.rb"),
    "dotnet": _dotnet,
    "cli": _script("node", "cli_client.mjs"),
    "mcp-server": _script("node", "mcp_client.mjs"),
}


class Led(NamedTuple):
    """A mock, and the environment of a child that is led to it."""

    mock: MockServer
    environ: dict[str, str]


@pytest.fixture(scope="module")
def led(fixtures: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Led]:
    """The environment that `exec --proxy` gives to its child."""
    directory = tmp_path_factory.mktemp("exec")
    with MockServer(fixtures, tls=True) as mock:
        environ = child_environment(mock.route, directory, os.environ)
        with proxied_environment(mock.route, directory, os.environ, environ) as variables:
            yield Led(mock, environ | variables)


class Sent(NamedTuple):
    """What a client got for each call, and what the mock has received."""

    client: str
    replies: dict[str, tuple[int, Any]]
    received: dict[str, Exchange]


@pytest.fixture(scope="module", params=CLIENTS)
def sent(led: Led, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Sent:
    """All calls by one client, in one process."""
    command, environ = CLIENTS[request.param](tmp_path_factory.mktemp("client"), led.environ)
    led.mock.clear_requests()
    lines = [f"{HOST}/{call.path}\t{call.key}\t{call.image}\n" for call in CALLS.values()]
    ended = subprocess.run(
        command, input="".join(lines), env=environ, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    errors = [line for line in ended.stderr.splitlines() if not line.startswith("Picked up JAVA_TOOL_OPTIONS")]

    assert (errors, ended.returncode) == ([], 0)
    rows = [line.split("\t") for line in ended.stdout.splitlines()]
    replies = {name: (int(status), json.loads(body)) for name, (status, body) in zip(CALLS, rows, strict=True)}
    exchanges = sorted(led.mock.requests(), key=lambda exchange: exchange.time)
    return Sent(request.param, replies, dict(zip(CALLS, exchanges, strict=True)))


@pytest.mark.parametrize("name", CALLS)
def test_the_client_gets_the_reply(sent: Sent, name: str) -> None:
    """The real host name in the URL; the status and the body are the provider's."""
    call = CALLS[name]
    status, value = sent.replies[name]
    for step in call.place:
        value = value[step]

    assert (status, value) == (call.status, call.value)


@pytest.mark.parametrize(("name", "number"), [("plate", 0), ("VIN", 1)])
def test_the_request_is_the_recorded_one(sent: Sent, name: str, number: int) -> None:
    """Path and headers are those that the published client sends; versions and lengths differ."""
    recorded = (SHAPES / f"{sent.client}.http").read_text(encoding="utf-8").split("\n###\n")[number]
    first, *rest = recorded.partition("\n\n")[0].splitlines()
    fields = {field.partition(":")[0].lower(): field.partition(":")[2].strip() for field in rest}
    received = {field.lower(): value for field, value in sent.received[name].headers.items()}
    # Node offers brotli over TLS only; the requests were recorded without TLS.
    varying = {"user-agent", "content-length", "accept-encoding"}
    # Mono is older than .NET: it closes its connections and asks before it sends.
    varying |= {"connection", "expect"} if sent.client == "dotnet" else set()

    assert sent.received[name].path == first.split()[1].partition("?")[0]
    assert {field: value for field, value in received.items() if field not in varying} == {
        field: value for field, value in fields.items() if field not in varying
    }
