"""No request of legal size holds the event loop: health answers while the worst ones are read."""

import base64
import gzip
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.cli.command import Served, served
from tests.support import FIXTURES, PATIENCE, drawn

SIZE = 30_000_000
LOOP_SECONDS = 0.3
"""Processor time of the event loop's thread for one request; load on the machine does not change it."""
HEALTH_SECONDS = 10.0
_PAUSE = 0.05
"""Seconds between two questions for health. They take the loop's time too, the more the longer the request takes."""

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc")

Sent = tuple[str, Mapping[str, str], bytes]
"""Path, headers and body of a request."""


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    """A server in a process of its own, warm."""
    with served(str(FIXTURES), "--decode-timeout", "1") as running:
        httpx.get(f"{running.url}/__admin/health", timeout=PATIENCE)
        httpx.post(f"{running.url}/api/ocr/plate", headers=KEY, files={"image": ("a.png", drawn())}, timeout=PATIENCE)
        yield running


KEY = {"X-API-Key": "demo-key"}
FORM = {"Content-Type": "multipart/form-data; boundary=b", **KEY}
JSON = {"Content-Type": "application/json"}
GZIP = {"Content-Encoding": "gzip"}
CARSXE = "/v1/vinocr?key=demo-key"


def part(name: str, data: bytes, *, headers: bytes = b"", filename: bytes = b"") -> bytes:
    filename = b'; filename="' + filename + b'"' if filename else b""
    return (
        b'--b\r\nContent-Disposition: form-data; name="' + name.encode() + b'"' + filename + b"\r\n" + headers + b"\r\n"
    ) + (data + b"\r\n")


def form(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--b--\r\n"


def upload(data: bytes, *, headers: bytes = b"") -> bytes:
    return form(part("image", data, headers=headers, filename=b"a.jpg"))


def image_url(value: bytes) -> bytes:
    return b'{"image_url": "' + value + b'"}'


def base64_of(size: int) -> bytes:
    return base64.b64encode(os.urandom(size // 4 * 3))


def compressed(body: bytes) -> bytes:
    return gzip.compress(body, 1)


PROVIDERS: dict[str, Callable[[], Sent]] = {
    "upload of noise": lambda: ("/api/ocr/plate", FORM, upload(os.urandom(SIZE))),
    "upload of zeros": lambda: ("/api/ocr/plate", FORM, upload(bytes(SIZE))),
    "JPEG of markers": lambda: ("/api/ocr/plate", FORM, upload(b"\xff\xd8" + b"\xff\xfe\x00\x02" * (SIZE // 4))),
    "JPEG of fill bytes in a scan": lambda: (
        "/api/ocr/plate",
        FORM,
        upload(b"\xff\xd8\xff\xda\x00\x02" + b"\xff" * SIZE),
    ),
    "long language": lambda: (
        "/api/ocr/plate",
        FORM,
        form(part("image", drawn(), filename=b"a"), part("userLanguage", b"e" * SIZE)),
    ),
    "language of damaged UTF-8": lambda: (
        "/api/ocr/plate",
        FORM,
        form(part("image", drawn(), filename=b"a"), part("userLanguage", b"\xff" * SIZE)),
    ),
    "base64 part": lambda: (
        "/api/ocr/plate",
        FORM,
        upload(base64_of(SIZE), headers=b"Content-Transfer-Encoding: base64\r\n"),
    ),
    "quoted-printable part": lambda: (
        "/api/ocr/plate",
        FORM,
        upload(b"=41" * (SIZE // 3), headers=b"Content-Transfer-Encoding: quoted-printable\r\n"),
    ),
    "thousands of parts": lambda: ("/api/ocr/plate", FORM, form(*[part("x", b"")] * 300_000)),
    "half boundaries": lambda: ("/api/ocr/plate", FORM, upload(b"\r\n--" * (SIZE // 4))),
    "line feeds": lambda: ("/api/ocr/plate", FORM, upload(b"\n" * SIZE).replace(b"\r\n", b"\n")),
    "long part headers": lambda: ("/api/ocr/plate", FORM, upload(b"", headers=b"X: " + b"a" * SIZE + b"\r\n")),
    "long file name": lambda: ("/api/ocr/plate", FORM, form(part("image", drawn(), filename=b"a" * SIZE))),
    "JSON of lists": lambda: (CARSXE, JSON, b'{"image_url": [' + b"[]," * (SIZE // 3) + b"1]}"),
    "JSON of keys": lambda: (CARSXE, JSON, b"{" + b",".join(b'"%d":1' % n for n in range(2_000_000)) + b"}"),
    "deep JSON": lambda: (CARSXE, JSON, b"[" * SIZE),
    "JSON of escapes": lambda: (CARSXE, JSON, image_url(b"\\u00e9" * (SIZE // 6))),
    "a long number": lambda: (CARSXE, JSON, b'{"image_url": ' + b"1" * SIZE + b"}"),
    "UTF-16": lambda: (CARSXE, JSON, image_url(b"a" * (SIZE // 2)).decode().encode("utf-16")),
    "base64": lambda: (CARSXE, JSON, image_url(base64_of(SIZE))),
    "base64 with spaces": lambda: (CARSXE, JSON, image_url(b"AAA " * (SIZE // 4))),
    "base64 of the other alphabet": lambda: (CARSXE, JSON, image_url(b"-_Aa" * (SIZE // 4))),
    "no base64": lambda: (CARSXE, JSON, image_url(b"A" * SIZE + b"!")),
    "percent-encoded data": lambda: (CARSXE, JSON, image_url(b"data:," + b"%41" * (SIZE // 3))),
    "percent-encoded base64": lambda: (CARSXE, JSON, image_url(b"data:;base64," + b"%41" * (SIZE // 3))),
    "data without a comma": lambda: (CARSXE, JSON, image_url(b"data:" + b";" * SIZE)),
    "long URL": lambda: (CARSXE, JSON, image_url(b"http://x/mock-" + b"a" * SIZE)),
    "long key": lambda: ("/v1/vinocr", JSON, b'{"image_url": "http://x/", "key": "' + b"k" * SIZE + b'"}'),
    "plain text": lambda: (CARSXE, {"Content-Type": "text/plain"}, b"\xff" * SIZE),
    "compressed zeros": lambda: ("/api/ocr/plate", FORM | GZIP, compressed(upload(bytes(SIZE)))),
    "compressed noise": lambda: ("/api/ocr/plate", FORM | GZIP, compressed(upload(os.urandom(SIZE)))),
    "compressed base64": lambda: (CARSXE, JSON | GZIP, compressed(image_url(base64_of(SIZE)))),
    "compressed JSON of lists": lambda: (CARSXE, JSON | GZIP, compressed(b'{"a": [' + b"[]," * (SIZE // 3) + b"1]}")),
    "too much compressed": lambda: (CARSXE, JSON | GZIP, compressed(bytes(200_000_000))),
    "quotes in Prefer": lambda: ("/api/ocr/plate", FORM | {"Prefer": 'a="' * 10_000}, upload(drawn())),
    "commas in Prefer": lambda: ("/api/ocr/plate", FORM | {"Prefer": "a=1," * 10_000}, upload(drawn())),
    "a query of parameters": lambda: (f"{CARSXE}&" + "a&" * 7000, JSON, b"{}"),
    "a header key": lambda: ("/api/ocr/plate", FORM | {"X-API-Key": "k" * 60_000}, upload(drawn())),
    "parameters of the form": lambda: (
        "/api/ocr/plate",
        KEY | {"Content-Type": "multipart/form-data" + '; a="\\"' * 5000},
        upload(drawn()),
    ),
}
OTHERS: dict[str, Callable[[], Sent]] = {
    "admin: JSON of lists": lambda: ("/__admin/scenarios", JSON, b'{"a": [' + b"[]," * 330_000 + b"1]}"),
    "admin: deep JSON": lambda: ("/__admin/accounts", JSON, b'{"a":' * 190_000),
    "admin: large JSON": lambda: ("/__admin/requests/find", JSON, b'{"a": [' + b"[]," * (SIZE // 3) + b"1]}"),
    "admin: YAML of aliases": lambda: (
        "/__admin/scenarios",
        {"Content-Type": "application/yaml"},
        b"a: &a [1]\nb: [" + b"*a, " * 240_000 + b"1]",
    ),
    "admin: YAML of lists": lambda: (
        "/__admin/scenarios",
        {"Content-Type": "application/yaml"},
        b"a: " + b"[" * 500_000,
    ),
    "admin: form of noise": lambda: ("/__admin/match", FORM, upload(os.urandom(SIZE))),
    "admin: long fields": lambda: (
        "/__admin/match",
        FORM,
        form(part("url", b"x" * (SIZE // 2)), part("key", b"\xff" * (SIZE // 2))),
    ),
    "admin: headers of a form": lambda: ("/__admin/match", FORM, form(part("headers", b"[" * SIZE))),
    "admin: half boundaries": lambda: ("/__admin/scenarios", FORM, upload(b"\r\n--" * (SIZE // 4))),
    "admin: a picture of markers": lambda: (
        "/__admin/scenarios",
        FORM,
        form(
            part("scenario", b'{"scenario": "x", "when": {"image": "a.jpg"}, "reading": {"plate": "A1"}}'),
            part("image", b"\xff\xd8" + b"\xff\xfe\x00\x02" * (SIZE // 4), filename=b"a.jpg"),
        ),
    ),
    "admin: long name": lambda: (f"/__admin/scenarios/{'a' * 15_000}", JSON, b"{}"),
    "admin: long filter": lambda: (f"/__admin/requests?key={'k' * 15_000}", JSON, b"{}"),
    "gallery: long name": lambda: (f"/images/{'%2e%2e/' * 2000}", {}, b""),
    "nothing there: long path": lambda: (f"/{'vinocr/' * 2000}", {}, b""),
    "nothing there: large body": lambda: ("/nothing", JSON, bytes(SIZE)),
}


@pytest.mark.parametrize("name", [*PROVIDERS, *OTHERS])
def test_health_answers_while_the_worst_is_read(server: Served, name: str) -> None:
    """The loop's thread is not busy with the request, and no other thread keeps it from running."""
    path, headers, body = {**PROVIDERS, **OTHERS}[name]()
    with httpx.Client(base_url=server.url, timeout=PATIENCE) as client, pinging(server) as worst:
        before = loop_seconds(server)
        reply = client.request("GET" if not body else "POST", path, headers=headers, content=body)
        busy = loop_seconds(server) - before

    assert reply.status_code < 500
    assert busy <= LOOP_SECONDS
    assert worst() <= HEALTH_SECONDS


def loop_seconds(server: Served) -> float:
    """Processor time of the thread that the event loop runs in."""
    pid = server.process.pid
    fields = Path(f"/proc/{pid}/task/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def pinging(server: Served) -> Iterator[Callable[[], float]]:
    """Ask for health all the time; gives a function that returns the longest time to an answer in seconds."""
    has_begun, is_over = threading.Event(), threading.Event()
    times: list[float] = []

    def ping() -> None:
        with httpx.Client(base_url=server.url, timeout=PATIENCE) as client:
            while not is_over.is_set():
                started = time.perf_counter()
                assert client.get("/healthz").status_code == 200
                times.append(time.perf_counter() - started)
                has_begun.set()
                is_over.wait(_PAUSE)

    thread = threading.Thread(target=ping)
    thread.start()
    assert has_begun.wait(PATIENCE)
    try:
        yield lambda: max(times)
    finally:
        is_over.set()
        thread.join()
