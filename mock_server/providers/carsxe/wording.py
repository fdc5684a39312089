"""CarsXE's wording: the status and the text of each outcome, and of its documented alternatives (variants).

The two endpoints answer a missing or unknown key with different statuses; the general Errors page has one for both.
"""

from collections.abc import Mapping
from typing import Any

from mock_server.core.model import OutcomeName, Product
from mock_server.providers.provider import Answer, Refusal, outcomes_of_statuses

PATHS = {Product.PLATE: "/platerecognition", Product.VIN: "/v1/vinocr"}
"""The documented path of each product."""

VARIANTS: Mapping[OutcomeName, tuple[str, ...]] = {
    OutcomeName.READ: ("fresh", "cached"),
    OutcomeName.NOTHING_FOUND: ("not_found", "empty_results", "missing_results"),
    OutcomeName.NO_TEXT: ("bad_request", "not_found"),
    OutcomeName.MISSING_KEY: ("by_endpoint", "unauthorized"),
    OutcomeName.UNKNOWN_KEY: ("by_endpoint", "unauthorized"),
    OutcomeName.INACTIVE_ACCOUNT: ("billing_page", "api_billing_page"),
    OutcomeName.OUT_OF_CREDITS: (
        "usage",
        "without_usage",
        "tier_message",
        "tier_message_upgrade",
        "tier_message_overage",
    ),
    OutcomeName.RATE_LIMITED: ("usage", "without_usage", "upstream"),
    OutcomeName.SERVICE_ERROR: ("no_information", "internal_error", "internal_authentication", "error_field"),
}
"""The variants of each outcome, the default first."""

CACHED = "The response is from the cache"
"""The message of a reading with the variant `cached`."""

TIER_ENDINGS: Mapping[str | None, str] = {
    "tier_message": "",
    "tier_message_upgrade": " Please upgrade your tier to continue using the API.",
    "tier_message_overage": (
        " Enable overage billing in your dashboard billing preferences to continue with overage charges"
    ),
}
"""How the second text of a 429 ends: bare, for a one-time allowance, or while overage billing is off."""

API_NAMES = {Product.PLATE: "plate_image_recognition", Product.VIN: "vin_optical_character_recognition"}
"""The names of the two APIs in the second text of a 429."""

_USER_NOT_FOUND = "User with this API key was not found or the API key is disabled"
_INACTIVE = "User with this API key is not active. To activate update your billing on "
_NO_INFORMATION = "Could not get information at this time"
_UPSTREAM_DOWN = Answer(503, "Cannot access the internet at this time")

_BOTH: Mapping[OutcomeName, Answer] = {
    OutcomeName.INACTIVE_ACCOUNT: Answer(401, _INACTIVE + "https://carsxe.com/dashboard/billing"),
    OutcomeName.BLOCKED_KEY: Answer(
        403, "This API key has been blocked, please contact support if you believe this is an error."
    ),
    OutcomeName.PLAN_EXCLUDED: Answer(
        403,
        "This API is not available for your current subscription tier. "
        "Visit https://carsxe.com/pricing to review upgrade options.",
    ),
    OutcomeName.INVALID_IMAGE: Answer(400, "Invalid image data format. Must be a valid URL or base64 encoded string."),
    OutcomeName.OUT_OF_CREDITS: Answer(429, "API usage limit exceeded"),
    OutcomeName.RATE_LIMITED: Answer(429, "API usage limit exceeded"),
    OutcomeName.SERVICE_ERROR: Answer(500, _NO_INFORMATION),
    OutcomeName.UPSTREAM_UNREACHABLE: Answer(502, "Could not fetch data"),
    OutcomeName.UPSTREAM_DOWN: _UPSTREAM_DOWN,
    OutcomeName.UPSTREAM_TIMEOUT: Answer(504, "Request timed out. Please try again."),
    OutcomeName.PAYMENT_REQUIRED: Answer(402, "X-PAYMENT header is required"),
}

ANSWERS: Mapping[Product, Mapping[OutcomeName, Answer]] = {
    Product.PLATE: {
        OutcomeName.UNKNOWN_KEY: Answer(401, _USER_NOT_FOUND),
        OutcomeName.MISSING_KEY: Answer(401, "Missing API key"),
        OutcomeName.INVALID_REQUEST: Answer(400, "Missing upload URL"),
        OutcomeName.NOTHING_FOUND: Answer(404, "No plates detected in image"),
        OutcomeName.NO_TEXT: Answer(404, "No plates detected in image"),
        **_BOTH,
    },
    Product.VIN: {
        OutcomeName.NOTHING_FOUND: Answer(404, "No valid VIN candidates found in the image"),
        OutcomeName.UNKNOWN_KEY: Answer(404, _USER_NOT_FOUND),
        OutcomeName.NO_TEXT: Answer(400, "No text detected in the image"),
        OutcomeName.INVALID_REQUEST: Answer(400, "Missing image data"),
        OutcomeName.MISSING_KEY: Answer(400, "Missing API key"),
        **_BOTH,
    },
}
"""The status and the text of each outcome, where it is an error."""

_BOTH_VARIANTS: Mapping[tuple[OutcomeName, str | None], Answer] = {
    (OutcomeName.INACTIVE_ACCOUNT, "api_billing_page"): Answer(
        401, _INACTIVE + "https://api.carsxe.com/dashboard/billing"
    ),
    (OutcomeName.RATE_LIMITED, "upstream"): _UPSTREAM_DOWN,
    (OutcomeName.SERVICE_ERROR, "internal_error"): Answer(500, "Internal server error"),
    (OutcomeName.SERVICE_ERROR, "internal_authentication"): Answer(
        500, "Unable to authenticate internal request (code CV-001). Please try again later"
    ),
    (OutcomeName.SERVICE_ERROR, "error_field"): Answer(200, _NO_INFORMATION),
}

ANSWERS_OF_VARIANTS: Mapping[Product, Mapping[tuple[OutcomeName, str | None], Answer]] = {
    Product.PLATE: _BOTH_VARIANTS,
    Product.VIN: {
        (OutcomeName.MISSING_KEY, "unauthorized"): Answer(401, "Missing API key"),
        (OutcomeName.UNKNOWN_KEY, "unauthorized"): Answer(401, _USER_NOT_FOUND),
        (OutcomeName.NO_TEXT, "not_found"): Answer(404, "No text detected in the image"),
        **_BOTH_VARIANTS,
    },
}
"""The variants with another status or text than their outcome."""

REFUSALS: Mapping[Refusal, Answer] = {
    Refusal.WRONG_METHOD: Answer(405, "Method not allowed", headers={"Allow": "POST"}),
    Refusal.NO_SUCH_PATH: Answer(404, "Not found"),
    Refusal.UNKNOWN_PRODUCT: Answer(404, "Not found"),
}

OUTCOME_OF_STATUS = {product: outcomes_of_statuses(answers) for product, answers in ANSWERS.items()}

PAYMENT_HEADERS = ("payment-signature", "x-payment")
"""The headers that carry a payment."""

_PRICE = "30000"
"""In millionths of a US dollar."""
_DESCRIPTIONS = {Product.PLATE: "License plate recognition from an image", Product.VIN: "VIN OCR from an image"}
_USDC = "0x036CbD53842c5426634e7929541eC2318f3dCF7e"
_PAY_TO = "0x000000000000000000000000000000000000dEaD"


def payment_requirements(product: Product, error: str) -> dict[str, Any]:
    """The body of a 402 for a product, by the general x402 specification, version 1.

    CarsXE documents that there are requirements, not which. The network is a test network: a client spends no money.
    """
    return {
        "x402Version": 1,
        "error": error,
        "accepts": [
            {
                "scheme": "exact",
                "network": "base-sepolia",
                "maxAmountRequired": _PRICE,
                "asset": _USDC,
                "payTo": _PAY_TO,
                "resource": f"https://api.carsxe.com{PATHS[product]}",
                "description": _DESCRIPTIONS[product],
                "mimeType": "application/json",
                "maxTimeoutSeconds": 60,
                "extra": {"name": "USDC", "version": "2"},
            }
        ],
    }
