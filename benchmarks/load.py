"""A load generator: raw sockets, one thread, requests whose bytes are prepared in advance."""

import math
import selectors
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count

COUNTER_LENGTH = 8
_serial = count()


@dataclass(frozen=True)
class Request:
    """The bytes of one request.

    `counter_at`: the position of eight bytes that hold a new number each time, so that the server has never seen these
    bytes before. The latencies of requests with the same `tag` are recorded together. `status` is that of the right
    reply, which contains `expected`.
    """

    data: bytes
    counter_at: int | None = None
    tag: str = ""
    status: int = 200
    expected: bytes = b""

    def buffers(self) -> list[memoryview]:
        """The request as pieces to send one after another, without copying."""
        view = memoryview(self.data)
        if self.counter_at is None:
            return [view]
        serial = memoryview(b"%0*d" % (COUNTER_LENGTH, next(_serial)))
        return [view[: self.counter_at], serial, view[self.counter_at + COUNTER_LENGTH :]]


@dataclass
class Measured:
    """The results of a run. `latencies` in seconds, by tag. `wrong` replies lack what was expected."""

    replies: int = 0
    failures: int = 0
    wrong: int = 0
    seconds: float = 0.0
    latencies: dict[str, list[float]] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Successful replies per second."""
        return self.replies / self.seconds

    def percentile(self, share: float, tag: str = "") -> float:
        """The latency in seconds at this quantile of the requests with that tag."""
        ordered = sorted(self.latencies.get(tag, [])) or [float("nan")]
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


class _Client:
    """One connection with at most one request in flight."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.connect()

    def connect(self) -> None:
        self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        self.socket.setblocking(False)
        self.reply = b""

    is_right = True

    def begin(self, request: Request) -> None:
        self.request = request
        self.pending = request.buffers()
        self.started = time.perf_counter()

    def write(self) -> bool:
        """Send what the socket accepts; True once all of it is sent."""
        try:
            sent = self.socket.sendmsg(self.pending)
        except BlockingIOError:
            return False
        while self.pending and sent >= len(self.pending[0]):
            sent -= len(self.pending.pop(0))
        if self.pending:
            self.pending[0] = self.pending[0][sent:]
        return not self.pending

    def read(self) -> int | None:
        """The status once the reply is complete; 0 if the connection ended before that."""
        piece = self.socket.recv(1 << 16)
        self.reply += piece
        if not piece:
            return 0
        if not _is_complete(self.reply):
            return None
        status, self.is_right = int(self.reply[9:12]), self.request.expected in self.reply
        self.reply = b""
        return status


def _is_complete(reply: bytes) -> bool:
    end = reply.find(b"\r\n\r\n")
    if end < 0:
        return False
    head = reply[:end].lower()
    at = head.find(b"content-length: ")
    if at < 0:
        return reply.endswith(b"0\r\n\r\n")
    length = int(head[at + 16 :].split(b"\r\n", 1)[0])
    return len(reply) >= end + 4 + length


def drive(
    port: int,
    requests: Sequence[Request],
    *,
    connections: int = 16,
    seconds: float = 3.0,
    at_most: int | None = None,
    every: float = math.inf,
    report: Callable[[Measured], None] = lambda _: None,
) -> Measured:
    """Send `requests` again and again, one at a time on each connection, for `seconds` or `at_most` requests.

    Requests in flight at the end are not counted. Another status or a lost connection is a failure.
    `report` gets the results of `every` so many seconds, and the last of them are returned.
    """
    measured = Measured()
    upcoming = _cycle(requests)
    selector = selectors.DefaultSelector()
    for _ in range(connections):
        client = _Client(port)
        client.begin(next(upcoming))
        selector.register(client.socket, selectors.EVENT_WRITE, client)
    started = time.perf_counter()
    end = started + seconds
    while time.perf_counter() < end and (at_most is None or measured.replies < at_most):
        for key, _ in selector.select(0.1):
            _advance(key.data, selector, upcoming, measured)
        if (passed := time.perf_counter() - started) >= every:
            measured.seconds = passed
            report(measured)
            measured, started = Measured(), time.perf_counter()
    measured.seconds = time.perf_counter() - started
    for key in list(selector.get_map().values()):
        key.data.socket.close()
    selector.close()
    return measured


def _cycle(requests: Sequence[Request]) -> Iterator[Request]:
    while True:
        yield from requests


def _advance(
    client: _Client, selector: selectors.BaseSelector, upcoming: Iterator[Request], measured: Measured
) -> None:
    if client.pending:
        if client.write():
            selector.modify(client.socket, selectors.EVENT_READ, client)
        return
    try:
        status = client.read()
    except OSError:
        status = 0
    if status is None:
        return
    if status == client.request.status:
        measured.replies += 1
        measured.wrong += not client.is_right
        measured.latencies.setdefault(client.request.tag, []).append(time.perf_counter() - client.started)
    else:
        measured.failures += 1
    if status == 0:
        selector.unregister(client.socket)
        client.socket.close()
        client.connect()
        selector.register(client.socket, selectors.EVENT_READ, client)
    client.begin(next(upcoming))
    if not client.write():
        selector.modify(client.socket, selectors.EVENT_WRITE, client)
