"""The endpoint of a route that checks an API key. It reads no picture, and nothing is counted or charged."""

import os
import time

from starlette.types import Receive, Scope, Send

from mock_server.core.account import Account
from mock_server.core.model import NO_FAULT, Outcome, OutcomeName
from mock_server.errors import ClientDisconnectedError, StoreUnavailableError
from mock_server.http.reply import Reply, send_reply
from mock_server.providers.endpoint import Endpoint
from mock_server.providers.journal_entry import add_key_check, journal_entry
from mock_server.providers.provider import MAX_TEXT, Refusal

_METHODS = ("GET", "HEAD")


class KeyCheckEndpoint(Endpoint):
    """An ASGI application for one route that checks keys."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started, request_id = time.perf_counter(), os.urandom(8).hex()
        try:
            call, is_drained = await self._receive(scope, receive)
        except ClientDisconnectedError:
            return
        key = (self._provider.parse_key(call) or "")[: MAX_TEXT + 1] or None
        check: Account | Outcome | None = None
        if self._route is None:
            reply = self._provider.refuse(Refusal.NO_SUCH_PATH)
            detail: str | None = self._why_refused(Refusal.NO_SUCH_PATH, call)
        elif call.method not in _METHODS:
            reply = _allowing(self._provider.refuse(Refusal.WRONG_METHOD), ", ".join(_METHODS))
            detail = f"{call.method[:MAX_TEXT]} is not served here; use GET"
        else:
            check = await self._check(key)
            reply = self._provider.render_key_check(check)
            detail = check.detail if isinstance(check, Outcome) else None
        headers = reply.headers + self._headers(request_id, None, detail, is_drained)
        reply = Reply(reply.status, headers, reply.body)
        now, seconds = self._service.clock.now(), time.perf_counter() - started
        entry = journal_entry(request_id, self._provider, call, reply, None, None, detail, now=now, seconds=seconds)
        add_key_check(entry, call, key, check)
        await self._service.record(entry)
        await send_reply(reply, NO_FAULT, scope, send)

    async def _check(self, key: str | None) -> Account | Outcome:
        try:
            return await self._service.reader.check_key(key)
        except StoreUnavailableError as error:
            return Outcome(OutcomeName.SERVICE_ERROR, detail=str(error))


def _allowing(reply: Reply, methods: str) -> Reply:
    """The reply with another `Allow` than that of the routes that read pictures."""
    headers = tuple(header for header in reply.headers if header[0].lower() != b"allow")
    return Reply(reply.status, (*headers, (b"allow", methods.encode())), reply.body)
