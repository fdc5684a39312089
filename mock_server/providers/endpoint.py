"""One call to a provider: receive, answer (parse, decide, render), record, send. The same story for every provider."""

import os
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from starlette.types import Receive, Scope, Send

from mock_server.core.account import Account
from mock_server.core.clock import Clock
from mock_server.core.decision import Decision, Unmatched
from mock_server.core.model import NO_FAULT, MatchKind, Outcome, OutcomeName, Product, ReadRequest
from mock_server.core.picture_caches import KeptUploads
from mock_server.core.rehearsal import ObservedCall
from mock_server.core.request_pipeline import RequestPipeline
from mock_server.errors import (
    BodyTooLargeError,
    ClientDisconnectedError,
    FingerprintsLostError,
    StoreUnavailableError,
    UnknownPreferenceError,
)
from mock_server.http.body import decompressed, off_loop, read_body
from mock_server.http.connection import connection_of
from mock_server.http.reply import Headers, Reply, mock_headers, problem, send_reply
from mock_server.imaging.results import SearchResult
from mock_server.providers.finished_call import FinishedCall
from mock_server.providers.journal_entry import Answered
from mock_server.providers.outcome_reply import reply_to
from mock_server.providers.provider import MAX_TEXT, Call, Provider, Refusal, Route, documented_paths, limited
from mock_server.suggest import suggest

_CLOSE = (b"connection", b"close")
_KEY_CHECK_METHODS = ("GET", "HEAD")


@dataclass(frozen=True, slots=True)
class Service:
    """What all endpoints share. `record` takes each call once, before its reply is sent.

    With a shared state it also charges the call, and returns False if no unit was left.
    `client_left` takes a call whose client has closed the connection before it had the whole reply. `origins` are those
    whose web pages may call the endpoints, `*` for all.
    """

    pipeline: RequestPipeline
    clock: Clock
    record: Callable[[FinishedCall], Awaitable[bool]]
    client_left: Callable[[ObservedCall], Awaitable[None] | None]
    max_body: int
    is_strict: bool = False
    has_mock_headers: bool = True
    are_fixtures_ok: Callable[[], bool] = lambda: True
    origins: Sequence[str] = ()
    uploads: KeptUploads | None = None
    is_state_shared: bool = False


class Endpoint:
    """An ASGI application for one route of a provider; without a `route`, for all paths that the provider lacks."""

    def __init__(self, service: Service, provider: Provider, route: Route | None = None) -> None:
        self._service = service
        self._provider = provider
        is_refused = route is not None and route.is_alias and service.is_strict
        self._route = None if is_refused else route
        self._is_refused_alias = is_refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started, request_id = time.perf_counter(), os.urandom(8).hex()
        try:
            call, is_drained = await self._receive(scope, receive)
        except ClientDisconnectedError:
            return
        answered = await self._answer(scope, call)
        self._add_headers(answered, request_id, is_drained)
        now, seconds = self._service.clock.now(), time.perf_counter() - started
        finished = FinishedCall(request_id, self._provider.name, call, answered, now, seconds)
        upload = answered.request.image if answered.request else None
        finished.release_picture()
        if not await self._charge_and_record(finished):
            self._add_headers(finished.answered, request_id, is_drained)
            await self._service.record(finished)
        if self._service.uploads is not None and upload is not None:
            self._service.uploads.add(finished.name_of_upload, upload)
        reply, decision = finished.answered.reply, finished.answered.decision
        plan = decision.plan if isinstance(decision, Decision) else NO_FAULT
        was_there = await send_reply(reply, plan, scope, send)
        if not was_there:
            await self._note_that_client_left(finished)

    async def _charge_and_record(self, finished: FinishedCall) -> bool:
        """Charge a call and record it. False if that is not possible: it then has another answer, which is free."""
        pipeline, decision, admission = self._service.pipeline, finished.answered.decision, finished.admission
        if admission is None or not isinstance(decision, Decision):
            return await self._service.record(finished)
        # A shared state does both in one act, unless it must first be known whether this unit was charged before.
        is_one_act = self._service.is_state_shared and not admission.once
        try:
            if (is_one_act or await pipeline.charge(decision)) and await self._service.record(finished):
                decision.cost = None
                return True
            await pipeline.refuse(decision)
        except StoreUnavailableError as error:
            decision = _service_error(error)
        if finished.answered.request is not None:
            finished.answer_again(self._rendered(finished.answered.request, decision))
        return False

    async def _note_that_client_left(self, finished: FinishedCall) -> None:
        _, observed = finished.recorded()
        if observed is not None and (noted := self._service.client_left(observed)):
            await noted

    async def _answer(self, scope: Scope, call: Call) -> Answered:
        """Parse the call, decide about it and render the reply."""
        product = self._product(scope)
        if isinstance(product, Refusal):
            return Answered(self._provider.refuse(product), self._why_refused(product, call))
        request = limited(await off_loop(len(call.body or b""), self._provider.parse, call, product))
        request.client = connection_of(scope)
        try:
            decision = await self._service.pipeline.decide(request, self._provider.traits)
        except UnknownPreferenceError as error:
            detail = _unknown_preference(error)
            return Answered(problem(501, detail, title=f"Unknown {error.kind}"), detail, request)
        except ClientDisconnectedError:
            # nginx's status for it. It is in the journal only.
            detail = "the client closed the connection before its picture had its turn"
            return Answered(problem(499, detail, title="Client closed request"), detail, request)
        except (StoreUnavailableError, FingerprintsLostError) as error:
            decision = _service_error(error)
        if isinstance(decision, Unmatched):
            return Answered(_unmatched(decision.search), "no scenario matches the picture", request, decision)
        return self._rendered(request, decision)

    def _rendered(self, request: ReadRequest, decision: Decision) -> Answered:
        return Answered(reply_to(decision.outcome, request, self._provider), decision.outcome.detail, request, decision)

    def _product(self, scope: Scope) -> Product | Refusal:
        if self._route is None:
            return Refusal.NO_SUCH_PATH
        product = self._route.product_of(scope["path_params"])
        if product is None:
            return Refusal.UNKNOWN_PRODUCT
        return product if scope["method"] == "POST" else Refusal.WRONG_METHOD

    async def _receive(self, scope: Scope, receive: Receive) -> tuple[Call, bool]:
        """The call, and whether its body was read to the end."""
        headers = headers_of(scope)
        body: bytes | None
        is_drained = True
        try:
            body = await read_body(scope, receive, limit=self._service.max_body)
            if encoding := headers.get("content-encoding"):
                body = await decompressed(body, encoding, limit=self._service.max_body)
        except BodyTooLargeError as error:
            body, is_drained = None, error.is_drained
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        call = Call(
            scope["method"],
            path,
            scope["query_string"],
            headers,
            body,
            alias=path if self._route is not None and self._route.is_alias else None,
            is_strict=self._service.is_strict,
            received_at=self._service.clock.now(),
        )
        return call, is_drained

    def _why_refused(self, refusal: Refusal, call: Call) -> str:
        if refusal is Refusal.WRONG_METHOD:
            return f"{call.method[:MAX_TEXT]} is not served here; use POST"
        if refusal is Refusal.UNKNOWN_PRODUCT:
            return f"the last part of the path is none of: {', '.join(self._provider.products)}"
        if self._is_refused_alias:
            return "the path is an alias, which strict mode refuses"
        return (
            f"{self._provider.title} does not serve this path; {suggest(call.path, documented_paths([self._provider]))}"
        )

    def _add_headers(self, answered: Answered, request_id: str, is_drained: bool) -> None:
        reply = answered.reply
        headers = _added(reply.headers, self._headers(request_id, answered, is_drained))
        answered.reply = Reply(reply.status, headers, reply.body)

    def _headers(self, request_id: str, answered: Answered, is_drained: bool) -> Headers:
        # The server would take the unread rest of the body for the next request.
        closing = () if is_drained else (_CLOSE,)
        if not self._service.has_mock_headers:
            return closing
        decision, is_ok = answered.decision, self._service.are_fixtures_ok()
        scenario, match = (
            (decision.scenario, decision.match) if isinstance(decision, Decision) else (None, MatchKind.NONE)
        )
        return (*closing, *mock_headers(request_id, scenario, match, answered.detail, are_fixtures_ok=is_ok))


def _service_error(error: Exception) -> Decision:
    return Decision(Outcome(OutcomeName.SERVICE_ERROR, detail=str(error)))


def headers_of(scope: Scope) -> dict[str, str]:
    """The headers of a request, by their lower-case names."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _added(headers: Headers, others: Headers) -> Headers:
    """The headers of a reply, and those of the others that it does not have."""
    names = dict(headers)
    return headers + tuple(header for header in others if header[0] not in names or header == _CLOSE)


def _unmatched(search: SearchResult | None) -> Reply:
    nearest = [
        {"image": near.id, "distance": near.score, "limit": near.limit}
        for near in (search.near_misses if search else ())
    ]
    closest = f"; the nearest is {nearest[0]['image']}" if nearest else ""
    return problem(501, f"No scenario matches the picture{closest}.", title="No scenario matches", nearest=nearest)


def _unknown_preference(error: UnknownPreferenceError) -> str:
    hint = f" Did you mean {error.close!r}?" if error.close else ""
    return f"The Prefer header asks for the {error.kind} {error.name!r}, which does not exist.{hint}"


class KeyCheckEndpoint(Endpoint):
    """An ASGI application for one route that checks an API key. It reads no picture, counts and charges nothing."""

    async def _answer(self, scope: Scope, call: Call) -> Answered:
        key = (self._provider.parse_key(call) or "")[: MAX_TEXT + 1] or None
        if self._route is None:
            refusal = Refusal.NO_SUCH_PATH
            return Answered(self._provider.refuse(refusal), self._why_refused(refusal, call), checked=(key, None))
        if call.method not in _KEY_CHECK_METHODS:
            reply = _allowing(self._provider.refuse(Refusal.WRONG_METHOD), ", ".join(_KEY_CHECK_METHODS))
            return Answered(reply, f"{call.method[:MAX_TEXT]} is not served here; use GET", checked=(key, None))
        check = await self._check(key)
        detail = check.detail if isinstance(check, Outcome) else None
        return Answered(self._provider.render_key_check(check), detail, checked=(key, check))

    async def _check(self, key: str | None) -> Account | Outcome:
        try:
            return await self._service.pipeline.check_key(key)
        except StoreUnavailableError as error:
            return Outcome(OutcomeName.SERVICE_ERROR, detail=str(error))


def _allowing(reply: Reply, methods: str) -> Reply:
    """The reply with these methods in `Allow`. The provider names the method of the routes that read pictures."""
    headers = tuple(header for header in reply.headers if header[0].lower() != b"allow")
    return Reply(reply.status, (*headers, (b"allow", methods.encode())), reply.body)
