"""CarsXE's wire format: its paths, and how a JSON body becomes a request.

The documented form is one path for each product, the key in the query and `image_url` in a JSON body. Published
clients send other forms as well: each is accepted and noted as an alias, and refused in strict mode.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from mock_server.core.model import Outcome, OutcomeName, Problem, Product, ReadRequest
from mock_server.core.provider_traits import Billing, Traits
from mock_server.http.reply import Reply
from mock_server.providers.carsxe import render
from mock_server.providers.carsxe.openapi import DESCRIPTION
from mock_server.providers.provider import Call, ExampleCall, Provider, Refusal, Route
from mock_server.providers.uploads import decode_inline, is_url

_PATHS = {Product.PLATE: "/platerecognition", Product.VIN: "/v1/vinocr"}
_FIELDS = ("image_url", "upload_url", "image")


class CarsXE(Provider):
    """The provider CarsXE."""

    title = "CarsXE"
    traits = Traits(
        name="carsxe",
        billing=Billing.QUOTA,
        charged=frozenset({OutcomeName.READ, OutcomeName.NOTHING_FOUND}),
        variants={
            OutcomeName.NOTHING_FOUND: ("not_found", "empty_results", "missing_results"),
            OutcomeName.OUT_OF_CREDITS: ("usage", "tier_message"),
            OutcomeName.RATE_LIMITED: ("usage", "upstream"),
        },
        statuses=render.OUTCOME_OF_STATUS,
    )
    hosts = ("api.carsxe.com", "eu-api.carsxe.com")
    routes = (
        *(Route(path, product) for product, path in _PATHS.items()),
        Route("/vinocr", Product.VIN, is_alias=True),
        Route("/vin-ocr", Product.VIN, is_alias=True),
    )
    description = DESCRIPTION

    def example_call(self, product: Product, key: str, picture_url: str) -> ExampleCall:
        """A JSON body with the URL of a picture."""
        return ExampleCall(_PATHS[product], query={"key": key}, json={"image_url": picture_url})

    def parse(self, call: Call, product: Product) -> ReadRequest:
        """A body that names a picture by URL, or holds it in base64."""
        body, parameters = _Body.of(call), call.parameters
        notes = [note for note in (call.alias and f"path {call.alias}", body.alias) if note]
        key = parameters.get("key")
        if not key and not call.strict and isinstance(body.fields.get("key"), str):
            key = body.fields["key"]
            notes.append("key in body")
        if source := parameters.get("source"):
            notes.append(f"source {source}")
        field, content = _image_field(body, strict=call.strict)
        if field not in (None, "image_url"):
            notes.append(f"field {field}")
        picture = _picture(call, body, content, product)
        if picture.note:
            notes.append(picture.note)
        return ReadRequest(
            self.name,
            product,
            key or None,
            picture.image,
            picture.url,
            headers=call.headers,
            notes=tuple(notes),
            problem=picture.problem,
        )

    def render(self, outcome: Outcome, request: ReadRequest) -> Reply:
        """The reply to an outcome."""
        return render.outcome(outcome, request.product)

    def refuse(self, refusal: Refusal) -> Reply:
        """The reply to a call that is not a request to read a picture."""
        return render.refusal(refusal)


@dataclass(frozen=True, slots=True)
class _Body:
    """The fields of a body: those of a JSON object, or the one value of a plain-text body.

    `problem` says why there are none. `alias` is the form of the body where it is not the documented one.
    """

    fields: Mapping[str, Any]
    problem: str | None = None
    alias: str | None = None

    @classmethod
    def of(cls, call: Call) -> "_Body":
        if not call.body:
            return cls({}, "empty body")
        media_type = call.media_type
        if media_type == "application/json" or media_type.endswith("+json"):
            return cls._json(call.body)
        if media_type in ("text/plain", "") and not call.strict:
            return cls._plain(call.body)
        return cls({}, f"content type {media_type or 'missing'}, not application/json")

    @classmethod
    def _json(cls, data: bytes) -> "_Body":
        try:
            fields = orjson.loads(data)
        except orjson.JSONDecodeError:
            return cls({}, "invalid JSON")
        return cls(fields) if isinstance(fields, dict) else cls({}, "the JSON is not an object")

    @classmethod
    def _plain(cls, data: bytes) -> "_Body":
        # A browser's fetch() sends a JSON string as text/plain unless it is given a content type.
        if data.lstrip()[:1] == b"{":
            body = cls._json(data)
            return cls(body.fields, body.problem, "JSON as plain text")
        return cls({_FIELDS[0]: data.decode("utf-8", "replace").strip()}, alias="plain text")


def _image_field(body: _Body, *, strict: bool) -> tuple[str | None, Any]:
    for name in _FIELDS[:1] if strict else _FIELDS:
        if content := body.fields.get(name):
            return name, content
    return None, None


@dataclass(frozen=True, slots=True)
class _Picture:
    """The picture that the image field holds or names; where there is none, `problem` says why."""

    image: bytes | None = None
    url: str | None = None
    problem: Problem | None = None
    note: str | None = None


def _picture(call: Call, body: _Body, content: Any, product: Product) -> _Picture:
    if call.body is None:
        return _invalid("body too large")
    if content is None:
        return _Picture(problem=Problem(OutcomeName.INVALID_REQUEST, body.problem or "no image in the body"))
    if not isinstance(content, str):
        return _invalid("the image is not a string")
    if is_url(content):
        return _Picture(url=content.strip())
    if product is Product.PLATE and call.strict:
        return _invalid("the plate endpoint documents a URL only")
    try:
        image = decode_inline(content)
    except ValueError as error:
        return _invalid(str(error))
    return _Picture(image, note="base64 on the plate endpoint" if product is Product.PLATE else None)


def _invalid(detail: str) -> _Picture:
    return _Picture(problem=Problem(OutcomeName.INVALID_IMAGE, detail))
