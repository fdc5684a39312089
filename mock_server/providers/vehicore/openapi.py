"""VehiCore's path as OpenAPI describes it."""

from mock_server.core.model import Product
from mock_server.providers.provider import Description, Operation, Refusal

_UPLOAD = {
    "type": "object",
    "required": ["image"],
    "properties": {
        "image": {"type": "string", "format": "binary", "description": "JPG, PNG, etc."},
        "userLanguage": {"type": "string", "default": "en", "description": "Language code."},
    },
}
_TYPE = {
    "name": "type",
    "in": "path",
    "required": True,
    "description": "What to read.",
    "schema": {"enum": [product.value for product in Product]},
    "example": "plate",
}

DESCRIPTION = Description(
    operations={
        "/api/ocr/{type}": Operation(
            summary="Read a plate or a VIN from an uploaded image",
            body={
                "multipart/form-data": {
                    "schema": _UPLOAD,
                    "encoding": {"image": {"contentType": "image/*, application/octet-stream"}},
                }
            },
            read="VehiCoreResult",
            error="VehiCoreError",
            parameters=(_TYPE,),
            refusals=(Refusal.WRONG_METHOD, Refusal.UNKNOWN_PRODUCT),
        )
    },
    schemas={
        "VehiCoreResult": {
            "type": "object",
            "required": ["result"],
            "properties": {"result": {"type": "string", "description": "The text in the image."}},
        },
        "VehiCoreError": {
            "type": "object",
            "required": ["message"],
            "properties": {
                "message": {"type": "string"},
                "code": {"enum": ["VALIDATION_ERROR", "UNAUTHORIZED", "INSUFFICIENT_CREDITS", "RATE_LIMITED"]},
            },
        },
    },
    security={"type": "apiKey", "in": "header", "name": "X-API-Key"},
)
