"""Real servers on free ports, with a small application whose path says what to do."""

import contextlib
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest
import trustme
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from mock_server.core.model import Dribble, Fault, FaultPlan
from mock_server.errors import BodyTooLargeError, ClientDisconnectedError
from mock_server.http.body import read_body
from mock_server.http.reply import Reply, send_reply
from mock_server.http.tls_protocol import TlsProtocol
from mock_server.http.uvicorn_protocol import MockProtocol
from tests.support import PATIENCE

T = TypeVar("T")

LIMIT = 1_000_000
HEADERS = ((b"content-type", b"text/plain"), (b"x-mock-scenario", b"broken"))
LOOPS = ("uvloop", "asyncio")


@dataclass
class DemoApp:
    """`/fault/NAME`, `/late/SECONDS`, `/dribble/CHUNKS/SECONDS`; everything else answers at once.

    The reply's body is the size of the request's. `reached` counts the requests that were read, `finished`
    those that came to their end.
    """

    reached: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    finished: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    disconnected: threading.Event = field(default_factory=threading.Event)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        try:
            body = await read_body(scope, receive, limit=LIMIT)
        except ClientDisconnectedError:
            self.disconnected.set()
            return
        except BodyTooLargeError as error:
            close = () if error.is_drained else ((b"connection", b"close"),)
            await send_reply(Reply(413, (*HEADERS, *close), b"too large"), FaultPlan(), scope, send)
            return
        if scope["path"] != "/":
            self.reached.release()
        await send_reply(Reply(200, HEADERS, b"%d bytes" % len(body)), plan_of(scope["path"]), scope, send)
        self.finished.release()


def plan_of(path: str) -> FaultPlan:
    match path.strip("/").split("/"):
        case ["fault", name]:
            return FaultPlan(fault=Fault(name))
        case ["fault", name, seconds]:
            return FaultPlan(fault=Fault(name), delay=float(seconds))
        case ["late", seconds]:
            return FaultPlan(delay=float(seconds))
        case ["dribble", chunks, seconds]:
            return FaultPlan(dribble=Dribble(int(chunks), float(seconds)))
    return FaultPlan()


MakeRequest = Callable[..., bytes]
RESET = b"<connection reset>"


def raw_request(path: str, *headers: str, method: str = "POST", body: bytes = b"hello", version: str = "1.1") -> bytes:
    """The bytes of one request."""
    lines = [f"{method} {path} HTTP/{version}", "Host: mock", *headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n" + body


class RawClient:
    """A connection that shows the bytes as they arrive, decrypted if the server uses TLS.

    The TCP socket is read by hand: `ssl.SSLSocket` may show a TCP reset as a plain end.
    """

    def __init__(self, port: int, tls: ssl.SSLContext | None) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self._data = b""
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = tls and tls.wrap_bio(self._incoming, self._outgoing, server_hostname="127.0.0.1")
        if self._tls:
            self._until_done(self._tls.do_handshake)

    def __enter__(self) -> "RawClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, *requests: bytes) -> None:
        data = b"".join(requests)
        if self._tls:
            self._tls.write(data)
            data = self._outgoing.read()
        self.socket.sendall(data)

    def end_sending(self, *, fin: bool = True, close_notify: bool = True) -> None:
        """Send nothing more: say so by TLS, if it is used, and by TCP."""
        if self._tls and close_notify:
            with contextlib.suppress(ssl.SSLWantReadError):
                self._tls.unwrap()
            self._flush()
        if fin or not self._tls:
            self.socket.shutdown(socket.SHUT_WR)

    def receive(self) -> bytes:
        """The next bytes; empty at the end of the connection."""
        if not self._tls:
            return self.socket.recv(65536)
        try:
            return self._until_done(self._tls.read)
        except ssl.SSLZeroReturnError:
            return b""

    def _until_done(self, act: Callable[[], T]) -> T:
        while True:
            try:
                result = act()
            except ssl.SSLWantReadError:
                self._flush()
                self._incoming.write(self.socket.recv(65536))
            else:
                self._flush()
                return result

    def _flush(self) -> None:
        if self._outgoing.pending:
            self.socket.sendall(self._outgoing.read())

    def head(self) -> bytes:
        """The next status line and headers, with the blank line after them."""
        while b"\r\n\r\n" not in self._data:
            self._data += self._some()
        head, end, self._data = self._data.partition(b"\r\n\r\n")
        return head + end

    def reply(self) -> bytes:
        """The body of the next reply that has a Content-Length."""
        length = int(self.head().split(b"content-length: ")[1].split(b"\r\n")[0])
        while len(self._data) < length:
            self._data += self._some()
        body, self._data = self._data[:length], self._data[length:]
        return body

    def rest(self) -> bytes:
        """All bytes until the connection ends, followed by `RESET` if it ended with a TCP reset."""
        try:
            while piece := self.receive():
                self._data += piece
        except ConnectionResetError:
            return self._data + RESET
        return self._data

    def _some(self) -> bytes:
        piece = self.receive()
        assert piece, f"the connection ended after {self._data!r}"
        return piece


@dataclass
class Served:
    """A running server; `connect` opens a raw connection, with TLS if the server uses it."""

    port: int
    app: DemoApp
    stop: Callable[[], None]
    tls: ssl.SSLContext | None = None

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def connect(self) -> RawClient:
        return RawClient(self.port, self.tls)


@contextlib.contextmanager
def serving(app: ASGIApp, loop: str, ca: trustme.CA | None = None) -> Iterator[tuple[int, Callable[[], None]]]:
    """Serve `app` in a thread; gives the port and a function that stops the server."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)

    def secured(*args: Any, **options: Any) -> TlsProtocol:
        return TlsProtocol(MockProtocol(*args, **options), tls)

    protocol: Any = MockProtocol
    if ca:
        ca.issue_cert("127.0.0.1").configure_cert(tls)
        protocol = secured
    config = uvicorn.Config(
        app, port=0, http=protocol, loop=loop, lifespan="off", log_config=None, access_log=False, timeout_keep_alive=30
    )
    config.load()
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()

    def stop() -> None:
        server.should_exit = True
        thread.join(timeout=PATIENCE)
        assert not thread.is_alive()

    while not server.started:
        assert thread.is_alive()
        time.sleep(0.005)
    try:
        yield server.servers[0].sockets[0].getsockname()[1], stop
    finally:
        stop()


@pytest.fixture(scope="session")
def ca() -> trustme.CA:
    return trustme.CA()


@contextlib.contextmanager
def demo_server(loop: str, ca: trustme.CA | None = None) -> Iterator[Served]:
    app, tls = DemoApp(), None
    if ca:
        tls = ssl.create_default_context()
        ca.configure_trust(tls)
    with serving(app, loop, ca) as (port, stop):
        yield Served(port, app, stop, tls)


@pytest.fixture(scope="session", params=LOOPS)
def plain_server(request: pytest.FixtureRequest) -> Iterator[Served]:
    """A server on each event loop."""
    with demo_server(request.param) as served:
        yield served


@pytest.fixture(
    scope="session",
    params=[(loop, scheme) for loop in LOOPS for scheme in ("http", "https")],
    ids=lambda param: "-".join(param),
)
def shared_server(request: pytest.FixtureRequest, ca: trustme.CA) -> Iterator[Served]:
    """A server on each event loop, over HTTP and HTTPS."""
    loop, scheme = request.param
    with demo_server(loop, ca if scheme == "https" else None) as served:
        yield served


@pytest.fixture
def ask() -> MakeRequest:
    """Makes the bytes of a request."""
    return raw_request


@pytest.fixture
def demo_app() -> DemoApp:
    return DemoApp()


@pytest.fixture
def quiet_log(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fails if the test logs anything above INFO."""
    caplog.set_level(logging.INFO)
    yield
    noise = [record.getMessage() for record in caplog.get_records("call") if record.levelno > logging.INFO]

    assert noise == []


@pytest.fixture(params=LOOPS)
def own_server(request: pytest.FixtureRequest) -> Iterator[Served]:
    """Like `plain_server`, but for one test only, which may stop it or count its requests."""
    with demo_server(request.param) as served:
        yield served
