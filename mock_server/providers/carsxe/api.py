"""CarsXE's wire format: which calls are its own, and how a JSON body becomes a request.

The documented form is one path a product, the key in the query and `image_url` in a JSON body. Published clients
differ from it; what they send is accepted and noted as an alias, and refused in strict mode.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import orjson

from mock_server.core.model import Outcome, OutcomeName, Problem, Product, ReadRequest
from mock_server.core.provider import Billing, Traits
from mock_server.http.reply import Reply
from mock_server.providers.base import Call, Refusal, Route
from mock_server.providers.carsxe import render
from mock_server.providers.carsxe.image_reference import InvalidReferenceError, decode_inline, is_url
from mock_server.providers.carsxe.openapi import DESCRIPTION

_DOCUMENTED = {"/platerecognition": Product.PLATE, "/v1/vinocr": Product.VIN}
_ALIASES = {"/vinocr": Product.VIN, "/vin-ocr": Product.VIN}
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
    description = DESCRIPTION

    def route(self, method: str, path: str, *, strict: bool) -> Route | None:
        """One path a product, and the older names of the VIN path."""
        alias = path if path in _ALIASES else None
        product = _ALIASES.get(path) or _DOCUMENTED.get(path)
        if product is None:
            return None
        if alias and strict:
            return Route(refusal=Refusal.NO_SUCH_PATH)
        return Route(product, alias=alias) if method == "POST" else Route(refusal=Refusal.WRONG_METHOD)

    def parse(self, call: Call, product: Product, *, strict: bool) -> ReadRequest:
        """A body that names a picture by URL or holds it in base64."""
        body = _Body.of(call, strict=strict)
        notes = [note for note in (call.alias and f"path {call.alias}", body.alias) if note]
        key = call.parameters.get("key")
        if not key and not strict and isinstance(body.fields.get("key"), str):
            key = body.fields["key"]
            notes.append("key in body")
        if source := call.parameters.get("source"):
            notes.append(f"source {source}")
        request = ReadRequest(self.traits.name, product, key or None, headers=call.headers)
        name, value = _image_field(body, strict=strict)
        notes += [f"field {name}"] if name not in (None, "image_url") else []
        if call.body is None:
            request = _with_problem(request, "body too large", OutcomeName.INVALID_IMAGE)
        elif value in (None, ""):
            request = _with_problem(request, body.problem or "no image in the body")
        else:
            request = _with_picture(request, value, strict=strict)
        return replace(request, notes=(*notes, *request.notes)) if notes else request

    def render(self, outcome: Outcome, product: Product) -> Reply:
        """The reply to an outcome."""
        return render.outcome(outcome, product)

    def refuse(self, refusal: Refusal) -> Reply:
        """The reply to a call that is no request to read a picture."""
        return render.refusal(refusal)

    def outcome_of_status(self, status: int, product: Product) -> OutcomeName | None:
        """The outcome behind a status."""
        return render.OUTCOME_OF_STATUS[product].get(status)


class _Body:
    """The fields of a body: a JSON object's, or the one value of a plain-text body.

    `problem` says why there are none, `alias` that the body came in a form that is not documented.
    """

    def __init__(
        self, fields: Mapping[str, Any], problem: str | None = None, alias: str | None = None
    ) -> None:
        self.fields = fields
        self.problem = problem
        self.alias = alias

    @classmethod
    def of(cls, call: Call, *, strict: bool) -> "_Body":
        if not call.body:
            return cls({}, "empty body")
        if call.media_type == "application/json" or call.media_type.endswith("+json"):
            return cls._json(call.body)
        if call.media_type in ("text/plain", "") and not strict:
            return cls._plain(call.body)
        return cls({}, f"content type {call.media_type or 'missing'}, not application/json")

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
    names = _FIELDS[:1] if strict else _FIELDS
    return next(((name, body.fields[name]) for name in names if body.fields.get(name)), (None, None))


def _with_picture(request: ReadRequest, value: Any, *, strict: bool) -> ReadRequest:
    if not isinstance(value, str):
        return _with_problem(request, "the image is no string", OutcomeName.INVALID_IMAGE)
    if is_url(value):
        return replace(request, url=value.strip())
    if strict and request.product is Product.PLATE:
        return _with_problem(request, "the plate endpoint documents a URL only", OutcomeName.INVALID_IMAGE)
    try:
        image = decode_inline(value)
    except InvalidReferenceError as error:
        return _with_problem(request, str(error), OutcomeName.INVALID_IMAGE)
    notes = ("base64 on the plate endpoint",) if request.product is Product.PLATE else ()
    return replace(request, image=image, notes=notes)


def _with_problem(
    request: ReadRequest, detail: str, outcome: OutcomeName = OutcomeName.INVALID_REQUEST
) -> ReadRequest:
    return replace(request, problem=Problem(outcome, detail))
