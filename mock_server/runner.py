"""An application on listening sockets: starting, stopping, in the foreground or on another thread's event loop.

One process serves HTTP and, if asked, HTTPS. It is ready when every socket accepts connections.
"""

import asyncio
import copy
import signal
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import uvicorn

from mock_server.app import App
from mock_server.http.protocol import http_protocol
from mock_server.providers.registry import own_hosts
from mock_server.settings import Settings
from mock_server.uvicorn_server import BALANCED, GRACE_SECONDS, Listener, beside, listen, url_of

if TYPE_CHECKING:
    from mock_server.tls import CertificateAuthority


_LARGE_BLOCK = 8 * 1024 * 1024  # bytes


class Server:
    """An application on its sockets. `url` and `tls_url` are known as soon as this exists."""

    def __init__(self, app: App) -> None:
        settings = app.settings
        self.app = app
        self.authority = _authority() if settings.tls else None
        self._ssl_context = _ssl_context(self.authority, settings) if self.authority else None
        self._sockets = [listen(settings.host, settings.port)]
        if self._ssl_context is not None:
            self._sockets.append(listen(settings.host, settings.tls_port))
        self.url = url_of("http", settings.host, self._sockets[0])
        self.tls_url = url_of("https", settings.host, self._sockets[1]) if self._ssl_context else None
        self._stop = asyncio.Event()

    def another(self) -> "Server":
        """A server of the same application on the same addresses, for another process."""
        other = copy.copy(self)
        other._sockets = [beside(listener) if BALANCED else listener.dup() for listener in self._sockets]
        other._stop = asyncio.Event()
        return other

    async def serve(self, ready: Callable[[], None]) -> None:
        """Serve until `stop`; calls `ready` once every socket accepts. Requests in flight finish first."""
        contexts = (None, self._ssl_context)
        async with self.app.running():
            listeners = [Listener(self._config(context)) for context in contexts[: len(self._sockets)]]
            serving = [
                asyncio.create_task(listener.serve([sock]))
                for listener, sock in zip(listeners, self._sockets, strict=True)
            ]
            for listener in listeners:
                await listener.accepting.wait()
            ready()
            await self._stop.wait()
            for listener in listeners:
                listener.stop()
            await asyncio.gather(*serving)

    def close(self) -> None:
        """Let go of the sockets of a server that another process serves."""
        for listener in self._sockets:
            listener.close()

    def stop(self) -> None:
        """Finish what is in flight and end. Call it on the server's own event loop."""
        self._stop.set()

    def _config(self, context: ssl.SSLContext | None) -> uvicorn.Config:
        config = uvicorn.Config(
            self.app,
            http=http_protocol(),
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            ws="none",
            timeout_keep_alive=75,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        config.load()
        if context is not None:
            config.ssl = context
        return config


def run(server: Server, ready: Callable[[], None], *, until_closed: int | None = None) -> None:
    """Serve in the foreground until SIGINT or SIGTERM; requests in flight finish first.

    `until_closed` is a pipe: serving ends as well when its other end is closed.
    """

    async def main() -> None:
        loop = asyncio.get_running_loop()
        for signum in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(signum, server.stop)
        if until_closed is not None:
            loop.add_reader(until_closed, server.stop)
        await server.serve(ready)

    _keep_freed_memory()
    run_loop(main())


def _keep_freed_memory() -> None:
    """Have the memory of one upload kept for the next.

    glibc hands memory back to the system as soon as 128 KB of it lie free, only to be given it again, page by page
    and zeroed, with the next request: a quarter of what an upload costs. It keeps more once it has seen
    a large block come and go, of which not a page needs to be touched.
    """
    bytearray(_LARGE_BLOCK)


def run_loop(main: Any) -> None:
    """Run a coroutine to its end on an event loop of its own, the fastest there is."""
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(main)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        # uvloop has no wheels for Windows.
        return None
    return uvloop.new_event_loop


def _authority() -> "CertificateAuthority":
    # Cryptography takes its time to import; without HTTPS there is no use for it.
    from mock_server.tls import CertificateAuthority

    return CertificateAuthority.open()


def _ssl_context(authority: "CertificateAuthority", settings: Settings) -> ssl.SSLContext:
    further = settings.tls_names.replace(",", " ").split()
    # A wildcard address is nothing that a client could ask for.
    own = [] if settings.host in ("0.0.0.0", "::") else [settings.host]
    return authority.ssl_context([*own_hosts(), *own, *further])
