"""multipart/form-data (RFC 7578), read from one complete body without copying what the parts hold."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from mock_server.errors import MultipartError
from mock_server.http.parameters import decode_extended, parse_parameters
from mock_server.http.scanner import Scanner

MAX_PARTS = 64
MAX_BOUNDARY_LENGTH = 70  # RFC 2046, section 5.1.1
_TRANSFER_ENCODINGS = ("", "7bit", "8bit", "binary")  # those that leave the data as they are


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a form: a plain field, or a file when it has a `filename` (a label, never a path to open).

    `data` is a view of the request's body and keeps all of it in memory: copy what must outlive the request.
    """

    name: str
    data: memoryview
    filename: str | None = None
    content_type: str | None = None

    @property
    def text(self) -> str:
        """The data as UTF-8; what is not UTF-8 becomes U+FFFD."""
        return str(self.data, "utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Form:
    """The parts of a form in the order they were sent; names may repeat."""

    parts: tuple[Part, ...]

    def __iter__(self) -> Iterator[Part]:
        return iter(self.parts)

    def __len__(self) -> int:
        return len(self.parts)

    def first(self, name: str) -> Part | None:
        """The first part of that name."""
        return next((part for part in self.parts if part.name == name), None)


def parse_multipart(content_type: str, body: bytes | bytearray, *, max_parts: int = MAX_PARTS) -> Form:
    """Parse a body whose Content-Type header is `content_type`; the parts are views of `body`.

    Lines end with CRLF, nothing but line ends stands before the first boundary, the last boundary is closed;
    what follows it is ignored. A part has a Content-Disposition `form-data` with a name (which may be empty).
    `filename*` wins over `filename`, and `%22` in a name is a quote, as browsers write it. A multipart body
    within a part is data like any other. Parts in base64 or quoted-printable, long deprecated, are refused.

    Raises MultipartError for everything else.
    """
    scanner = Scanner(body, _boundary(content_type))
    parts: list[Part] = []
    more = scanner.begin()
    while more:
        if len(parts) == max_parts:
            raise MultipartError(f"more than {max_parts} parts")
        headers = scanner.headers()
        data, more = scanner.data()
        parts.append(_part(headers, data))
    return Form(tuple(parts))


def _boundary(content_type: str) -> bytes:
    try:
        kind, parameters = parse_parameters(content_type)
    except ValueError as error:
        raise MultipartError(f"the Content-Type cannot be read: {error}") from error
    if kind != "multipart/form-data":
        raise MultipartError("the Content-Type is not multipart/form-data")
    boundary = parameters.get("boundary", "")
    if not boundary:
        raise MultipartError("the Content-Type names no boundary")
    if len(boundary) > MAX_BOUNDARY_LENGTH:
        raise MultipartError(f"the boundary is longer than {MAX_BOUNDARY_LENGTH} characters")
    if not (boundary.isascii() and boundary.isprintable()) or boundary.endswith(" "):
        raise MultipartError("the boundary has characters that are not allowed")
    return boundary.encode("ascii")


def _part(headers: dict[str, str], data: memoryview) -> Part:
    disposition = headers.get("content-disposition")
    if disposition is None:
        raise MultipartError("a part without Content-Disposition")
    encoding = headers.get("content-transfer-encoding")
    if encoding is not None and encoding.strip().lower() not in _TRANSFER_ENCODINGS:
        raise MultipartError("a part with a Content-Transfer-Encoding that changes its data")
    name, filename = _name_and_filename(disposition)
    return Part(name, data, filename, headers.get("content-type"))


@lru_cache(maxsize=256)
def _name_and_filename(disposition: str) -> tuple[str, str | None]:
    """What a Content-Disposition says; remembered, for a client sends the same few again and again."""
    try:
        kind, parameters = parse_parameters(disposition)
    except ValueError as error:
        raise MultipartError(f"a Content-Disposition cannot be read: {error}") from error
    if kind != "form-data" or "name" not in parameters:
        raise MultipartError("a part whose Content-Disposition is not form-data with a name")
    filename = decode_extended(parameters.get("filename*", ""))
    if filename is None and "filename" in parameters:
        filename = _unescape(parameters["filename"])
    return _unescape(parameters["name"]), filename


def _unescape(text: str) -> str:
    # Line ends stay escaped: nothing good comes from a file name with several lines.
    return text.replace("%22", '"')
