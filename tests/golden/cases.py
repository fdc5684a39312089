"""The request for each golden file.

A case reaches its outcome as a client does (with a key, a picture, a broken body) where that is possible, otherwise by
a `Prefer` header or a scenario of the fixtures.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support import CARSXE_PATHS, picture

_PICTURES = {"plate": "car", "vin": "vin"}
_KEYS = {
    "unknown_key": "nobody",
    "inactive_account": "inactive-key",
    "blocked_key": "blocked-key",
    "plan_excluded": "basic-plan-key",
    "out_of_credits": "no-credits",
    "rate_limited": "metered-key",
}
_CARSXE_VARIANTS = {
    "read-cached": "cached",
    "nothing_found-empty_results": "empty-results",
    "nothing_found-missing_results": "missing-results",
    "no_text-not_found": "no-text-not-found",
    "missing_key-unauthorized": "missing-key-unauthorized",
    "unknown_key-unauthorized": "unknown-key-unauthorized",
    "inactive_account-api_billing_page": "api-billing-page",
    "out_of_credits-without_usage": "without-usage",
    "out_of_credits-tier_message": "tier-message",
    "out_of_credits-tier_message_upgrade": "tier-message-upgrade",
    "out_of_credits-tier_message_overage": "tier-message-overage",
    "rate_limited-without_usage": "rate-without-usage",
    "rate_limited-upstream": "upstream",
    "service_error-internal_error": "internal-error",
    "service_error-internal_authentication": "internal-authentication",
    "service_error-error_field": "error-field",
}
"""The variants of CarsXE's outcomes, each with the scenario that answers so."""
_PREFERRED = (
    "rate_limited",
    "service_error",
    "upstream_unreachable",
    "upstream_down",
    "upstream_timeout",
    "payment_required",
)


@dataclass(frozen=True)
class GoldenCase:
    """A request and the name of the file that holds its reply."""

    provider: str
    name: str
    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)
    """Further arguments of httpx; `{gallery}` in a JSON text is replaced with the URL of the server's gallery."""

    @property
    def file(self) -> str:
        return f"{self.provider}/{self.name}.json"


def cases() -> Iterator[GoldenCase]:
    """All of them."""
    for product in _PICTURES:
        yield from _vehicore(product)
        yield from _carsxe(product)
    yield GoldenCase("vehicore", "unknown_type", "POST", "/api/ocr/passport")
    yield GoldenCase("vehicore", "no_such_path", "GET", "/billing", headers={"Host": "vehicore-api.dev-stage.fyi"})
    yield GoldenCase("carsxe", "no_such_path", "GET", "/specs", headers={"Host": "api.carsxe.com"})


def _pictures(product: str) -> dict[str, str]:
    """The picture for each outcome."""
    if product == "plate":
        return {"read": "car", "read-two_cars": "two-cars", "nothing_found": "no-plate", "no_text": "no-text"}
    return {"read": "vin", "read-free_text": "label", "nothing_found": "no-plate", "no_text": "no-text"}


def _headers(outcome: str) -> dict[str, str]:
    return {"Prefer": f"outcome={outcome}"} if outcome in _PREFERRED else {}


def _vehicore(product: str) -> Iterator[GoldenCase]:
    def case(
        name: str, image: bytes, key: str | None = "demo-key", headers: Mapping[str, str] | None = None
    ) -> GoldenCase:
        sent = {**({"X-API-Key": key} if key else {}), **(headers or {})}
        files = {"image": ("photo.jpg", image)}
        return GoldenCase(
            "vehicore", f"{product}-{name}", "POST", f"/api/ocr/{product}", headers=sent, body={"files": files}
        )

    known = picture(_PICTURES[product])
    for name, image in _pictures(product).items():
        yield case(name, picture(image))
    for outcome in dict.fromkeys((*_KEYS, *_PREFERRED)):
        yield case(outcome, known, _KEYS.get(outcome, "demo-key"), _headers(outcome))
    if product == "vin":
        yield case("read-plate_text", picture("car"))
    yield case("missing_key", known, None)
    yield case("invalid_image", b"no picture")
    yield case("invalid_image-empty", b"")
    yield case("nothing_found-validation_error", known, headers={"X-Scenario": "validation-error"})
    yield case("no_text-validation_error", known, headers={"X-Scenario": "no-text-validation-error"})
    yield case("nothing_found-empty_result", known, headers={"X-Scenario": "empty-result"})
    path, headers = f"/api/ocr/{product}", {"X-API-Key": "demo-key"}
    yield GoldenCase("vehicore", f"{product}-invalid_request", "POST", path, headers=headers)
    other = {"files": {"other": ("photo.jpg", known)}}
    yield GoldenCase("vehicore", f"{product}-invalid_request-missing", "POST", path, headers=headers, body=other)
    yield GoldenCase("vehicore", f"{product}-wrong_method", "GET", path)


def _carsxe(product: str) -> Iterator[GoldenCase]:
    endpoint = CARSXE_PATHS[product].rpartition("/")[2]

    def case(
        name: str, fields: Mapping[str, str], key: str | None = "demo-key", headers: Mapping[str, str] | None = None
    ) -> GoldenCase:
        return GoldenCase(
            "carsxe",
            f"{endpoint}-{name}",
            "POST",
            CARSXE_PATHS[product],
            query={"key": key} if key else {},
            headers=headers or {},
            body={"json": fields},
        )

    known = {"image_url": f"{{gallery}}/{_PICTURES[product]}.jpg"}
    for name, image in _pictures(product).items():
        if name != "read-free_text":
            yield case(name, {"image_url": f"{{gallery}}/{image}.jpg"})
    yield case("read-newer_example", known, headers={"X-Scenario": "newer-example"})
    for outcome in dict.fromkeys((*_KEYS, *_PREFERRED)):
        yield case(outcome, known, _KEYS.get(outcome, "demo-key"), _headers(outcome))
    yield case("missing_key", known, None)
    yield case("invalid_request", {})
    yield case("invalid_image", {"image_url": "no picture"})
    for variant, scenario in _CARSXE_VARIANTS.items():
        yield case(variant, known, "metered-key", {"X-Scenario": scenario})
    yield GoldenCase("carsxe", f"{endpoint}-wrong_method", "GET", CARSXE_PATHS[product])
