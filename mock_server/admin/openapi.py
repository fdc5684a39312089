"""The OpenAPI document: the admin API from `openapi.yaml` and its models, the providers as they describe themselves."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
import yaml

from mock_server import __version__
from mock_server.admin import models
from mock_server.admin.control import Health
from mock_server.admin.journal_routes import ABSENT, FIELDS, FILTERS, Kind
from mock_server.admin.operation import Operation
from mock_server.client_models import adapter
from mock_server.core.exchange import NO_PROVIDER
from mock_server.core.model import Outcome, OutcomeName, Product, ReadRequest
from mock_server.core.reading import PlateReading, Reading
from mock_server.providers.openapi import describe
from mock_server.providers.provider import Provider
from mock_server.report.document import Report
from mock_server.scenarios.json_schema import override_schema, scenario_schema, schema_of, without_titles
from mock_server.scenarios.mock_reader import AccountModel
from mock_server.scenarios.vocabulary import Vocabulary

Json = dict[str, Any]

_TEXTS = Path(__file__).with_suffix(".yaml")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_ADMIN = "adminToken"
_SCHEMAS = "#/components/schemas/"


def openapi_document(
    operations: Sequence[Operation], providers: Sequence[Provider], vocabulary: Vocabulary, *, has_token: bool
) -> Json:
    """The whole document."""
    provided = describe(providers)
    texts = yaml.load(_TEXTS.read_text("utf-8"), _LOADER)
    _complete_examples(texts["exchanges"].values(), providers[0])
    described = {
        id: {"tags": [tag], **text} for tag, group in texts["operations"].items() for id, text in group.items()
    }
    paths: Json = dict(provided["paths"])
    for operation in operations:
        path = paths.setdefault(f"/__admin{operation.path}", {})
        path[operation.method.lower()] = _operation(operation, described[operation.id], texts, has_token)
    responses = [response for text in described.values() for response in text["responses"].values()]
    sent = dict.fromkeys(response["schema"] for response in responses if "schema" in response)
    documents = {**vars(models), "Health": Health, "Report": Report}
    filter_schemas = {**_filters(texts), "provider": {"enum": [*vocabulary.providers, NO_PROVIDER]}}
    schemas = {
        "Problem": texts["problem"],
        "Provider": {"enum": list(vocabulary.providers)},
        "ProviderFilter": filter_schemas["provider"],
        "RequestFilter": {"type": "object", "properties": filter_schemas, "additionalProperties": False},
        **_sent_schemas(documents[name] for name in sent),
        **_components("ScenarioDocument", scenario_schema(vocabulary)),
        **_components("OverrideDocument", override_schema(vocabulary)),
        **_components("AccountDocument", schema_of(AccountModel)),
        **provided["schemas"],
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "vehicle-ocr-mock", "version": __version__, "description": texts["description"]},
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in dict.fromkeys([*provided["tags"], *texts["operations"]])],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {_ADMIN: {"type": "http", "scheme": "bearer"}, **provided["security"]},
        },
    }


def _complete_examples(exchanges: Iterable[Json], provider: Provider) -> None:
    """Fill in the fields of a provider, in the examples themselves: other examples contain them."""
    outcome = Outcome(OutcomeName.READ, Reading((PlateReading("9DJC652"),)))
    request = ReadRequest(provider.name, Product.PLATE, "demo-key", filename="car.jpg")
    reply = orjson.loads(provider.render(outcome, request).body)
    path = provider.example_call(Product.PLATE, "demo-key", "").path
    for exchange in exchanges:
        exchange.update(provider=provider.name, path=path, reply=reply)


def _operation(operation: Operation, text: Json, texts: Json, has_token: bool) -> Json:
    described = {name: value for name, value in text.items() if name not in ("query", "errors")}
    described |= {
        "operationId": operation.id,
        "responses": dict(_responses(operation, text, texts["errors"])),
        "security": [{_ADMIN: []}] if has_token and not operation.is_open else [],
    }
    if parameters := list(_parameters(operation, text, texts)):
        described["parameters"] = parameters
    return described


def _parameters(operation: Operation, text: Json, texts: Json) -> Iterator[Json]:
    for name in re.findall(r"{(\w+)}", operation.path):
        schema = {"type": "string", "minLength": 1}
        yield {"name": name, "in": "path", "required": True, "schema": schema, **texts["path_parameters"][name]}
    query = text.get("query", {})
    if query in ("filters", "pages"):
        query = _filters(texts) | (texts["paging"] if query == "pages" else {})
        if operation.method == "DELETE":
            del query["limit"]
    for name, schema in query.items():
        yield {"name": name, "in": "query", "description": schema.get("description", ""), "schema": schema}


def _filters(texts: Json) -> Json:
    """The schemas of the journal's filters."""
    return {name: texts["filters"].get(name) or _filter(name, FIELDS[name]) for name in FILTERS}


def _filter(name: str, kind: Kind) -> Json:
    if kind is int:
        return {"type": "integer", "minimum": 0, "maximum": 10**9, "description": f"Only requests with this `{name}`."}
    schema: Json = {"enum": [*kind, ABSENT]} if isinstance(kind, list) else {"type": "string"}
    return schema | {"description": f"Only requests with this `{name}`; `{ABSENT}` for requests without."}


def _responses(operation: Operation, text: Json, errors: Mapping[int, str]) -> Iterator[tuple[str, Json]]:
    for status, response in text["responses"].items():
        yield str(status), _response(**response)
    statuses = {*text.get("errors", ()), *(() if operation.is_open else (401, 403))}
    statuses |= {400, 413} if "requestBody" in text else set()
    statuses |= {404} if "{" in operation.path else set()
    for status in sorted(statuses):
        content = {"application/problem+json": {"schema": {"$ref": f"{_SCHEMAS}Problem"}}}
        yield str(status), {"description": errors[status], "content": content}


def _response(schema: str = "", example: object = None, **others: Any) -> Json:
    if not schema:
        return others
    json = {"schema": {"$ref": _SCHEMAS + schema}, **({} if example is None else {"example": example})}
    return {**others, "content": {"application/json": json, **others.get("content", {})}}


def _sent_schemas(classes: Iterable[type]) -> Json:
    """The schemas of documents that are sent, and of those inside them, by class name."""
    schemas: Json = {}
    for one in classes:
        schema = adapter(one).json_schema(ref_template=_SCHEMAS + "{model}")
        schemas |= schema.pop("$defs", {}) | {one.__name__: schema}
    return {name: _changed(without_titles(schema), _strict) for name, schema in schemas.items()}


def _components(name: str, schema: Mapping[str, Any]) -> Json:
    """The schema of a fixture file's document as components, one for each of its definitions."""
    text = orjson.dumps(schema).replace(b"#/$defs/", _SCHEMAS.encode())
    schema = _changed(orjson.loads(text), _without_defaults)
    own = {key: value for key, value in schema.items() if key not in ("$defs", "$schema", "$id")}
    return {name: own, **schema.get("$defs", {})}


def _changed(schema: Any, change: Callable[[Json], Json]) -> Any:
    """A schema after a change to each object in it, the inner ones first."""
    if isinstance(schema, list):
        return [_changed(item, change) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return change({name: _changed(value, change) for name, value in schema.items()})


def _strict(schema: Json) -> Json:
    """A schema of what the server sends: all fields and no others, and no number below 0 among the integers."""
    strict = {name: value for name, value in schema.items() if name != "default"}
    if isinstance(schema.get("properties"), dict):
        strict |= {"required": list(schema["properties"]), "additionalProperties": False}
    return strict | ({"minimum": 0} if schema.get("type") == "integer" else {})


def _without_defaults(schema: Json) -> Json:
    # A default that is a list or an object may be in a form that the schema does not allow.
    is_wrong = isinstance(schema.get("default"), list | dict)
    return {name: value for name, value in schema.items() if not (is_wrong and name == "default")}
