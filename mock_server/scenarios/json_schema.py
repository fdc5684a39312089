"""JSON Schemas (2020-12) of the fixture files: for completion, descriptions and checks in editors."""

import re
from collections.abc import Mapping
from typing import Any

import orjson
from pydantic import TypeAdapter

from mock_server.core.field_types import JsonSchema
from mock_server.core.model import OutcomeName
from mock_server.scenarios.mock_reader import SETTING_SCHEMA, MockModel
from mock_server.scenarios.scenario_reader import ScenarioModel, WrittenOverride
from mock_server.scenarios.vocabulary import ANY, Vocabulary
from mock_server.settings import Settings

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_OTHER_NAMES = {
    "Conditions": "When",
    "ImageProperties": "Properties",
    "WrittenReply": "Reply",
    "_WrittenDelay": "Delay",
}


def scenario_schema(vocabulary: Vocabulary = ANY) -> JsonSchema:
    """The schema of one document of a scenario file."""
    schema = _headed("Scenario of vehicle-ocr-mock", schema_of(ScenarioModel))
    if vocabulary.providers:
        models: dict[str, Any] = schema["$defs"]
        models["WhenModel"]["properties"]["provider"]["enum"] = sorted(vocabulary.providers)
        models["StepModel"]["allOf"] = _variants(vocabulary)
    return schema


def override_schema(vocabulary: Vocabulary) -> JsonSchema:
    """The schema of an override."""
    schema: JsonSchema = schema_of(WrittenOverride)
    schema["properties"]["provider"]["enum"] = sorted(vocabulary.providers)
    return schema | {"allOf": _variants(vocabulary)}


def mock_schema(vocabulary: Vocabulary = ANY) -> JsonSchema:
    """The schema of `mock.yaml`."""
    schema = _headed("mock.yaml of vehicle-ocr-mock", schema_of(MockModel))
    properties: dict[str, Any] = schema["properties"]
    for name in sorted(vocabulary.settings - properties.keys()):
        for spelling in dict.fromkeys((name.replace("_", "-"), name)):
            properties[spelling] = {"description": _help(name), **SETTING_SCHEMA}
    for provider, outcomes in vocabulary.providers.items():
        properties[provider] = {
            "description": f"The variant that {provider} uses for an outcome if the scenario names none.",
            "type": "object",
            "properties": {name.value: {"enum": sorted(variants)} for name, variants in outcomes.items()},
            "additionalProperties": False,
        }
    return schema | {"additionalProperties": not (vocabulary.settings or vocabulary.providers)}


def schema_of(document: type) -> JsonSchema:
    """The schema of a document. Its definitions have the names of the API, such as `StepModel`."""
    text = orjson.dumps(without_titles(TypeAdapter(document).json_schema())).decode()
    schema: JsonSchema = orjson.loads(re.sub(r"(?<=#/\$defs/)\w+", lambda name: _definition(name[0]), text))
    if definitions := schema.get("$defs"):
        schema["$defs"] = {_definition(name): definition for name, definition in definitions.items()}
    return schema


def _definition(name: str) -> str:
    return f"{_OTHER_NAMES.get(name, name).removesuffix('Model')}Model"


def without_titles(schema: Any) -> Any:
    """A generated JSON Schema without titles and null defaults."""
    if isinstance(schema, list):
        return [without_titles(item) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    return {
        key: without_titles(value)
        for key, value in schema.items()
        if not (key == "title" and isinstance(value, str)) and not (key == "default" and value is None)
    }


def _headed(title: str, schema: JsonSchema) -> JsonSchema:
    return {"$schema": _DIALECT, "title": title, **schema}


def _variants(vocabulary: Vocabulary) -> list[JsonSchema]:
    """For each outcome, the variants that at least one provider can render."""
    rules: list[JsonSchema] = []
    for outcome in OutcomeName:
        variants = sorted(vocabulary.variants(outcome))
        given = {"properties": {"outcome": {"const": outcome.value}}}
        # Without an outcome, it is `read`.
        condition = given if outcome is OutcomeName.READ else given | {"required": ["outcome"]}
        rules.append({"if": condition, "then": {"properties": {"variant": {"enum": variants} if variants else False}}})
    return rules


def _help(name: str) -> str:
    field = Settings.__dataclass_fields__.get(name)
    return str(field.metadata.get("help", "")) if field else ""
