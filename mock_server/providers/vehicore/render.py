"""VehiCore's replies: an outcome as status, JSON body and headers. Pure functions.

Success is `{"result": text}`. An error is `{"message": text, "code": CODE}`; 500 has no code.
"""

import math
from collections.abc import Mapping
from typing import Any

from mock_server.core.model import PICTURE_OUTCOMES, Outcome, OutcomeName, Product
from mock_server.http.reply import Reply, json_reply
from mock_server.providers.provider import Answer, Refusal, outcomes_of_statuses

_UNAUTHORIZED = Answer(401, "Invalid or missing API key.", "UNAUTHORIZED")
_OUT_OF_CREDITS = Answer(
    402,
    "Insufficient credits for this product. Please purchase more credits on the Billing page.",
    "INSUFFICIENT_CREDITS",
)
_INVALID_IMAGE = Answer(400, "The uploaded file is not a valid or supported image.", "VALIDATION_ERROR")

_ANSWERS: Mapping[OutcomeName, Answer] = {
    OutcomeName.UNKNOWN_KEY: _UNAUTHORIZED,
    OutcomeName.MISSING_KEY: _UNAUTHORIZED,
    OutcomeName.INACTIVE_ACCOUNT: _UNAUTHORIZED,
    OutcomeName.BLOCKED_KEY: _UNAUTHORIZED,
    OutcomeName.OUT_OF_CREDITS: _OUT_OF_CREDITS,
    # VehiCore has no plans. An account without a product has no credits for it.
    OutcomeName.PLAN_EXCLUDED: _OUT_OF_CREDITS,
    OutcomeName.INVALID_IMAGE: _INVALID_IMAGE,
    OutcomeName.INVALID_REQUEST: Answer(400, "The request is not a valid multipart upload.", "VALIDATION_ERROR"),
    OutcomeName.RATE_LIMITED: Answer(429, "Too many requests. Please slow down.", "RATE_LIMITED"),
    OutcomeName.SERVICE_ERROR: Answer(500, "Unexpected server error. Please retry later."),
    OutcomeName.UPSTREAM_UNREACHABLE: Answer(500, "Unexpected server error. Please retry later."),
    OutcomeName.UPSTREAM_DOWN: Answer(500, "Unexpected server error. Please retry later."),
    OutcomeName.UPSTREAM_TIMEOUT: Answer(500, "Unexpected server error. Please retry later."),
    # VehiCore takes no payment for a single call.
    OutcomeName.PAYMENT_REQUIRED: _OUT_OF_CREDITS,
}

_VALIDATION_MESSAGES = {
    "missing": "Image file is required.",
    "too_large": "The uploaded image is too large.",
    "EmptyImageError": "The uploaded image is empty.",
    "UnsupportedImageError": "Unsupported image format.",
    "TooManyPixelsError": "The uploaded image is too large.",
    "validation_error": "No text could be recognized in the image.",
}

_REFUSALS: Mapping[Refusal, Answer] = {
    Refusal.UNKNOWN_PRODUCT: Answer(400, "Invalid OCR type. Expected plate or vin.", "VALIDATION_ERROR"),
    Refusal.WRONG_METHOD: Answer(405, "Method not allowed.", headers={"Allow": "POST"}),
    Refusal.NO_SUCH_PATH: Answer(404, "Not found."),
}

OUTCOME_OF_STATUS = outcomes_of_statuses(_ANSWERS)


def outcome(outcome: Outcome, product: Product) -> Reply:
    """The reply to an outcome."""
    headers = outcome.headers
    if outcome.name in PICTURE_OUTCOMES:
        if outcome.variant != "validation_error":
            text = _text(outcome, product)
            return json_reply(200, {} if text is None else {"result": text}, headers)
        return _error(_INVALID_IMAGE, outcome, headers)
    if outcome.name is OutcomeName.RATE_LIMITED:
        headers = {"retry-after": str(max(math.ceil(outcome.retry_after or 1), 1)), **headers}
    return _error(_ANSWERS[outcome.name], outcome, headers)


def refusal(refusal: Refusal) -> Reply:
    """The reply to a call that is not an upload."""
    answer = _REFUSALS[refusal]
    return json_reply(answer.status, _body(answer.message, answer.code), answer.headers)


def _text(outcome: Outcome, product: Product) -> str | None:
    """The text of the reply; None if the reading says that the reply has none."""
    reading = outcome.reading
    if outcome.name is not OutcomeName.READ or reading is None:
        return outcome.message or ""
    plate = next(iter(reading.plates), None)
    if product is Product.VIN and reading.vin is None and reading.text:
        return reading.text
    found = plate if product is Product.PLATE else reading.vin or plate
    if found is None:
        return ""
    return None if "text" in found.omitted else found.text


def _error(answer: Answer, outcome: Outcome, headers: Mapping[str, str]) -> Reply:
    message = answer.message
    if answer.status == 400:
        message = _VALIDATION_MESSAGES.get(outcome.variant or "", message)
    return json_reply(answer.status, _body(outcome.message or message, answer.code), headers)


def _body(message: str, code: str | None) -> dict[str, Any]:
    return {"message": message} if code is None else {"message": message, "code": code}
