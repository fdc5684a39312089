"""The value of CarsXE's image field: a URL, a `data:` URL or base64."""

import re
from urllib.parse import unquote_to_bytes

import pybase64

_URL = re.compile(r"https?://[^/?#\s]", re.IGNORECASE)
_SPACE = re.compile(r"\s+")
_DATA = re.compile(r"data:([^,]*),", re.IGNORECASE)


class InvalidReferenceError(ValueError):
    """A value that is neither a URL nor base64; the text says what was tried."""


def is_url(value: str) -> bool:
    """Whether a value is an absolute http(s) URL."""
    return _URL.match(value.strip()) is not None


def decode_inline(value: str) -> bytes:
    """The bytes of a `data:` URL or of base64 text: standard or URL-safe alphabet, padded or not, spaces ignored.

    Raises InvalidReferenceError.
    """
    value = value.strip()
    if match := _DATA.match(value):
        payload = value[match.end() :]
        return _base64(payload) if match[1].lower().endswith(";base64") else unquote_to_bytes(payload)
    return _base64(value)


def _base64(text: str) -> bytes:
    try:
        return pybase64.b64decode(text, validate=True)
    except ValueError:
        pass
    text = _SPACE.sub("", text)
    if "%" in text:
        # Inside a data: URL the alphabet's own "+", "/" and "=" may be percent-encoded.
        text = unquote_to_bytes(text).decode("latin-1")
    text = text.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return pybase64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError as error:
        raise InvalidReferenceError(f"neither a URL nor base64: {error}") from None
