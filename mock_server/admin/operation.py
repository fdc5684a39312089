"""The operations of the admin API. Its routes and its OpenAPI document are made from them."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import wraps
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from mock_server.admin.control import Control
from mock_server.core.exchange import Document

Handler = Callable[[Control, Request], Awaitable[Response]]
Function = Callable[[Control, Request], Awaitable[Document | bytes | Response | None]]
Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful response. The class of the example, if it is a `Document`, gives its JSON Schema."""

    description: str
    example: Document | None = None
    status: int = 200
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    """Descriptions of its own headers, by name."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One method on one path below `/__admin`. `handler` has the name that OpenAPI uses as the operation's id."""

    method: str
    path: str
    handler: Handler
    tag: str
    summary: str
    answers: tuple[Answer, ...]
    description: str = ""
    query: Mapping[str, Schema] = field(default_factory=dict)
    """Schemas of the query parameters, by name."""
    body: Mapping[str, Schema] = field(default_factory=dict)
    """OpenAPI media types of the request body, by content type."""
    is_body_required: bool = True
    errors: tuple[int, ...] = ()
    """HTTP statuses of errors, beside those of the access rules."""
    open: bool = False
    """Whether it can be called without the admin token and from other machines."""


class Operations(list[Operation]):
    """The operations of one part of the API. Called with the documentation, it is a decorator for functions."""

    def __init__(self, tag: str) -> None:
        self._tag = tag

    def __call__(
        self, method: str, path: str, summary: str, *answers: Answer, **details: Any
    ) -> Callable[[Function], Function]:
        def add(function: Function) -> Function:
            handler = _responding(function, answers[0].status)
            self.append(Operation(method, path, handler, self._tag, summary, answers, **details))
            return function

        return add


def _responding(function: Function, status: int) -> Handler:
    @wraps(function)
    async def handler(control: Control, request: Request) -> Response:
        answer = await function(control, request)
        return answer if isinstance(answer, Response) else json_response(answer, status)

    return handler


def json_response(document: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A response with a document, with JSON that is written already, or (None) without a body."""
    if document is None:
        return Response(status_code=status)
    body = document if isinstance(document, bytes) else to_json(document)
    return Response(body, status, dict(headers or {}), "application/json")


def location(request: Request, path: str) -> Mapping[str, str]:
    """The header with the URL of something new; `path` is below the admin API."""
    return {"Location": f"{request.scope['root_path']}{path}"}


def to_json(document: object) -> bytes:
    """The JSON of a `Document`, or of lists and mappings of them."""
    return orjson.dumps(
        document, default=_plain, option=orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME
    )


def _plain(value: object) -> Any:
    if isinstance(value, Document):
        return value.document()
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    raise TypeError(f"{type(value).__name__} has no JSON form")


def json_body(schema: Schema, example: object = None) -> Mapping[str, Schema]:
    """A request body in JSON."""
    return {"application/json": {"schema": schema} | ({} if example is None else {"example": example})}


def json_object(properties: Mapping[str, Schema], *required: str) -> Schema:
    """The schema of a JSON object that has no other properties."""
    schema = {"type": "object", "properties": dict(properties), "additionalProperties": False}
    return schema | ({"required": list(required)} if required else {})


def ref(name: str) -> Schema:
    """A reference to a schema of the OpenAPI document."""
    return {"$ref": f"#/components/schemas/{name}"}


TEXT: Schema = {"type": "string"}
COUNT: Schema = {"type": "integer", "minimum": 0, "maximum": 10**9}
