"""How clients send a picture: as a file in a form, as a `data:` URL, or in base64. Shared by the providers."""

import binascii
import json
import re
from dataclasses import dataclass
from typing import Any

import orjson
import pybase64

from mock_server import tuning
from mock_server.core.model import OutcomeName, Problem
from mock_server.errors import MultipartError
from mock_server.http.multipart import Form, Part, parse_multipart
from mock_server.providers.provider import Call
from mock_server.suggest import quoted

_URL = re.compile(r"https?://[^/?#\s]", re.IGNORECASE)
_DATA_URL = re.compile(r"data:([^,]{0,1000}+),", re.IGNORECASE)
_FROM_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_PERCENT_TO_EQUALS = bytes.maketrans(b"%", b"=")
_LARGE_JSON = 250_000  # bytes
_MAX_VALUES = 100_000  # of a large JSON body
_BEFORE_VALUES = (b",", b"[", b"{")
_WHITE_SPACE = b" \t\r\n\v\f"


@dataclass(slots=True)
class Upload:
    """A form with a picture. `image` is None where `problem` says why; `form` is None where there is no form."""

    form: Form | None = None
    image: memoryview | None = None
    filename: str | None = None
    problem: Problem | None = None


def read_upload(call: Call, part_name: str) -> Upload:
    """The picture that a call uploads in the form part `part_name`.

    The variants of the problems are `too_large`, `missing` and `EmptyImageError`.
    """
    if call.body is None:
        return Upload(problem=Problem(OutcomeName.INVALID_IMAGE, "body too large", "too_large"))
    if call.media_type != "multipart/form-data":
        return Upload(problem=Problem(OutcomeName.INVALID_REQUEST, "not multipart/form-data"))
    try:
        form = parse_multipart(call.headers["content-type"], call.body)
    except MultipartError as error:
        return Upload(problem=Problem(OutcomeName.INVALID_REQUEST, f"{error}{encoding_note(call)}"))
    part = _picture_part(form, part_name)
    if part is None:
        return Upload(form, problem=_missing("; ".join((f"no part named {part_name}", *form.skipped))))
    if part.filename is None:
        return Upload(form, problem=_missing(f"the part named {part_name} is a text field, not a file"))
    if not part.data:
        empty = Problem(OutcomeName.INVALID_IMAGE, "the file is empty", "EmptyImageError")
        return Upload(form, problem=empty)
    return Upload(form, part.data, part.filename)


def _picture_part(form: Form, name: str) -> Part | None:
    # A form may have a text field and a file of one name: the file counts.
    files = [part for part in form.parts if part.name == name and part.filename is not None]
    # A page may have several inputs for files, and those that were left empty are sent as empty files.
    for part in files:
        if part.data:
            return part
    return files[0] if files else form.first(name)


def _missing(detail: str) -> Problem:
    return Problem(OutcomeName.INVALID_REQUEST, detail, "missing")


def encoding_note(call: Call) -> str:
    """What to say beside a body that cannot be parsed: its Content-Encoding, which may be one that is not read."""
    encoding = call.headers.get("content-encoding", "")
    return f"; its Content-Encoding is {quoted(encoding)}" if encoding else ""


def parse_json(body: bytes) -> Any:
    """The value of a JSON body in UTF-8, UTF-16 or UTF-32, with or without a byte-order mark. Raises ValueError."""
    # A large body is a picture in base64. No other thread runs while millions of values are parsed.
    if len(body) > _LARGE_JSON and sum(map(body.count, _BEFORE_VALUES)) > _MAX_VALUES:
        raise ValueError(f"more than {_MAX_VALUES:,} values")
    try:
        return tuning.loads(body)
    except ValueError:
        encoding = json.detect_encoding(body)
        if encoding == "utf-8":
            raise
        return orjson.loads(body.decode(encoding))


def beginning(part: Part, length: int) -> str:
    """The first characters of a text field, and perhaps more of them. Takes no longer for a larger field."""
    return str(part.data[: 4 * length + 4], "utf-8", "replace")


def is_url(text: str) -> bool:
    """Whether a text is an absolute http(s) URL."""
    return _URL.match(text.strip()) is not None


def decode_inline(text: str) -> bytes:
    """The bytes of a `data:` URL or of base64: standard or URL-safe alphabet, with or without padding and spaces.

    Raises ValueError for any other text.
    """
    text = text.strip()
    match = _DATA_URL.match(text)
    if match is None:
        return _decode_base64(text)
    data = text[match.end() :]
    is_base64 = match[1].replace(" ", "").lower().endswith(";base64")
    return _decode_base64(data) if is_base64 else _decode_percent(data.encode())


def _decode_base64(text: str) -> bytes:
    try:
        return pybase64.b64decode(text, validate=True)
    except ValueError:
        pass
    data = text.encode()
    if b"%" in data:
        # Inside a data: URL the alphabet's own "+", "/" and "=" may be percent-encoded.
        data = _decode_percent(data)
    data = data.translate(_FROM_URL_SAFE, _WHITE_SPACE).rstrip(b"=")
    try:
        return pybase64.b64decode(data + b"=" * (-len(data) % 4), validate=True)
    except ValueError as error:
        raise ValueError(f"neither a URL nor base64: {error}") from None


def _decode_percent(data: bytes) -> bytes:
    # `unquote_to_bytes` takes 7 s for 30 MB of escapes. Quoted-printable has the same escapes, with "=" for "%".
    decoded = binascii.a2b_qp(data.replace(b"=", b"=3D").translate(_PERCENT_TO_EQUALS))
    if len(decoded) != len(data) - 2 * data.count(b"%"):
        raise ValueError("malformed percent-encoding")
    return decoded
