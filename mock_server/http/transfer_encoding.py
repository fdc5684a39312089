"""The Content-Transfer-Encoding of a part of a form (RFC 2045, section 6).

RFC 7578 deprecates the header, and most servers ignore it. Some clients name an encoding that they do not apply.
"""

import binascii
import re
from collections.abc import Callable

_WORD = re.compile(r'[\s"]*([a-z0-9-]*)', re.IGNORECASE)
_WHITE_SPACE = b" \t\r\n"


def decode(data: memoryview, encoding: str) -> memoryview:
    """The data behind base64 or quoted-printable; data that is in no such encoding is returned as it is."""
    word = _WORD.match(encoding)
    decoder = _DECODERS.get(word[1].lower()) if word else None
    return data if decoder is None else memoryview(decoder(bytes(data)))


def _from_base64(data: bytes) -> bytes:
    try:
        return binascii.a2b_base64(data.translate(None, _WHITE_SPACE), strict_mode=True)
    except binascii.Error:
        return data


def _from_quoted_printable(data: bytes) -> bytes:
    return binascii.a2b_qp(data) if data.isascii() else data


_DECODERS: dict[str, Callable[[bytes], bytes]] = {"base64": _from_base64, "quoted-printable": _from_quoted_printable}
