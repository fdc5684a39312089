"""VehiCore's wire format: which calls are its own, and how an upload becomes a request."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mock_server.core.model import Outcome, OutcomeName, Problem, Product, ReadRequest
from mock_server.core.provider_traits import Billing, Traits
from mock_server.errors import MultipartError
from mock_server.http.multipart import Form, Part, parse_multipart
from mock_server.http.reply import Reply
from mock_server.providers.provider import Call, Refusal, Route
from mock_server.providers.vehicore import render

if TYPE_CHECKING:
    from mock_server.providers.openapi import Description

_PREFIX = "/api/ocr/"
_ROUTES = {product.value: Route(product) for product in Product}
_UNKNOWN_PRODUCT = Route(refusal=Refusal.UNKNOWN_PRODUCT)
_WRONG_METHOD = Route(refusal=Refusal.WRONG_METHOD)


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

    @property
    def description(self) -> "Description":
        """What OpenAPI says of it; nothing else asks."""
        from mock_server.providers.vehicore.openapi import DESCRIPTION

        return DESCRIPTION

    def route(self, method: str, path: str, *, strict: bool) -> Route | None:
        """`/api/ocr/{type}`; the path is looked at before the method."""
        if not path.startswith(_PREFIX) or "/" in path[len(_PREFIX) :] or path == _PREFIX:
            return None
        route = _ROUTES.get(path[len(_PREFIX) :])
        if route is None:
            return _UNKNOWN_PRODUCT
        return route if method == "POST" else _WRONG_METHOD

    def parse(self, call: Call, product: Product, *, strict: bool) -> ReadRequest:
        """An upload: the part `image` decides, its declared type and file name do not."""
        upload = _upload(call)
        return ReadRequest(
            self.traits.name,
            product,
            call.headers.get("x-api-key", "").strip() or None,
            upload.image,
            filename=upload.filename,
            language=upload.language,
            headers=call.headers,
            problem=upload.problem,
        )

    def render(self, outcome: Outcome, product: Product) -> Reply:
        """The reply to an outcome."""
        return render.outcome(outcome, product)

    def refuse(self, refusal: Refusal) -> Reply:
        """The reply to a call that is no upload."""
        return render.refusal(refusal)

    def outcome_of_status(self, status: int, product: Product) -> OutcomeName | None:
        """The outcome behind a status."""
        return render.OUTCOME_OF_STATUS.get(status)


@dataclass(frozen=True, slots=True)
class _Upload:
    """What a body came to: a picture, or what is wrong with it."""

    image: memoryview | None = None
    filename: str | None = None
    language: str = "en"
    problem: Problem | None = None


def _upload(call: Call) -> _Upload:
    if call.body is None:
        return _Upload(problem=Problem(OutcomeName.INVALID_IMAGE, "body too large", "too_large"))
    if call.media_type != "multipart/form-data":
        return _Upload(problem=Problem(OutcomeName.INVALID_REQUEST, "not multipart/form-data"))
    try:
        form = parse_multipart(call.headers["content-type"], call.body)
    except MultipartError as error:
        return _Upload(problem=Problem(OutcomeName.INVALID_REQUEST, str(error)))
    return _of_form(form)


def _of_form(form: Form) -> _Upload:
    asked = form.first("userLanguage")
    language = (asked.text.strip() if asked is not None and asked.filename is None else "") or "en"
    image = _image(form)
    if image is None:
        return _missing("no part named image", language)
    if image.filename is None:
        return _missing("the part named image is a text field, not a file", language)
    if not image.data:
        empty = Problem(OutcomeName.INVALID_IMAGE, "the file is empty", "EmptyImageError")
        return _Upload(language=language, problem=empty)
    return _Upload(image.data, image.filename, language)


def _image(form: Form) -> Part | None:
    for part in form:
        if part.name == "image" and part.filename is not None:
            return part
    return form.first("image")


def _missing(detail: str, language: str) -> _Upload:
    return _Upload(language=language, problem=Problem(OutcomeName.INVALID_REQUEST, detail, "missing"))
