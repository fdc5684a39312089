"""Clients in many languages, each as its users write it, against what an application must handle.

The programs are in `programs/`; their README describes their input and output.
"""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from mock_server.redirect.environment import child_environment
from mock_server.redirect.proxy_environment import proxied_environment
from mock_server.server import MockServer
from tests.support import PATIENCE, tool

from .fixtures import PLATE, VIN

PROGRAMS = Path(__file__).parent / "programs"
UNKNOWN_KEY = "User with this API key was not found or the API key is disabled"
VIN_TEXT = "JHLRD77874C026456"


class Call(NamedTuple):
    """A call and its reply. The URL of the mock replaces `{mock}`; `path` finds a value in the body."""

    line: tuple[str, ...]
    status: int
    path: tuple[str | int, ...]
    value: object


def _upload(product: str, key: str, picture: str) -> tuple[str, ...]:
    return "upload", f"{{mock}}/api/ocr/{product}", key, picture


def _json(path: str, key: str, image_url: str) -> tuple[str, ...]:
    return "json", f"{{mock}}/{path}?key={key}", json.dumps({"image_url": image_url})


GALLERY = "{mock}/images/"
DOWN = "https://pictures.example/mock-upstream_down.jpg"
CALLS = {
    "VehiCore plate": Call(_upload("plate", "demo-key", PLATE), 200, ("result",), "9DJC652"),
    "VehiCore VIN": Call(_upload("vin", "demo-key", VIN), 200, ("result",), VIN_TEXT),
    "VehiCore unknown key": Call(_upload("plate", "wrong", PLATE), 401, ("code",), "UNAUTHORIZED"),
    "VehiCore 429": Call(_upload("plate", "demo-key", "mock-rate_limited.jpg"), 429, ("code",), "RATE_LIMITED"),
    "VehiCore 500": Call(_upload("plate", "demo-key", "mock-service_error.jpg"), 500, ("code",), None),
    "CarsXE plate": Call(
        _json("platerecognition", "demo-key", GALLERY + PLATE), 200, ("results", 0, "plate"), "9djc652"
    ),
    "CarsXE VIN": Call(_json("v1/vinocr", "demo-key", GALLERY + VIN), 200, ("vin",), VIN_TEXT),
    "CarsXE unknown key": Call(_json("platerecognition", "wrong", GALLERY + PLATE), 401, ("message",), UNKNOWN_KEY),
    "CarsXE 429": Call(
        _json("v1/vinocr", "no-credits", GALLERY + VIN), 429, ("usage",), {"current": 7, "limit": 7, "remaining": 0}
    ),
    "CarsXE 503": Call(
        _json("platerecognition", "demo-key", DOWN), 503, ("message",), "Cannot access the internet at this time"
    ),
}

Reply = tuple[int, Any]


def _curl(*options: str) -> Callable[[Path], list[str]]:
    def command(place: Path) -> list[str]:
        tool("curl")
        return [tool("sh"), str(PROGRAMS / "curl.sh"), *options]

    return command


def _java(place: Path) -> list[str]:
    tool("javac")
    return [tool("java"), str(PROGRAMS / "JdkHttpClient.java")]


def _go(place: Path) -> list[str]:
    go, program = tool("go"), place / "go_net_http"
    environ = {**os.environ, "GOCACHE": str(place), "GO111MODULE": "off", "GOTOOLCHAIN": "local", "CGO_ENABLED": "0"}
    subprocess.run(
        [go, "build", "-o", str(program), str(PROGRAMS / "go_net_http.go")], env=environ, check=True, timeout=PATIENCE
    )
    return [str(program)]


def _php(place: Path) -> list[str]:
    php = tool("php")
    if b"curl" not in subprocess.run([php, "-m"], capture_output=True, check=True).stdout.split():
        pytest.skip("PHP has no curl extension here")
    return [php, str(PROGRAMS / "php_curl.php")]


def _python(name: str) -> Callable[[Path], list[str]]:
    return lambda place: [sys.executable, "-W", "error", str(PROGRAMS / f"{name}.py")]


CLIENTS: dict[str, Callable[[Path], list[str]]] = {
    "curl": _curl(),
    "curl --http2": _curl("--http2"),
    "Python requests": _python("python_requests"),
    "Python httpx": _python("python_httpx"),
    "Python aiohttp": _python("python_aiohttp"),
    "Python email": _python("python_email"),
    "Node fetch": lambda place: [tool("node"), str(PROGRAMS / "node_fetch.mjs")],
    "Node axios": lambda place: [tool("node"), str(PROGRAMS / "node_axios.cjs")],
    "PHP curl": _php,
    "Ruby Net::HTTP": lambda place: [tool("ruby"), "-w", str(PROGRAMS / "ruby_net_http.rb")],
    "Go net/http": _go,
    "JDK HttpClient": _java,
}
NEEDS_NPM = {"Node axios"}


REAL_NAMES = {"{mock}/api/ocr": "https://api.vehicore.pro/api/ocr", "{mock}": "https://api.carsxe.com"}


class Way(NamedTuple):
    """How a client gets to the mock: what its URLs begin with, and its environment."""

    prefixes: dict[str, str]
    environ: dict[str, str]


@pytest.fixture(scope="module")
def mock(fixtures: Path) -> Iterator[MockServer]:
    """A server whose journal no other test writes to."""
    with MockServer(fixtures, tls=True) as server:
        yield server


@pytest.fixture(scope="module")
def ways(mock: MockServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Way]]:
    """By the mock's address; and by the providers' real names, as under `exec --proxy`."""
    directory = tmp_path_factory.mktemp("exec")
    environ = child_environment(mock.route, directory, os.environ)
    with proxied_environment(mock.route, directory, os.environ, environ) as variables:
        yield {"address": Way({"{mock}": mock.url}, dict(os.environ)), "proxy": Way(REAL_NAMES, environ | variables)}


@pytest.fixture(scope="module", params=CLIENTS)
def client(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> tuple[str, list[str]]:
    """The name of a client and its command."""
    return request.param, CLIENTS[request.param](tmp_path_factory.mktemp("build"))


@pytest.fixture(scope="module", params=["address", "proxy"])
def replies(
    client: tuple[str, list[str]],
    ways: dict[str, Way],
    mock: MockServer,
    fixtures: Path,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> dict[str, Reply]:
    """The replies to all calls as one client parsed them. There was one journal entry for each call."""
    (name, command), way = client, ways[request.param]
    place = tmp_path_factory.mktemp("client")
    for call in CALLS.values():
        if call.line[0] == "upload":
            picture = call.line[-1]
            shutil.copy(fixtures / "images" / (PLATE if picture.startswith("mock-") else picture), place / picture)
    environ = dict(way.environ)
    if name in NEEDS_NPM:
        environ["NODE_PATH"] = str(request.getfixturevalue("node_modules"))
    lines = ["\t".join(call.line) for call in CALLS.values()]
    for placeholder, prefix in way.prefixes.items():
        lines = [line.replace(placeholder, prefix) for line in lines]
    before = _journal_length(mock)
    ended = subprocess.run(
        command,
        input="".join(f"{line}\n" for line in lines),
        env=environ,
        cwd=place,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    errors = [line for line in ended.stderr.splitlines() if not line.startswith("Picked up JAVA_TOOL_OPTIONS")]

    assert (errors, ended.returncode) == ([], 0)
    assert _journal_length(mock) - before == len(CALLS)
    rows = [line.split("\t") for line in ended.stdout.splitlines()]
    return {name: (int(status), json.loads(body)) for name, (status, body) in zip(CALLS, rows, strict=True)}


def _journal_length(mock: MockServer) -> int:
    return len(asyncio.run(mock.app.journal.exchanges()))


@pytest.mark.parametrize("name", CALLS)
def test_a_client_gets_the_reply(replies: dict[str, Reply], name: str) -> None:
    """Status and body, as the client's language parses them."""
    status, value = replies[name]
    for step in CALLS[name].path:
        value = value.get(step) if isinstance(value, dict) else value[step]

    assert (status, value) == (CALLS[name].status, CALLS[name].value)
