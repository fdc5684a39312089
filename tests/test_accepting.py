"""Connections that wait together are accepted together."""

import asyncio
import errno
import socket
import sys
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from mock_server.listening import Acceptor
from mock_server.runner import run_loop
from mock_server.tuning import loop_factory
from tests.support import PATIENCE


@pytest.fixture(params=["uvloop", "asyncio"], autouse=True)
def event_loop_of_the_server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both event loops that a server may have. asyncio's default one on Windows watches no sockets."""
    if request.param == "uvloop":
        pytest.importorskip("uvloop")
        return
    monkeypatch.setitem(sys.modules, "uvloop", None)
    assert loop_factory() is asyncio.SelectorEventLoop


class _Listener:
    """A listening socket whose first calls of `accept` raise errors."""

    def __init__(self, listener: socket.socket, errors: list[OSError]) -> None:
        self._listener = listener
        self._errors = errors

    def fileno(self) -> int:
        return self._listener.fileno()

    def accept(self) -> tuple[socket.socket, Any]:
        if self._errors:
            raise self._errors.pop()
        return self._listener.accept()


def _accepted(clients: int, errors: list[OSError], connect: Callable[[socket.socket], None]) -> None:
    """Accept so many connections, and call `connect` with each."""

    async def main() -> None:
        done = asyncio.Event()

        async def begin(connection: socket.socket) -> None:
            seen.append(connection)
            done.set() if len(seen) == clients else None
            connect(connection)

        seen: list[socket.socket] = []
        with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
            listener.setblocking(False)
            waiting = [socket.create_connection(listener.getsockname()) for _ in range(clients)]
            # `_Listener` has only what an acceptor uses of a socket.
            acceptor = Acceptor(_Listener(listener, errors), begin)  # type: ignore[arg-type]
            await asyncio.wait_for(done.wait(), PATIENCE)
            acceptor.close()
            for one in (*waiting, *seen):
                one.close()

    coroutine: Coroutine[Any, Any, None] = main()
    run_loop(coroutine)


def test_all_that_wait_are_accepted() -> None:
    """A hundred clients that connect at once are all served."""
    _accepted(100, [], lambda connection: None)


def test_a_client_that_fails_concerns_no_other() -> None:
    """A connection that ended, or a failed handshake, does not end the accepting."""

    def fail(connection: socket.socket) -> None:
        raise ConnectionResetError

    _accepted(3, [ConnectionAbortedError()], fail)


def test_accepting_pauses_without_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """When no more files may be open, the loop is not called again and again; later it accepts."""
    monkeypatch.setattr("mock_server.listening._PAUSE_SECONDS", 0.05)

    _accepted(2, [OSError(errno.EMFILE, "too many files")], lambda connection: None)
