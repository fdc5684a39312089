"""JSON Schemas (2020-12) of the fixture files, for editors: completion, descriptions, and the mistakes they can see."""

from typing import Any

from mock_server.core.model import OutcomeName
from mock_server.scenarios.models.base_model import tidy
from mock_server.scenarios.models.field_types import JsonSchema
from mock_server.scenarios.models.mock_model import SETTING_SCHEMA, MockShape
from mock_server.scenarios.models.scenario_model import ScenarioShape
from mock_server.scenarios.vocabulary import ANY, Vocabulary
from mock_server.settings import Settings

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def scenario_schema(vocabulary: Vocabulary = ANY) -> JsonSchema:
    """The schema of one document of a scenario file."""
    schema = _headed("Scenario of vehicle-ocr-mock", tidy(ScenarioShape.model_json_schema()))
    if vocabulary.providers:
        shapes: dict[str, Any] = schema["$defs"]
        shapes["WhenShape"]["properties"]["provider"]["enum"] = sorted(vocabulary.providers)
        shapes["StepShape"]["allOf"] = _variants(vocabulary)
    return schema


def mock_schema(vocabulary: Vocabulary = ANY) -> JsonSchema:
    """The schema of `mock.yaml`."""
    schema = _headed("mock.yaml of vehicle-ocr-mock", tidy(MockShape.model_json_schema()))
    properties: dict[str, Any] = schema["properties"]
    for name in sorted(vocabulary.settings - properties.keys()):
        for spelling in {name.replace("_", "-"), name}:
            properties[spelling] = {"description": _help(name), **SETTING_SCHEMA}
    for provider, outcomes in vocabulary.providers.items():
        properties[provider] = {
            "description": f"How {provider} words an outcome where a scenario does not say.",
            "type": "object",
            "properties": {name.value: {"enum": sorted(variants)} for name, variants in outcomes.items()},
            "additionalProperties": False,
        }
    return schema | {"additionalProperties": not (vocabulary.settings or vocabulary.providers)}


def _headed(title: str, schema: JsonSchema) -> JsonSchema:
    return {"$schema": _DIALECT, "title": title, **schema}


def _variants(vocabulary: Vocabulary) -> list[JsonSchema]:
    """For each outcome the variants that some provider can render."""
    rules: list[JsonSchema] = []
    for outcome in OutcomeName:
        variants = sorted(vocabulary.variants(outcome))
        given = {"properties": {"outcome": {"const": outcome.value}}}
        # Where no outcome is written, it is the first.
        condition = given if outcome is OutcomeName.READ else given | {"required": ["outcome"]}
        rules.append(
            {"if": condition, "then": {"properties": {"variant": {"enum": variants} if variants else False}}}
        )
    return rules


def _help(name: str) -> str:
    field = Settings.__dataclass_fields__.get(name)
    return str(field.metadata.get("help", "")) if field else ""
