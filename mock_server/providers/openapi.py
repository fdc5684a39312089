"""What providers answer, as OpenAPI: every documented response, with examples made by the renderers themselves."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson

from mock_server.core.model import (
    Candidate,
    Outcome,
    OutcomeName,
    PlateReading,
    Product,
    Reading,
    Usage,
    Vehicle,
    VinReading,
)
from mock_server.http.reply import Reply
from mock_server.imaging.geometry import Box
from mock_server.providers.provider import Provider, Refusal

Schema = Mapping[str, Any]

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
    "X-Mock-Request-Id": {"description": "The request's id in the journal.", "schema": {"type": "string"}},
    "X-Mock-Scenario": {"description": "The scenario, or `-`.", "schema": {"type": "string"}},
    "X-Mock-Match": {"description": "How it was found.", "schema": {"type": "string"}},
}


@dataclass(frozen=True, slots=True)
class Call:
    """A call as it is documented. `read` and `error` name the schemas of its replies; `paths` may lead to products."""

    path: str
    summary: str
    products: tuple[Product, ...]
    parameters: tuple[Schema, ...]
    body: Schema
    read: str
    error: str
    refusals: tuple[Refusal, ...] = (Refusal.WRONG_METHOD,)


@dataclass(frozen=True, slots=True)
class Description:
    """A provider as it is documented: its calls, the schemas they use, and how a key is sent."""

    title: str
    calls: tuple[Call, ...]
    schemas: Mapping[str, Schema] = field(default_factory=dict)
    security: Schema = field(default_factory=dict)


class Described(Provider, Protocol):
    """A provider that can describe itself."""

    @property
    def description(self) -> Description:
        """Its calls, as they are documented."""
        ...


def described(providers: Sequence[Described]) -> dict[str, dict[str, Any]]:
    """What all providers contribute to an OpenAPI document: `paths`, `schemas`, `security` schemes and `tags`."""
    whole: dict[str, dict[str, Any]] = {"paths": {}, "schemas": {}, "security": {}, "tags": {}}
    for provider in providers:
        description = provider.description
        whole["paths"] |= {call.path: {"post": _operation(provider, call)} for call in description.calls}
        whole["schemas"] |= description.schemas
        whole["security"][provider.traits.name] = description.security
        whole["tags"][provider.description.title] = None
    return whole


def _operation(provider: Described, call: Call) -> dict[str, Any]:
    name = provider.traits.name
    return {
        "tags": [provider.description.title],
        "operationId": f"{name}_{'_'.join(product.value for product in call.products)}",
        "summary": call.summary,
        "parameters": list(call.parameters),
        "requestBody": {"required": True, "content": call.body},
        "security": [{name: []}],
        "responses": {
            **_responses(call, _replies(provider, call)),
            "501": {
                "description": "The mock's own: no scenario matches, where that is an error, or an unknown `Prefer`.",
                "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
            },
        },
    }


def _responses(call: Call, replies: Sequence[tuple[str, Reply]]) -> dict[str, Any]:
    """Replies by status, each under the name of what leads to it."""
    responses: dict[str, Any] = {}
    for name, reply in sorted(replies, key=lambda pair: pair[1].status):
        schema = call.read if reply.status == 200 else call.error
        response = responses.setdefault(
            str(reply.status),
            {
                "description": "",
                "headers": _HEADERS,
                "content": {
                    "application/json": {
                        "schema": {"$ref": f"#/components/schemas/{schema}"},
                        "examples": {},
                    }
                },
            },
        )
        for header, value in reply.headers:
            if header not in (b"content-type", b"content-length"):
                shown = {"schema": {"type": "string"}, "example": value.decode("latin-1")}
                response["headers"] = {**response["headers"], header.decode().title(): shown}
        examples = response["content"]["application/json"]["examples"]
        examples[name] = {"value": orjson.loads(reply.body)}
        response["description"] = ", ".join(dict.fromkeys(example.partition(" ")[0] for example in examples))
    return responses


def _replies(provider: Provider, call: Call) -> list[tuple[str, Reply]]:
    several = len(call.products) > 1
    replies = [(refusal.value, provider.refuse(refusal)) for refusal in call.refusals]
    for product in call.products:
        for name, outcome in _outcomes(provider):
            told = f"{name} ({product.value})" if several else name
            replies.append((told, provider.render(outcome, product)))
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
