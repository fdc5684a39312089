"""The mock as a Python object. It serves from a thread of this process."""

import asyncio
import threading
from concurrent.futures import Future
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

from mock_server.app import App, create_app
from mock_server.client import Controls, MockClient
from mock_server.core.clock import Clock
from mock_server.errors import SettingsError
from mock_server.providers.registry import own_hosts
from mock_server.runner import Server, run_loop
from mock_server.terminal import open_closed_streams

if TYPE_CHECKING:
    from mock_server.redirect.python_hook import Route

# These differ from the command line. The environment does not change them.
_DEFAULTS = {"host": "127.0.0.1", "port": 0, "tls_port": 0, "watch": False, "workers": 1}


class MockServer(Controls):
    """The mock, served from a thread. It answers requests when `start` returns, or in a `with` block.

    `settings` have the names of the command line's options: `MockServer("fixtures", port=0, strict=True)`.
    `log_stream` receives the log.
    Raises FixturesError and SettingsError.
    """

    def __init__(
        self,
        fixtures: Path | str | None = None,
        *,
        clock: Clock | None = None,
        log_stream: IO[str] | None = None,
        **settings: Any,
    ) -> None:
        directory = Path(fixtures) if fixtures else None
        self._flags: dict[str, Any] = {**_DEFAULTS, **settings, "fixtures": directory}
        if self._flags["workers"] != 1:
            raise SettingsError("MockServer has one worker; use `vehicle-ocr-mock serve` for more")
        self._clock = clock
        self._log_stream = log_stream
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._server: Server | None = None

    @property
    def url(self) -> str:
        """The HTTP address, without a slash at the end; of loopback for a server on all addresses."""
        return self._running().url

    @property
    def tls_url(self) -> str | None:
        """The HTTPS address, without a slash at the end; None without `tls`."""
        return self._running().tls_url

    @property
    def certificate_path(self) -> Path | None:
        """The certificate (PEM) that clients of `tls_url` must trust; None without `tls`."""
        authority = self._running().authority
        return authority.certificate_path if authority else None

    @property
    def route(self) -> "Route":
        """The providers' real host names and the ports that they lead to. Raises SettingsError without `tls`."""
        from mock_server.redirect.python_hook import Route

        server = self._running()
        if server.tls_url is None or server.authority is None:
            raise SettingsError("the providers' real host names need HTTPS: start the mock with tls=True")
        host = server.app.settings.host
        if ":" in host:
            raise SettingsError(f"the providers' real host names cannot lead to {host}: listen on an IPv4 address")
        http, https = (int(url.rpartition(":")[2]) for url in (server.url, server.tls_url))
        address = "127.0.0.1" if host in ("0.0.0.0", "localhost") else host
        return Route(own_hosts(), http, https, str(server.authority.certificate_path), address)

    def redirect(self) -> AbstractContextManager[None]:
        """Make the providers' real host names lead to this mock, in this process, while the context lasts.

        Every client in the process then reaches the mock under the real names and trusts its certificate. The mock
        must have been started with `tls=True`.
        """
        from mock_server.redirect.environment import redirected

        return redirected(self.route)

    @property
    def app(self) -> App:
        """The application that the server runs."""
        return self._running().app

    @property
    def admin_token(self) -> str | None:
        """The token that the admin API requires; None where it requires none."""
        return self._running().app.access.token or None

    def start(self) -> Self:
        """Serve from a thread of this process. Returns when requests are answered."""
        open_closed_streams()
        app = create_app(self._flags, clock=self._clock, log_stream=self._log_stream)
        started: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, args=(app, started), name="vehicle-ocr-mock", daemon=True)
        self._thread.start()
        started.result()
        return self

    def stop(self) -> None:
        """Finish the requests in flight, close the sockets, end the thread."""
        if self._thread is not None and self._loop is not None and self._server is not None:
            self._loop.call_soon_threadsafe(self._server.stop)
            self._thread.join()
        self._thread = self._loop = self._server = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *error: object) -> None:
        self.stop()

    def _send(self, method: str, path: str, body: bytes, content_type: str) -> tuple[int, bytes]:
        return MockClient(self.url, token=self.admin_token)._send(method, path, body, content_type)

    def _running(self) -> Server:
        if self._server is None:
            raise RuntimeError("the server is not running: call start() or use it in a with statement")
        return self._server

    def _run(self, app: App, started: "Future[None]") -> None:
        async def main() -> None:
            self._loop = asyncio.get_running_loop()
            self._server = Server(app)
            await self._server.serve(lambda: started.set_result(None))

        try:
            run_loop(main())
        except BaseException as error:
            if started.done():
                raise
            started.set_exception(error)
