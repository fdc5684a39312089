"""VehiCore OCR: `POST /api/ocr/{plate|vin}`, multipart uploads, an `X-API-Key`, prepaid credits."""

from mock_server.providers.vehicore.api import VehiCore

__all__ = ["VehiCore"]
