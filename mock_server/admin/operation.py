"""An admin call: where it is, what it does, what it takes and what it answers. Routes and OpenAPI are made of these."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from mock_server.admin.control import Control
from mock_server.admin.exchange_document import to_json

Handler = Callable[[Control, Request], Awaitable[Response]]
Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """A documented response. `schema` is a JSON Schema; a body of another kind has its `media_type`."""

    description: str
    schema: Schema | None = None
    example: Any = None
    media_type: str = "application/json"
    headers: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Operation:
    """One method on one path below `/__admin`. `takes` are the bodies it accepts, by media type."""

    method: str
    path: str
    handler: Handler
    summary: str
    answers: Mapping[int, Answer]
    tag: str
    description: str = ""
    parameters: tuple[Mapping[str, Any], ...] = ()
    takes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    body_required: bool = True
    fails: tuple[int, ...] = ()
    open: bool = False


def json_response(document: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON document; bytes are one already."""
    body = document if isinstance(document, bytes) else to_json(document)
    return Response(body, status, dict(headers or {}), "application/json")


def location(request: Request, path: str) -> Mapping[str, str]:
    """The header that says where a created thing is; `path` is below the admin API."""
    return {"Location": f"{request.scope['root_path']}{path}"}


def ref(name: str) -> Schema:
    """A schema of the document's components."""
    return {"$ref": f"#/components/schemas/{name}"}


def path_parameter(name: str, description: str, example: str) -> Mapping[str, Any]:
    """A part of the path."""
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": description,
        "schema": {"type": "string", "minLength": 1},
        "example": example,
    }


def query_parameter(name: str, description: str, schema: Schema, example: Any = None) -> Mapping[str, Any]:
    """A part of the query."""
    shown = {} if example is None else {"example": example}
    return {"name": name, "in": "query", "description": description, "schema": schema, **shown}
