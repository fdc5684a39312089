"""Write the types of the Node helper, `clients/node/api.d.ts`, from the OpenAPI document of the admin API.

Run it as `python -m scripts.node_types`. A test compares the file with the document.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mock_server.admin.admin_app import OPERATIONS
from mock_server.admin.openapi import openapi_document
from mock_server.providers.registry import PROVIDERS, vocabulary

TYPES = Path(__file__).parent.parent / "clients" / "node" / "api.d.ts"
# What the functions of the helper take and return. The schemas that these refer to are written too.
ROOTS = (
    "Account",
    "AccountDocument",
    "ClockView",
    "Exchange",
    "NearMiss",
    "Override",
    "OverrideDocument",
    "Problem",
    "RequestFilter",
    "ScenarioDocument",
    "ServedScenario",
)
_SIMPLE = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}

Schema = Mapping[str, Any]


def types() -> str:
    """The text of the file."""
    document = openapi_document(OPERATIONS, PROVIDERS, vocabulary(), has_token=False)
    schemas: dict[str, Schema] = document["components"]["schemas"]
    names = sorted(_reachable(schemas))
    head = "// Made by `python -m scripts.node_types` from the OpenAPI document. Do not edit.\n"
    return head + "".join(f"\n{_declaration(name, schemas[name])}" for name in names)


def _reachable(schemas: Mapping[str, Schema]) -> set[str]:
    found: set[str] = set()
    pending = list(ROOTS)
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            pending += re.findall(r'"#/components/schemas/(\w+)"', json.dumps(schemas[name]))
    return found


def _declaration(name: str, schema: Schema) -> str:
    if "properties" not in schema:
        return f"export type {name} = {_type(schema)};\n"
    return f"export interface {name} {{\n{''.join(_fields(schema))}}}\n"


def _fields(schema: Schema) -> Iterator[str]:
    required = schema.get("required", ())
    for field, part in schema["properties"].items():
        if text := part.get("description"):
            yield f"  /** {' '.join(text.split())} */\n"
        mark = "" if field in required else "?"
        yield f"  {json.dumps(field) if not field.isidentifier() else field}{mark}: {_type(part)};\n"


def _type(schema: Any) -> str:
    """A JSON Schema as a type. What TypeScript cannot express, such as a pattern, is left out."""
    if not isinstance(schema, Mapping):
        return "unknown"
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "const" in schema or "enum" in schema:
        return _union(json.dumps(value) for value in schema.get("enum", [schema.get("const")]))
    for either in ("oneOf", "anyOf"):
        if either in schema:
            return _union(_type(part) for part in schema[either])
    kinds = schema.get("type", ())
    return _union(_simple(kind, schema) for kind in ([kinds] if isinstance(kinds, str) else kinds))


def _simple(kind: str, schema: Schema) -> str:
    if kind == "array":
        return f"Array<{_type(schema.get('items'))}>"
    if kind != "object":
        return _SIMPLE[kind]
    if "properties" in schema:
        return f"{{ {' '.join(line.strip() for line in _fields(schema) if '/**' not in line)} }}"
    more = schema.get("additionalProperties")
    return f"Record<string, {_type(more) if isinstance(more, Mapping) and more else 'unknown'}>"


def _union(parts: Iterator[str] | list[str]) -> str:
    return " | ".join(dict.fromkeys(parts)) or "unknown"


if __name__ == "__main__":
    TYPES.write_text(types(), encoding="utf-8")
