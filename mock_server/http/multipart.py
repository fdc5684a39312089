"""multipart/form-data (RFC 7578), read from a complete body in one pass. The parts are views of the body.

python-multipart is not used: it needs a second pass over the body to limit its time (3 µs for each text that begins
like a boundary), and another one to repair what ordinary servers accept (text before the form, folded headers).
"""

import binascii
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote

from mock_server.errors import MultipartError

MAX_PARTS = 1000
MAX_HEADERS = 100  # in one part
MAX_HEADER_SIZE = 4096  # bytes of one header
MAX_HEADERS_SIZE = 300_000  # bytes of all headers in a body
MAX_PADDING = 1000  # bytes of white space after a boundary
MAX_BOUNDARY = 256  # characters

_PARAMETER = re.compile(
    r"""
    [ \t]* ; [ \t]*
    (?P<name> [!#$%&'*+.^_`|~0-9A-Za-z-]+ ) [ \t]* = [ \t]*
    (?: " (?P<quoted> (?: [^"\\] | \\. )* ) " | (?P<bare> [^;"]*+ ) (?!") )
    """,
    re.VERBOSE | re.DOTALL,
)
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):([^\r]*+)")
_ESCAPED = re.compile(r'\\(["\\])')
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_CHARSETS = ("utf-8", "iso-8859-1")  # of `filename*`
_DECODERS: dict[str, Callable[[memoryview], bytes | memoryview]] = {
    **dict.fromkeys(("", "7bit", "8bit", "binary"), lambda data: data),
    "base64": binascii.a2b_base64,
    "quoted-printable": binascii.a2b_qp,
}


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a form: a text field, or a file when it has a `filename` (a label, never a path to open).

    `data` is a view of the request's body and keeps all of it in memory: copy what must outlive the request.
    """

    name: str
    data: memoryview
    filename: str | None = None
    content_type: str | None = None

    @property
    def text(self) -> str:
        """The data as UTF-8; invalid bytes become U+FFFD."""
        return str(self.data, "utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Form:
    """The parts of a form in the order they were sent; names may repeat.

    `skipped` has the reason for each part that is left out because its headers cannot be used.
    """

    parts: tuple[Part, ...]
    skipped: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Part]:
        return iter(self.parts)

    def __len__(self) -> int:
        return len(self.parts)

    def first(self, name: str) -> Part | None:
        """The first part of that name."""
        return next((part for part in self.parts if part.name == name), None)


def parse_multipart(content_type: str, body: bytes) -> Form:
    """Parse a body whose Content-Type header is `content_type`.

    Accepts what ordinary servers accept: text before the first and after the last boundary, folded headers, line
    feeds as line ends, base64 and quoted-printable parts. `filename*` wins over `filename`, and `%22` in a name is
    a quote, as browsers write it. A multipart body inside a part is data like any other.

    Raises MultipartError, with the reason, where the body cannot be divided into parts.
    """
    parts: list[Part] = []
    skipped: list[str] = []
    for headers, data in _divide(body, b"--" + _boundary(content_type)):
        try:
            parts.append(_part(headers, data))
        except ValueError as error:
            skipped.append(str(error))
    return Form(tuple(parts), tuple(skipped))


def _boundary(content_type: str) -> bytes:
    try:
        kind, parameters, _ = _parse_parameters(content_type)
    except ValueError as error:
        raise MultipartError(f"the Content-Type cannot be used: {error}") from None
    if kind != "multipart/form-data":
        raise MultipartError("the Content-Type is not multipart/form-data")
    boundary = parameters.get("boundary", "")
    if not boundary:
        raise MultipartError("the Content-Type has no boundary")
    if not (boundary.isascii() and boundary.isprintable()) or boundary.endswith(" "):
        raise MultipartError("the boundary has characters that are not allowed")
    if len(boundary) > MAX_BOUNDARY:
        raise MultipartError(f"the boundary is longer than {MAX_BOUNDARY} characters")
    return boundary.encode("ascii")


def _divide(body: bytes, opening: bytes) -> Iterator[tuple[dict[str, str], memoryview]]:
    """The headers and the data of each part; `opening` is how a boundary begins. Raises MultipartError."""
    at = 0 if body.startswith(opening) else body.find(b"\n" + opening) + 1
    if not body.startswith(opening, at):
        raise MultipartError("the boundary of the Content-Type is not in the body")
    at += len(opening)
    line_end = b"\n" if body.startswith(b"\n", at) else b"\r\n"
    delimiter = line_end + opening
    view = memoryview(body).toreadonly()
    headers, headers_size, data_at = b"", 0, 0
    for _ in range(MAX_PARTS + 1):
        is_last = body.startswith(b"--", at)
        next_line = at if is_last else _next_line(body, at, line_end)
        if next_line:  # otherwise this is data that begins like a boundary
            if data_at:
                yield _parse_headers(headers, line_end), view[data_at : at - len(delimiter)]
            if is_last:
                return
            headers, data_at = _header_block(body, next_line, line_end, MAX_HEADERS_SIZE - headers_size)
            headers_size += len(headers)
            at = data_at
        at = body.find(delimiter, at) + len(delimiter)
        if at < len(delimiter):
            raise MultipartError("the last boundary is missing")
    raise MultipartError(f"more than {MAX_PARTS} parts")


def _next_line(body: bytes, at: int, line_end: bytes) -> int | None:
    """Where the line after a boundary begins; None where the boundary's own line does not end at `at`."""
    rest = body[at : at + MAX_PADDING].lstrip(b" \t")
    if not rest and len(body) > at + MAX_PADDING:
        raise MultipartError("too much white space after a boundary")
    at += min(MAX_PADDING, len(body) - at) - len(rest)
    return at + len(line_end) if body.startswith(line_end, at) else None


def _header_block(body: bytes, at: int, line_end: bytes, limit: int) -> tuple[bytes, int]:
    """The headers that begin at `at`, and where the data behind them begins."""
    if body.startswith(line_end, at):
        return b"", at + len(line_end)
    end = body.find(line_end * 2, at, at + limit)
    if end < 0 and len(body) - at >= limit:
        raise MultipartError(f"more than {MAX_HEADERS_SIZE} bytes of headers")
    if end < 0:
        raise MultipartError("the last boundary is missing")
    return body[at:end], end + 2 * len(line_end)


def _parse_headers(block: bytes, line_end: bytes) -> dict[str, str]:
    """The headers by name in lower case; the first of two with one name counts."""
    headers: dict[str, str] = {}
    lines = re.sub(line_end + rb"[ \t]+", b" ", block).split(line_end) if block else []
    if len(lines) > MAX_HEADERS:
        raise MultipartError(f"more than {MAX_HEADERS} headers in a part")
    for line in lines:
        if len(line) > MAX_HEADER_SIZE:
            raise MultipartError(f"a header is longer than {MAX_HEADER_SIZE} bytes")
        match = _HEADER.fullmatch(line)
        if match is None:
            raise MultipartError(f"a header is malformed: {line[:80]!r}")
        headers.setdefault(match[1].decode("ascii").lower(), _decode(match[2].strip(b" \t")))
    return headers


def _part(headers: dict[str, str], data: memoryview) -> Part:
    """Raises ValueError where the headers cannot be used."""
    disposition = headers.get("content-disposition")
    if disposition is None:
        raise ValueError("a part has no Content-Disposition")
    name, filename = _name_and_filename(disposition)
    encoding = headers.get("content-transfer-encoding", "").strip().lower()
    if encoding not in _DECODERS:
        raise ValueError("a part has an unknown Content-Transfer-Encoding")
    try:
        data = memoryview(_DECODERS[encoding](data))
    except binascii.Error as error:
        raise ValueError(f"a part is not valid {encoding}: {error}") from None
    return Part(name, data, filename, headers.get("content-type"))


@lru_cache(maxsize=256)
def _name_and_filename(disposition: str) -> tuple[str, str | None]:
    kind, parameters, rest = _parse_parameters(disposition)
    if kind != "form-data" or "name" not in parameters:
        raise ValueError("the Content-Disposition of a part is not form-data with a name")
    if "filename" in rest.lower() and "filename" not in parameters:
        raise ValueError("the file name of a part is malformed")
    if any(map(_CONTROL.search, parameters.values())):
        raise ValueError("the Content-Disposition of a part has a control character")
    filename = _decode_extended(parameters.get("filename*", ""))
    if filename is None and "filename" in parameters:
        filename = _unescape(parameters["filename"])
    return _unescape(parameters["name"]), filename


def _parse_parameters(value: str) -> tuple[str, dict[str, str], str]:
    """Split a header value into its first word, its parameters, and the rest that is not well-formed.

    The word and the names are in lower case. In quoted strings `\\"` and `\\\\` are unescaped; any other backslash
    stands for itself, as in the Windows paths of old browsers. Raises ValueError where a parameter has two values.
    """
    kind, _, _ = value.partition(";")
    parameters: dict[str, str] = {}
    position = len(kind)
    while match := _PARAMETER.match(value, position):
        name, quoted = match["name"].lower(), match["quoted"]
        text = match["bare"].strip() if quoted is None else _ESCAPED.sub(r"\1", quoted)
        if parameters.setdefault(name, text) != text:
            raise ValueError(f"the parameter {name} has two values")
        position = match.end()
    return kind.strip().lower(), parameters, value[position:]


def _decode_extended(value: str) -> str | None:
    """Decode `charset'language'percent-encoded` (RFC 8187); None where the value is malformed."""
    charset, *rest = value.split("'", 2)
    if len(rest) != 2 or charset.lower() not in _CHARSETS:
        return None
    try:
        return unquote(rest[1], charset, "strict")
    except UnicodeDecodeError:
        return None


def _decode(header: bytes) -> str:
    try:
        return header.decode("utf-8")
    except UnicodeDecodeError:
        return header.decode("latin-1")


def _unescape(text: str) -> str:
    # Escaped line ends stay escaped: a file name has one line.
    return text.replace("%22", '"')
