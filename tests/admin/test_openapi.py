"""The OpenAPI document is valid, its examples agree with its schemas, and the replies do too."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from mock_server import MockServer
from mock_server.admin import admin_app
from mock_server.admin.admin_app import OPERATIONS, PREFIX
from mock_server.core.model import OutcomeName
from mock_server.providers.provider import Provider
from mock_server.providers.registry import PROVIDERS
from tests.support import PATIENCE

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def document(mock: MockServer) -> dict[str, Any]:
    """The document that the server serves."""
    served: dict[str, Any] = httpx.get(f"{mock.url}/__admin/openapi.json", timeout=PATIENCE).json()
    return served


def _contents(document: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Every body of a request or response: its place, its schema and an example."""
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            bodies = {"request": operation.get("requestBody", {}), **operation["responses"]}
            for name, body in bodies.items():
                for media_type, content in body.get("content", {}).items():
                    examples = [one["value"] for one in content.get("examples", {}).values()]
                    examples += [content["example"]] if "example" in content else []
                    for example in examples:
                        yield f"{method} {path} {name} {media_type}", content["schema"], example


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    """It is OpenAPI 3.1."""
    validate(document)

    assert document["openapi"] == "3.1.0"


def test_examples_agree_with_their_schemas(document: dict[str, Any]) -> None:
    """Every example is valid, those of the providers too."""
    wrong = [
        (place, error.message)
        for place, schema, example in _contents(document)
        for error in Draft202012Validator({**schema, "components": document["components"]}).iter_errors(example)
    ]

    assert not wrong


def documented_paths(provider: Provider) -> list[str]:
    return [route.path for route in provider.routes if not route.is_alias]


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: provider.name)
def test_every_outcome_of_a_provider_is_an_example(provider: Provider, document: dict[str, Any]) -> None:
    """Each documented path of a provider has an example of every outcome."""
    for path in documented_paths(provider):
        responses = document["paths"][path]["post"]["responses"]
        examples = {
            example.partition(" ")[0]
            for response in responses.values()
            for example in response["content"].get("application/json", {}).get("examples", {})
        }

        assert set(OutcomeName) <= examples


def test_a_token_is_documented_where_there_is_one(guarded: MockServer, document: dict[str, Any]) -> None:
    """With a token every admin operation but the health check requires it; without one none does."""
    headers = {"Authorization": f"Bearer {guarded.admin_token}"}
    behind = httpx.get(f"{guarded.url}/__admin/openapi.json", headers=headers, timeout=PATIENCE).json()["paths"]

    assert behind["/__admin/accounts"]["get"]["security"] == [{"adminToken": []}]
    assert behind["/__admin/health"]["get"]["security"] == []
    assert document["paths"]["/__admin/accounts"]["get"]["security"] == []


def test_every_text_is_of_an_operation() -> None:
    """`openapi.yaml` describes each operation, and nothing else."""
    assert set(TEXTS) == {operation.id for operation in OPERATIONS}


@pytest.fixture(scope="module")
def api(mock: MockServer) -> BaseSchema:
    """The document as a source of calls."""
    return schemathesis.openapi.from_url(f"{mock.url}/__admin/openapi.json")


CALLS = [
    *((operation.method, PREFIX + operation.path) for operation in OPERATIONS),
    *(("POST", path) for provider in PROVIDERS for path in documented_paths(provider)),
]
_GROUPS = yaml.safe_load((Path(admin_app.__file__).with_name("openapi.yaml")).read_text("utf-8"))["operations"]
TEXTS = {id: text for group in _GROUPS.values() for id, text in group.items()}
TAKING = [
    *((one.method, PREFIX + one.path) for one in OPERATIONS if {"requestBody", "query"} & TEXTS[one.id].keys()),
    *CALLS[len(OPERATIONS) :],
]
"""Operations with a body or a query, which can be wrong."""


@pytest.mark.parametrize(
    ("method", "path", "mode"),
    [*((*call, GenerationMode.POSITIVE) for call in CALLS), *((*call, GenerationMode.NEGATIVE) for call in TAKING)],
)
def test_calls_get_documented_replies(method: str, path: str, mode: GenerationMode, api: BaseSchema) -> None:
    """Valid and invalid calls get a reply that the document describes, and never a server error."""
    operation = api[path][method]

    @settings(
        max_examples=10,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Case[Any]) -> None:
        case.call_and_validate(checks=CHECKS)

    ask()
