"""CarsXE's replies: an outcome as status, JSON body and headers. Pure functions.

Errors are `{"success": false, "message": text}`, with the provider's own messages. The two endpoints answer an unknown
or missing key with different statuses. A 402 has payment requirements. No reply has Retry-After or rate-limit headers.
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from mock_server.core.account import Account
from mock_server.core.model import Outcome, OutcomeName, Product, Usage
from mock_server.core.reading import Candidate, PlateReading, Reading, Vehicle, VinReading
from mock_server.http.reply import Reply, json_reply
from mock_server.imaging.geometry import Box
from mock_server.providers.carsxe import wording
from mock_server.providers.provider import Refusal

_CONTENT_TYPE = b"application/json; charset=utf-8"
_NOTHING: Mapping[str | None, Mapping[Product, Mapping[str, Any]]] = {
    "empty_results": {Product.PLATE: {"results": []}, Product.VIN: {"candidates": []}},
    "missing_results": {Product.PLATE: {}, Product.VIN: {}},
}


def outcome(outcome: Outcome, product: Product) -> Reply:
    """The reply to an outcome."""
    if outcome.name is OutcomeName.READ:
        return _reply(200, _success(outcome, product, _found(outcome.reading or Reading(), product)), outcome.headers)
    if outcome.name is OutcomeName.NOTHING_FOUND and outcome.variant in _NOTHING:
        return _reply(200, _success(outcome, product, _NOTHING[outcome.variant][product]), outcome.headers)
    variant = outcome.name, outcome.variant
    answer = wording.ANSWERS_OF_VARIANTS[product].get(variant) or wording.ANSWERS[product][outcome.name]
    message = outcome.message or answer.message
    if answer.status == 200:
        return _reply(200, {"success": False, "error": message}, outcome.headers)
    if answer.status == 402:
        return _reply(402, wording.payment_requirements(product, message), outcome.headers)
    body: dict[str, Any] = {"success": False, "message": message}
    if answer.status == 429 and outcome.variant != "without_usage":
        if outcome.variant in wording.TIER_ENDINGS and not outcome.message:
            body["message"] = _tier_message(outcome, product)
        body["usage"] = _usage(outcome.usage or Usage(0, 0))
    return _reply(answer.status, body, outcome.headers)


def refusal(refusal: Refusal) -> Reply:
    """The reply to a call that is not a request to read a picture."""
    answer = wording.REFUSALS[refusal]
    return _reply(answer.status, {"success": False, "message": answer.message}, answer.headers)


def key_check(check: Account | Outcome) -> Reply:
    """The reply to a key check. Bad keys are refused as on the plate endpoint."""
    if isinstance(check, Account):
        email = re.sub(r"[^a-z0-9]+", "-", check.name.lower()).strip("-") or "user"
        return _reply(200, {"success": True, "active": True, "user": {"email": f"{email}@example.com"}}, {})
    return outcome(check, Product.PLATE)


def _reply(status: int, body: Mapping[str, Any], headers: Mapping[str, str]) -> Reply:
    return json_reply(status, body, headers, content_type=_CONTENT_TYPE)


def _success(outcome: Outcome, product: Product, found: Mapping[str, Any]) -> dict[str, Any]:
    message = outcome.message or (wording.CACHED if outcome.variant == "cached" else "")
    if product is Product.VIN:
        # The documented example has no message.
        return {"success": True, **({"message": message} if message else {}), **found}
    return {
        "success": True,
        "message": message,
        "processing_time": _processing_time(outcome.digest),
        **found,
        "camera_id": None,
        "filename": _filename(outcome.digest),
    }


@lru_cache(maxsize=1024)
def _found(reading: Reading, product: Product) -> Mapping[str, Any]:
    if product is Product.PLATE:
        return {"results": [_plate(plate) for plate in reading.plates]}
    return _vin(reading.vin) if reading.vin else {}


def _plate(plate: PlateReading) -> dict[str, Any]:
    region: dict[str, Any] = {"code": plate.region, "score": plate.region_score}
    if "region_score" in plate.omitted:
        del region["score"]
    fields = {
        "plate": plate.text.lower(),
        "box": _box(plate.box),
        "region": region,
        "score": plate.score,
        "dscore": plate.dscore,
        "candidates": [_plate_candidate(candidate) for candidate in plate.candidates],
        "vehicle": _vehicle(plate.vehicle),
    }
    return _without(plate.omitted, fields, text="plate")


def _plate_candidate(candidate: Candidate) -> dict[str, Any]:
    fields = {"plate": candidate.text.lower(), "score": candidate.score}
    return _without(candidate.omitted, fields, text="plate")


def _vehicle(vehicle: Vehicle | None) -> dict[str, Any] | None:
    if vehicle is None:
        return None
    return _without(vehicle.omitted, {"type": vehicle.type, "score": vehicle.score, "box": _box(vehicle.box)})


def _vin(vin: VinReading) -> dict[str, Any]:
    fields = {
        "vin": vin.text,
        "box": _box(vin.box),
        "confidence": vin.confidence,
        "candidates": [_vin_candidate(candidate) for candidate in vin.candidates],
    }
    return _without(vin.omitted, fields, text="vin")


def _vin_candidate(candidate: Candidate) -> dict[str, Any]:
    fields = {"vin": candidate.text, "confidence": candidate.score, "box": _box(candidate.box)}
    return _without(candidate.omitted, fields, text="vin", score="confidence")


def _without(omitted: Sequence[str], fields: dict[str, Any], **names: str) -> dict[str, Any]:
    """`fields` without those that a reading omits. `names` are the provider's names where they differ."""
    for name in omitted:
        fields.pop(names.get(name, name), None)
    return fields


def _box(box: Box | None) -> dict[str, int] | None:
    return {"xmin": box.xmin, "ymin": box.ymin, "xmax": box.xmax, "ymax": box.ymax} if box else None


def _usage(usage: Usage) -> dict[str, int | None]:
    return {"current": usage.current, "limit": usage.limit, "remaining": usage.remaining}


def _tier_message(outcome: Outcome, product: Product) -> str:
    usage = outcome.usage or Usage(0, 0)
    return (
        f"API limit exceeded for {wording.API_NAMES[product]} ({outcome.period}). Subscription tier: {outcome.tier}. "
        f"Current usage: {usage.current}, Limit: {usage.limit}.{wording.TIER_ENDINGS[outcome.variant]}"
    )


@lru_cache(maxsize=1024)
def _processing_time(digest: str) -> float:
    # In milliseconds. Computed from the picture, so that its reply stays the same.
    return round(40 + int(digest[:6] or "0", 16) % 140_000 / 1000, 3)


@lru_cache(maxsize=1024)
def _filename(digest: str) -> str:
    digest = digest.ljust(16, "0")
    return f"{int(digest[6:8], 16) % 24:02}_{int(digest[8:10], 16) % 60:02}_{digest[10:16]}.jpg"
