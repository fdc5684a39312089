"""The providers in the OpenAPI document: their paths, with every reply as an example that the provider renders.

The file `openapi.yaml` in a provider's folder has an operation for each documented path (`success` and `error` name
the schemas of its replies, `schemas` those of single statuses), the schemas, and how a key is sent. The file beside
this one has what the mock adds.
"""

import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
import yaml

from mock_server.core.model import Product, ReadRequest
from mock_server.http.reply import Reply
from mock_server.providers.provider import Provider, Refusal, Route

Json = Mapping[str, Any]


def describe(providers: Sequence[Provider]) -> dict[str, dict[str, Any]]:
    """The providers' share of an OpenAPI document: `paths`, `schemas`, `security` schemes and `tags`."""
    added = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text("utf-8"))
    document: dict[str, dict[str, Any]] = {"paths": {}, "schemas": {}, "security": {}, "tags": {}}
    for provider in providers:
        file = Path(inspect.getfile(type(provider))).with_name("openapi.yaml")
        texts = yaml.safe_load(file.read_text("utf-8"))
        for route in provider.routes:
            if not route.is_alias and not route.prefix:
                operation = texts["operations"][route.path]
                document["paths"][route.path] = {"post": _operation(provider, route, operation, added)}
        document["schemas"] |= texts["schemas"]
        document["security"][provider.name] = texts["security"]
        document["tags"][provider.title] = None
    return document


def _operation(provider: Provider, route: Route, operation: Json, added: Json) -> Json:
    return {
        "tags": [provider.title],
        "operationId": "_".join((provider.name, *route.products)),
        "summary": operation["summary"],
        "parameters": operation.get("parameters", []),
        "requestBody": {"required": True, "content": operation["body"]},
        "security": [{provider.name: []}],
        "servers": [{"url": prefix or "/"} for prefix in _prefixes(provider, route)],
        "responses": _responses(operation, _replies(provider, route), added["headers"]) | added["responses"],
    }


def _prefixes(provider: Provider, route: Route) -> list[str]:
    return [other.prefix for other in provider.routes if other.path == route.path]


def _responses(operation: Json, replies: Mapping[str, Reply], headers: dict[str, Any]) -> dict[str, Any]:
    """The replies by status; each is an example, named after its outcome."""
    responses: dict[str, Any] = {}
    for name, reply in sorted(replies.items(), key=lambda pair: pair[1].status):
        kind = operation["success" if 200 <= reply.status < 300 else "error"]
        schema = operation.get("schemas", {}).get(reply.status, kind)
        content = {"schema": {"$ref": f"#/components/schemas/{schema}"}, "examples": {}}
        response = responses.setdefault(str(reply.status), {"content": {"application/json": content}, "headers": {}})
        examples = response["content"]["application/json"]["examples"]
        examples[name] = {"value": orjson.loads(reply.body)}
        response["description"] = ", ".join(dict.fromkeys(example.partition(" ")[0] for example in examples))
        response["headers"] |= headers | _headers(reply)
    return responses


def _headers(reply: Reply) -> dict[str, Any]:
    return {
        name.decode().title(): {"schema": {"type": "string"}, "example": text.decode("latin-1")}
        for name, text in reply.headers
        if name != b"content-type"
    }


def _replies(provider: Provider, route: Route) -> dict[str, Reply]:
    """Every reply of a route, by the name of its outcome or refusal."""
    refusals = [Refusal.WRONG_METHOD]
    if not isinstance(route.product, Product):
        refusals.append(Refusal.UNKNOWN_PRODUCT)
    replies = {refusal.value: provider.refuse(refusal) for refusal in refusals}
    for product in route.products:
        request = ReadRequest(provider.name, product, "demo-key", filename="car.jpg")
        suffix = f" ({product.value})" if len(route.products) > 1 else ""
        for outcome in provider.sample_outcomes():
            name = f"{outcome.name.value} {outcome.variant}" if outcome.variant else outcome.name.value
            replies[name + suffix] = provider.render(outcome, request)
    return replies
