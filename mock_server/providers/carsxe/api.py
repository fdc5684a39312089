"""CarsXE's wire format: which calls are its own, and how a JSON body becomes a request.

The documented form is one path a product, the key in the query and `image_url` in a JSON body. Published clients
differ from it; what they send is accepted and noted as an alias, and refused in strict mode.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from mock_server.core.model import Outcome, OutcomeName, Problem, Product, ReadRequest
from mock_server.core.provider_traits import Billing, Traits
from mock_server.http.reply import Reply
from mock_server.providers.carsxe import render
from mock_server.providers.carsxe.image_reference import InvalidReferenceError, decode_inline, is_url
from mock_server.providers.provider import Call, Refusal, Route

if TYPE_CHECKING:
    from mock_server.providers.openapi import Description

_ROUTES = {
    "/platerecognition": Route(Product.PLATE),
    "/v1/vinocr": Route(Product.VIN),
    "/vinocr": Route(Product.VIN, alias="/vinocr"),
    "/vin-ocr": Route(Product.VIN, alias="/vin-ocr"),
}
_NO_SUCH_PATH = Route(refusal=Refusal.NO_SUCH_PATH)
_WRONG_METHOD = Route(refusal=Refusal.WRONG_METHOD)
_FIELDS = ("image_url", "upload_url", "image")


class CarsXE:
    """The provider CarsXE."""

    traits = Traits(
        name="carsxe",
        billing=Billing.QUOTA,
        charged=frozenset({OutcomeName.READ, OutcomeName.NOTHING_FOUND}),
        variants={
            OutcomeName.NOTHING_FOUND: ("not_found", "empty_results", "missing_results"),
            OutcomeName.OUT_OF_CREDITS: ("usage", "tier_message"),
            OutcomeName.RATE_LIMITED: ("usage", "upstream"),
        },
    )
    hosts: Collection[str] = ("api.carsxe.com", "eu-api.carsxe.com")

    @property
    def description(self) -> "Description":
        """What OpenAPI says of it; nothing else asks."""
        from mock_server.providers.carsxe.openapi import DESCRIPTION

        return DESCRIPTION

    def route(self, method: str, path: str, *, strict: bool) -> Route | None:
        """One path a product, and the older names of the VIN path."""
        route = _ROUTES.get(path)
        if route is None:
            return None
        if route.alias and strict:
            return _NO_SUCH_PATH
        return route if method == "POST" else _WRONG_METHOD

    def parse(self, call: Call, product: Product, *, strict: bool) -> ReadRequest:
        """A body that names a picture by URL or holds it in base64."""
        body, parameters = _Body.of(call, strict=strict), call.parameters
        notes = [note for note in (call.alias and f"path {call.alias}", body.alias) if note]
        key = parameters.get("key")
        if not key and not strict and isinstance(body.fields.get("key"), str):
            key = body.fields["key"]
            notes.append("key in body")
        if source := parameters.get("source"):
            notes.append(f"source {source}")
        name, sent = _image_field(body, strict=strict)
        if name not in (None, "image_url"):
            notes.append(f"field {name}")
        picture = _picture(call, body, sent, product, strict=strict)
        if picture.note:
            notes.append(picture.note)
        return ReadRequest(
            self.traits.name,
            product,
            key or None,
            picture.image,
            picture.url,
            headers=call.headers,
            notes=tuple(notes),
            problem=picture.problem,
        )

    def render(self, outcome: Outcome, product: Product) -> Reply:
        """The reply to an outcome."""
        return render.outcome(outcome, product)

    def refuse(self, refusal: Refusal) -> Reply:
        """The reply to a call that is no request to read a picture."""
        return render.refusal(refusal)

    def outcome_of_status(self, status: int, product: Product) -> OutcomeName | None:
        """The outcome behind a status."""
        return render.OUTCOME_OF_STATUS[product].get(status)


@dataclass(frozen=True, slots=True)
class _Body:
    """The fields of a body: a JSON object's, or the one value of a plain-text body.

    `problem` says why there are none, `alias` that the body came in a form that is not documented.
    """

    fields: Mapping[str, Any]
    problem: str | None = None
    alias: str | None = None

    @classmethod
    def of(cls, call: Call, *, strict: bool) -> "_Body":
        if not call.body:
            return cls({}, "empty body")
        media_type = call.media_type
        if media_type == "application/json" or media_type.endswith("+json"):
            return cls._json(call.body)
        if media_type in ("text/plain", "") and not strict:
            return cls._plain(call.body)
        return cls({}, f"content type {media_type or 'missing'}, not application/json")

    @classmethod
    def _json(cls, data: bytes | bytearray) -> "_Body":
        try:
            fields = orjson.loads(data)
        except orjson.JSONDecodeError:
            return cls({}, "invalid JSON")
        return cls(fields) if isinstance(fields, dict) else cls({}, "JSON that is no object")

    @classmethod
    def _plain(cls, data: bytes | bytearray) -> "_Body":
        # A browser's fetch() declares text/plain for a JSON string when it is given no content type.
        if data.lstrip()[:1] == b"{":
            body = cls._json(data)
            return cls(body.fields, body.problem, "JSON as plain text")
        return cls({_FIELDS[0]: data.decode("utf-8", "replace").strip()}, alias="plain text")


def _image_field(body: _Body, *, strict: bool) -> tuple[str | None, Any]:
    for name in _FIELDS[:1] if strict else _FIELDS:
        if sent := body.fields.get(name):
            return name, sent
    return None, None


@dataclass(frozen=True, slots=True)
class _Picture:
    """What the image field came to: a picture, where one is, or what is wrong."""

    image: bytes | None = None
    url: str | None = None
    problem: Problem | None = None
    note: str | None = None


def _picture(call: Call, body: _Body, sent: Any, product: Product, *, strict: bool) -> _Picture:
    if call.body is None:
        return _invalid("body too large")
    if sent is None:
        return _Picture(problem=Problem(OutcomeName.INVALID_REQUEST, body.problem or "no image in the body"))
    if not isinstance(sent, str):
        return _invalid("the image is no string")
    if is_url(sent):
        return _Picture(url=sent.strip())
    return _inline(sent, product, strict=strict)


def _inline(text: str, product: Product, *, strict: bool) -> _Picture:
    if product is not Product.PLATE:
        note = None
    elif strict:
        return _invalid("the plate endpoint documents a URL only")
    else:
        note = "base64 on the plate endpoint"
    try:
        return _Picture(decode_inline(text), note=note)
    except InvalidReferenceError as error:
        return _invalid(str(error))


def _invalid(detail: str) -> _Picture:
    return _Picture(problem=Problem(OutcomeName.INVALID_IMAGE, detail))
