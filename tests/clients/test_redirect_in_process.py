"""The current process, led to the mock and let go again."""

import asyncio
import os
import socket
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Callable

import aiohttp
import httpx
import pytest
import requests

from mock_server.redirect import python_hook
from mock_server.redirect.environment import redirected
from mock_server.redirect.python_hook import STAND_IN, Route, install
from tests.support import PATIENCE

from .conftest import PYTHON

ANSWER = "mock-https api.carsxe.com /x"


async def _aiohttp(url: str) -> str:
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return await response.text()


CLIENTS: dict[str, Callable[[str], str]] = {
    "requests": lambda url: requests.get(url, timeout=PATIENCE).text,
    "httpx": lambda url: httpx.get(url, timeout=PATIENCE).text,
    "aiohttp": lambda url: asyncio.run(_aiohttp(url)),
    "urllib": lambda url: urllib.request.urlopen(url).read().decode(),
}


@pytest.mark.parametrize("client", CLIENTS)
def test_this_process_reaches_the_mock(route: Route, client: str) -> None:
    """Inside the context the real names lead to the mock, with a certificate that holds."""
    with redirected(route):
        assert CLIENTS[client]("https://api.carsxe.com/x") == ANSWER


def _everything() -> list[object]:
    return [
        socket.getaddrinfo,
        socket.gethostbyname,
        socket.gethostbyname_ex,
        socket.socket.connect,
        socket.socket.connect_ex,
        ssl.SSLContext.wrap_socket,
        ssl.SSLContext.wrap_bio,
        aiohttp.resolver.AsyncResolver.resolve,
        *sys.meta_path,
        dict(os.environ),
    ]


def test_all_of_it_is_undone(route: Route, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the end all functions and variables are restored, also when the body fails."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    before = _everything()
    with redirected(route):
        assert socket.gethostbyname("api.carsxe.com") == STAND_IN
        assert requests.get("https://api.carsxe.com/x", timeout=PATIENCE).text == ANSWER
    with pytest.raises(OSError, match="unrelated"), redirected(route):
        raise OSError("unrelated")

    assert _everything() == before


def test_the_inner_of_two_wins_and_gives_back(route: Route) -> None:
    """One redirect inside another takes its place for a while."""
    inner = Route(["inner.example"], route.ports[80], route.ports[443], route.certificate)
    with redirected(route):
        with redirected(inner):
            assert socket.gethostbyname("inner.example") == STAND_IN
        assert requests.get("https://api.carsxe.com/x", timeout=PATIENCE).text == ANSWER


def test_modules_imported_meanwhile_are_let_go_as_well(route: Route) -> None:
    """Modules that are imported inside the context are redirected too, and restored at the end."""
    code = """
import sys
import importlib.util
spec = importlib.util.spec_from_file_location("hook", sys.argv[1])
hook = importlib.util.module_from_spec(spec)
spec.loader.exec_module(hook)
undo = hook.install(hook.Route.from_text(sys.argv[2]))
assert "socket" not in sys.modules
import socket
inside = socket.getaddrinfo
undo()
print(socket.getaddrinfo is inside, "connect" in vars(socket.socket), inside.__name__)
"""
    result = subprocess.run(
        [PYTHON, "-S", "-c", code, python_hook.__file__, route.to_text()], capture_output=True, text=True, check=False
    )

    assert (result.stdout, result.stderr) == ("False False look_up\n", "")


def test_the_order_of_letting_go_does_not_matter(route: Route) -> None:
    """Two redirects that overlap leave nothing behind, whichever ends first."""
    before = _everything()
    first, second = install(route), install(route)
    first()
    assert socket.gethostbyname("api.carsxe.com") == STAND_IN
    second()

    assert _everything() == before


def test_undoing_twice_does_no_harm(route: Route) -> None:
    """Undoing twice is allowed: a fixture and a test may both do it."""
    undo = install(route)
    undo()
    before = _everything()

    undo()
    assert _everything() == before
