"""CarsXE's real service: its address, calls that cost nothing, and its replies as readings."""

from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Any

from mock_server.core.model import OutcomeName, Product
from mock_server.core.reading import OMITTED
from mock_server.providers.carsxe import wording
from mock_server.providers.provider import FreeCall, ReadingDocument, RealService

_NOTHING = (OutcomeName.NOTHING_FOUND, OutcomeName.NO_TEXT)
_OTHER_MEANINGS = (OMITTED, "null", "~")


def _free_calls(key: str | None) -> Iterator[FreeCall]:
    """Calls that are refused; without a key, only those that need none."""
    no_url = {"image_url": "no url"}
    for product, path in wording.PATHS.items():
        unknown = {"key": "no-such-key"}
        yield FreeCall(f"{product}, no key", f"carsxe-{product}-missing-key", path, json=no_url)
        yield FreeCall(f"{product}, unknown key", f"carsxe-{product}-unknown-key", path, query=unknown, json=no_url)
        yield FreeCall(f"{product}, GET", "carsxe-405", path, "GET", status_only=True)
    yield FreeCall("unknown path", "carsxe-eu-host", "/no-such-path", json=no_url, status_only=True)
    if key is None:
        return
    for product, path in wording.PATHS.items():
        known = {"key": key}
        yield FreeCall(f"{product}, no image", f"carsxe-{product}-missing-image", path, query=known, json={})
        yield FreeCall(f"{product}, no URL", "carsxe-invalid-image", path, query=known, json=no_url)


def _reading(reply: Mapping[str, Any], product: Product | None) -> ReadingDocument | None:
    """The reading behind a reply; None for another reply. Only what is on the picture is taken."""
    if isinstance(reply.get("results"), list):
        plates = [_plate(result) for result in reply["results"] if _text(result, "plate")]
        return {"plate": plates[0]} if len(plates) == 1 else {"plates": plates} if plates else {}
    if _text(reply, "vin"):
        return {"vin": _vin(reply)}
    if reply.get("success") is True:
        return {} if {"processing_time", "candidates"} & reply.keys() else None
    messages = {wording.ANSWERS[product][name].message for product in Product for name in _NOTHING}
    return {} if reply.get("message") in messages else None


def _plate(result: Mapping[str, Any]) -> ReadingDocument:
    region, vehicle = _mapping(result, "region"), _mapping(result, "vehicle")
    document = {
        "text": _text(result, "plate").upper(),
        "region": _word(region, "code") if region else _absent(result, "region"),
        "region_score": _score(region, "score") if region else None,
        "score": _score(result, "score"),
        "dscore": _score(result, "dscore"),
        "box": _box(result),
        "candidates": _candidates(result, "plate", "score"),
        "vehicle": _vehicle(vehicle) if _word(vehicle, "type") else _absent(result, "vehicle"),
    }
    return _given(document)


def _vehicle(vehicle: Mapping[str, Any]) -> ReadingDocument:
    box = _box(vehicle) or _absent(vehicle, "box")
    return _given({"type": _word(vehicle, "type"), "score": _score(vehicle, "score"), "box": box})


def _vin(reply: Mapping[str, Any]) -> ReadingDocument:
    return _given(
        {
            "text": _text(reply, "vin").upper(),
            "confidence": _score(reply, "confidence"),
            "box": _box(reply),
            "candidates": _candidates(reply, "vin", "confidence"),
        }
    )


def _candidates(reply: Mapping[str, Any], name: str, score: str) -> list[ReadingDocument] | str | None:
    found = reply.get("candidates")
    if not isinstance(found, list):
        return _absent(reply, "candidates")
    return [_candidate(one, name, score) for one in found if _text(one, name)]


def _candidate(candidate: Mapping[str, Any], name: str, score: str) -> ReadingDocument:
    document: ReadingDocument = {"text": _text(candidate, name).upper(), "score": _score(candidate, score)}
    if name == "vin":
        document["box"] = _box(candidate) or _absent(candidate, "box")
    return _given(document)


def _given(document: ReadingDocument) -> ReadingDocument:
    """The fields that have a value."""
    return {name: value for name, value in document.items() if value not in (None, "", [], {})}


def _absent(reply: Mapping[str, Any], name: str) -> str | None:
    """What a reading has for a field that the reply leaves out; None for a field without a usable value."""
    return None if name in reply else OMITTED


def _mapping(reply: Any, name: str) -> Mapping[str, Any]:
    value = reply.get(name) if isinstance(reply, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def _text(reply: Any, name: str) -> str:
    value = reply.get(name) if isinstance(reply, Mapping) else None
    return value.strip() if isinstance(value, str) else ""


def _word(reply: Any, name: str) -> str:
    """A text, unless it has another meaning in a fixture file."""
    text = _text(reply, name)
    return "" if text.lower() in _OTHER_MEANINGS else text


def _score(reply: Mapping[str, Any], name: str) -> float | str | None:
    value = reply.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return _absent(reply, name)
    return value if 0 <= value <= 1 else None


def _box(reply: Mapping[str, Any]) -> list[int] | None:
    corners: list[int] = []
    for name in ("xmin", "ymin", "xmax", "ymax"):
        corner = _mapping(reply, "box").get(name)
        # JSON that other programs write can have numbers without a finite value.
        if isinstance(corner, bool) or not isinstance(corner, int | float) or not isfinite(corner):
            return None
        corners.append(round(corner))
    return corners


SERVICE = RealService("https://api.carsxe.com", "CARSXE_API_KEY", "one call of the plan's quota", _free_calls, _reading)
