"""Forms as clients really send them, and as attackers would."""

import contextlib
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.errors import MultipartError
from mock_server.http.multipart import Form, parse_multipart

# No line end, no boundary: what matters is that every byte value comes through.
PICTURE = bytes(range(256)) + b"\r\n--\r\n" + bytes(reversed(range(256)))


def form(*parts: bytes, boundary: str = "frontier") -> bytes:
    """A body of `parts`, each its header lines, a blank line and its data."""
    delimiter = b"--" + boundary.encode()
    return b"".join(delimiter + b"\r\n" + part + b"\r\n" for part in parts) + delimiter + b"--\r\n"


def parse(body: bytes, boundary: str = "frontier", **options: int) -> Form:
    return parse_multipart(f"multipart/form-data; boundary={boundary}", body, **options)


def image_part(disposition: str, *headers: str, data: bytes = PICTURE) -> bytes:
    lines = [f"Content-Disposition: {disposition}", *headers]
    return "".join(line + "\r\n" for line in lines).encode() + b"\r\n" + data


def lines(*parts: bytes) -> bytes:
    return b"\r\n".join(parts)


# What each client sends for one picture and one field: Content-Type, body, type of the picture's part.
CLIENTS: dict[str, tuple[str, bytes, str | None]] = {
    "go": (
        "multipart/form-data; boundary=8a1d5d3d8f6a4dd1a0d9b0f2f9a6c8d4e5b7a1c2d3e4f5061728394a5b6c",
        lines(
            b"--8a1d5d3d8f6a4dd1a0d9b0f2f9a6c8d4e5b7a1c2d3e4f5061728394a5b6c",
            b'Content-Disposition: form-data; name="image"; filename="car.jpg"',
            b"Content-Type: application/octet-stream",
            b"",
            PICTURE,
            b"--8a1d5d3d8f6a4dd1a0d9b0f2f9a6c8d4e5b7a1c2d3e4f5061728394a5b6c",
            b'Content-Disposition: form-data; name="userLanguage"',
            b"",
            b"en",
            b"--8a1d5d3d8f6a4dd1a0d9b0f2f9a6c8d4e5b7a1c2d3e4f5061728394a5b6c--",
            b"",
        ),
        "application/octet-stream",
    ),
    "okhttp": (
        "multipart/form-data; boundary=3f7c1b2e-5d1f-4f0e-9a57-2b1c7d1e8f90",
        lines(
            b"--3f7c1b2e-5d1f-4f0e-9a57-2b1c7d1e8f90",
            b'Content-Disposition: form-data; name="image"; filename="car.jpg"',
            b"Content-Type: image/jpeg",
            b"Content-Length: 518",
            b"",
            PICTURE,
            b"--3f7c1b2e-5d1f-4f0e-9a57-2b1c7d1e8f90",
            b'Content-Disposition: form-data; name="userLanguage"',
            b"Content-Length: 2",
            b"",
            b"en",
            b"--3f7c1b2e-5d1f-4f0e-9a57-2b1c7d1e8f90--",
            b"",
        ),
        "image/jpeg",
    ),
    "undici": (
        "multipart/form-data; boundary=----formdata-undici-029482384723",
        lines(
            b"------formdata-undici-029482384723",
            b'Content-Disposition: form-data; name="image"; filename="car.jpg"',
            b"Content-Type: image/jpeg",
            b"",
            PICTURE,
            b"------formdata-undici-029482384723",
            b'Content-Disposition: form-data; name="userLanguage"',
            b"",
            b"en",
            b"------formdata-undici-029482384723--",
            b"",
        ),
        "image/jpeg",
    ),
    "requests": (
        "multipart/form-data; boundary=ef1d6a6a0a1c2d3e4f5a6b7c8d9e0f10",
        lines(
            b"--ef1d6a6a0a1c2d3e4f5a6b7c8d9e0f10",
            b'Content-Disposition: form-data; name="userLanguage"',
            b"",
            b"en",
            b"--ef1d6a6a0a1c2d3e4f5a6b7c8d9e0f10",
            b'Content-Disposition: form-data; name="image"; filename="car.jpg"',
            b"",
            PICTURE,
            b"--ef1d6a6a0a1c2d3e4f5a6b7c8d9e0f10--",
            b"",
        ),
        None,
    ),
    "curl": (
        "multipart/form-data; boundary=------------------------d74496d66958873e",
        lines(
            b"--------------------------d74496d66958873e",
            b'Content-Disposition: form-data; name="image"; filename="car.jpg"',
            b"Content-Type: image/jpeg",
            b"",
            PICTURE,
            b"--------------------------d74496d66958873e",
            b'Content-Disposition: form-data; name="userLanguage"',
            b"",
            b"en",
            b"--------------------------d74496d66958873e--",
            b"",
        ),
        "image/jpeg",
    ),
    "chrome": (
        "multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW",
        lines(
            b"------WebKitFormBoundary7MA4YWxkTrZu0gW",
            b'Content-Disposition: form-data; name="image"; filename="car.jpg"',
            b"Content-Type: image/jpeg",
            b"",
            PICTURE,
            b"------WebKitFormBoundary7MA4YWxkTrZu0gW",
            b'Content-Disposition: form-data; name="userLanguage"',
            b"",
            b"en",
            b"------WebKitFormBoundary7MA4YWxkTrZu0gW--",
            b"",
        ),
        "image/jpeg",
    ),
    "dotnet": (
        'multipart/form-data; boundary="0b6a3c1e-7d7c-4a8f-9b0e-3f1f0e6b2d11"',
        lines(
            b"--0b6a3c1e-7d7c-4a8f-9b0e-3f1f0e6b2d11",
            b"Content-Type: image/jpeg",
            b"Content-Disposition: form-data; name=image; filename=car.jpg; filename*=utf-8''car.jpg",
            b"",
            PICTURE,
            b"--0b6a3c1e-7d7c-4a8f-9b0e-3f1f0e6b2d11",
            b"Content-Type: text/plain; charset=utf-8",
            b"Content-Disposition: form-data; name=userLanguage",
            b"",
            b"en",
            b"--0b6a3c1e-7d7c-4a8f-9b0e-3f1f0e6b2d11--",
            b"",
        ),
        "image/jpeg",
    ),
}


@pytest.mark.parametrize(
    ("content_type", "body", "part_type"),
    CLIENTS.values(),
    ids=CLIENTS,
)
@pytest.mark.parametrize("kind", [bytes, bytearray])
def test_every_client_is_understood(
    content_type: str, body: bytes, part_type: str | None, kind: type[bytes] | type[bytearray]
) -> None:
    """The bytes that common clients send give the picture unchanged, its name and the language."""
    parsed = parse_multipart(content_type, kind(body))
    image, language = parsed.first("image"), parsed.first("userLanguage")

    assert len(parsed) == 2
    assert image is not None
    assert (image.filename, image.content_type, bytes(image.data)) == ("car.jpg", part_type, PICTURE)
    assert language is not None
    assert (language.filename, language.text) == (None, "en")


@pytest.mark.parametrize(
    ("disposition", "filename"),
    [
        ('form-data; name="image"; filename="a \\"quoted\\" name.jpg"', 'a "quoted" name.jpg'),
        ('form-data; name="image"; filename="a %22quoted%22 name.jpg"', 'a "quoted" name.jpg'),
        ('form-data; name="image"; filename="back\\\\slash.jpg"', "back\\slash.jpg"),
        ('form-data; name="image"; filename="C:\\Users\\me\\car.jpg"', "C:\\Users\\me\\car.jpg"),
        ('form-data; name="image"; filename="semi;colon=1.jpg"', "semi;colon=1.jpg"),
        ('form-data; name="image"; filename="100%.jpg"', "100%.jpg"),
        ('form-data; name="image"; filename="two%0D%0Alines.jpg"', "two%0D%0Alines.jpg"),
        ('form-data; name="image"; filename="Москва 🚗.jpg"', "Москва 🚗.jpg"),
        ('form-data; name="image"; filename=""', ""),
        ("form-data; name=image; filename=my car.jpg", "my car.jpg"),
        ("FORM-DATA;Name=image;FileName=car.jpg;", "car.jpg"),
        ("form-data; name=\"image\"; filename*=utf-8''%D0%B0%20b.jpg", "а b.jpg"),
        ('form-data; name="image"; filename="x.jpg"; filename*=UTF-8\'en\'%C3%BC.jpg', "ü.jpg"),
        ('form-data; name="image"; filename="x.jpg"; filename*=iso-8859-1\'\'%FC.jpg', "ü.jpg"),
        ('form-data; name="image"; filename="x.jpg"; filename*=utf-8\'\'%FF.jpg', "x.jpg"),
        ('form-data; name="image"; filename="x.jpg"; filename*=koi8-r\'\'%FC.jpg', "x.jpg"),
        ('form-data; name="image"; filename="x.jpg"; filename*=car.jpg', "x.jpg"),
        ('form-data; name="image"; filename="../../etc/passwd"', "../../etc/passwd"),
    ],
)
def test_file_names_are_read_as_they_were_meant(disposition: str, filename: str) -> None:
    """Quotes, escapes, Windows paths, UTF-8 and extended values all give the name the user saw."""
    image = parse(form(image_part(disposition))).first("image")

    assert image is not None
    assert image.filename == filename
    assert image.data == PICTURE


def test_a_name_that_is_not_utf8_is_read_as_latin1() -> None:
    """Old clients send ISO-8859-1."""
    part = b'Content-Disposition: form-data; name="image"; filename="f\xfcr.jpg"\r\n\r\nx'

    assert [part.filename for part in parse(form(part))] == ["für.jpg"]


def test_parts_share_the_bodys_memory() -> None:
    """No byte of the picture is copied: a change of the body shows in the part, which itself is read-only."""
    body = bytearray(form(image_part('form-data; name="image"; filename="a.jpg"')))
    (part,) = parse_multipart("multipart/form-data; boundary=frontier", body)
    body[body.index(PICTURE)] = 7

    assert part.data[0] == 7
    assert part.data.readonly


def test_same_names_are_all_kept_in_order() -> None:
    """`first` gives the first, iteration all of them."""
    parts = [image_part('form-data; name="image"', data=data) for data in (b"one", b"", b"three")]
    parsed = parse(form(*parts))

    assert [part.text for part in parsed] == ["one", "", "three"]
    assert parsed.first("image") is parsed.parts[0]
    assert parsed.first("other") is None


@pytest.mark.parametrize(
    ("body", "texts"),
    [
        (b"--frontier--\r\n", []),
        (b"--frontier--", []),
        (b"\r\n" + form(b'Content-Disposition: form-data; name="a"\r\n\r\nx'), ["x"]),
        (
            form(b'Content-Disposition: form-data; name="a"\r\n\r\nx') + b"an epilogue\r\n--frontier\r\n",
            ["x"],
        ),
        (form(b'Content-Disposition: form-data; name="a"\r\n\r\nx')[:-2], ["x"]),
        (form(b'Content-Disposition: form-data; name=""\r\n\r\nx'), ["x"]),
        (form(b'Content-Disposition: form-data; name="a"\r\nX-Empty:\r\n\r\nx'), ["x"]),
        (form(b'X-Empty:  \r\nContent-Disposition: form-data; name="a"\r\nX-Empty-2:\r\n\r\n'), [""]),
        (form(b'Content-Disposition: form-data; name="a"\r\n\r\n\r\n\r\n'), ["\r\n\r\n"]),
        (form(b'Content-Disposition: form-data; name="a"\r\n\r\n--frontier--'), ["--frontier--"]),
        (form(b'Content-Disposition: form-data; name="a"\r\n\r\nx\r\n--frontie'), ["x\r\n--frontie"]),
        (form(b'Content-Disposition: form-data; name="a"\r\n\r\nx\r\n--frontierX'), ["x\r\n--frontierX"]),
        (
            form(b'Content-Disposition: form-data; name="a"\r\nContent-Transfer-Encoding: 8bit\r\n\r\nx'),
            ["x"],
        ),
        (form(b'content-disposition:form-data;name="a"\r\n\r\n\xff'), ["\ufffd"]),
        (
            form(
                b'Content-Disposition: form-data; name="a"\r\n'
                b"Content-Type: multipart/mixed; boundary=inner\r\n\r\n--inner\r\n\r\nx\r\n--inner--"
            ),
            ["--inner\r\n\r\nx\r\n--inner--"],
        ),
    ],
)
def test_odd_but_well_formed(body: bytes, texts: list[str]) -> None:
    """Empty forms, epilogues, empty names, look-alike boundaries and nested forms are read plainly."""
    assert [part.text for part in parse(body)] == texts


HOSTILE = {
    "nothing": (b"", "the last boundary is missing"),
    "no boundary in the body": (b"hello", "malformed at byte 0"),
    "only line ends": (b"\r\n" * 1000, "the last boundary is missing"),
    "text before the first boundary": (b"hello\r\n" + form(b"A: b\r\n\r\n"), "malformed at byte 0"),
    "another boundary": (form(b"A: b\r\n\r\n", boundary="other"), "malformed at byte 2"),
    "unterminated": (form(image_part('form-data; name="a"'))[:-4], "the last boundary is missing"),
    "cut in the data": (form(image_part('form-data; name="a"'))[:200], "the last boundary is missing"),
    "cut in a header": (b"--frontier\r\nContent-Dispo", "the last boundary is missing"),
    "bare line feeds": (
        form(image_part('form-data; name="a"')).replace(b"\r\n", b"\n"),
        "malformed at byte 10",
    ),
    "header without a colon": (form(b"Content-Disposition form-data\r\n\r\nx"), "malformed at byte 31"),
    "header without a name": (form(b": form-data\r\n\r\nx"), "malformed at byte 12"),
    "header name with a space": (form(b"Content Disposition: form-data\r\n\r\nx"), "malformed at byte 19"),
    "folded header": (form(b'Content-Disposition: form-data;\r\n name="a"\r\n\r\nx'), "malformed at byte 45"),
    "carriage return in a header": (
        form(b'Content-Disposition: form-data; name="a\rb"\r\n\r\nx'),
        "malformed",
    ),
    "control character": (
        form(b'Content-Disposition: form-data; name="a\x00"\r\n\r\nx'),
        "a control character",
    ),
    "line feed in a name": (
        form(b'Content-Disposition: form-data; name="a\nb"\r\n\r\nx'),
        "a control character",
    ),
    "no headers": (form(b"\r\nx"), "a part without headers"),
    "no disposition": (form(b"Content-Type: image/jpeg\r\n\r\nx"), "a part without Content-Disposition"),
    "another disposition": (form(b'Content-Disposition: attachment; name="a"\r\n\r\nx'), "is not form-data"),
    "no name": (
        form(b'Content-Disposition: form-data; filename="a"\r\n\r\nx'),
        "is not form-data with a name",
    ),
    "two names": (form(b'Content-Disposition: form-data; name="a"; name="b"\r\n\r\nx'), "name given twice"),
    "open quote": (form(b'Content-Disposition: form-data; name="a\r\n\r\nx'), "malformed parameters"),
    "text behind a quote": (
        form(b'Content-Disposition: form-data; name="a"b\r\n\r\nx'),
        "malformed parameters",
    ),
    "same header twice": (
        form(b'A: b\r\nContent-Disposition: form-data; name="a"\r\na: c\r\n\r\nx'),
        "header twice",
    ),
    "base64": (
        form(image_part('form-data; name="a"', "Content-Transfer-Encoding: base64")),
        "changes its data",
    ),
    "quoted-printable": (
        form(image_part('form-data; name="a"', "Content-Transfer-Encoding: Quoted-Printable")),
        "changes its data",
    ),
    "many headers": (form(b"".join(b"X-%d: y\r\n" % n for n in range(17)) + b"\r\nx"), "malformed"),
    "long header": (form(b"X: " + b"y" * 5000 + b"\r\n\r\nx"), "malformed"),
    "long header name": (form(b"X" * 5000 + b": y\r\n\r\nx"), "malformed"),
    "endless header": (b"--frontier\r\nX: " + b"y" * 5_000_000, "malformed"),
    "white space after a boundary": (
        form(image_part('form-data; name="a"', data=b"x\r\n--frontier" + b" " * 5_000_000)),
        "white space after a boundary",
    ),
    "white space after an empty part": (
        form(image_part('form-data; name="a"', data=b"\r\n--frontier" + b"\t" * 5_000_000)),
        "white space after a boundary",
    ),
}


@pytest.mark.parametrize(("body", "reason"), HOSTILE.values(), ids=HOSTILE)
def test_malformed_bodies_are_refused_with_a_reason(body: bytes, reason: str) -> None:
    """Whatever breaks the format is a MultipartError that says why."""
    with pytest.raises(MultipartError) as raised:
        parse(body)

    assert reason in raised.value.reason


@pytest.mark.parametrize(
    ("content_type", "reason"),
    [
        ("", "is not multipart/form-data"),
        ("application/json", "is not multipart/form-data"),
        ("multipart/mixed; boundary=frontier", "is not multipart/form-data"),
        ("multipart/form-data", "names no boundary"),
        ("multipart/form-data; charset=utf-8", "names no boundary"),
        ("multipart/form-data; boundary=", "names no boundary"),
        ('multipart/form-data; boundary=""', "names no boundary"),
        ("multipart/form-data; boundary=a; boundary=b", "boundary given twice"),
        ("multipart/form-data; boundary=" + "a" * 71, "longer than 70 characters"),
        ("multipart/form-data; boundary=\xe9", "characters that are not allowed"),
        ('multipart/form-data; boundary="a "', "characters that are not allowed"),
        ("multipart/form-data boundary=a", "is not multipart/form-data"),
        ("multipart/form-data; boundary", "cannot be read"),
    ],
)
def test_content_types_without_a_usable_boundary_are_refused(content_type: str, reason: str) -> None:
    """The Content-Type must be multipart/form-data with one boundary of 1 to 70 printable characters."""
    with pytest.raises(MultipartError) as raised:
        parse_multipart(content_type, form(b'Content-Disposition: form-data; name="a"\r\n\r\nx'))

    assert reason in raised.value.reason


@pytest.mark.parametrize(
    "content_type",
    [
        "Multipart/Form-Data; BOUNDARY=frontier",
        'multipart/form-data; boundary="frontier"',
        "multipart/form-data; charset=utf-8; boundary=frontier",
        "multipart/form-data;boundary=frontier;",
    ],
)
def test_content_types_are_read_leniently_in_form(content_type: str) -> None:
    """Case, quotes, white space and further parameters make no difference."""
    assert len(parse_multipart(content_type, form(b'Content-Disposition: form-data; name="a"\r\n\r\nx'))) == 1


def test_too_many_parts_are_refused() -> None:
    """The limit itself is still fine."""
    parts = [b'Content-Disposition: form-data; name="a"\r\n\r\nx'] * 5

    assert len(parse(form(*parts), max_parts=5)) == 5
    with pytest.raises(MultipartError, match="more than 4 parts"):
        parse(form(*parts), max_parts=4)


names = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=30)


@given(
    st.lists(st.tuples(names, st.none() | names, st.binary(max_size=200)), max_size=6),
    st.binary(min_size=8, max_size=8),
)
def test_what_is_written_is_read_back(fields: list[tuple[str, str | None, bytes]], salt: bytes) -> None:
    """Any names, file names and data come back as they were, in order."""
    boundary = "b" + salt.hex()

    def quoted(name: str) -> str:
        return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'

    parts = [
        (
            f"Content-Disposition: form-data; name={quoted(name)}"
            + ("" if filename is None else f"; filename={quoted(filename)}")
        ).encode()
        + b"\r\n\r\n"
        + data
        for name, filename, data in fields
    ]
    parsed = parse(form(*parts, boundary=boundary), boundary)

    assert [(part.name, part.filename, bytes(part.data)) for part in parsed] == [
        (name.replace("%22", '"'), filename and filename.replace("%22", '"'), data)
        for name, filename, data in fields
    ]


pieces = st.sampled_from(
    [
        b"--f",
        b"--",
        b"\r\n",
        b"\r",
        b"\n",
        b" ",
        b":",
        b";",
        b'"',
        b"Content-Disposition",
        b'form-data; name="a"',
        b"\\",
    ]
)


@given(st.lists(pieces | st.binary(max_size=5), max_size=40).map(b"".join), st.text(max_size=60))
def test_nothing_but_a_multipart_error_is_ever_raised(body: bytes, parameters: str) -> None:
    """Any bytes under any Content-Type give a form or a MultipartError."""
    for content_type in ("multipart/form-data; boundary=f", f"multipart/form-data; {parameters}", parameters):
        with contextlib.suppress(MultipartError):
            parse_multipart(content_type, body)


def test_a_large_picture_comes_through() -> None:
    """Five megabytes of noise are found between their boundaries."""
    noise = os.urandom(5_000_000)
    (part,) = parse(form(image_part('form-data; name="image"; filename="a.jpg"', data=noise)))

    assert part.data == noise
