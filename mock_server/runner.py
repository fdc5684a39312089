"""Serving an application on its sockets, in the foreground or on the event loop of another thread.

One process serves HTTP and, with TLS, HTTPS. It is ready when every socket accepts connections.
"""

import asyncio
import copy
import itertools
import os
import signal
import ssl
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any

import uvicorn

from mock_server.app import App
from mock_server.http.uvicorn_protocol import MockProtocol
from mock_server.providers.registry import own_hosts
from mock_server.settings import Settings
from mock_server.tuning import event_loop_factory
from mock_server.uvicorn_server import GRACE_SECONDS, UvicornServer, listen, listen_again, url_of

if TYPE_CHECKING:
    from mock_server.tls import CertificateAuthority


class Server:
    """An application and its listening sockets. It listens as soon as it exists; `serve` accepts."""

    def __init__(self, app: App) -> None:
        settings = app.settings
        self.app = app
        names = _tls_names(settings)
        self.authority = _authority(names) if settings.tls else None
        self._tls = self.authority.ssl_context(names) if self.authority else None
        self._sockets = [listen(settings.host, settings.port)]
        if self._tls is not None:
            self._sockets.append(listen(settings.host, settings.tls_port))
        self.url = url_of("http", settings.host, self._sockets[0][0])
        self.tls_url = url_of("https", settings.host, self._sockets[1][0]) if self._tls else None
        self._stop_event = asyncio.Event()

    def for_another_process(self) -> "Server":
        """A server of the same application on the same addresses."""
        other = copy.copy(self)
        other._sockets = [[listen_again(listener) for listener in group] for group in self._sockets]
        other._stop_event = asyncio.Event()
        return other

    async def serve(self, ready: Callable[[], None]) -> None:
        """Serve until `stop`, then finish the requests in flight. `ready` is called when every socket accepts."""
        async with self.app.running():
            servers = [
                UvicornServer(self._config(tls)) for tls, _ in zip((None, self._tls), self._sockets, strict=False)
            ]
            serving = [
                asyncio.create_task(server.serve(listeners))
                for server, listeners in zip(servers, self._sockets, strict=True)
            ]
            for server in servers:
                await server.accepting.wait()
            ready()
            await self._stop_event.wait()
            for server in servers:
                server.stop()
            await asyncio.gather(*serving)

    def close(self) -> None:
        """Close the sockets in this process, because another process serves them."""
        for listener in itertools.chain.from_iterable(self._sockets):
            listener.close()

    def stop(self) -> None:
        """Make `serve` end. Call it on the server's own event loop."""
        self._stop_event.set()

    def _config(self, tls: ssl.SSLContext | None) -> uvicorn.Config:
        config = uvicorn.Config(
            self.app,
            http=MockProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        config.load()
        if tls is not None:
            config.ssl = tls
        return config


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

    run_loop(serve())


def on_hangup(reload: Callable[[], None], stop: Callable[[], None]) -> Callable[[], None]:
    """A handler of SIGHUP that calls `reload`, or `stop` if the signal says that the terminal was closed."""
    is_in_terminal = _has_terminal()
    return lambda: stop() if is_in_terminal and not _has_terminal() else reload()


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def run_loop(main: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine to its end on a new event loop."""
    with asyncio.Runner(loop_factory=event_loop_factory()) as runner:
        runner.run(main)


def _authority(names: Sequence[str]) -> "CertificateAuthority":
    # The import of cryptography is slow, and only HTTPS needs it.
    from mock_server.tls import CertificateAuthority

    return CertificateAuthority.open(names=names)


def _tls_names(settings: Settings) -> list[str]:
    further = settings.tls_names.replace(",", " ").split()
    # No client connects to a wildcard address.
    own = [] if settings.host in ("0.0.0.0", "::") else [settings.host]
    return [*own_hosts(), *own, *further]
