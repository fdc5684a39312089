"""The scanner of multipart bodies against a parser that others wrote, on well-formed bodies and on mangled ones."""

import logging

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser

from mock_server.errors import MultipartError
from mock_server.http.scanner import MAX_HEADER_SIZE, MAX_HEADERS, Scanner

Parts = list[tuple[dict[str, str], bytes]]

logging.getLogger("python_multipart.multipart").disabled = True


def scanned(body: bytes | bytearray) -> Parts | str:
    """What the scanner makes of a body with the boundary `f`: its parts, or why it is refused."""
    try:
        scanner = Scanner(body, b"f")
        parts = []
        more = scanner.begin()
        while more:
            headers = scanner.headers()
            data, more = scanner.data()
            parts.append((headers, bytes(data)))
        return parts
    except MultipartError as error:
        return error.reason


class Reference:
    """The same by python-multipart, held to what is refused here beyond its own rules."""

    def __init__(self, body: bytes) -> None:
        self.parts: Parts = []
        self.complete = False
        self.body = body
        self.headers: dict[str, str] = {}
        self.field = self.value = ""
        self.data = b""

    def parse(self) -> Parts | str:
        parser = MultipartParser(
            b"f",
            {
                "on_part_begin": self.part_begin,
                "on_header_field": self.header_field,
                "on_header_value": self.header_value,
                "on_header_end": self.header_end,
                "on_headers_finished": self.headers_finished,
                "on_part_data": self.part_data,
                "on_part_end": self.part_end,
                "on_end": self.end,
            },
            max_header_count=MAX_HEADERS,
            max_header_size=MAX_HEADER_SIZE,
        )
        try:
            parser.write(self.body)
        except FormParserError as error:
            return f"malformed at byte {getattr(error, 'offset', 0)}"
        except MultipartError as error:
            return error.reason
        return self.parts if self.complete else "the last boundary is missing"

    def part_begin(self) -> None:
        self.headers, self.data = {}, b""

    def header_field(self, data: bytes, start: int, end: int) -> None:
        self.field, self.value = data[start:end].decode("ascii").lower(), ""

    def header_value(self, data: bytes, start: int, end: int) -> None:
        raw = data[start:end]
        if any((byte < 32 and byte != 9) or byte == 127 for byte in raw):
            raise MultipartError("a control character in a part's header")
        try:
            self.value = raw.decode("utf-8")
        except UnicodeDecodeError:
            self.value = raw.decode("latin-1")

    def header_end(self) -> None:
        if self.field in self.headers:
            raise MultipartError("a part has the same header twice")
        self.headers[self.field] = self.value

    def headers_finished(self) -> None:
        if not self.headers:
            raise MultipartError("a part without headers")

    def part_data(self, data: bytes, start: int, end: int) -> None:
        self.data = data[start:end]

    def part_end(self) -> None:
        self.parts.append((self.headers, self.data))

    def end(self) -> None:
        self.complete = True


WELL_FORMED = (
    b'--f\r\nContent-Disposition: form-data; name="a"; filename="b"\r\nContent-Type: i\r\n\r\ndata\r\n--f'
    b'\r\nContent-Disposition: form-data; name="c"\r\n\r\n\r\n--f--\r\n'
)
PIECES = st.sampled_from(
    [
        *(
            b"--f",
            b"--",
            b"-",
            b"f",
            b"\r\n",
            b"\r",
            b"\n",
            b" ",
            b":",
            b"A",
            b"x" * 20,
            b"\xff",
            b"\x00",
            b"\t",
        ),
        *(
            b"\r\n--f",
            b"\r\n--f\r\n",
            b"\r\n--f--",
            b"--f\r\n",
            b"--f--",
            b"\r\n--f-x",
            b"\r\n--f\rx",
            b"\r\n\r\n",
        ),
        *(b"X-H: v\r\n", b"x-h: w\r\n", b"Y:\r\n", b"A:" + b" " * 4090, b"B" * 4095, b"B" * 4096 + b":"),
        *(b"C: " + b"y" * 4093, b"y" * 4094, b"".join(b"H%d: x\r\n" % number for number in range(14))),
    ]
)
CUTS = st.tuples(st.integers(0, len(WELL_FORMED)), st.integers(0, 6), PIECES | st.binary(max_size=3))


def mangled(cuts: list[tuple[int, int, bytes]]) -> bytes:
    """The well-formed body with so many bytes at so many places replaced."""
    body = WELL_FORMED
    for place, length, piece in cuts:
        body = body[:place] + piece + body[place + length :]
    return body


HOSTILE = (
    st.lists(PIECES, max_size=14).map(b"".join)
    | st.lists(PIECES, max_size=12).map(lambda pieces: b"--f\r\nA: b\r\n" + b"".join(pieces) + b"\r\n--f--")
    | st.lists(CUTS, max_size=4).map(mangled)
)


@settings(max_examples=2000)
@given(HOSTILE)
@example(WELL_FORMED)
@example(b"\r\nhello--f--")
@example(b"--f\r\nA: \x00")
def test_every_body_is_read_or_refused_as_by_the_reference(body: bytes) -> None:
    """The same parts, or a refusal at the same byte; padding behind a boundary is refused here alone."""
    found = scanned(body)

    if found == "white space after a boundary":
        assert b"\r\n--f " in body or b"\r\n--f\t" in body
    else:
        assert found == Reference(body).parse()
    assert scanned(bytearray(body)) == found


@pytest.mark.parametrize("length", range(len(WELL_FORMED) - 2))
def test_a_body_that_is_cut_short_is_refused(length: int) -> None:
    """Wherever it ends, what is missing is the last boundary."""
    assert scanned(WELL_FORMED[:length]) == "the last boundary is missing"
