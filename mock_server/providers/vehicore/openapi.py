"""VehiCore's call as OpenAPI."""

from mock_server.core.model import Product
from mock_server.providers.openapi import Call, Description
from mock_server.providers.provider import Refusal

DESCRIPTION = Description(
    title="VehiCore",
    calls=(
        Call(
            path="/api/ocr/{type}",
            summary="Read a plate or a VIN from an upload",
            products=(Product.PLATE, Product.VIN),
            parameters=(
                {
                    "name": "type",
                    "in": "path",
                    "required": True,
                    "description": "What is read.",
                    "schema": {"enum": [product.value for product in Product]},
                    "example": "plate",
                },
            ),
            body={
                "multipart/form-data": {
                    "schema": {
                        "type": "object",
                        "required": ["image"],
                        "properties": {
                            "image": {"type": "string", "format": "binary", "description": "JPG, PNG, etc."},
                            "userLanguage": {
                                "type": "string",
                                "default": "en",
                                "description": "Language code.",
                            },
                        },
                    },
                    "encoding": {"image": {"contentType": "image/*, application/octet-stream"}},
                }
            },
            read="VehiCoreResult",
            error="VehiCoreError",
            refusals=(Refusal.WRONG_METHOD, Refusal.UNKNOWN_PRODUCT),
        ),
    ),
    schemas={
        "VehiCoreResult": {
            "type": "object",
            "required": ["result"],
            "properties": {"result": {"type": "string", "description": "The text that was read."}},
        },
        "VehiCoreError": {
            "type": "object",
            "required": ["message"],
            "properties": {
                "message": {"type": "string"},
                "code": {
                    "enum": ["VALIDATION_ERROR", "UNAUTHORIZED", "INSUFFICIENT_CREDITS", "RATE_LIMITED"]
                },
            },
        },
    },
    security={"type": "apiKey", "in": "header", "name": "X-API-Key"},
)
