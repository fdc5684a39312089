"""Acme's wording: `{"scan": {…}}` with status 201, or `{"error": {"type", "detail"}}`."""

from datetime import UTC, datetime
from typing import Any

from mock_server.core.model import Outcome, OutcomeName, Product, ReadRequest
from mock_server.http.reply import Reply, json_reply
from mock_server.providers.provider import Refusal

_STATUSES = {
    OutcomeName.MISSING_KEY: 401,
    OutcomeName.UNKNOWN_KEY: 401,
    OutcomeName.INACTIVE_ACCOUNT: 403,
    OutcomeName.BLOCKED_KEY: 403,
    OutcomeName.PLAN_EXCLUDED: 403,
    OutcomeName.OUT_OF_CREDITS: 402,
    OutcomeName.RATE_LIMITED: 429,
    OutcomeName.INVALID_REQUEST: 422,
    OutcomeName.INVALID_IMAGE: 415,
}
OUTCOME_OF_STATUS = {
    201: OutcomeName.READ,
    404: OutcomeName.NOTHING_FOUND,
    **{status: name for name, status in _STATUSES.items()},
    500: OutcomeName.SERVICE_ERROR,
}
_REFUSALS = {Refusal.NO_SUCH_PATH: 404, Refusal.WRONG_METHOD: 405, Refusal.UNKNOWN_PRODUCT: 404}


def outcome(outcome: Outcome, request: ReadRequest) -> Reply:
    """The reply to an outcome."""
    if outcome.name is OutcomeName.READ:
        return json_reply(201, {"scan": _scan(outcome, request)}, outcome.headers)
    if outcome.name in (OutcomeName.NOTHING_FOUND, OutcomeName.NO_TEXT):
        if outcome.variant == "missing":
            return _error(404, "nothing_found", "Nothing found.", outcome)
        return json_reply(201, {"scan": {**_facts(request), "texts": []}}, outcome.headers)
    return _error(_STATUSES.get(outcome.name, 500), outcome.name.value, "Refused.", outcome)


def refusal(refusal: Refusal) -> Reply:
    """The reply to a call that is not an upload."""
    return json_reply(_REFUSALS[refusal], {"error": {"type": refusal.value, "detail": "Refused."}})


def _scan(outcome: Outcome, request: ReadRequest) -> dict[str, Any]:
    reading = outcome.reading
    if reading is None:
        return {**_facts(request), "texts": []}
    vin = [reading.vin.text] if reading.vin else []
    texts = [plate.text for plate in reading.plates] if request.product is Product.PLATE else vin
    return {**_facts(request), "texts": texts}


def _facts(request: ReadRequest) -> dict[str, Any]:
    time = datetime.fromtimestamp(request.received_at, UTC)
    return {"file": request.filename, "time": time.isoformat()}


def _error(status: int, kind: str, detail: str, outcome: Outcome) -> Reply:
    body = {"error": {"type": kind, "detail": outcome.message or detail}}
    return json_reply(status, body, outcome.headers)
