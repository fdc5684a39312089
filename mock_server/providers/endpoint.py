"""One call, from its bytes to its reply: receive, parse, decide, render, record, send. The same for every provider."""

import os
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

from starlette.types import Receive, Scope, Send

from mock_server.core.clock import Clock
from mock_server.core.decision import Decision, Unmatched
from mock_server.core.journal import JournalEntry
from mock_server.core.model import NO_FAULT, MatchKind, Outcome, OutcomeName, Product, ReadRequest
from mock_server.core.reader import Reader
from mock_server.errors import (
    BodyTooLargeError,
    ClientDisconnectedError,
    StoreUnavailableError,
    UnknownPreferenceError,
)
from mock_server.http.body import read_body
from mock_server.http.problem_details import problem
from mock_server.http.reply import Reply, send_reply
from mock_server.imaging.results import SearchResult
from mock_server.providers.journal_entry import journal_entry
from mock_server.providers.provider import Call, Provider, Refusal

Record = Callable[[JournalEntry], Awaitable[None]]
"""Records an entry in the journal, the metrics and the log. It returns before the reply is sent."""

_ID_BYTES = 8
_IDS_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class Target:
    """What a call leads to: a product, or a refusal. `alias` is the path where it is an alias."""

    product: Product | Refusal
    alias: str | None = None


class Endpoint:
    """Serves the calls of all providers."""

    def __init__(
        self,
        reader: Reader,
        *,
        record: Record,
        clock: Clock,
        max_body: int,
        strict: bool = False,
        mock_headers: bool = True,
    ) -> None:
        self._reader = reader
        self._record = record
        self._clock = clock
        self._max_body = max_body
        self._strict = strict
        self._mock_headers = mock_headers
        self._request_ids = _random_ids()

    async def __call__(
        self, provider: Provider, target: Target, scope: Scope, receive: Receive, send: Send
    ) -> None:
        started = time.perf_counter()
        request_id = next(self._request_ids)
        try:
            call, drained = await self._receive(target, scope, receive)
        except ClientDisconnectedError:
            return
        request, decision, reply = await self._answer(provider, target, call)
        headers = self._headers(request_id, decision, drained=drained)
        reply = Reply(reply.status, reply.headers + headers, reply.body)
        seconds = time.perf_counter() - started
        entry = journal_entry(
            request_id, provider, call, reply, request, decision, now=self._clock.now(), seconds=seconds
        )
        await self._record(entry)
        plan = decision.plan if isinstance(decision, Decision) else NO_FAULT
        await send_reply(reply, plan, scope, send)

    async def _receive(self, target: Target, scope: Scope, receive: Receive) -> tuple[Call, bool]:
        headers: dict[str, str] = {}
        for raw, text in scope["headers"]:
            name, value = raw.decode("latin-1"), text.decode("latin-1")
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        body: bytes | None
        drained = True
        try:
            body = await read_body(scope, receive, limit=self._max_body)
        except BodyTooLargeError as error:
            body, drained = None, error.drained
        call = Call(
            scope["method"],
            scope["path"],
            scope["query_string"],
            headers,
            body,
            target.alias,
            self._strict,
            self._clock.now(),
        )
        return call, drained

    async def _answer(
        self, provider: Provider, target: Target, call: Call
    ) -> tuple[ReadRequest | None, Decision | Unmatched | None, Reply]:
        if not isinstance(target.product, Product):
            return None, None, provider.refuse(target.product)
        request = provider.parse(call, target.product)
        try:
            decision = await self._reader.read(request, provider.traits)
        except UnknownPreferenceError as error:
            return request, None, _unknown_preference(error)
        except StoreUnavailableError as error:
            decision = Decision(Outcome(OutcomeName.SERVICE_ERROR, detail=str(error)))
        if isinstance(decision, Unmatched):
            return request, decision, _unmatched(decision.search)
        return request, decision, provider.render(decision.outcome, request)

    def _headers(
        self, request_id: str, decision: Decision | Unmatched | None, *, drained: bool
    ) -> tuple[tuple[bytes, bytes], ...]:
        # A client that is still sending what nobody reads must not take the rest for its next request.
        closing = () if drained else ((b"connection", b"close"),)
        if not self._mock_headers:
            return closing
        scenario, match = (
            (decision.scenario, decision.match) if isinstance(decision, Decision) else (None, MatchKind.NONE)
        )
        return (
            *closing,
            (b"x-mock-request-id", request_id.encode()),
            (b"x-mock-scenario", (scenario or "-").encode()),
            (b"x-mock-match", match.value.encode()),
        )


def _random_ids() -> Iterator[str]:
    """Sixteen hexadecimal digits at a time. Drawn in advance: each call to the system takes longer than the rest."""
    while True:
        drawn = os.urandom(_ID_BYTES * _IDS_AT_ONCE).hex()
        for start in range(0, len(drawn), 2 * _ID_BYTES):
            yield drawn[start : start + 2 * _ID_BYTES]


def _unmatched(search: SearchResult | None) -> Reply:
    nearest = [
        {"image": near.id, "distance": near.score, "limit": near.limit}
        for near in (search.near_misses if search else ())
    ]
    closest = f"; the nearest is {nearest[0]['image']}" if nearest else ""
    return problem(
        501, f"No scenario matches the picture{closest}.", title="No scenario matches", nearest=nearest
    )


def _unknown_preference(error: UnknownPreferenceError) -> Reply:
    hint = f" Did you mean {error.close[0]!r}?" if error.close else ""
    detail = f"The Prefer header asks for the {error.kind} {error.name!r}, which does not exist.{hint}"
    return problem(501, detail, title=f"Unknown {error.kind}")
