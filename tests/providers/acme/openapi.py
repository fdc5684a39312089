"""Acme's path as OpenAPI describes it."""

from mock_server.providers.provider import Description, Operation, Refusal

_UPLOAD = {"type": "object", "required": ["upload"], "properties": {"upload": {"type": "string", "format": "binary"}}}
_SCAN = {
    "type": "object",
    "required": ["file", "time", "texts"],
    "properties": {
        "file": {"type": ["string", "null"]},
        "time": {"type": "string", "format": "date-time"},
        "texts": {"type": "array", "items": {"type": "string"}},
    },
}

DESCRIPTION = Description(
    operations={
        "/v3/{kind}/scans": Operation(
            summary="Read a number plate or a chassis number",
            body={"multipart/form-data": {"schema": _UPLOAD}},
            read="AcmeScan",
            error="AcmeError",
            parameters=(
                {
                    "name": "kind",
                    "in": "path",
                    "required": True,
                    "schema": {"enum": ["number-plates", "chassis-numbers"]},
                },
            ),
            refusals=(Refusal.WRONG_METHOD, Refusal.UNKNOWN_PRODUCT),
        )
    },
    schemas={
        "AcmeScan": {"type": "object", "required": ["scan"], "properties": {"scan": _SCAN}},
        "AcmeError": {
            "type": "object",
            "required": ["error"],
            "properties": {
                "error": {
                    "type": "object",
                    "required": ["type", "detail"],
                    "properties": {"type": {"type": "string"}, "detail": {"type": "string"}},
                }
            },
        },
    },
    security={"type": "http", "scheme": "token"},
)
