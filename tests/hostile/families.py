"""Families of hostile requests: each makes an endless variety of one kind from a seeded generator."""

import base64
import gzip
import json
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache

from mock_server.core.model import OutcomeName
from tests.hostile.admin_inputs import admin_documents, yaml_documents
from tests.hostile.mutation import TEXTS, VALUES, changed_bytes, changed_document
from tests.hostile.picture_inputs import changed_picture, seed_pictures
from tests.hostile.sending import POOR, RICH, Headers, Input
from tests.support import picture

Family = Callable[[random.Random], Input]
"""Makes one input."""

_KEYS = (
    *[RICH] * 12,
    *[POOR] * 3,
    "demo-key",
    "no-credits",
    "inactive-key",
    "basic-plan-key",
    "slow-key",
    "",
    "unknown",
)
_UPLOAD_PATHS = (
    *["/api/ocr/plate", "/api/ocr/vin"] * 30,
    "/api/ocr/x",
    "/api/ocr/",
    "/api/ocr/plate/",
    "//api/ocr/plate",
)
_JSON_PATHS = (*["/platerecognition", "/v1/vinocr"] * 20, "/vinocr", "/vin-ocr", "/eu/v1/vinocr", "/V1/VINOCR")
_METHODS = (*["POST"] * 150, "GET", "PUT", "HEAD", "OPTIONS", "DELETE", "PATCH", "TRACE", "X")
_LANGUAGES = ("en", "de-AT", "", "*", "x" * 600, "ä", "\x00")


def inputs(family: Family, count: int, seed: int) -> Iterator[Input]:
    """So many inputs of a family. Each has a seed of its own, so that one can be made again."""
    for number in range(count):
        yield family(random.Random(f"{seed}/{number}"))


def multipart(rng: random.Random) -> Input:
    """Uploads whose form is damaged."""
    boundary = rng.choice(("b", "----WebKitFormBoundary7MA4YWxk", "a" * 70, "--", "'x y'"))
    body = _form(rng, boundary, rng.choice(_known()))
    if rng.random() < 0.8:
        body = changed_bytes(body, rng)
    content_type = f"multipart/form-data; boundary={boundary}".encode()
    if rng.random() < 0.15:
        content_type = _header_value(changed_bytes(content_type, rng))
    return _upload(rng, content_type, body)


def _upload(rng: random.Random, content_type: bytes, body: bytes, *headers: tuple[bytes, bytes]) -> Input:
    encoding: Headers = ()
    if rng.random() < 0.05:
        encoding = ((b"content-encoding", rng.choice((b"gzip", b"deflate", b"br", b"gzip, gzip"))),)
        body = gzip.compress(body, 1) if rng.random() < 0.7 else body
    return Input(
        rng.choice(_METHODS),
        rng.choice(_UPLOAD_PATHS),
        ((b"content-type", content_type), (b"x-api-key", _key(rng)), *encoding, *headers),
        body,
        pieces=rng.choice((1, 1, 1, 2, 5)),
        is_left=rng.random() < 0.02,
        may_fail=_may_force(body),
    )


def _form(rng: random.Random, boundary: str, image: bytes) -> bytes:
    filename = rng.choice(("photo.jpg", "a b.png", 'a\\"b', "mock-out.jpg", "", "%22", *TEXTS)).encode(
        "utf-8", "replace"
    )
    parts = [(b'form-data; name="image"; filename="' + filename + b'"\r\nContent-Type: image/jpeg', image)]
    if rng.random() < 0.5:
        language = rng.choice(_LANGUAGES).encode()
        parts.insert(rng.randint(0, 1), (b'form-data; name="userLanguage"', language))
    for _ in range(rng.choice((0, 0, 0, 1, 3, 40))):
        name = rng.choice(TEXTS).encode("utf-8", "replace")
        parts.append((b'form-data; name="' + name + b'"', rng.randbytes(rng.randint(0, 30))))
    lines = [b"--%b\r\nContent-Disposition: %b\r\n\r\n%b\r\n" % (boundary.encode(), head, data) for head, data in parts]
    return b"".join(lines) + b"--%b--\r\n" % boundary.encode()


def json_bodies(rng: random.Random) -> Input:
    """CarsXE calls whose body, query or content type is damaged."""
    document: dict[str, object] = {rng.choice(("image_url", "image", "upload_url", "imageUrl")): _reference(rng)}
    if rng.random() < 0.3:
        document[rng.choice(("key", "country", "", "image_url", *TEXTS))] = rng.choice(VALUES)
    if rng.random() < 0.4:
        document = changed_document(document, rng)
    body = json.dumps(document, ensure_ascii=rng.random() < 0.5).encode("utf-8", "surrogatepass")
    match rng.randrange(12):
        case 0:
            body = b"[" * rng.randint(1, 3000) + body
        case 1:
            body = body.decode("utf-8", "replace").encode(rng.choice(("utf-16", "utf-32", "utf-8-sig", "utf-16-be")))
        case 2:
            body = rng.choice((b"NaN", b"1e999", b"01", b'"\\ud800"', b"{}", b"", b"null", b'{"a":1,"a":2}'))
    if rng.random() < 0.5:
        body = changed_bytes(body, rng)
    content_type = rng.choice(
        (*[b"application/json"] * 8, b"text/plain", b"", b"application/xml", b"application/a+json")
    )
    query = f"key={_key(rng).decode('latin-1')}" if rng.random() < 0.85 else rng.choice(TEXTS)
    if rng.random() < 0.2:
        query += "&" + changed_bytes(b"source=sdk&key=other&a=%41", rng).decode("latin-1").replace("#", "")
    return Input(
        rng.choice(_METHODS),
        f"{rng.choice(_JSON_PATHS)}?{query}",
        ((b"content-type", content_type),),
        body,
        pieces=rng.choice((1, 1, 1, 2, 5)),
        is_left=rng.random() < 0.02,
        may_fail=_may_force(body),
    )


def _reference(rng: random.Random) -> str:
    """A picture as its URL, as base64, or as a `data:` URL."""
    encoded = base64.b64encode(rng.choice(_known())).decode()
    return rng.choice(
        (
            *("http://127.0.0.1:8080/images/car.jpg", "http://127.0.0.1:8080/images/vin.jpg", "http://x.test/a.jpg"),
            *(encoded, f"data:image/jpeg;base64,{encoded}", encoded[:-3], rng.choice(TEXTS)),
            f"http://127.0.0.1:8080/images/{rng.choice(TEXTS)}",
        )
    )


def prefer(rng: random.Random) -> Input:
    """Uploads that force results by the header `Prefer`."""
    names = ("scenario", "outcome", "code", "wait", "respond-async", "SCENARIO", "", *TEXTS)
    values = (*OutcomeName, "not-found", "cached", "402", "503", "999", *TEXTS)
    quotes = ("{}", '"{}"', '"{}', "'{}'", '"\\"{}"')
    written = [
        f"{rng.choice(names)}{rng.choice(('=', ' = ', '', '=='))}{rng.choice(quotes).format(rng.choice(values))}"
        for _ in range(rng.choice((1, 1, 1, 2, 5, 300)))
    ]
    value = rng.choice((", ", ",", ";", " ")).join(written).encode("utf-8", "replace")
    value = changed_bytes(value, rng) if rng.random() < 0.4 else value
    sent = _upload(
        rng,
        b"multipart/form-data; boundary=b",
        _form(rng, "b", rng.choice(_known())),
        (b"prefer", _header_value(value)),
        (b"x-scenario", rng.choice((b"", b"not-found", b"cached", b"reworded"))),
    )
    return replace(sent, may_fail=True)


def pictures(rng: random.Random) -> Input:
    """Pictures of every format, damaged; as uploads and in base64."""
    data = changed_picture(rng)
    if rng.random() < 0.8:
        return _upload(rng, b"multipart/form-data; boundary=b", _form(rng, "b", data))
    body = json.dumps({"image": base64.b64encode(data).decode()}).encode()
    return Input("POST", f"/v1/vinocr?key={RICH}", ((b"content-type", b"application/json"),), body)


def _key(rng: random.Random) -> bytes:
    key = rng.choice(_KEYS).encode()
    return _header_value(changed_bytes(key, rng)) if rng.random() < 0.03 else key


def _header_value(value: bytes) -> bytes:
    """The value without the bytes that no HTTP parser lets through."""
    return bytes(byte for byte in value if byte >= 32 and byte != 127).strip()


def _may_force(body: bytes) -> bool:
    return b"mock-" in body.lower()


@cache
def _known() -> tuple[bytes, ...]:
    """Pictures that scenarios know, and small ones that none does."""
    # Large pictures are the minority: most changes would fall into their pixels.
    return (picture("car"), picture("vin"), b"", b"no picture", *seed_pictures())


FAMILIES: Mapping[str, Family] = {
    "multipart": multipart,
    "JSON": json_bodies,
    "Prefer": prefer,
    "pictures": pictures,
    "admin documents": admin_documents,
    "YAML": yaml_documents,
}
