"""The operations of the admin API: what its routes are made from. `openapi.yaml` describes them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import Response

from mock_server.admin.control import Control
from mock_server.core.exchange import Document, document_json

T = TypeVar("T")
_AT_ONCE = 50
"""Parts of a long document that are made before other requests have a turn."""

Function = Callable[[Control, Request], Awaitable[Document | bytes | Response | None]]


@dataclass(frozen=True, slots=True)
class Operation:
    """One method on one path below `/__admin`. The name of `function` is the operation's id in OpenAPI."""

    method: str
    path: str
    function: Function
    is_open: bool
    """Whether it can be called without the admin token and from other machines."""

    @property
    def id(self) -> str:
        return self.function.__name__

    async def respond(self, control: Control, request: Request) -> Response:
        answer = await self.function(control, request)
        return answer if isinstance(answer, Response) else json_response(answer)


class Operations(list[Operation]):
    """The operations of one part of the API. Called with a method and a path, it is a decorator for functions."""

    def __call__(self, method: str, path: str, *, is_open: bool = False) -> Callable[[Function], Function]:
        def add(function: Function) -> Function:
            self.append(Operation(method, path, function, is_open))
            return function

        return add


def json_response(
    document: Document | bytes | None, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """A response with a document, with JSON that is written already, or (None) without a body."""
    if document is None:
        return Response(status_code=204)
    body = document if isinstance(document, bytes) else document_json(document)
    return Response(body, status, headers, "application/json")


def created(request: Request, path: str, document: Document) -> Response:
    """The response with something new, which has its URL at `path` below the admin API."""
    return json_response(document, 201, {"Location": f"{request.scope['root_path']}{path}"})


async def in_turns(items: Iterable[T]) -> AsyncIterator[T]:
    """The items, for documents with thousands of parts. Other requests are served in between."""
    for number, item in enumerate(items, 1):
        yield item
        if number % _AT_ONCE == 0:
            await asyncio.sleep(0)
