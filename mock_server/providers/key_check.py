"""The endpoint of a route that checks an API key. It reads no picture, and nothing is counted or charged."""

from starlette.types import Scope

from mock_server.core.account import Account
from mock_server.core.model import Outcome, OutcomeName
from mock_server.errors import StoreUnavailableError
from mock_server.http.reply import Reply
from mock_server.providers.endpoint import Endpoint
from mock_server.providers.journal_entry import Answered
from mock_server.providers.provider import MAX_TEXT, Call, Refusal

_METHODS = ("GET", "HEAD")


class KeyCheckEndpoint(Endpoint):
    """An ASGI application for one route that checks keys."""

    async def _answer(self, scope: Scope, call: Call) -> Answered:
        key = (self._provider.parse_key(call) or "")[: MAX_TEXT + 1] or None
        if self._route is None:
            refusal = Refusal.NO_SUCH_PATH
            return Answered(self._provider.refuse(refusal), self._why_refused(refusal, call), checked=(key, None))
        if call.method not in _METHODS:
            reply = _allowing(self._provider.refuse(Refusal.WRONG_METHOD), ", ".join(_METHODS))
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
