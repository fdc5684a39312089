"""multipart/form-data (RFC 7578), parsed by python-multipart from a complete body. The parts are views of the body."""

import binascii
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser

from mock_server.errors import MultipartError
from mock_server.http.header_parameters import filename_of, parse_parameters, unescape

MAX_PARTS = 1000
MAX_HEADERS = 100  # in one part
MAX_HEADER_SIZE = 16_384  # bytes of one header
# MultipartParser takes 0.2 µs for each byte of white space and 3 µs for text that begins like a boundary. These limits
# keep it under 0.2 s for hostile bodies.
MAX_HEADERS_SIZE = 300_000  # bytes of all headers in a body
MAX_PADDING = 1000  # bytes of white space after a boundary
LARGE_BODY = 200_000  # bytes from which the boundaries are counted first


_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")  # not the tab
_WORD = re.compile(rb'[\s"]*([a-z0-9-]*)', re.IGNORECASE)
_WHITE_SPACE = b" \t\r\n"


@dataclass(slots=True)
class Part:
    """One part of a form: a text field, or a file when it has a `filename` (a label, never a path to open).

    `data` is a view of the request's body and keeps all of it in memory: copy what must outlive the request.
    """

    name: str
    data: memoryview
    filename: str | None = None


@dataclass(slots=True)
class Form:
    """The parts of a form in the order they were sent; names may repeat.

    `skipped` has the reason for each part that is left out because its headers cannot be used.
    """

    parts: tuple[Part, ...]
    skipped: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Part]:
        return iter(self.parts)

    def first(self, name: str) -> Part | None:
        """The first part of that name."""
        for part in self.parts:
            if part.name == name:
                return part
        return None


def parse_multipart(content_type: str, body: bytes) -> Form:
    """Parse a body whose Content-Type header is `content_type`.

    Accepts what ordinary servers accept: text before the first and after the last boundary, folded headers, line
    feeds as line ends, parts in base64 and quoted-printable. `filename*` wins over `filename`, and `%22` in a name is
    a quote, as browsers write it. A multipart body inside a part is data like any other.

    Raises MultipartError, with the reason, where the body cannot be divided into parts.
    """
    boundary = _boundary(content_type)
    body = _from_first_boundary(body, boundary)
    try:
        return _Parse(body, boundary).form()
    except FormParserError:
        repaired = _repair(body, boundary)  # not before, because it copies the body
    try:
        return _Parse(repaired, boundary).form()
    except FormParserError as error:
        raise MultipartError(f"malformed multipart body: {error}") from None


class _Parse:
    """One run of MultipartParser over a body; the `_on_…` methods are its callbacks."""

    def __init__(self, body: bytes, boundary: bytes) -> None:
        self._body = body
        self._view = memoryview(body).toreadonly()
        self._boundary = boundary
        self._parts: list[Part] = []
        self._skipped: list[str] = []
        self._is_complete = False
        self._headers: dict[bytes, bytes] = {}  # by lower-case names
        self._header_name = b""
        self._headers_size = 0
        self._position = 0
        self._data: slice | None = None

    def form(self) -> Form:
        """Run the parser. Raises MultipartError and FormParserError."""
        if len(self._body) > LARGE_BODY:
            _check_boundaries(self._body, b"\r\n--" + self._boundary)
        MultipartParser(
            self._boundary,
            {
                "on_part_begin": self._on_part_begin,
                "on_header_field": self._on_header_field,
                "on_header_value": self._on_header_value,
                "on_part_data": self._on_part_data,
                "on_part_end": self._on_part_end,
                "on_end": self._on_end,
            },
            max_header_count=MAX_HEADERS,
            max_header_size=MAX_HEADER_SIZE,
        ).write(self._body)
        if not self._is_complete:
            raise MultipartError("the last boundary is missing")
        return Form(tuple(self._parts), tuple(self._skipped))

    def _on_part_begin(self) -> None:
        if len(self._parts) + len(self._skipped) == MAX_PARTS:
            raise MultipartError(f"more than {MAX_PARTS} parts")
        self._headers = {}
        self._data = None

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._headers_size += start - self._position
        if self._headers_size > MAX_HEADERS_SIZE:
            raise _too_many_header_bytes()
        self._position = start
        self._header_name = data[start:end].lower()

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._headers.setdefault(self._header_name, data[start:end])

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        # Data comes in several pieces where it looks like a boundary; they are neighbours in the body.
        self._data = slice(self._data.start if self._data else start, end)
        self._position = end

    def _on_part_end(self) -> None:
        data = self._view[self._data] if self._data else self._view[:0]
        try:
            self._parts.append(_part(self._headers, data))
        except ValueError as error:
            self._skipped.append(str(error))

    def _on_end(self) -> None:
        self._is_complete = True


def _boundary(content_type: str) -> bytes:
    try:
        kind, parameters, _ = parse_parameters(content_type)
    except ValueError as error:
        raise MultipartError(f"the Content-Type cannot be used: {error}") from None
    if kind != "multipart/form-data":
        raise MultipartError("the Content-Type is not multipart/form-data")
    boundary = parameters.get("boundary", "")
    if not boundary:
        raise MultipartError("the Content-Type has no boundary")
    if not (boundary.isascii() and boundary.isprintable()) or boundary.endswith(" "):
        raise MultipartError("the boundary has characters that are not allowed")
    return boundary.encode("ascii")


def _from_first_boundary(body: bytes, boundary: bytes) -> bytes:
    """The body without the text before its first boundary, which MultipartParser does not accept."""
    opening = b"--" + boundary
    if body.startswith(opening):
        return body
    found = body.find(b"\n" + opening)
    if found < 0:
        raise MultipartError("the boundary of the Content-Type is not in the body")
    return body[found + 1 :]


def _check_boundaries(body: bytes, delimiter: bytes) -> None:
    """Refuse the bodies on which MultipartParser is slow: many boundaries, or long white space after one."""
    at = body.find(delimiter)
    for _ in range(MAX_PARTS + 1):
        if at < 0:
            return
        at += len(delimiter)
        padding = body[at : at + MAX_PADDING]
        if len(padding) == MAX_PADDING and not padding.strip(b" \t"):
            raise MultipartError("too much white space after a boundary")
        at = body.find(delimiter, at)
    raise MultipartError(f"more than {MAX_PARTS} parts")


def _repair(body: bytes, boundary: bytes) -> bytes:
    """A copy of the body with headers that MultipartParser accepts: CRLF as line end, each header on one line."""
    line_end = b"\n" if body.startswith(b"--" + boundary + b"\n") else b"\r\n"
    first, *chunks = (line_end + body).split(line_end + b"--" + boundary, MAX_PARTS + 1)
    for index, chunk in enumerate(chunks):
        if chunk.startswith(line_end):
            headers, blank, data = chunk.partition(line_end * 2)
            if len(headers) > MAX_HEADERS_SIZE:
                raise _too_many_header_bytes()
            headers = re.sub(rb"\r\n[ \t]+", b" ", headers.replace(line_end, b"\r\n"))
            chunks[index] = headers + b"\r\n\r\n" * bool(blank) + data
    return (b"\r\n--" + boundary).join((first, *chunks))[2:]


def _too_many_header_bytes() -> MultipartError:
    return MultipartError(f"more than {MAX_HEADERS_SIZE} bytes of headers")


def _part(headers: dict[bytes, bytes], data: memoryview) -> Part:
    """Raises ValueError where the headers cannot be used."""
    disposition = headers.get(b"content-disposition")
    if disposition is None:
        raise ValueError("a part has no Content-Disposition")
    name, filename = _name_and_filename(disposition)
    if encoding := headers.get(b"content-transfer-encoding"):
        data = _decode_transfer(data, encoding)
    return Part(name, data, filename)


@lru_cache(maxsize=256)
def _name_and_filename(disposition: bytes) -> tuple[str, str | None]:
    kind, parameters, rest = parse_parameters(_decode(disposition))
    if kind != "form-data" or "name" not in parameters:
        raise ValueError("the Content-Disposition of a part is not form-data with a name")
    if "filename" in rest.lower() and "filename" not in parameters:
        raise ValueError("the file name of a part is malformed")
    if any(map(_CONTROL.search, parameters.values())):
        raise ValueError("the Content-Disposition of a part has a control character")
    return unescape(parameters["name"]), filename_of(parameters)


def _decode(header: bytes) -> str:
    try:
        return header.decode("utf-8")
    except UnicodeDecodeError:
        return header.decode("latin-1")


def _decode_transfer(data: memoryview, encoding: bytes) -> memoryview:
    """The data behind base64 or quoted-printable; data that is in no such encoding is returned as it is.

    RFC 7578 deprecates the Content-Transfer-Encoding (RFC 2045, section 6) of parts, and most servers ignore it. Some
    clients name an encoding that they do not apply.
    """
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


_DECODERS: dict[bytes, Callable[[bytes], bytes]] = {
    b"base64": _from_base64,
    b"quoted-printable": _from_quoted_printable,
}
