"""The OpenAPI document: the admin API from its operations and models, the providers as they describe themselves."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from mock_server import __version__
from mock_server.admin.journal_routes import FILTER_SCHEMAS
from mock_server.admin.operation import Answer, Operation, json_object, ref, to_json
from mock_server.client_models import adapter
from mock_server.core.exchange import NO_PROVIDER
from mock_server.scenarios.json_schema import scenario_schema
from mock_server.scenarios.models.base_model import without_titles
from mock_server.scenarios.models.mock_model import AccountModel
from mock_server.scenarios.vocabulary import Vocabulary

_ADMIN = "adminToken"
_ABOUT = (
    "A local mock of two vehicle-recognition APIs. The paths below `/__admin` control it and show what it did; the "
    "other paths are those of the providers. From other machines, calls below `/__admin` need "
    "`Authorization: Bearer <token>`."
)
_ERRORS = {
    400: "The request is wrong; `errors` lists the mistakes and where they are.",
    401: "The admin token is missing or wrong.",
    403: "The call comes from a web page of another origin or, without a token, from another machine.",
    404: "Not found.",
    409: "It exists already, or it comes from a fixture file.",
    413: "The body is too large.",
}
_PATH_PARAMETERS = {
    "key": ("The API key.", "demo-key"),
    "name": ("Name of the scenario.", "california-sedan"),
    "id": ("Id of the request, as in the header `X-Mock-Request-Id`.", "8f14e45fceea167a"),
}
_PROBLEM = {
    "type": "object",
    "description": "Problem details (RFC 9457).",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["detail"],
                "properties": {
                    "pointer": {"type": "string", "description": "JSON pointer into the document."},
                    "parameter": {"type": "string", "description": "Name of the query parameter."},
                    "part": {"type": "string", "description": "Name of the form part."},
                    "file": {"type": "string", "description": "Path of the fixture file."},
                    "line": {"type": "integer"},
                    "column": {"type": "integer"},
                    "detail": {"type": "string"},
                    "hint": {"type": "string"},
                },
            },
        },
    },
}


def openapi_document(
    operations: Sequence[Operation], providers: Mapping[str, Any], vocabulary: Vocabulary, *, has_token: bool
) -> dict[str, Any]:
    """The whole document. `providers` has the paths, schemas and security schemes of the providers."""
    paths: dict[str, Any] = dict(providers["paths"])
    for operation in operations:
        path = paths.setdefault(f"/__admin{operation.path}", {})
        path[operation.method.lower()] = _operation(operation, has_token)
    examples = [answer.example for operation in operations for answer in operation.answers]
    sent = dict.fromkeys(type(example) for example in examples if example is not None)
    provider = {"enum": list(vocabulary.providers)}
    provider_filter = {"enum": [*vocabulary.providers, NO_PROVIDER]}
    schemas = {
        "Problem": _PROBLEM,
        "Provider": provider,
        "ProviderFilter": provider_filter,
        "RequestFilter": json_object({**FILTER_SCHEMAS, "provider": provider_filter}),
        **_sent_schemas(sent),
        **_components("ScenarioDocument", scenario_schema(vocabulary)),
        **_components("AccountDocument", without_titles(AccountModel.model_json_schema())),
        **providers["schemas"],
    }
    security = {_ADMIN: {"type": "http", "scheme": "bearer"}, **providers["security"]}
    tags = dict.fromkeys([*providers["tags"], *(operation.tag for operation in operations)])
    return {
        "openapi": "3.1.0",
        "info": {"title": "vehicle-ocr-mock", "version": __version__, "description": _ABOUT},
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in tags],
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": security},
    }


def _sent_schemas(models: Iterable[type]) -> dict[str, Any]:
    """The schemas of documents that are sent, and of those inside them, by class name."""
    schemas: dict[str, Any] = {}
    for model in models:
        schema = adapter(model).json_schema(ref_template="#/components/schemas/{model}")
        schemas |= schema.pop("$defs", {}) | {model.__name__: schema}
    return {name: _strict(without_titles(schema)) for name, schema in schemas.items()}


def _strict(schema: Any) -> Any:
    """A schema of what the server sends: all fields and no others, and no number below 0 among the integers."""
    if isinstance(schema, list):
        return [_strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    strict = {name: _strict(value) for name, value in schema.items() if name != "default"}
    if isinstance(schema.get("properties"), dict):
        strict |= {"required": list(schema["properties"]), "additionalProperties": False}
    return strict | ({"minimum": 0} if schema.get("type") == "integer" else {})


def _components(name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of a fixture file's document as components, one for each of its definitions."""
    text = orjson.dumps(schema).replace(b"#/$defs/", b"#/components/schemas/")
    schema = _without_defaults(orjson.loads(text))
    own = {key: value for key, value in schema.items() if key not in ("$defs", "$schema", "$id")}
    return {name: own, **schema.get("$defs", {})}


def _without_defaults(schema: Any) -> Any:
    # A default that is a list or an object may be in a form that the schema does not allow.
    if isinstance(schema, list):
        return [_without_defaults(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: _without_defaults(value)
        for key, value in schema.items()
        if not (key == "default" and isinstance(value, list | dict))
    }


def _operation(operation: Operation, has_token: bool) -> dict[str, Any]:
    described: dict[str, Any] = {
        "tags": [operation.tag],
        "operationId": getattr(operation.handler, "__name__", ""),
        "summary": operation.summary,
        "responses": _responses(operation),
        "security": [{_ADMIN: []}] if has_token and not operation.open else [],
    }
    if operation.description:
        described["description"] = operation.description
    if parameters := [*_path_parameters(operation.path), *_query_parameters(operation.query)]:
        described["parameters"] = parameters
    if operation.body:
        described["requestBody"] = {"required": operation.is_body_required, "content": dict(operation.body)}
    return described


def _path_parameters(path: str) -> Iterable[dict[str, Any]]:
    for name in re.findall(r"{(\w+)}", path):
        description, example = _PATH_PARAMETERS[name]
        schema = {"type": "string", "minLength": 1}
        yield {"name": name, "in": "path", "required": True, "schema": schema} | {
            "description": description,
            "example": example,
        }


def _query_parameters(query: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    for name, schema in query.items():
        yield {"name": name, "in": "query", "description": schema.get("description", ""), "schema": schema}


def _responses(operation: Operation) -> dict[str, Any]:
    responses = {str(answer.status): _answer(answer) for answer in operation.answers}
    refusals = () if operation.open else (401, 403)
    for status in sorted({*operation.errors, *refusals}):
        responses[str(status)] = {
            "description": _ERRORS[status],
            "content": {"application/problem+json": {"schema": ref("Problem")}},
        }
    return responses


def _answer(answer: Answer) -> dict[str, Any]:
    described: dict[str, Any] = {"description": answer.description}
    if answer.headers:
        described["headers"] = {
            name: {"description": description, "schema": {"type": "string"}}
            for name, description in answer.headers.items()
        }
    if answer.example is not None:
        example = orjson.loads(to_json(answer.example))
        described["content"] = {answer.media_type: {"schema": ref(type(answer.example).__name__), "example": example}}
    elif answer.status != 204:
        described["content"] = {answer.media_type: {"schema": _plain_schema(answer.media_type)}}
    return described


def _plain_schema(media_type: str) -> dict[str, Any]:
    if media_type == "application/json":
        return {"type": "object"}
    return {"type": "string"} | ({"format": "binary"} if media_type.startswith("image/") else {})
