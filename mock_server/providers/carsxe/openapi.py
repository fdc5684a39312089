"""CarsXE's paths as OpenAPI describes them. Every field of a success is optional, and there may be further fields."""

from typing import Any

from mock_server.providers.provider import Description, Operation

_SCORE = {"type": "number", "minimum": 0, "maximum": 1}
_BOX = {"$ref": "#/components/schemas/CarsXEBox"}


def _body(description: str, example: str) -> dict[str, Any]:
    return {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["image_url"],
                "properties": {"image_url": {"type": "string", "description": description}},
            },
            "example": {"image_url": example},
        }
    }


DESCRIPTION = Description(
    operations={
        "/platerecognition": Operation(
            summary="Read licence plates from an image URL",
            body=_body("URL of the image.", "https://example.com/car.jpg"),
            read="CarsXEPlates",
            error="CarsXEError",
        ),
        "/v1/vinocr": Operation(
            summary="Read a VIN from an image URL or a base64 image",
            body=_body("URL of the image, or the image in base64.", "https://example.com/vin.jpg"),
            read="CarsXEVin",
            error="CarsXEError",
        ),
    },
    schemas={
        "CarsXEBox": {
            "type": "object",
            "description": "Top-left and bottom-right corner, in pixels of the image that was sent.",
            "properties": {side: {"type": "integer"} for side in ("xmin", "ymin", "xmax", "ymax")},
        },
        "CarsXEPlates": {
            "type": "object",
            "required": ["success"],
            "properties": {
                "success": {"const": True},
                "message": {"type": "string"},
                "processing_time": {"type": "number", "description": "Milliseconds."},
                "results": {"type": "array", "items": {"$ref": "#/components/schemas/CarsXEPlate"}},
                "camera_id": {"type": ["string", "null"]},
                "filename": {"type": "string"},
            },
        },
        "CarsXEPlate": {
            "type": "object",
            "properties": {
                "plate": {"type": "string", "description": "In lower case."},
                "box": _BOX,
                "region": {"type": "object", "properties": {"code": {"type": ["string", "null"]}, "score": _SCORE}},
                "score": _SCORE,
                "dscore": _SCORE,
                "candidates": {
                    "type": "array",
                    "items": {"type": "object", "properties": {"plate": {"type": "string"}, "score": _SCORE}},
                },
                "vehicle": {
                    "type": ["object", "null"],
                    "properties": {"type": {"type": "string"}, "score": _SCORE, "box": _BOX},
                },
            },
        },
        "CarsXEVin": {
            "type": "object",
            "required": ["success"],
            "properties": {
                "success": {"const": True},
                "vin": {"type": "string"},
                "box": _BOX,
                "confidence": _SCORE,
                "candidates": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {"vin": {"type": "string"}, "confidence": _SCORE, "box": _BOX},
                    },
                },
            },
        },
        "CarsXEError": {
            "type": "object",
            "required": ["success", "message"],
            "properties": {
                "success": {"const": False},
                "message": {"type": "string"},
                "usage": {
                    "type": "object",
                    "properties": {name: {"type": ["integer", "null"]} for name in ("current", "limit", "remaining")},
                },
            },
        },
    },
    security={"type": "apiKey", "in": "query", "name": "key"},
)
