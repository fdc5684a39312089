"""VehiCore's real service: its address, calls that cost nothing, and its replies as readings."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from mock_server.core.model import Product
from mock_server.providers.provider import FreeCall, ReadingDocument, RealService

_VIN = r"[A-HJ-NPR-Z0-9]{17}"
_NO_PICTURE = {"image": ("note.txt", b"no picture", "text/plain")}
_OTHER_PART = {"other": ("note.txt", b"no picture", "text/plain")}
_MESSAGE = ("message",)
"""Codes and statuses are documented, messages are not."""


def _free_calls(key: str | None) -> Iterator[FreeCall]:
    """Calls that are refused; without a key, only those that need none."""
    for product in Product:
        path, unknown = f"/api/ocr/{product}", {"X-API-Key": "no-such-key"}
        yield FreeCall(f"{product}, no key", "vehicore-401-missing-key", path, files=_NO_PICTURE, undocumented=_MESSAGE)
        yield FreeCall(
            f"{product}, unknown key",
            "vehicore-401-unknown-key",
            path,
            headers=unknown,
            files=_NO_PICTURE,
            undocumented=_MESSAGE,
        )
        yield FreeCall(f"{product}, GET", "vehicore-405", path, "GET", status_only=True)
    yield FreeCall("unknown path", "vehicore-404", "/api/no-such-path", files=_NO_PICTURE, status_only=True)
    if key is None:
        return
    known = {"X-API-Key": key}
    for product in Product:
        path = f"/api/ocr/{product}"
        for name, row, sent in (
            ("no image", "vehicore-400-missing-image", {"files": _OTHER_PART}),
            ("text as the image", "vehicore-400-not-an-image", {"files": _NO_PICTURE}),
            ("JSON body", "vehicore-400-not-multipart", {"json": {}}),
        ):
            yield FreeCall(f"{product}, {name}", row, path, headers=known, undocumented=_MESSAGE, **sent)


def _reading(reply: Mapping[str, Any], product: Product | None) -> ReadingDocument | None:
    """The reading behind `{"result": text}`; None for another reply. Without a product, the text decides."""
    text = reply.get("result")
    if not isinstance(text, str):
        return None
    text = text.strip()
    if not text:
        return {}
    is_vin = re.fullmatch(_VIN, text, re.IGNORECASE) is not None
    if product is None:
        product = Product.VIN if is_vin else Product.PLATE
    if product is Product.PLATE:
        return {"plate": {"text": text}}
    return {"vin": {"text": text}} if is_vin else {"text": text}


SERVICE = RealService(
    "https://api.vehicore.pro", "VEHICORE_API_KEY", "one credit if something is recognised", _free_calls, _reading
)
