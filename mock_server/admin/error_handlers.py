"""Errors as problem details (RFC 9457), with places inside the document that was sent."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from mock_server.admin.validation import PARAMETER
from mock_server.errors import (
    BodyTooLargeError,
    ClientDisconnectedError,
    ConflictError,
    FixturesError,
    ImageError,
    Mistake,
    MultipartError,
    NotFoundError,
    StoreUnavailableError,
    UnknownPreferenceError,
)
from mock_server.http.problem_details import problem
from mock_server.http.reply import Reply

Handler = Callable[[Request, Any], Awaitable[Response]]


def as_response(reply: Reply) -> Response:
    """A reply in Starlette's terms."""
    response = Response(reply.body, reply.status)
    for name, value in reply.headers:
        response.headers[name.decode("latin-1")] = value.decode("latin-1")
    return response


def place_of(mistake: Mistake) -> dict[str, Any]:
    """Where a mistake is: a line and column of text, a parameter, or a JSON pointer into a document."""
    told: dict[str, Any] = {"detail": mistake.what}
    if mistake.hint:
        told["hint"] = mistake.hint
    if mistake.line:
        return {"line": mistake.line, "column": mistake.column, **told}
    if mistake.file.startswith(PARAMETER):
        return {"parameter": mistake.file.removeprefix(PARAMETER), **told}
    return {"pointer": "" if mistake.file == "/" else mistake.file, **told}


def _mistakes(error: FixturesError) -> Reply:
    errors = [place_of(mistake) for mistake in error.mistakes if not mistake.warning]
    first = error.mistakes[0]
    more = f" ({len(errors) - 1} more)" if len(errors) > 1 else ""
    hint = f"; {first.hint}" if first.hint else ""
    return problem(400, f"{first.what}{hint}{more}", title="Bad input", errors=errors)


def _image(error: ImageError) -> Reply:
    detail = f"The picture cannot be used: {type(error).__name__}: {error}".removesuffix(": ")
    return problem(400, detail, title="Bad picture", errors=[{"part": "image", "detail": detail}])


def _too_large(error: BodyTooLargeError) -> Reply:
    closing = {} if error.drained else {"Connection": "close"}
    return problem(413, f"At most {error.limit} bytes are accepted.", headers=closing)


def _preference(error: UnknownPreferenceError) -> Reply:
    close = f' Did you mean "{error.close[0]}"?' if error.close else ""
    return problem(400, f'There is no {error.kind} "{error.name[:80]}".{close}', title="Bad input")


_WORDED: Mapping[type[Exception], Callable[[Any], Reply]] = {
    FixturesError: _mistakes,
    ImageError: _image,
    BodyTooLargeError: _too_large,
    UnknownPreferenceError: _preference,
    MultipartError: lambda error: problem(400, f"The form cannot be read: {error.reason}", title="Bad input"),
    ClientDisconnectedError: lambda error: problem(400, "The client went away."),
    NotFoundError: lambda error: problem(404, str(error)),
    ConflictError: lambda error: problem(409, str(error)),
    StoreUnavailableError: lambda error: problem(503, "The shared store does not answer."),
}


def _handler(worded: Callable[[Any], Reply]) -> Handler:
    async def handle(request: Request, error: Any) -> Response:
        return as_response(worded(error))

    return handle


async def _http_error(request: Request, error: HTTPException) -> Response:
    if error.status_code == 404:
        return as_response(problem(404, f"Nothing is served at {request.url.path[:200]}."))
    headers = dict(error.headers or {})
    if error.status_code == 405:
        detail = f"{request.method} is not allowed here; allowed: {headers.get('Allow', 'none')}."
        return as_response(problem(405, detail, headers=headers))
    return as_response(problem(error.status_code, error.detail, headers=headers))


HANDLERS: dict[Any, Handler] = {
    **{kind: _handler(worded) for kind, worded in _WORDED.items()},
    HTTPException: _http_error,
}
"""What Starlette is to do with each kind of error."""
