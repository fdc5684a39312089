"""Forms of real clients, and malformed and hostile ones."""

import base64
import binascii
import contextlib
import os
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.errors import MultipartError
from mock_server.http.multipart import Form, parse_multipart

# Contains every byte value, line ends, and the start of a boundary.
PICTURE = bytes(range(256)) + b"\r\n--\r\n" + bytes(reversed(range(256)))


def form(*parts: bytes, boundary: str = "frontier") -> bytes:
    """A body of `parts`, each its header lines, a blank line and its data."""
    delimiter = b"--" + boundary.encode()
    return b"".join(delimiter + b"\r\n" + part + b"\r\n" for part in parts) + delimiter + b"--\r\n"


def parse(body: bytes, boundary: str = "frontier") -> Form:
    return parse_multipart(f"multipart/form-data; boundary={boundary}", body)


def image_part(disposition: str, *headers: str, data: bytes = PICTURE) -> bytes:
    lines = [f"Content-Disposition: {disposition}", *headers]
    return "".join(line + "\r\n" for line in lines).encode() + b"\r\n" + data


def lines(*parts: bytes) -> bytes:
    return b"\r\n".join(parts)


# What each client sends for one picture and one field: Content-Type and body.
CLIENTS: dict[str, tuple[str, bytes]] = {
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
    ),
}


@pytest.mark.parametrize(("content_type", "body"), CLIENTS.values(), ids=CLIENTS)
def test_every_client_is_understood(content_type: str, body: bytes) -> None:
    """The bodies of common clients give the unchanged picture, its name and the language."""
    parsed = parse_multipart(content_type, body)
    image, language = parsed.first("image"), parsed.first("userLanguage")

    assert len(parsed.parts) == 2
    assert image is not None
    assert (image.filename, bytes(image.data)) == ("car.jpg", PICTURE)
    assert language is not None
    assert (language.filename, bytes(language.data)) == (None, b"en")


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
        ('form-data; name="image"; filename="my\tcar.jpg"', "my\tcar.jpg"),
        ("FORM-DATA;Name=image;FileName=car.jpg;", "car.jpg"),
        ("form-data; name=\"image\"; filename*=utf-8''%D0%B0%20b.jpg", "а b.jpg"),
        ('form-data; name="image"; filename="x.jpg"; filename*=UTF-8\'en\'%C3%BC.jpg', "ü.jpg"),
        ('form-data; name="image"; filename="x.jpg"; filename*=iso-8859-1\'\'%FC.jpg', "ü.jpg"),
        ('form-data; name="image"; filename="x.jpg"; filename*=utf-8\'\'%FF.jpg', "x.jpg"),
        ('form-data; name="image"; filename="x.jpg"; filename*=koi8-r\'\'%FC.jpg', "x.jpg"),
        ('form-data; name="image"; filename="x.jpg"; filename*=car.jpg', "x.jpg"),
        ('form-data; name="image"; filename="../../etc/passwd"', "../../etc/passwd"),
        ("form-data; name=\"image\"; filename*=UTF-16''car.jpg", "UTF-16''car.jpg"),
        ('form-data; name="image"; filename*0="a long "; filename*1="name.jpg"', "a long name.jpg"),
        ("form-data; name=\"image\"; filename*0*=utf-8''f%C3%BC; filename*1*=r%20x.jpg", "für x.jpg"),
        ("form-data; name=\"image\"; filename*1*=x; filename*0*=utf-8''%FF", "utf-8''%FFx"),
    ],
)
def test_file_names_are_read_as_they_were_meant(disposition: str, filename: str) -> None:
    """Quotes, escapes, Windows paths, UTF-8 and extended values give the file name of the user."""
    image = parse(form(image_part(disposition))).first("image")

    assert image is not None
    assert image.filename == filename
    assert image.data == PICTURE


def test_a_name_that_is_not_utf8_is_read_as_latin1() -> None:
    """Old clients send ISO-8859-1."""
    part = b'Content-Disposition: form-data; name="image"; filename="f\xfcr.jpg"\r\n\r\nx'

    assert [part.filename for part in parse(form(part))] == ["für.jpg"]


def test_parts_share_the_memory_of_the_body() -> None:
    """No byte of the picture is copied, also where the data contains what looks like a boundary."""
    for data in (PICTURE, b"x\r\n--frontie\r\n--frontierX\r\n--" + PICTURE):
        body = form(image_part('form-data; name="image"; filename="a.jpg"', data=data))
        (part,) = parse(body)

        assert part.data.obj is body
        assert part.data == data


def test_same_names_are_all_kept_in_order() -> None:
    """`first` returns the first part of a name; iteration returns all parts."""
    parts = [image_part('form-data; name="image"', data=data) for data in (b"one", b"", b"three")]
    parsed = parse(form(*parts))

    assert [bytes(part.data) for part in parsed] == [b"one", b"", b"three"]
    assert parsed.first("image") is parsed.parts[0]
    assert parsed.first("other") is None


@pytest.mark.parametrize(
    ("body", "data"),
    [
        (b"--frontier--\r\n", []),
        (b"--frontier--", []),
        (b"\r\n" + form(b'Content-Disposition: form-data; name="a"\r\n\r\nx'), [b"x"]),
        (form(b'Content-Disposition: form-data; name="a"\r\n\r\nx') + b"an epilogue\r\n--frontier\r\n", [b"x"]),
        (form(b'Content-Disposition: form-data; name="a"\r\n\r\nx')[:-2], [b"x"]),
        (form(b'Content-Disposition: form-data; name=""\r\n\r\nx'), [b"x"]),
        (form(b'Content-Disposition: form-data; name="a"\r\nX-Empty:\r\n\r\nx'), [b"x"]),
        (form(b'X-Empty:  \r\nContent-Disposition: form-data; name="a"\r\nX-Empty-2:\r\n\r\n'), [b""]),
        (form(b'Content-Disposition: form-data; name="a"\r\n\r\n\r\n\r\n'), [b"\r\n\r\n"]),
        (form(b'Content-Disposition: form-data; name="a"\r\n\r\n--frontier--'), [b"--frontier--"]),
        (form(b'Content-Disposition: form-data; name="a"\r\n\r\nx\r\n--frontie'), [b"x\r\n--frontie"]),
        (form(b'Content-Disposition: form-data; name="a"\r\n\r\nx\r\n--frontierX'), [b"x\r\n--frontierX"]),
        (form(b'Content-Disposition: form-data; name="a"\r\nContent-Transfer-Encoding: 8bit\r\n\r\nx'), [b"x"]),
        (form(b'content-disposition:form-data;name="a"\r\n\r\n\xff'), [b"\xff"]),
        (
            form(
                b'Content-Disposition: form-data; name="a"\r\n'
                b"Content-Type: multipart/mixed; boundary=inner\r\n\r\n--inner\r\n\r\nx\r\n--inner--"
            ),
            [b"--inner\r\n\r\nx\r\n--inner--"],
        ),
    ],
)
def test_odd_but_well_formed(body: bytes, data: list[bytes]) -> None:
    """Empty forms, epilogues, empty names, text that is almost a boundary, and nested forms are read."""
    assert [bytes(part.data) for part in parse(body)] == data


IMAGE = 'form-data; name="image"; filename="car.jpg"'
TEXT = b'Content-Disposition: form-data; name="a"\r\n'

TOLERATED = {
    "text before the first boundary": b"hello\r\n" + form(image_part(IMAGE)),
    "mail headers before the first boundary": b"MIME-Version: 1.0\r\n\r\n" + form(image_part(IMAGE)),
    "a boundary that is like the first": b"x--frontier\r\n" + form(image_part(IMAGE)),
    "folded header": form(image_part('form-data;\r\n name="image";\r\n\tfilename="car.jpg"')),
    "folded header of a neighbour": form(b'Content-Disposition: form-data;\r\n name="a"\r\n\r\nx', image_part(IMAGE)),
    "quote after a file name": form(image_part('form-data; name="image"; filename="car.jpg""')),
    "rubbish after a file name": form(image_part('form-data; name="image"; filename="car.jpg" what=is; this')),
    "file name twice": form(image_part('form-data; name="image"; filename="car.jpg"; filename="car.jpg"')),
    "Content-Type twice": form(image_part(IMAGE, "Content-Type: image/jpeg", "Content-Type: image/png")),
    "many headers": form(image_part(IMAGE, *(f"X-{number}: y" for number in range(60)))),
    "white space after a boundary": form(image_part(IMAGE), TEXT + b"\r\nx").replace(
        b"\r\n--frontier\r\n", b"\r\n--frontier \t\r\n"
    ),
    "a part without Content-Disposition": form(b"Content-Type: text/plain\r\n\r\nx", image_part(IMAGE)),
    "a part without headers": form(b"\r\nx", image_part(IMAGE)),
    "a text in quoted-printable": form(
        TEXT + b"Content-Transfer-Encoding: Quoted-Printable\r\n\r\nfr=2Dca=\r\n", image_part(IMAGE)
    ),
    "a text in an unknown encoding": form(TEXT + b"Content-Transfer-Encoding: zip\r\n\r\nx", image_part(IMAGE)),
    "the picture in base64": form(
        image_part(IMAGE, "Content-Transfer-Encoding: base64", data=base64.encodebytes(PICTURE))
    ),
    "the picture in quoted-printable": form(
        image_part(IMAGE, "Content-Transfer-Encoding: quoted-printable", data=binascii.b2a_qp(PICTURE, istext=False))
    ),
    "many parts": form(*[TEXT + b"\r\nx"] * 900, image_part(IMAGE)),
    "file name with two values": form(image_part('form-data; name="image"; filename="car.jpg"; filename="b.jpg"')),
    "semicolons in a row": form(image_part('form-data;; name="image"; ;filename="car.jpg"')),
    "long header": form(image_part(IMAGE, f"X-Long: {'y' * 10_000}")),
    **{
        f"the picture is said to be in {encoding}": form(image_part(IMAGE, f"Content-Transfer-Encoding: {encoding}"))
        for encoding in ("base64", "quoted-printable", "x-uuencode", "binary (raw)", '"8bit"', "", "?")
    },
}


@pytest.mark.parametrize("body", TOLERATED.values(), ids=TOLERATED)
def test_what_ordinary_servers_accept_is_accepted(body: bytes) -> None:
    """Odd headers, odd neighbours and text around the form leave the picture as it is."""
    image = parse(body).first("image")

    assert image is not None
    assert (image.filename, bytes(image.data)) == ("car.jpg", PICTURE)


def test_line_feeds_end_lines() -> None:
    """A body whose lines all end with a line feed alone is read."""
    image = parse(form(TEXT + b"\r\nx", image_part(IMAGE)).replace(b"\r\n", b"\n")).first("image")

    assert image is not None
    assert (image.filename, bytes(image.data)) == ("car.jpg", PICTURE.replace(b"\r\n", b"\n"))


@pytest.mark.parametrize(
    ("encoding", "sent", "data"),
    [
        ("quoted-printable", b"fr=2DFR=\r\n!", b"fr-FR!"),
        ("Quoted-Printable ", b"=D0=9C=D0=BE", "Мо".encode()),
        ("base64", b"ZW4t\r\nVVM=\r\n", b"en-US"),
        ('"Base64" (MIME)', b"ZW4t\r\nVVM=\r\n", b"en-US"),
        ("base64", b"en-US", b"en-US"),
        ("base64", b"ZW4tVVM", b"ZW4tVVM"),
        ("quoted-printable", "=D0 Мо".encode(), "=D0 Мо".encode()),
        ("8bit", b"en", b"en"),
    ],
)
def test_transfer_encodings_are_decoded(encoding: str, sent: bytes, data: bytes) -> None:
    """A part in base64 or quoted-printable gives what was encoded; data that cannot be decoded stays as it is."""
    (part,) = parse(form(TEXT + f"Content-Transfer-Encoding: {encoding}\r\n\r\n".encode() + sent))

    assert bytes(part.data) == data


SKIPPED = {
    "no disposition": (b"Content-Type: image/jpeg\r\n\r\nx", "has no Content-Disposition"),
    "another disposition": (b'Content-Disposition: attachment; name="a"\r\n\r\nx', "is not form-data"),
    "no name": (b'Content-Disposition: form-data; filename="a"\r\n\r\nx', "is not form-data with a name"),
    "two names": (b'Content-Disposition: form-data; name="a"; name="b"\r\n\r\nx', "name has two values"),
    "open quote": (b'Content-Disposition: form-data; name="a\r\n\r\nx', "is not form-data with a name"),
    "open quote of a file name": (
        b'Content-Disposition: form-data; name="a"; filename="car.jpg\r\n\r\nx',
        "the file name of a part is malformed",
    ),
    "control character": (b'Content-Disposition: form-data; name="a\x00"\r\n\r\nx', "has a control character"),
    "line feed in a name": (b'Content-Disposition: form-data; name="a\nb"\r\n\r\nx', "has a control character"),
}


@pytest.mark.parametrize(("part", "reason"), SKIPPED.values(), ids=SKIPPED)
def test_a_part_with_unusable_headers_is_left_out(part: bytes, reason: str) -> None:
    """Other parts are not affected; the form has the reason."""
    parsed = parse(form(part, image_part(IMAGE)))

    assert [part.name for part in parsed] == ["image"]
    assert len(parsed.skipped) == 1
    assert reason in parsed.skipped[0]


HOSTILE = {
    "nothing": (b"", "boundary of the Content-Type is not in the body"),
    "no boundary in the body": (b"hello", "boundary of the Content-Type is not in the body"),
    "only line ends": (b"\r\n" * 1000, "boundary of the Content-Type is not in the body"),
    "another boundary": (form(b"A: b\r\n\r\n", boundary="other"), "boundary of the Content-Type is not in the body"),
    "unterminated": (form(image_part('form-data; name="a"'))[:-4], "the last boundary is missing"),
    "cut in the data": (form(image_part('form-data; name="a"'))[:200], "the last boundary is missing"),
    "cut in a header": (b"--frontier\r\nContent-Dispo", "the last boundary is missing"),
    "header without a colon": (form(b"Content-Disposition form-data\r\n\r\nx"), "invalid character 32"),
    "header without a name": (form(b": form-data\r\n\r\nx"), "0-length header"),
    "header name with a space": (form(b"Content Disposition: form-data\r\n\r\nx"), "invalid character 32"),
    "carriage return in a header": (form(b'Content-Disposition: form-data; name="a\rb"\r\n\r\nx'), "malformed"),
    "many headers": (form(b"".join(b"X-%d: y\r\n" % n for n in range(101)) + b"\r\nx"), "header count"),
    "long header": (form(b"X: " + b"y" * 20_000 + b"\r\n\r\nx"), "header size"),
    "long header name": (form(b"X" * 20_000 + b": y\r\n\r\nx"), "header size"),
    "endless header": (b"--frontier\r\nX: " + b"y" * 5_000_000, "bytes of headers"),
    "much white space after a boundary": (
        form(image_part('form-data; name="a"', data=b"x\r\n--frontier" + b" " * 20_000_000)),
        "too much white space after a boundary",
    ),
    "much white space after an empty part": (
        form(image_part('form-data; name="a"', data=b"\r\n--frontier" + b"\t" * 20_000_000)),
        "too much white space after a boundary",
    ),
    "many boundaries in the data": (
        form(image_part('form-data; name="a"', data=b"\r\n--frontierX" * 1_000_000)),
        "more than 1000 parts",
    ),
    "many parts": (form(*[TEXT + b"\r\nx"] * 1001), "more than 1000 parts"),
    "many parts with line feeds": (b"--frontier\n" + b"\n--frontier" * 1_000_000, "bytes of headers"),
    "much white space in headers": (form(*[(b"X:" + b" " * 4000 + b"y\r\n") * 50 + b"\r\n"] * 100), "bytes of headers"),
}


@pytest.mark.parametrize(("body", "reason"), HOSTILE.values(), ids=HOSTILE)
def test_malformed_bodies_are_refused_with_a_reason(body: bytes, reason: str) -> None:
    """A body that cannot be divided into parts is a MultipartError that says why, within a short time."""
    started = time.process_time()
    with pytest.raises(MultipartError) as raised:
        parse(body)

    assert reason in str(raised.value)
    assert time.process_time() - started < 0.5


@pytest.mark.parametrize(
    ("content_type", "reason"),
    [
        ("", "is not multipart/form-data"),
        ("application/json", "is not multipart/form-data"),
        ("multipart/mixed; boundary=frontier", "is not multipart/form-data"),
        ("multipart/form-data", "has no boundary"),
        ("multipart/form-data; charset=utf-8", "has no boundary"),
        ("multipart/form-data; boundary=", "has no boundary"),
        ('multipart/form-data; boundary=""', "has no boundary"),
        ("multipart/form-data; boundary=a; boundary=b", "boundary has two values"),
        ("multipart/form-data; boundary=\xe9", "characters that are not allowed"),
        ('multipart/form-data; boundary="a "', "characters that are not allowed"),
        ("multipart/form-data boundary=a", "is not multipart/form-data"),
        ("multipart/form-data; boundary", "has no boundary"),
    ],
)
def test_content_types_without_a_usable_boundary_are_refused(content_type: str, reason: str) -> None:
    """The Content-Type must be multipart/form-data with one boundary of 1 to 256 printable characters."""
    with pytest.raises(MultipartError) as raised:
        parse_multipart(content_type, form(b'Content-Disposition: form-data; name="a"\r\n\r\nx'))

    assert reason in str(raised.value)


@pytest.mark.parametrize(
    "content_type",
    [
        "Multipart/Form-Data; BOUNDARY=frontier",
        'multipart/form-data; boundary="frontier"',
        "multipart/form-data; charset=utf-8; boundary=frontier",
        "multipart/form-data;boundary=frontier;",
        "multipart/form-data; boundary=frontier; boundary=frontier",
        'multipart/form-data; boundary="frontier"; rubbish',
    ],
)
def test_content_types_are_read_leniently_in_form(content_type: str) -> None:
    """Case, quotes, white space and further parameters make no difference."""
    (part,) = parse_multipart(content_type, form(b'Content-Disposition: form-data; name="a"\r\n\r\nx'))

    assert bytes(part.data) == b"x"


def test_long_boundaries() -> None:
    """A boundary may be longer than the 70 characters that RFC 2046 allows, up to 256."""
    longest, longer = "b" * 256, "b" * 257

    assert len(parse(form(image_part(IMAGE), boundary=longest), longest).parts) == 1
    with pytest.raises(MultipartError, match="exceeds maximum of 256"):
        parse(form(image_part(IMAGE), boundary=longer), longer)


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
        (name.replace("%22", '"'), filename and filename.replace("%22", '"'), data) for name, filename, data in fields
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
    """Any bytes with any Content-Type give a form or a MultipartError."""
    for content_type in ("multipart/form-data; boundary=f", f"multipart/form-data; {parameters}", parameters):
        with contextlib.suppress(MultipartError):
            parse_multipart(content_type, body)


def test_a_large_picture_comes_through() -> None:
    """A part of five megabytes is read."""
    noise = os.urandom(5_000_000)
    (part,) = parse(form(image_part('form-data; name="image"; filename="a.jpg"', data=noise)))

    assert part.data == noise
