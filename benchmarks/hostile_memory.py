"""`python -m benchmarks.hostile_memory [--count N] [KIND …]`: the memory that long texts from requests leave behind.

Each kind of request is sent a thousand times with other texts, to a server of its own. The memory may rise by 100 MB,
and `reset` gives it back.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from http.client import HTTPConnection
from urllib.parse import quote

from benchmarks.servers import Running, mock, running
from tests.support import FIXTURES, picture

LARGE = 20_000_000
_MOST = 100.0  # MB
_LEFT = 20.0  # MB, after a reset
_NEAR = 5.0  # MB
_WARM_UP = 20
_PATIENCE = 22.0
_HEAD = 60_000  # bytes; the limit of all headers is 64 KB
_URL = 15_000

KEY = {"X-API-Key": "demo-key"}
JSON = {"Content-Type": "application/json"}
YAML = {"Content-Type": "application/yaml"}
FORM = {"Content-Type": "multipart/form-data; boundary=b"}
CARSXE = "/v1/vinocr?key=demo-key"


@dataclass(frozen=True, slots=True)
class Sent:
    """A request. Its body is sent piece by piece, because joining 20 MB takes longer than sending them."""

    path: str
    headers: Mapping[str, str]
    body: Sequence[bytes | memoryview] = ()
    method: str = "POST"


_LARGE = memoryview(b"k" * (LARGE - 8))


def _large(number: int) -> tuple[bytes, memoryview]:
    """The two pieces of a text of 20 MB, with a number that makes it unlike all others."""
    return b"%08d" % number, _LARGE


def _text(number: int, size: int) -> str:
    """A text of a size, with a number that makes it unlike all others."""
    return f"{number:08}" + "k" * (size - 8)


def _json(name: str, value: str, path: str = CARSXE) -> Sent:
    return Sent(path, JSON, [json.dumps({name: value}).encode()])


def _form(*parts: tuple[str, *tuple[bytes | memoryview, ...]], headers: Mapping[str, str] = KEY) -> Sent:
    body: list[bytes | memoryview] = []
    for header, *pieces in parts:
        body += [b"--b\r\nContent-Disposition: form-data; %b\r\n\r\n" % header.encode(), *pieces, b"\r\n"]
    return Sent("/api/ocr/plate", FORM | dict(headers), [*body, b"--b--\r\n"])


_IMAGE = ('name="image"; filename="a.jpg"', picture("car"))
_SCENARIO = '{"scenario": "s%d", "when": {"filename": "%s*"}, "reading": {"plate": "A1"}}'

_SERVER = mock(FIXTURES, "--no-watch", "--log-level", "error")

KINDS: Mapping[str, Callable[[int], Sent]] = {
    "20 MB image_url": lambda n: Sent(CARSXE, JSON, [b'{"image_url": "http://x.test/', *_large(n), b'"}']),
    "20 MB key in the body": lambda n: Sent(
        "/v1/vinocr", JSON, [b'{"image_url": "http://x/", "key": "', *_large(n), b'"}']
    ),
    "20 MB userLanguage": lambda n: _form(_IMAGE, ('name="userLanguage"', *_large(n))),
    "20 MB data URL": lambda n: Sent(CARSXE, JSON, [b'{"image_url": "data:,', *_large(n), b'"}']),
    "20 MB name in JSON": lambda n: Sent(CARSXE, JSON, [b'{"', *_large(n), b'": "x"}']),
    "20 MB upload": lambda n: _form(('name="image"; filename="a.jpg"', *_large(n))),
    "16 KB image_url": lambda n: _json("image_url", "http://x.test/" + _text(n, _URL)),
    "16 KB image_url of 4-byte characters": lambda n: _json("image_url", f"http://x.test/{n}" + "\U0001f697" * _URL),
    "16 KB gallery URL": lambda n: _json("image_url", f"http://127.0.0.1/images/{_text(n, _URL)}"),
    "file name": lambda n: _form((f'name="image"; filename="{_text(n, 4000)}"', picture("car"))),
    "part names": lambda n: _form(_IMAGE, *((f'name="{_text(n, 3000)}{i}"', b"") for i in range(90))),
    "header value": lambda n: _form(_IMAGE, headers={**KEY, "X-Long": _text(n, _HEAD)}),
    "header name": lambda n: _form(_IMAGE, headers={**KEY, "X" + _text(n, _HEAD): "x"}),
    "many headers": lambda n: _form(_IMAGE, headers=KEY | {f"{n}-{i:04}": "x" for i in range(3000)}),
    "X-API-Key": lambda n: _form(_IMAGE, headers={"X-API-Key": _text(n, _HEAD)}),
    "User-Agent": lambda n: _form(_IMAGE, headers={**KEY, "User-Agent": _text(n, _HEAD)}),
    "Prefer": lambda n: _form(_IMAGE, headers={**KEY, "Prefer": f"scenario={_text(n, _HEAD)}"}),
    "source": lambda n: _json("image_url", "http://x.test/", f"{CARSXE}&source={_text(n, _URL)}"),
    "key in the query": lambda n: _json("image_url", "http://x.test/", f"/v1/vinocr?key={_text(n, _URL)}"),
    "unknown path": lambda n: Sent(f"/{_text(n, _URL)}", {}),
    "admin filter": lambda n: Sent(f"/__admin/requests?key={_text(n, _URL)}", {}, method="GET"),
    "admin document": lambda n: Sent(
        "/__admin/overrides", JSON, [json.dumps({"key": _text(n, 900_000)}).encode()], "PUT"
    ),
    "admin account": lambda n: Sent(f"/__admin/accounts/{quote(_text(n, _URL))}", JSON, [b'{"credits": 1}'], "PATCH"),
    "admin YAML": lambda n: Sent("/__admin/scenarios", YAML, [f"scenario: {_text(n, 900_000)}".encode()]),
    "admin scenarios": lambda n: Sent("/__admin/scenarios", JSON, [(_SCENARIO % (n, _text(n, 500))).encode()]),
    "admin match": lambda n: Sent(
        "/__admin/match", JSON, [json.dumps({"provider": "carsxe", "product": "vin", "url": _text(n, _URL)}).encode()]
    ),
    "unlike pictures": lambda n: _form(('name="image"; filename="a.jpg"', picture("car") + b"%020d" % n)),
}


def main() -> None:
    """Measure the chosen kinds and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hostile_memory", description=__doc__)
    parser.add_argument("--count", type=int, default=1000, help="requests of each kind [default: 1000]")
    parser.add_argument("kinds", nargs="*", choices=[*KINDS, []], metavar="KIND", help=", ".join(KINDS))
    arguments = parser.parse_args()
    failed = False
    print("| kind | requests | statuses | before | most | after | after reset | |\n|---|---|---|---|---|---|---|---|")
    for kind in arguments.kinds or KINDS:
        with running(replace(_SERVER, cores=None)) as server:
            failed |= not _measure(kind, server, arguments.count)
    sys.exit(1 if failed else 0)


def _measure(kind: str, server: Running, count: int) -> bool:
    with closing(HTTPConnection("127.0.0.1", server.port, timeout=120)) as client:
        statuses = set(_send(client, KINDS[kind], range(_WARM_UP)))
        _reset(client, server, 0.0)
        before = most = server.memory()
        for number, status in enumerate(_send(client, KINDS[kind], range(_WARM_UP, _WARM_UP + count))):
            statuses.add(status)
            if number % 10 == 0:
                most = max(most, server.memory())
        after = _settled(server, before + _NEAR)
        left = _reset(client, server, before + _NEAR)
    is_met = after - before <= _MOST and left - before <= _LEFT
    met = "met" if is_met else "**missed**"
    shown = ", ".join(map(str, sorted(statuses)))
    figures = f"{before:.0f} MB | +{most - before:.0f} | +{after - before:.0f} | +{left - before:.0f}"
    print(f"| {kind} | {count:,} | {shown} | {figures} | {met} |", flush=True)
    return is_met


def _send(client: HTTPConnection, make: Callable[[int], Sent], numbers: range) -> Iterator[int]:
    for number in numbers:
        yield _status(client, make(number))


def _status(client: HTTPConnection, sent: Sent) -> int:
    headers = {**sent.headers, "Content-Length": str(sum(map(len, sent.body)))}
    client.request(sent.method, sent.path, body=iter(sent.body), headers=headers)
    with client.getresponse() as reply:
        reply.read()
        return reply.status


def _reset(client: HTTPConnection, server: Running, enough: float) -> float:
    """The memory in MB after a reset."""
    assert _status(client, Sent("/__admin/reset", {})) < 300
    return _settled(server, enough, _PATIENCE if enough else 3.0)


def _settled(server: Running, enough: float, seconds: float = _PATIENCE) -> float:
    """The memory in MB when freed memory was given back, which the server does every ten seconds."""
    deadline = time.monotonic() + seconds
    while (memory := server.memory()) > enough and time.monotonic() < deadline:
        time.sleep(0.5)
    return memory


if __name__ == "__main__":
    main()
