"""The JSON Schemas agree with the loader on every file of this repository, good and bad."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from mock_server.errors import FixturesError
from mock_server.scenarios.json_schema import mock_schema, scenario_schema
from mock_server.scenarios.scenario_reader import parse_scenario
from mock_server.scenarios.vocabulary import Vocabulary
from mock_server.settings import shipped_fixtures

BAD = Path(__file__).parent / "bad"
COOKBOOK = Path(__file__).parents[2] / "docs" / "scenarios.md"


class CoreLoader(yaml.BaseLoader):
    """YAML 1.2's core schema, as editors read files."""


CoreLoader.add_implicit_resolver("core:null", re.compile(r"^(~|null|Null|NULL|)$"), ["~", "n", "N", ""])
CoreLoader.add_implicit_resolver("core:bool", re.compile(r"^(true|True|TRUE|false|False|FALSE)$"), list("tTfF"))
CoreLoader.add_implicit_resolver("core:int", re.compile(r"^[-+]?[0-9]+$"), list("-+0123456789"))
CoreLoader.add_implicit_resolver(
    "core:float", re.compile(r"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$"), list("-+.0123456789")
)
TYPES: dict[str, Callable[[str], Any]] = {
    "null": lambda text: None,
    "bool": lambda text: text.lower() == "true",
    "int": int,
    "float": float,
}


def typed(loader: yaml.BaseLoader, kind: str, node: yaml.Node) -> Any:
    """A scalar as a value of its type."""
    assert isinstance(node, yaml.ScalarNode)
    return TYPES[kind](node.value)


CoreLoader.add_multi_constructor("core:", typed)


def documents(path: Path) -> Iterator[Any]:
    """The documents of a file, typed as an editor would."""
    for document in yaml.load_all(path.read_text("utf-8"), Loader=CoreLoader):
        if document is not None:
            yield document


def errors(schema: Mapping[str, Any], document: Any) -> list[str]:
    """The errors of a document against a schema."""
    return [error.message for error in Draft202012Validator(schema).iter_errors(document)]


def cases(*kinds: str) -> list[str]:
    """The bad files of these kinds."""
    return sorted(path.relative_to(BAD).as_posix() for kind in kinds for path in (BAD / kind).glob("*.yaml"))


@pytest.fixture(scope="session")
def scenario(vocabulary: Vocabulary) -> Mapping[str, Any]:
    """The schema of scenario files."""
    return scenario_schema(vocabulary)


@pytest.fixture(scope="session")
def mock(vocabulary: Vocabulary) -> Mapping[str, Any]:
    """The schema of `mock.yaml`."""
    return mock_schema(vocabulary)


def test_schemas_are_schemas(scenario: Mapping[str, Any], mock: Mapping[str, Any]) -> None:
    """Both are valid JSON Schema 2020-12 and can be written as JSON."""
    for schema in (scenario, mock, scenario_schema(), mock_schema()):
        Draft202012Validator.check_schema(schema)

        assert json.loads(json.dumps(schema)) == schema


def test_every_key_is_described(scenario: Mapping[str, Any], mock: Mapping[str, Any]) -> None:
    """Editors have a sentence to show for every key."""

    def undescribed(schema: Any, path: str = "") -> Iterator[str]:
        if isinstance(schema, Mapping):
            for name, property in schema.get("properties", {}).items():
                if "description" not in property and "box" not in path:
                    yield f"{path}/{name}"
            for shape, inner in schema.get("$defs", {}).items():
                yield from undescribed(inner, shape)

    assert [*undescribed(scenario), *undescribed(mock)] == []


@pytest.mark.parametrize("path", sorted(shipped_fixtures().rglob("*.yaml")), ids=lambda path: path.name)
def test_shipped_files_fit(path: Path, scenario: Mapping[str, Any], mock: Mapping[str, Any]) -> None:
    """Every shipped file is valid against the schema."""
    for document in documents(path):
        assert errors(mock if path.name == "mock.yaml" else scenario, document) == []


def test_cookbook_fits(scenario: Mapping[str, Any], mock: Mapping[str, Any]) -> None:
    """Every example of docs/scenarios.md is valid against the schema."""
    blocks = re.findall(r"^```yaml\n(.*?)^```$", COOKBOOK.read_text("utf-8"), re.MULTILINE | re.DOTALL)

    assert len(blocks) >= 10
    for block in blocks:
        schema = mock if block.startswith("# mock.yaml") else scenario
        for document in yaml.load_all(block, Loader=CoreLoader):
            assert errors(schema, document) == []


@pytest.mark.parametrize("case", cases("shape", "mock-shape"))
def test_bad_shapes_are_refused(case: str, scenario: Mapping[str, Any], mock: Mapping[str, Any]) -> None:
    """The schema refuses the files whose form is wrong, as the loader does."""
    schema = mock if case.startswith("mock") else scenario

    assert any(errors(schema, document) for document in documents(BAD / case))


@pytest.mark.parametrize("case", cases("meaning", "mock-meaning"))
def test_bad_meanings_are_beyond_a_schema(case: str, scenario: Mapping[str, Any], mock: Mapping[str, Any]) -> None:
    """Mistakes that need other files, other documents or arithmetic are found by the loader only."""
    schema = mock if case.startswith("mock") else scenario

    assert [message for document in documents(BAD / case) for message in errors(schema, document)] == []


@pytest.mark.parametrize(
    "document",
    [
        {"scenario": "a", "reading": {"plate": 7}},
        {"scenario": "a", "reading": {"plate": None}},
        {"scenario": "a", "reading": {"plates": [True, 1.5, {"text": 12}]}},
        {"scenario": "a", "when": {"key": 12, "image": "a.png", "header": {"X-A": 1}}},
        {"scenario": "a", "when": {"image": ["a.png", "b.png"], "properties": {"blank": "yes", "min_width": "3"}}},
        {"scenario": "a", "then": "nothing_found"},
        {"scenario": "a", "then": ["service_error", {"delay": "1.5s"}], "repeat": "cycle"},
        {"scenario": "a", "then": {"delay": {"uniform": ["1s", "2s"]}, "trouble": {"score": 0.4, "partial": 3}}},
        {"scenario": "a", "then": {"trouble": {"score": [0.2, 0.4], "bad_check_digit": True}}},
        {"scenario": "a", "when": {"properties": {"format": "jpg"}}},
        {"scenario": "a", "reading": {"plate": {"text": "none", "box": "none", "vehicle": "none", "score": "none"}}},
        {"scenario": "a", "reading": {"vin": {"text": "X", "candidates": [{"text": "Y", "box": "none"}]}}},
        {"scenario": "a", "then": [{"outcome": "service_error", "chance": "12.5 %"}, {"chance": "100%", "times": 2}]},
        {"scenario": "a", "then": {"omit": "filename", "add": {"a.b": [1, None, {"c": "d"}]}}},
        {"scenario": "a", "then": [{"reply": 502}, {"reply": {"status": "413", "headers": {"X-A": 1}, "body": ""}}]},
        {"scenario": 7, "priority": 3, "description": 12},
    ],
    ids=str,
)
def test_short_forms_fit_both(document: dict[str, Any], scenario: Mapping[str, Any], vocabulary: Vocabulary) -> None:
    """Every short form is known to the schema and to the loader, typed as JSON or not."""
    assert errors(scenario, document) == []

    if document.get("reading") != {"plate": None}:
        parse_scenario(document, vocabulary=vocabulary)


def test_variants_depend_on_the_outcome(scenario: Mapping[str, Any], vocabulary: Vocabulary) -> None:
    """A variant of another outcome is refused by both."""
    document = {"scenario": "a", "then": {"outcome": "nothing_found", "variant": "tier_message"}}

    assert errors(scenario, document)
    with pytest.raises(FixturesError):
        parse_scenario(document, vocabulary=vocabulary)
