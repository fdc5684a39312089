"""VehiCore's wire format: which calls are its own, and how an upload becomes a request."""

from collections.abc import Collection
from dataclasses import replace

from mock_server.core.model import Outcome, OutcomeName, Problem, Product, ReadRequest
from mock_server.core.provider import Billing, Traits
from mock_server.errors import MultipartError
from mock_server.http.multipart import Form, parse_multipart
from mock_server.http.reply import Reply
from mock_server.providers.base import Call, Refusal, Route
from mock_server.providers.vehicore import render
from mock_server.providers.vehicore.openapi import DESCRIPTION

_PREFIX = "/api/ocr/"
_PRODUCTS = {product.value: product for product in Product}


class VehiCore:
    """The provider VehiCore."""

    traits = Traits(
        name="vehicore",
        billing=Billing.CREDITS,
        charged=frozenset({OutcomeName.READ}),
        variants={
            OutcomeName.NOTHING_FOUND: ("empty_result", "validation_error"),
            OutcomeName.NO_TEXT: ("empty_result", "validation_error"),
        },
        free_text=True,
    )
    hosts: Collection[str] = ("vehicore-api.dev-stage.fyi",)
    description = DESCRIPTION

    def route(self, method: str, path: str, *, strict: bool) -> Route | None:
        """`/api/ocr/{type}`; the path is looked at before the method."""
        if not path.startswith(_PREFIX) or "/" in path[len(_PREFIX) :] or path == _PREFIX:
            return None
        product = _PRODUCTS.get(path[len(_PREFIX) :])
        if product is None:
            return Route(refusal=Refusal.UNKNOWN_PRODUCT)
        return Route(product) if method == "POST" else Route(refusal=Refusal.WRONG_METHOD)

    def parse(self, call: Call, product: Product, *, strict: bool) -> ReadRequest:
        """An upload: the part `image` decides, its declared type and file name do not."""
        request = ReadRequest(
            self.traits.name, product, call.headers.get("x-api-key", "").strip() or None, headers=call.headers
        )
        if call.body is None:
            return _with_problem(request, "body too large", OutcomeName.INVALID_IMAGE, "too_large")
        if call.media_type != "multipart/form-data":
            return _with_problem(request, "not multipart/form-data")
        try:
            form = parse_multipart(call.headers["content-type"], call.body)
        except MultipartError as error:
            return _with_problem(request, str(error))
        return _read_form(request, form)

    def render(self, outcome: Outcome, product: Product) -> Reply:
        """The reply to an outcome."""
        return render.outcome(outcome, product)

    def refuse(self, refusal: Refusal) -> Reply:
        """The reply to a call that is no upload."""
        return render.refusal(refusal)

    def outcome_of_status(self, status: int, product: Product) -> OutcomeName | None:
        """The outcome behind a status."""
        return render.OUTCOME_OF_STATUS.get(status)


def _read_form(request: ReadRequest, form: Form) -> ReadRequest:
    language = form.first("userLanguage")
    if language is not None and language.filename is None:
        request = replace(request, language=language.text.strip() or "en")
    files = (part for part in form if part.name == "image" and part.filename is not None)
    image = next(files, None) or form.first("image")
    if image is None:
        return _with_problem(request, "no part named image", variant="missing")
    if image.filename is None:
        return _with_problem(request, "the part named image is a text field, not a file", variant="missing")
    if not image.data:
        return _with_problem(request, "the file is empty", OutcomeName.INVALID_IMAGE, "EmptyImageError")
    return replace(request, image=image.data, filename=image.filename)


def _with_problem(
    request: ReadRequest,
    detail: str,
    outcome: OutcomeName = OutcomeName.INVALID_REQUEST,
    variant: str | None = None,
) -> ReadRequest:
    return replace(request, problem=Problem(outcome, detail, variant))
