"""The OpenAPI document: the admin API from the table of its operations, the providers as they describe themselves."""

from collections.abc import Mapping, Sequence
from typing import Any

from mock_server import __version__
from mock_server.admin.operation import Answer, Operation, ref
from mock_server.admin.schemas import schemas
from mock_server.scenarios.json_schema import scenario_schema
from mock_server.scenarios.models.base_model import without_titles
from mock_server.scenarios.models.mock_model import AccountModel
from mock_server.scenarios.vocabulary import Vocabulary

_ADMIN = "adminToken"
_FAILURES = {
    400: "Bad input; `errors` tell where.",
    401: "The admin token is missing or wrong.",
    403: "From a page of another origin, another machine, or by another name.",
    404: "There is no such thing.",
    409: "It exists already, or comes from a file.",
    413: "The body is too large.",
}
_ABOUT = (
    "A local mock of two vehicle-recognition APIs. Below `/__admin` it is steered and watched; the other paths are the "
    "providers' own. Beyond this machine every admin call needs `Authorization: Bearer <token>`."
)


def document(
    operations: Sequence[Operation], providers: Mapping[str, Any], vocabulary: Vocabulary, *, token: bool
) -> dict[str, Any]:
    """The whole document. `providers` are paths, schemas and security schemes of the providers."""
    paths: dict[str, Any] = dict(providers["paths"])
    for operation in operations:
        paths.setdefault(f"/__admin{operation.path}", {})[operation.method.lower()] = _operation(
            operation, token
        )
    components = {**schemas(list(vocabulary.providers)), **_documents(vocabulary), **providers["schemas"]}
    security = {_ADMIN: {"type": "http", "scheme": "bearer"}, **providers["security"]}
    return {
        "openapi": "3.1.0",
        "info": {"title": "vehicle-ocr-mock", "version": __version__, "description": _ABOUT},
        "servers": [{"url": "/"}],
        "tags": [
            {"name": name} for name in dict.fromkeys([*providers["tags"], *(one.tag for one in operations)])
        ],
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": security},
    }


def _operation(operation: Operation, token: bool) -> dict[str, Any]:
    described: dict[str, Any] = {
        "tags": [operation.tag],
        "operationId": operation.handler.__name__,
        "summary": operation.summary,
        "responses": _responses(operation),
        "security": [{_ADMIN: []}] if token and not operation.open else [],
    }
    if operation.description:
        described["description"] = operation.description
    if operation.parameters:
        described["parameters"] = [dict(parameter) for parameter in operation.parameters]
    if operation.takes:
        described["requestBody"] = {"required": operation.body_required, "content": dict(operation.takes)}
    return described


def _responses(operation: Operation) -> dict[str, Any]:
    responses = {str(status): _answer(answer) for status, answer in operation.answers.items()}
    refused = () if operation.open else (401, 403)
    for status in sorted({*operation.fails, *refused}):
        responses[str(status)] = {
            "description": _FAILURES[status],
            "content": {"application/problem+json": {"schema": ref("Problem")}},
        }
    return responses


def _answer(answer: Answer) -> dict[str, Any]:
    told: dict[str, Any] = {"description": answer.description}
    if answer.headers:
        told["headers"] = dict(answer.headers)
    if answer.schema is not None:
        content: dict[str, Any] = {"schema": dict(answer.schema)}
        if answer.example is not None:
            content["example"] = answer.example
        told["content"] = {answer.media_type: content}
    return told


def _documents(vocabulary: Vocabulary) -> dict[str, Any]:
    """What users write, with the schemas that editors get for fixture files."""
    return {
        **_hoisted("ScenarioDocument", scenario_schema(vocabulary)),
        **_hoisted("AccountDocument", without_titles(AccountModel.model_json_schema())),
    }


def _hoisted(name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """A schema and its definitions as components of their own."""
    inner = dict(schema.get("$defs", {}))
    own = {key: value for key, value in schema.items() if key not in ("$defs", "$schema", "$id")}
    moved: dict[str, Any] = _relocated({name: own, **inner})
    return moved


def _relocated(value: Any) -> Any:
    if isinstance(value, list):
        return [_relocated(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    return {
        key: item.replace("#/$defs/", "#/components/schemas/") if key == "$ref" else _relocated(item)
        for key, item in value.items()
        # What stands in for a part that is left out is not always what could be written there.
        if not (key == "default" and isinstance(item, list | dict))
    }
