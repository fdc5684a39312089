"""Sends hostile inputs to an application in this process, without sockets, and keeps account of what comes back.

After every input, and again after every batch, these hold:

- the application raises nothing and logs no error;
- a client that stays gets exactly one reply, and each reply of a provider is in the journal exactly once;
- no status of 500 or above, except where the input may ask for one;
- each key was charged one unit for each success, and no other unit;
- nothing takes longer than five seconds.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from starlette.types import Message, Scope

from mock_server.app import App, create_app
from mock_server.core.account import Account, Quota
from mock_server.core.model import Billing, Product
from tests.hostile.patience import reply_of

RICH, POOR = "rich-hostile-key", "poor-hostile-key"
"""Keys of two accounts: one with a billion units of each kind, one with a hundred."""
UNITS = {RICH: 10**9, POOR: 100}

SLOW_SECONDS = 5.0
_BATCH = 500
_AT_ONCE = 8

Headers = Sequence[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Input:
    """A request. `target` is its path with its query; `is_left`: the client leaves before it has sent everything."""

    method: str
    target: str
    headers: Headers = ()
    body: bytes = b""
    pieces: int = 1
    """In how many pieces the body arrives."""
    is_left: bool = False
    may_fail: bool = False
    """It may ask for a status of 500 or above."""


@dataclass(slots=True)
class Fault:
    """Something that must not happen, with the input that caused it if that is known."""

    what: str
    input: Input | None = None

    def __str__(self) -> str:
        return f"{self.what}: {str(self.input)[:2000]}" if self.input else self.what


@dataclass(slots=True)
class Replies:
    """What came back for a campaign. `statuses` counts; `slowest` in seconds."""

    statuses: Counter[int] = field(default_factory=Counter)
    faults: list[Fault] = field(default_factory=list)
    slowest: float = 0.0
    count: int = 0
    _batch: list[tuple[int, str]] = field(default_factory=list)
    """Status and id of each reply of a provider in the current batch."""


class Target:
    """An application under attack. `open` gives one."""

    def __init__(self, app: App, log: "ErrorLog") -> None:
        self.app = app
        self.replies = Replies()
        self._log = log

    @classmethod
    @asynccontextmanager
    async def open(cls, fixtures: Path, **settings: Any) -> AsyncIterator["Target"]:
        """An application on these fixtures, with its log watched."""
        app = create_app({"fixtures": fixtures, "watch": False, "cache": False, **settings})
        with ErrorLog() as log:
            async with app.running():
                yield cls(app, log)

    async def send_all(self, inputs: Iterable[Input], *, progress: Callable[[Replies], None] | None = None) -> Replies:
        """Send the inputs, a few at a time, and check the accounts after every batch."""
        await self._begin_batch()
        batch: list[Input] = []
        for each in inputs:
            batch.append(each)
            if len(batch) == _BATCH:
                await self._send_batch(batch)
                batch.clear()
                if progress:
                    progress(self.replies)
        await self._send_batch(batch)
        return self.replies

    async def _send_batch(self, batch: Sequence[Input]) -> None:
        upcoming = iter(batch)

        async def send_some() -> None:
            for each in upcoming:
                await self._send_timed(each)

        await asyncio.gather(*(send_some() for _ in range(_AT_ONCE)))
        if not any(each.target.startswith("/__admin") for each in batch):  # calls of the admin API change the accounts
            await self._check_batch()
        await self._begin_batch()

    async def _begin_batch(self) -> None:
        await self.app.control.reset_all()
        for key, units in UNITS.items():
            await self.app.accounts.create(
                Account(
                    name=key,
                    key=key,
                    credits=dict.fromkeys(Product, units),
                    quota={product: Quota(units) for product in Product},
                )
            )
        self.replies._batch.clear()

    async def _send_timed(self, sent: Input) -> None:
        started = time.perf_counter()
        await self._send(sent)
        seconds = time.perf_counter() - started
        if seconds > SLOW_SECONDS:
            # Other programs may have kept the machine busy, so the processor time of a second try counts.
            started = time.process_time()
            await self._send(sent)
            seconds = time.process_time() - started
            if seconds > SLOW_SECONDS:
                self._fault(f"took {seconds:.1f} s", sent)
        self.replies.slowest = max(self.replies.slowest, seconds)

    async def _send(self, sent: Input) -> None:
        messages: list[Message] = []

        async def send(message: Message) -> None:
            messages.append(message)

        try:
            await reply_of(self.app(scope_of(sent), _receiver(sent), send))
        except Exception as error:  # any error at all is a fault
            self._fault(f"raised {error!r}", sent)
        self.replies.count += 1
        self._check_reply(sent, messages)
        for line in self._log.take():
            self._fault(f"logged {line}", sent)

    def _check_reply(self, sent: Input, messages: Sequence[Message]) -> None:
        if not messages and sent.is_left:
            return
        kinds = [message["type"] for message in messages]
        if kinds[:1] != ["http.response.start"] or kinds.count("http.response.start") != 1:
            self._fault(f"not one reply, but {kinds}", sent)
            return
        bodies = messages[1:]
        if not bodies or bodies[-1].get("more_body") or not all(one.get("more_body") for one in bodies[:-1]):
            self._fault(f"not one body, but {kinds}", sent)
        status, headers = messages[0]["status"], dict(messages[0]["headers"])
        self.replies.statuses[status] += 1
        if status >= 500 and not sent.may_fail:
            self._fault(f"status {status}, {b''.join(one.get('body', b'') for one in bodies)[:300]!r}", sent)
        if request_id := headers.get(b"x-mock-request-id"):
            self.replies._batch.append((status, request_id.decode()))

    async def _check_batch(self) -> None:
        entries = {entry.id: entry for entry in await self.app.journal.exchanges()}
        ids = [id for _, id in self.replies._batch]
        if sorted(ids) != sorted(entries):
            self._fault(f"{len(ids)} replies of providers, but {len(entries)} entries in the journal")
            return
        succeeded = Counter[str | None]()
        for status, id in self.replies._batch:
            entry = entries[id]
            if status != entry.status:
                self._fault(f"status {status}, but {entry.status} in the journal")
            is_success = status == 200 and (entry.provider == "carsxe" or str(entry.outcome).startswith("read"))
            succeeded[entry.account] += is_success and entry.product is not None
        for key, units in UNITS.items():
            used = await self._used(key)
            if used != succeeded[key]:
                self._fault(f"{succeeded[key]} successes of {key}, but {used} units used")
            charged = sum(entry.charged for entry in entries.values() if entry.account == key)
            if used != charged:
                self._fault(f"{charged} units of {key} in the journal, but {used} used")
            if used > units * len(Product) * len(Billing):
                self._fault(f"{used} units used of {units}")

    async def _used(self, key: str) -> int:
        account = await self.app.store.account(key)
        if account is None:
            return 0
        usages = [
            await self.app.accounts.usage(account, product, billing) for product in Product for billing in Billing
        ]
        return sum(usage.current for usage in usages)

    def _fault(self, what: str, sent: Input | None = None) -> None:
        self.replies.faults.append(Fault(what, sent))


def _receiver(sent: Input) -> Callable[[], Awaitable[Message]]:
    """The body of a request in its pieces. A client that leaves keeps the last one."""
    size = max(1, -(-len(sent.body) // sent.pieces))
    pieces = [sent.body[at : at + size] for at in range(0, len(sent.body), size)] or [b""]
    count = len(pieces) - sent.is_left
    messages: list[Message] = [
        {"type": "http.request", "body": piece, "more_body": number < len(pieces) - 1}
        for number, piece in enumerate(pieces[:count])
    ]

    async def receive() -> Message:
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    return receive


def scope_of(sent: Input) -> Scope:
    """The ASGI scope of a request, as uvicorn makes it."""
    path, _, query = sent.target.partition("?")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "server": ("127.0.0.1", 8080),
        "client": ("127.0.0.1", 50000),
        "scheme": "http",
        "method": sent.method,
        "root_path": "",
        "path": unquote(path),
        "raw_path": path.encode("latin-1", "replace"),
        "query_string": query.encode("latin-1", "replace"),
        "headers": [(b"host", b"127.0.0.1:8080"), *((name.lower(), value) for name, value in sent.headers)],
    }


class ErrorLog(logging.Handler):
    """Collects what is logged as an error or with a traceback, from every logger."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self._lines: list[str] = []
        self._others: list[logging.Handler] = []

    def emit(self, record: logging.LogRecord) -> None:
        # Pillow's readers log what is wrong with a picture.
        if (record.levelno >= logging.ERROR and not record.name.startswith("PIL.")) or record.exc_info:
            self._lines.append(logging.Formatter().format(record))

    def take(self) -> list[str]:
        """The lines since the last call."""
        lines, self._lines = self._lines, []
        return lines

    def __enter__(self) -> "ErrorLog":
        # The other handlers, such as those of pytest, would keep a million lines in memory.
        root = logging.getLogger()
        self._others, root.handlers = root.handlers, [self]
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger().handlers = self._others
