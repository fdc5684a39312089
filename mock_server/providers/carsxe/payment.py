"""The payment requirements of a 402, by the general x402 specification, version 1.

CarsXE documents that they exist, not what they contain. The network is a test network, so a client that pays spends no
money.
"""

from typing import Any

from mock_server.core.model import Product

HEADERS = ("payment-signature", "x-payment")
"""The headers that carry a payment."""

_PRICE = "30000"
"""In millionths of a US dollar."""
_DESCRIPTIONS = {Product.PLATE: "License plate recognition from an image", Product.VIN: "VIN OCR from an image"}
_USDC = "0x036CbD53842c5426634e7929541eC2318f3dCF7e"
_PAY_TO = "0x000000000000000000000000000000000000dEaD"


def requirements(product: Product, path: str, error: str) -> dict[str, Any]:
    """The body of a 402 for a product, whose endpoint has this path."""
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
                "resource": f"https://api.carsxe.com{path}",
                "description": _DESCRIPTIONS[product],
                "mimeType": "application/json",
                "maxTimeoutSeconds": 60,
                "extra": {"name": "USDC", "version": "2"},
            }
        ],
    }
