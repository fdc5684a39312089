"""The JSON Schemas of the admin API's documents."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter

from mock_server.admin.journal_routes import FILTER_SCHEMAS
from mock_server.admin.operation import ref
from mock_server.core.account import AccountStatus, QuotaPeriod
from mock_server.core.exchange import Exchange
from mock_server.core.model import MatchKind, OutcomeName, Product
from mock_server.scenarios.models.base_model import without_titles

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_MAYBE: Schema = {"type": ["string", "null"]}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_NUMBER: Schema = {"type": "number"}
_UNITS: Schema = {"oneOf": [_COUNT, {"const": "unlimited"}]}
_TIME: Schema = {"type": "string", "format": "date-time"}
_REGION: Schema = {
    "type": ["array", "null"],
    "items": {"type": "integer"},
    "minItems": 4,
    "maxItems": 4,
    "description": "[xmin, ymin, xmax, ymax], in pixels of the picture that was sent.",
}


def _object(properties: Mapping[str, Any], **more: Any) -> Schema:
    """All properties are there, and no others."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
        **more,
    }


def _list(items: Mapping[str, Any]) -> Schema:
    return {"type": "array", "items": items}


def _one_of(words: Sequence[str], *, nothing: bool = False) -> Schema:
    return {"enum": [*words, *([None] if nothing else [])]}


_PRODUCTS = [product.value for product in Product]
_IMAGE = {"sha256": _TEXT, "format": _TEXT, "width": _COUNT, "height": _COUNT, "bytes": _COUNT}
_MISS = {
    "scenario": _TEXT,
    "distance": {
        "type": ["number", "null"],
        "description": "How far off the picture is; null where there is none.",
    },
    "limit": {
        "type": ["number", "null"],
        "description": "Up to this distance it would have been recognised.",
    },
    "failed": {**_list(_TEXT), "description": "The conditions that do not hold."},
    "region": {**_REGION, "description": "Where the pictures differ."},
    "reason": _MAYBE,
}


def _models(*models: type) -> dict[str, Schema]:
    """The schemas of dataclasses that are sent, and of those that they hold. Every field is sent."""
    schemas: dict[str, Schema] = {}
    for model in models:
        schema = TypeAdapter(model).json_schema(ref_template="#/components/schemas/{model}")
        schemas |= schema.pop("$defs", {}) | {model.__name__: schema}
    return {name: _complete(without_titles(schema)) for name, schema in schemas.items()}


def _complete(schema: Schema) -> Schema:
    if "properties" not in schema:
        return schema
    return {**schema, "required": list(schema["properties"]), "additionalProperties": False}


def _scenario() -> Schema:
    return _object(
        {
            "scenario": _TEXT,
            "description": _TEXT,
            "priority": {"type": "integer"},
            "when": {"type": "object"},
            "reading": {"type": "object"},
            "then": _list({"type": "object"}),
            "repeat": _one_of(["last", "cycle"]),
            "runtime": {"type": "boolean", "description": "Whether it was added while the server ran."},
            "file": _MAYBE,
            "line": {"type": ["integer", "null"]},
            "pictures": {**_list(_TEXT), "description": "Addresses of its pictures."},
            "positions": _list(_object({"key": _TEXT, "key_id": _TEXT, "position": _COUNT})),
        }
    )


def _account() -> Schema:
    quota = _object({"current": _COUNT, "limit": _UNITS, "remaining": _UNITS})
    return _object(
        {
            "key": _TEXT,
            "name": _TEXT,
            "status": _one_of(list(AccountStatus)),
            "plans": _list(_one_of(_PRODUCTS)),
            "credits": _object(dict.fromkeys(_PRODUCTS, _UNITS)),
            "quota": _object(dict.fromkeys(_PRODUCTS, quota)),
            "quota_period": _one_of(list(QuotaPeriod)),
            "tier": _TEXT,
            "overage": {"type": "boolean"},
            "rate_limit": _MAYBE,
        }
    )


def _match_facts(providers: Sequence[str]) -> Schema:
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "provider": {**_one_of(providers), "default": providers[0]},
            "product": {**_one_of(_PRODUCTS), "default": "plate"},
            **dict.fromkeys(("key", "url", "filename", "language"), _TEXT),
            "headers": {"type": "object", "additionalProperties": _TEXT},
        },
    }


def _match() -> Schema:
    picture = _object({"image": _TEXT, "match": _TEXT, "distance": _NUMBER, "limit": _NUMBER})
    image = _object({**_IMAGE, "blank": {"type": "boolean"}, "sharpness": _NUMBER})
    return _object(
        {
            "scenario": _MAYBE,
            "match": _one_of(list(MatchKind)),
            "outcome": _one_of(list(OutcomeName), nothing=True),
            "account": _MAYBE,
            "charged": _COUNT,
            "forced": _MAYBE,
            "detail": _MAYBE,
            "delay": _NUMBER,
            "fault": _MAYBE,
            "status": {"type": "integer"},
            "reply": {"description": "The reply's JSON."},
            "image": {"oneOf": [image, {"type": "null"}]},
            "pictures": {
                **_list(picture),
                "description": "Pictures of the set that were recognised, best first.",
            },
            "nearMisses": _list(_object(_MISS)),
        }
    )


def _problem() -> Schema:
    error = {
        "type": "object",
        "required": ["detail"],
        "properties": {
            "pointer": {**_TEXT, "description": "JSON pointer into the document."},
            "parameter": {**_TEXT, "description": "Of the query."},
            "part": {**_TEXT, "description": "Of the form."},
            "line": {"type": "integer"},
            "column": {"type": "integer"},
            "detail": _TEXT,
            "hint": _TEXT,
        },
    }
    return {
        "type": "object",
        "description": "Problem details (RFC 9457).",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": _TEXT,
            "title": _TEXT,
            "status": {"type": "integer"},
            "detail": _TEXT,
            "errors": _list(error),
        },
    }


def _clock_document() -> Schema:
    freeze = {"oneOf": [_TIME, {"const": True}], "description": "A time, or true for now."}
    advance = {
        "type": "string",
        "pattern": "^-?[0-9]{1,4}(d|h|m|s|ms)$",
        "description": 'A duration such as "31d" or "1h30m"; a negative one goes back.',
    }
    return {
        "oneOf": [
            _object({"freeze": freeze}),
            _object({"advance": advance}),
        ]
    }


def schemas(providers: Sequence[str]) -> dict[str, Schema]:
    """All of them, by name."""
    properties: Schema = {**FILTER_SCHEMAS, "provider": {"enum": list(providers)}}
    requests = {"requests": _list(ref("Exchange")), "total": _COUNT, "dropped": _COUNT}
    misses = {"request": ref("Exchange"), "scenarios": _list(_object(_MISS))}
    return {
        "Problem": _problem(),
        "Account": _account(),
        "AccountList": _object({"accounts": _list(ref("Account"))}),
        "Scenario": _scenario(),
        "ScenarioList": _object({"scenarios": _list(ref("Scenario"))}),
        "ScenarioState": _object({"scenario": _TEXT, "key": _TEXT, "key_id": _TEXT, "position": _COUNT}),
        "ScenarioStateDocument": _object(
            {"key": {**_TEXT, "minLength": 1}, "position": {**_COUNT, "maximum": 10**9}}
        ),
        "ResetDocument": {
            "type": "object",
            "properties": {"key": {**_TEXT, "minLength": 1}},
            "additionalProperties": False,
        },
        **_models(Exchange),
        "RequestFilter": {"type": "object", "properties": properties, "additionalProperties": False},
        "RequestList": _object(requests),
        "Count": _object({"count": _COUNT}),
        "Deleted": _object({"deleted": _COUNT}),
        "NearMisses": _object({"nearMisses": _list(_object(misses))}),
        "MatchFacts": _match_facts(providers),
        "MatchForm": {
            **_match_facts(providers),
            "properties": {
                "image": {"type": "string", "format": "binary"},
                **_match_facts(providers)["properties"],
            },
        },
        "Match": _match(),
        "Clock": _object(
            {"now": _TIME, "frozen": {"type": "boolean"}, "offset": {"type": ["number", "null"]}}
        ),
        "ClockDocument": _clock_document(),
        "Health": _object(
            {
                "status": {"const": "healthy"},
                "version": _TEXT,
                "uptimeInSeconds": _COUNT,
                "scenarios": _COUNT,
                "images": _COUNT,
            }
        ),
    }
