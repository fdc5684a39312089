"""Serving an application on its sockets, in the foreground or on the event loop of another thread.

One process serves HTTP and, with TLS, HTTPS. It is ready when every socket accepts connections.
"""

import asyncio
import contextlib
import copy
import itertools
import logging
import os
import signal
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Coroutine, Sequence
from email.utils import formatdate
from functools import partial
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.server import ServerState

from mock_server import tuning
from mock_server.app import App
from mock_server.http.uvicorn_protocol import MockProtocol, check_uvicorn
from mock_server.listening import Acceptor, listen, listen_again, over_tls, url_of
from mock_server.providers.registry import own_hosts
from mock_server.settings import Settings
from mock_server.terminal import has_terminal

if TYPE_CHECKING:
    from mock_server.certificate_authority import CertificateAuthority

logger = logging.getLogger(__name__)

GRACE_SECONDS = 30
"""How long requests in flight may take to finish after SIGTERM."""
EXIT_SECONDS = 5.0
"""How long a process may take to end after it has served."""
_UPDATE_SECONDS = 1.0
_POLL_SECONDS = 0.002
_TRIM_SECONDS = 10
"""How often freed memory is given back."""
_OTHER_FILES = 64
"""Open files that are not connections, about."""


class Server:
    """An application and its listening sockets. It listens as soon as it exists; `serve` accepts.

    It uses the HTTP protocol of uvicorn, but not its server, which polls a flag and pauses before it ends.
    """

    def __init__(self, app: App) -> None:
        check_uvicorn()
        settings = app.settings
        self.app = app
        self.authority: CertificateAuthority | None
        self.authority, tls = _certified(settings)
        http = listen(settings.host, settings.port)
        https = listen(settings.host, settings.tls_port) if tls else []
        self._listeners = [(listener, None) for listener in http] + [(listener, tls) for listener in https]
        self.url = url_of("http", settings.host, http[0])
        self.tls_url = url_of("https", settings.host, https[0]) if https else None
        self._state = ServerState()
        self._stop_event = asyncio.Event()
        self._is_near_limit = False

    def for_another_process(self) -> "Server":
        """A server of the same application on the same addresses."""
        other = copy.copy(self)
        other._listeners = [(listen_again(listener), tls) for listener, tls in self._listeners]
        other._state = ServerState()
        other._stop_event = asyncio.Event()
        return other

    async def serve(self, ready: Callable[[], None]) -> None:
        """Serve until `stop`, then finish the requests in flight. `ready` is called when every socket accepts."""
        config = uvicorn.Config(
            self.app,
            http=MockProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            proxy_headers=False,
            timeout_keep_alive=75,
        )
        config.load()
        async with self.app.running():
            self._update()
            acceptors = [self._accept(config, listener, tls) for listener, tls in self._listeners]
            ready()
            seconds = itertools.count(1)
            while not self._stop_event.is_set():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stop_event.wait(), _UPDATE_SECONDS)
                self._update()
                if next(seconds) % _TRIM_SECONDS == 0:
                    await asyncio.to_thread(tuning.return_freed_memory)
            await self._finish(acceptors)

    def close(self) -> None:
        """Close the sockets in this process, because another process serves them."""
        for listener, _ in self._listeners:
            listener.close()

    def stop(self) -> None:
        """Make `serve` end. Call it on the server's own event loop."""
        self._stop_event.set()

    def _accept(self, config: uvicorn.Config, listener: socket.socket, tls: ssl.SSLContext | None) -> Acceptor:
        """Begin to accept connections."""
        protocol = partial(MockProtocol, config, self._state, {})
        loop = asyncio.get_running_loop()
        connect = over_tls(protocol, tls) if tls else partial(loop.connect_accepted_socket, protocol)
        return Acceptor(listener, connect)

    def _update(self) -> None:
        """Set the Date header of the next replies. Called every second."""
        self._state.default_headers = [(b"date", formatdate(usegmt=True).encode())]
        # The event loop closes connections without a word when the process may open no more files.
        count, limit = len(self._state.connections), open_files_limit()
        is_near = count > limit - _OTHER_FILES
        if is_near and not self._is_near_limit:
            logger.warning(
                "%d connections are open; the limit of open files is %d, and further connections fail. "
                "Raise it with: ulimit -n",
                count,
                limit,
            )
        self._is_near_limit = is_near

    async def _finish(self, acceptors: Sequence[Acceptor]) -> None:
        """Close idle connections, and wait for requests in flight."""
        for acceptor in acceptors:
            acceptor.close()
        self.close()
        for acceptor in acceptors:
            await acceptor.finish()
        for connection in list(self._state.connections):
            connection.shutdown()
        try:
            async with asyncio.timeout(GRACE_SECONDS):
                while self._state.connections or self._state.tasks:  # noqa: ASYNC110 -- uvicorn has no event for it
                    await asyncio.sleep(_POLL_SECONDS)
        except TimeoutError:
            for task in self._state.tasks:
                task.cancel()


def run(server: Server, ready: Callable[[], None], *, until_closed: int | None = None) -> None:
    """Serve in the foreground until SIGINT or SIGTERM, then finish the requests in flight. SIGHUP reloads the fixtures.

    `until_closed` is the reading end of a pipe. Serving also ends when the writing end is closed.
    """

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        for signum in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(signum, server.stop)
        if hasattr(signal, "SIGHUP"):
            loop.add_signal_handler(signal.SIGHUP, on_hangup(server.app.reload_fixtures, server.stop))
        if until_closed is not None:
            loop.add_reader(until_closed, server.stop)
        await server.serve(ready)

    tuning.keep_freed_memory()
    tuning.switch_threads_often()
    run_loop(serve())


def end_soon(code: int = 0) -> None:
    """End this process with this code, even if a thread goes on: the interpreter would wait for it."""
    timer = threading.Timer(EXIT_SECONDS, os._exit, [code])
    timer.daemon = True
    timer.start()


def run_loop(main: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine to its end on a new event loop."""
    with asyncio.Runner(loop_factory=tuning.loop_factory()) as runner:
        runner.run(main)


def on_hangup(reload: Callable[[], None], stop: Callable[[], None]) -> Callable[[], None]:
    """A handler of SIGHUP that calls `reload`, or `stop` if the signal says that the terminal was closed."""
    is_in_terminal = has_terminal()
    return lambda: stop() if is_in_terminal and not has_terminal() else reload()


def open_files_limit() -> int:
    """How many files this process may have open."""
    if sys.platform == "win32":
        return sys.maxsize
    import resource

    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def _certified(settings: Settings) -> "tuple[CertificateAuthority, ssl.SSLContext] | tuple[None, None]":
    """The authority, and a context with the certificate that it has issued; None without HTTPS."""
    if not settings.tls:
        return None, None
    # The import of cryptography is slow, and only HTTPS needs it.
    from mock_server.certificate_authority import CertificateAuthority, server_names

    names = server_names(settings, own_hosts())
    authority = CertificateAuthority.open(names=names)
    return authority, authority.ssl_context(names)
