"""Walking through a multipart body: boundaries, header lines, and the data between them."""

import re

from mock_server.errors import MultipartError

MAX_HEADERS = 16  # in one part
MAX_HEADER_SIZE = 4096  # bytes of one header line

Bytes = bytes | bytearray

_TOKEN = b"!#$%&'*+-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ^_`abcdefghijklmnopqrstuvwxyz|~"  # RFC 9110, section 5.6.2
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_LINE_END = b"\r\n"
_LAST = b"--"


class Scanner:
    """A whole body, read once from front to back. Everything unexpected is a MultipartError that says where."""

    def __init__(self, body: Bytes, boundary: bytes) -> None:
        self._body = body
        self._view = memoryview(body).toreadonly()
        self._delimiter = _LINE_END + b"--" + boundary
        self._at = 0

    def begin(self) -> bool:
        """Pass the first boundary; whether a part follows it."""
        start = 0
        if self._body.startswith((b"\r", b"\n")):
            start = self._body.find(b"-")
            if start < 0:
                raise _unfinished()
        at = self._pass(self._delimiter[len(_LINE_END) :], start)
        last = self._body.startswith(_LAST[:1], at)
        self._at = self._pass(_LAST if last else _LINE_END, at)
        return not last

    def headers(self) -> dict[str, str]:
        """Pass a part's header lines and the empty line behind them; names are in lower case."""
        headers: dict[str, str] = {}
        while not self._body.startswith(b"\r", self._at):
            if len(headers) == MAX_HEADERS and self._at < len(self._body):
                raise _malformed(self._at)
            name, value, end = self._header(self._at)
            if name in headers:
                raise MultipartError("a part has the same header twice")
            headers[name] = value
            self._at = self._pass(_LINE_END, end)
        self._at = self._pass(_LINE_END, self._at)
        if not headers:
            raise MultipartError("a part without headers")
        return headers

    def data(self) -> tuple[memoryview, bool]:
        """Pass a part's data and the boundary behind it; the data, and whether another part follows."""
        start = self._at
        found = self._body.find(self._delimiter, start)
        while found >= 0:
            behind = found + len(self._delimiter)
            ending = self._body[behind : behind + 2]
            if ending in (_LINE_END, _LAST):
                self._at = behind + 2
                return self._view[start:found], ending == _LINE_END
            if ending.startswith((b" ", b"\t")):
                # Allowed once as padding, but no client sends any, and what it would end is left unclear.
                raise MultipartError("white space after a boundary")
            found = self._body.find(self._delimiter, behind)
        raise _unfinished()

    def _header(self, start: int) -> tuple[str, str, int]:
        """Name and value of the header line at `start`, and where it ends."""
        body = self._body
        colon = body.find(b":", start)
        end = len(body) if colon < 0 else colon + 1
        if end - start > MAX_HEADER_SIZE:
            raise _malformed(start)
        name = body[start:colon] if colon >= 0 else body[start:]
        if strange := name.translate(None, _TOKEN):
            raise _malformed(start + name.index(strange[:1]))
        if colon < 0:
            raise _unfinished()
        if not name:
            raise _malformed(start)
        value, end = self._header_value(start, colon + 1)
        return name.decode("ascii").lower(), value, end

    def _header_value(self, start: int, at: int) -> tuple[str, int]:
        body = self._body
        while body.startswith(b" ", at):
            at += 1
            if at - start > MAX_HEADER_SIZE:
                raise _malformed(at - 1)
        found = body.find(b"\r", at)
        end = len(body) if found < 0 else found
        if end - start > MAX_HEADER_SIZE:
            raise _malformed(at)
        text = _text(body[at:end])
        if found < 0:
            raise _unfinished()
        return text, end

    def _pass(self, wanted: bytes, at: int) -> int:
        """The position behind `wanted`, which must stand at `at`."""
        body = self._body
        if body.startswith(wanted, at):
            return at + len(wanted)
        for offset, byte in enumerate(wanted, at):
            if offset >= len(body):
                break
            if body[offset] != byte:
                raise _malformed(offset)
        raise _unfinished()


def _text(raw: Bytes) -> str:
    if _CONTROL.search(raw):
        raise MultipartError("a control character in a part's header")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _malformed(offset: int) -> MultipartError:
    return MultipartError(f"malformed at byte {offset}")


def _unfinished() -> MultipartError:
    return MultipartError("the last boundary is missing")
