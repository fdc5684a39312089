"""Error responses: problem details (RFC 9457), with the place of each mistake in the request."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from mock_server import errors
from mock_server.admin.validation import PARAMETER
from mock_server.http.reply import Reply, problem

Handler = Callable[[Request, Any], Awaitable[Response]]


def to_response(reply: Reply) -> Response:
    """The reply for Starlette."""
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in reply.headers}
    return Response(reply.body, reply.status, headers)


def _texts(mistake: errors.Mistake) -> dict[str, str]:
    return {"detail": mistake.what} | ({"hint": mistake.hint} if mistake.hint else {})


def described(mistake: errors.Mistake) -> dict[str, Any]:
    """A mistake with its place: line and column of a text, a parameter, or a JSON pointer into a document."""
    error = _texts(mistake)
    if mistake.line:
        return {"line": mistake.line, "column": mistake.column, **error}
    if mistake.file.startswith(PARAMETER):
        return {"parameter": mistake.file.removeprefix(PARAMETER), **error}
    return {"pointer": "" if mistake.file == "/" else mistake.file, **error}


def _mistakes(error: errors.FixturesError) -> Reply:
    errors = [described(mistake) for mistake in error.mistakes if not mistake.warning]
    first = error.mistakes[0]
    more = f" ({len(errors) - 1} more)" if len(errors) > 1 else ""
    hint = f"; {first.hint}" if first.hint else ""
    return problem(400, f"{first.what}{hint}{more}", title="Bad input", errors=errors)


def fixture_mistakes(error: errors.FixturesError) -> Response:
    """The response to a request that reads fixture files with mistakes."""
    errors = [
        {"file": one.file, "line": one.line, "column": one.column, **_texts(one)}
        for one in error.mistakes
        if not one.warning
    ]
    return to_response(problem(400, str(error), title="Mistakes in fixture files", errors=errors))


def _image(error: errors.ImageError) -> Reply:
    detail = f"The picture cannot be used: {type(error).__name__}: {error}".removesuffix(": ")
    return problem(400, detail, title="Bad picture", errors=[{"part": "image", "detail": detail}])


def _too_large(error: errors.BodyTooLargeError) -> Reply:
    headers = {} if error.is_drained else {"Connection": "close"}
    return problem(413, f"At most {error.limit} bytes are accepted.", headers=headers)


def _preference(error: errors.UnknownPreferenceError) -> Reply:
    close = f' Did you mean "{error.close}"?' if error.close else ""
    return problem(400, f'There is no {error.kind} "{error.name[:80]}".{close}', title="Bad input")


async def _http_error(request: Request, error: HTTPException) -> Response:
    headers = dict(error.headers or {})
    detail = error.detail
    if error.status_code == 404:
        detail = f"Nothing is served at {request.url.path[:200]}."
    elif error.status_code == 405:
        detail = f"{request.method} is not allowed here; allowed: {headers.get('Allow', 'none')}."
    return to_response(problem(error.status_code, detail, headers=headers))


def _handler(reply: Callable[[Any], Reply]) -> Handler:
    async def handle(request: Request, error: Any) -> Response:
        return to_response(reply(error))

    return handle


_REPLIES: Mapping[type[Exception], Callable[[Any], Reply]] = {
    errors.FixturesError: _mistakes,
    errors.ImageError: _image,
    errors.BodyTooLargeError: _too_large,
    errors.UnknownPreferenceError: _preference,
    errors.MultipartError: lambda error: problem(400, f"The form cannot be read: {error}", title="Bad input"),
    errors.ClientDisconnectedError: lambda error: problem(400, "The client closed the connection."),
    errors.NotFoundError: lambda error: problem(404, str(error)),
    errors.ConflictError: lambda error: problem(409, str(error)),
    errors.FingerprintsLostError: lambda error: problem(503, str(error)),
    errors.StoreUnavailableError: lambda error: problem(503, "The shared store does not answer."),
}
HANDLERS: dict[Any, Handler] = {
    HTTPException: _http_error,
    **{kind: _handler(reply) for kind, reply in _REPLIES.items()},
}
"""For Starlette: the response to each kind of error."""
