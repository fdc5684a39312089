"""CarsXE's wire format: its paths, and how a JSON body becomes a request.

The documented form is one path for each product, the key in the query and `image_url` in a JSON body. Published
clients send other forms as well: each is accepted and noted as an alias, and refused in strict mode.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mock_server.core.account import Account
from mock_server.core.model import Billing, Outcome, OutcomeName, Problem, Product, ReadRequest, Traits
from mock_server.http.reply import Reply
from mock_server.providers.carsxe import real_carsxe, render, wording
from mock_server.providers.provider import MAX_URL, Call, ExampleCall, Provider, Refusal, Route
from mock_server.providers.uploads import decode_inline, encoding_note, is_url, parse_json
from mock_server.suggest import quoted

_ROUTES = (
    *(Route(path, product) for product, path in wording.PATHS.items()),
    Route("/vinocr", Product.VIN, is_alias=True),
    Route("/vin-ocr", Product.VIN, is_alias=True),
    Route("/v1/auth/validate", None, is_alias=True),
)
_MAIN_HOST = "api.carsxe.com"
_FIELDS = ("image_url", "upload_url", "image", "imageUrl")
_KNOWN_FIELDS = frozenset({*_FIELDS, "key"})
_OTHER_KEY_HEADERS = ("x-api-key", "authorization", "key")


class CarsXE(Provider):
    """The provider CarsXE."""

    title = "CarsXE"
    traits = Traits(
        name="carsxe",
        billing=Billing.QUOTA,
        charged=frozenset({OutcomeName.READ}),
        variants=wording.VARIANTS,
        statuses=wording.OUTCOME_OF_STATUS,
        takes_payments=True,
        charged_variants=frozenset(
            (OutcomeName.NOTHING_FOUND, variant) for variant in ("empty_results", "missing_results")
        ),
    )
    once_header = "idempotency-key"
    hosts = (_MAIN_HOST, "eu-api.carsxe.com")
    real = real_carsxe.SERVICE
    routes = (*_ROUTES, *(replace(route, prefix="/eu", hosts=(_MAIN_HOST,)) for route in _ROUTES))

    def example_call(self, product: Product, key: str, picture_url: str) -> ExampleCall:
        """A JSON body with the URL of a picture."""
        return ExampleCall(wording.PATHS[product], query={"key": key}, json={"image_url": picture_url})

    def parse(self, call: Call, product: Product) -> ReadRequest:
        """A body that names a picture by URL, or holds it in base64."""
        notes = [f"path {call.alias}"] if call.alias else []
        fields = _fields(call, notes)
        key = _key(call, fields, notes)
        no_key = None if key else _why_no_key(call, fields)
        picture = _picture(call, product, fields, notes)
        return ReadRequest(
            self.name,
            product,
            key,
            image=picture if isinstance(picture, bytes) else None,
            url=picture if isinstance(picture, str) else None,
            headers=call.headers,
            fields=() if isinstance(fields, Problem) else tuple(fields.keys() - _KNOWN_FIELDS),
            notes=tuple(notes),
            problem=picture if isinstance(picture, Problem) else None,
            no_key=no_key,
            once=call.headers.get(self.once_header, ""),
            has_payment=key is None and any(call.headers.get(name) for name in wording.PAYMENT_HEADERS),
        )

    def render(self, outcome: Outcome, request: ReadRequest) -> Reply:
        """The reply to an outcome."""
        return render.outcome(outcome, request.product)

    def refuse(self, refusal: Refusal) -> Reply:
        """The reply to a call that is not a request to read a picture."""
        return render.refusal(refusal)

    def parse_key(self, call: Call) -> str | None:
        """The query parameter `key`."""
        return call.parameters.get("key")

    def render_key_check(self, check: Account | Outcome) -> Reply:
        """The reply to `GET /v1/auth/validate`, which published clients send first."""
        return render.key_check(check)


Fields = Mapping[str, Any] | Problem
"""The fields of the body, or why there are none."""


def _fields(call: Call, notes: list[str]) -> Fields:
    """The fields of a JSON object, or the one value of a plain-text body."""
    if call.body is None:
        return _invalid_image("body too large")
    if not call.body:
        return _invalid_request("empty body")
    media_type = call.media_type
    if media_type == "application/json" or media_type.endswith("+json"):
        return _json(call)
    if media_type not in ("text/plain", "") or call.is_strict:
        return _invalid_request(f"content type {media_type or 'missing'}, not application/json")
    # A browser's fetch() sends a JSON string as text/plain unless it is given a content type.
    try:
        text = call.body.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        # It is no base64. Replacing the bytes of a large body would take long.
        text = call.body[: 4 * MAX_URL + 4].decode("utf-8-sig", "replace").strip()
    if text.startswith("{"):
        notes.append("JSON as plain text")
        return _json(call)
    notes.append("plain text")
    return {_FIELDS[0]: text}


def _json(call: Call) -> Fields:
    try:
        fields = parse_json(call.body or b"")
    except ValueError:
        return _invalid_request(f"invalid JSON{encoding_note(call)}")
    return fields if isinstance(fields, dict) else _invalid_request("the JSON is not an object")


def _key(call: Call, fields: Fields, notes: list[str]) -> str | None:
    parameters = call.parameters
    key = parameters.get("key")
    if not key and not call.is_strict and isinstance(fields, Mapping) and isinstance(fields.get("key"), str):
        key = fields["key"]
        notes.append("key in body")
    if source := parameters.get("source"):
        notes.append(f"source {source}")
    return key or None


def _why_no_key(call: Call, fields: Fields) -> str | None:
    if isinstance(fields, Mapping) and fields.get("key"):
        return (
            f"the key in the body {'is an alias, which strict mode refuses' if call.is_strict else 'is not a string'}"
        )
    elsewhere = next((name for name in _OTHER_KEY_HEADERS if call.headers.get(name)), None)
    return f"the key is read from the query parameter key, not from the header {elsewhere}" if elsewhere else None


def _picture(call: Call, product: Product, fields: Fields, notes: list[str]) -> bytes | str | Problem:
    """The picture's bytes, its URL, or what is wrong with it."""
    if isinstance(fields, Problem):
        return fields
    name = next((name for name in _FIELDS if fields.get(name)), None)
    if name is None:
        names = ", ".join(map(quoted, sorted(fields)[:5]))
        return _invalid_request(f"no {_FIELDS[0]} in the body" + (f"; it has {names}" if names else ""))
    if name != _FIELDS[0] and call.is_strict:
        return _invalid_request(f"the field {name} is an alias of {_FIELDS[0]}, which strict mode refuses")
    if name != _FIELDS[0]:
        notes.append(f"field {name}")
    text = fields[name]
    if not isinstance(text, str):
        return _invalid_image("the image is not a string")
    if is_url(text):
        return text.strip()
    if product is Product.PLATE and call.is_strict:
        return _invalid_image("the plate endpoint documents a URL only")
    try:
        image = decode_inline(text)
    except ValueError as error:
        return _invalid_image(str(error))
    if product is Product.PLATE:
        notes.append("base64 on the plate endpoint")
    return image


def _invalid_request(detail: str) -> Problem:
    return Problem(OutcomeName.INVALID_REQUEST, detail)


def _invalid_image(detail: str) -> Problem:
    return Problem(OutcomeName.INVALID_IMAGE, detail)
