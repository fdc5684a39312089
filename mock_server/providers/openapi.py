"""The providers in the OpenAPI document: their paths, with every reply as an example that the provider renders."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from mock_server.core.model import (
    Candidate,
    Outcome,
    OutcomeName,
    PlateReading,
    Product,
    Reading,
    ReadRequest,
    Usage,
    Vehicle,
    VinReading,
)
from mock_server.http.reply import Reply
from mock_server.imaging.geometry import Box
from mock_server.providers.provider import Operation, Provider, Route

_READING = Reading(
    plates=(
        PlateReading(
            "9DJC652",
            region="us-ca",
            region_score=0.849,
            score=0.902,
            dscore=0.861,
            box=Box(412, 300, 548, 344),
            candidates=(Candidate("9DJC652", 0.902), Candidate("9OJC652", 0.742)),
            vehicle=Vehicle("Sedan", 0.783, Box(90, 80, 700, 420)),
        ),
    ),
    vin=VinReading(
        "JHLRD77874C026456",
        0.983,
        Box(257, 635, 1673, 793),
        (Candidate("JHLRD77874C026456", 0.983, Box(257, 635, 1673, 793)),),
    ),
)
_HEADERS = {
    "X-Mock-Request-Id": {"description": "The id of the request in the journal.", "schema": {"type": "string"}},
    "X-Mock-Scenario": {"description": "Name of the scenario, or `-`.", "schema": {"type": "string"}},
    "X-Mock-Fixtures": {
        "description": "`broken` while the fixture files have mistakes; the last good set is served.",
        "schema": {"const": "broken"},
    },
    "X-Mock-Match": {"description": "How the scenario was found.", "schema": {"type": "string"}},
}


def describe(providers: Sequence[Provider]) -> dict[str, dict[str, Any]]:
    """The providers' share of an OpenAPI document: `paths`, `schemas`, `security` schemes and `tags`."""
    document: dict[str, dict[str, Any]] = {"paths": {}, "schemas": {}, "security": {}, "tags": {}}
    for provider in providers:
        for route in provider.routes:
            if not route.is_alias:
                document["paths"][route.path] = {"post": _operation(provider, route)}
        document["schemas"] |= provider.description.schemas
        document["security"][provider.name] = provider.description.security
        document["tags"][provider.title] = None
    return document


def _operation(provider: Provider, route: Route) -> dict[str, Any]:
    operation = provider.description.operations[route.path]
    return {
        "tags": [provider.title],
        "operationId": "_".join((provider.name, *route.products)),
        "summary": operation.summary,
        "parameters": list(operation.parameters),
        "requestBody": {"required": True, "content": operation.body},
        "security": [{provider.name: []}],
        "responses": {
            **_responses(operation, _replies(provider, operation, route.products)),
            "501": {
                "description": "From the mock: no scenario matches and `unmatched` is `error`, or an unknown `Prefer`.",
                "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
            },
        },
    }


def _responses(operation: Operation, replies: Mapping[str, Reply]) -> dict[str, Any]:
    """The replies by status; each is an example, named after its outcome."""
    responses: dict[str, Any] = {}
    for name, reply in sorted(replies.items(), key=lambda pair: pair[1].status):
        response = responses.setdefault(str(reply.status), _response(operation, reply))
        content = response["content"]["application/json"]
        content["examples"][name] = {"value": orjson.loads(reply.body)}
        outcomes = dict.fromkeys(example.partition(" ")[0] for example in content["examples"])
        response["description"] = ", ".join(outcomes)
        response["headers"] |= _headers(reply)
    return responses


def _response(operation: Operation, reply: Reply) -> dict[str, Any]:
    schema = operation.read if 200 <= reply.status < 300 else operation.error
    return {
        "headers": dict(_HEADERS),
        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}, "examples": {}}},
    }


def _headers(reply: Reply) -> dict[str, Any]:
    return {
        name.decode().title(): {"schema": {"type": "string"}, "example": text.decode("latin-1")}
        for name, text in reply.headers
        if name != b"content-type"
    }


def _replies(provider: Provider, operation: Operation, products: Sequence[Product]) -> dict[str, Reply]:
    """Every reply of an operation, by the name of its outcome or refusal."""
    replies = {refusal.value: provider.refuse(refusal) for refusal in operation.refusals}
    for product in products:
        request = ReadRequest(provider.name, product, "demo-key", filename="car.jpg")
        suffix = f" ({product.value})" if len(products) > 1 else ""
        for name, outcome in _outcomes(provider):
            replies[name + suffix] = provider.render(outcome, request)
    return replies


def _outcomes(provider: Provider) -> Iterator[tuple[str, Outcome]]:
    for name in OutcomeName:
        for variant in provider.traits.variants.get(name, (None,)):
            yield (
                f"{name.value} {variant}" if variant else name.value,
                Outcome(
                    name,
                    reading=_READING if name is OutcomeName.READ else Reading(),
                    variant=variant,
                    usage=Usage(1000, 1000),
                    tier="standard",
                    period="12/2026",
                    retry_after=1.0,
                    digest="5f" * 32,
                ),
            )
