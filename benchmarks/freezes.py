"""`python -m benchmarks.freezes [--requests N] [--files N] [KIND …]`: how long `/healthz` waits for the worst requests.

The server has a full journal, thousands of scenarios and accounts. Each kind of request is sent while a process of its
own asks for `/healthz` again and again. The longest time to an answer, and the processor time of the event loop's
thread, are printed. Another program that uses the processor makes the former longer: run it on a quiet machine, or with
a high priority.
"""

import argparse
import contextlib
import json
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from http.client import HTTPConnection
from multiprocessing.connection import Connection
from pathlib import Path

import httpx

from benchmarks.servers import Running, mock, running
from tests.http.test_responsiveness import CARSXE, FORM, JSON, OTHERS, PROVIDERS, Sent, form, part, upload
from tests.support import picture

MOST_SECONDS = 0.2
_TIMES = 2
_YAML = {"Content-Type": "application/yaml"}
_LONG = "x" * 500

Make = Callable[[], tuple[str, Sent]]
"""Makes a request: its method, and the rest of it."""


def _get(path: str) -> Make:
    return lambda: ("GET", (path, {}, b""))


def _post(path: str, document: object, method: str = "POST") -> Make:
    return lambda: (method, (path, JSON, json.dumps(document).encode()))


_FILTERS = dict.fromkeys(("key", "scenario", "message", "image", "filename", "url", "path", "detail", "language"), "x")

FULL: Mapping[str, Make] = {
    "the whole journal": _get("/__admin/requests"),
    "journal: search of words": _get("/__admin/requests?search=" + "+".join("wxyz"[n % 4] * 5 for n in range(500))),
    "journal: parts of texts": _get(f"/__admin/requests?parts=true&url={'a' * 5000}&detail=zz&path=e&limit=1"),
    "journal: count": _post(
        "/__admin/requests/count", {"status": 400, "path": "/v1/vinocr", "since": "2020-01-01T00:00:00Z"}
    ),
    "journal: find": _post("/__admin/requests/find", {"outcome": "invalid_request"}),
    "journal: unmatched": _get("/__admin/requests/unmatched"),
    "journal: near misses": _get("/__admin/requests/unmatched/near-misses?limit=20"),
    "journal: delete what no filter finds": lambda: ("DELETE", ("/__admin/requests?path=/none&status=299", {}, b"")),
    "report as JSON": _get("/__admin/report"),
    "report as HTML": _get("/__admin/report?format=html"),
    "report as Markdown": _get("/__admin/report?format=markdown"),
    "report as JUnit": _get("/__admin/report?format=junit"),
    "report as counts": _get("/__admin/report?format=counts"),
    "metrics": _get("/__admin/metrics"),
    "export": _get("/__admin/export"),
    "scenarios": _get("/__admin/scenarios"),
    "accounts": _get("/__admin/accounts"),
    "workbench": _get("/__admin/workbench"),
    "uploads": _get("/__admin/uploads"),
    "overrides": _get("/__admin/overrides"),
    "OpenAPI": _get("/__admin/openapi.json"),
    "match": lambda: (
        "POST",
        (
            "/__admin/match",
            {"Content-Type": FORM["Content-Type"]},
            form(
                part("key", b"demo-key"),
                part("provider", b"vehicore"),
                part("image", picture("car"), filename=b"a.jpg"),
            ),
        ),
    ),
    "reload": _post("/__admin/reload", {}),
    "huge integers": lambda: ("PUT", ("/__admin/overrides", JSON, b'{"times": ' + b"9" * 900_000 + b"}")),
    "huge floats": lambda: ("POST", (CARSXE, JSON, b'{"image_url": ' + b"9" * 900_000 + b"e-900000}")),
    "YAML of integers": lambda: ("POST", ("/__admin/scenarios", _YAML, b"a: " + b"9" * 900_000)),
    "YAML in base 60": lambda: ("POST", ("/__admin/scenarios", _YAML, b"a: 1" + b":59" * 300_000)),
    "YAML of merge keys": lambda: (
        "POST",
        (
            "/__admin/scenarios",
            _YAML,
            b"\n".join(
                [b"a0: &a0 {x: 1}", *(b"a%d: &a%d {<<: [*a%d, *a%d]}" % (n, n, n - 1, n - 1) for n in range(1, 5000))]
            ),
        ),
    ),
    "YAML of comments": lambda: ("POST", ("/__admin/scenarios", _YAML, b"# a\n" * 240_000)),
    "a scenario with many conditions": _post(
        "/__admin/scenarios",
        {
            "scenario": "many",
            "when": {"header": {f"X-{n}": "*a*b*c*" for n in range(5000)}},
            "reading": {"plate": "A1"},
        },
    ),
    "a scenario with many stars": _post(
        "/__admin/scenarios", {"scenario": "stars", "when": {"filename": "*a" * 7000}, "reading": {"plate": "A1"}}
    ),
    "a file name for many stars": lambda: (
        "POST",
        ("/api/ocr/plate", FORM, form(part("image", picture("car"), filename=b"a" * 4000 + b"b"))),
    ),
    "a scenario with many steps": _post(
        "/__admin/scenarios",
        {
            "scenario": "steps",
            "reading": {"plate": "A1"},
            "then": [{"outcome": "service_error", "headers": {"X-A": "b"}}] * 6000,
        },
    ),
    "Prefer of thousands": lambda: (
        "POST",
        ("/api/ocr/plate", FORM | {"Prefer": ", ".join(["a=1"] * 12_000)}, upload(picture("car"))),
    ),
    "headers at the limit": lambda: (
        "POST",
        ("/api/ocr/plate", FORM | {f"X-{n}": "" for n in range(8000)}, upload(picture("car"))),
    ),
    "parts at the limit": lambda: ("POST", ("/api/ocr/plate", FORM, form(*[part("x" * 200, b"y" * 1000)] * 20_000))),
    "unknown path": lambda: ("POST", ("/" + "api/ocr/" * 1900, JSON, b"{}")),
    "reset": _post("/__admin/reset", {}),
}
"""Requests to the full server. The last one empties it."""


def main() -> None:
    """Measure the chosen kinds and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.freezes", description=__doc__)
    parser.add_argument("--requests", type=int, default=10_000, help="in the journal [default: 10000]")
    parser.add_argument("--files", type=int, default=10_000, help="scenario files [default: 10000]")
    parser.add_argument("kinds", nargs="*", metavar="KIND")
    arguments = parser.parse_args()
    makes = {**{name: lambda make=make: _with_method(make()) for name, make in {**PROVIDERS, **OTHERS}.items()}, **FULL}
    chosen = arguments.kinds or list(makes)
    print("| kind | status | seconds | longest wait | loop |\n|---|---|---|---|---|")
    failed = False
    with tempfile.TemporaryDirectory() as place:
        _write_scenarios(Path(place), arguments.files)
        with running(mock(Path(place), "--log-level", "error", "--decode-timeout", "2")) as server:
            _fill(server, arguments.requests)
            for name in ["nothing", *chosen]:
                failed |= not _measure(name, server, makes.get(name, _get("/healthz")))
    sys.exit(1 if failed else 0)


def _with_method(sent: Sent) -> tuple[str, Sent]:
    return ("POST" if sent[2] else "GET"), sent


def _write_scenarios(place: Path, count: int) -> None:
    (place / "scenarios").mkdir()
    (place / "mock.yaml").write_text(
        "accounts:\n- {name: demo, key: demo-key}\n" + "".join(f"- {{name: a{n}, key: key-{n}}}\n" for n in range(5000))
    )
    for number in range(count):
        (place / "scenarios" / f"s{number}.yaml").write_text(
            f"scenario: s{number}\nwhen: {{filename: '*{number}-*-x'}}\nreading: {{plate: 'AB {number}'}}\n"
        )


def _fill(server: Running, count: int) -> None:
    with httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=60) as client:
        for number in range(count):
            url = f"http://x.test/{number}/{_LONG}"
            client.post(f"/v1/vinocr?key=key-{number % 5000}", headers={"X-Long": _LONG}, json={"image_url": url})


def _measure(name: str, server: Running, make: Make) -> bool:
    method, (path, headers, body) = make()
    worst = busy = took = 0.0
    with httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=120) as client:
        for _ in range(_TIMES):
            with _pinging(server.port) as longest:
                before, started = _loop_seconds(server), time.perf_counter()
                reply = client.request(method, path, headers=dict(headers), content=body)
                took = max(took, time.perf_counter() - started)
                busy = max(busy, _loop_seconds(server) - before)
            worst = max(worst, longest())
    is_met = worst <= MOST_SECONDS and reply.status_code < 500
    mark = "" if is_met else " **missed**"
    print(f"| {name} | {reply.status_code} | {took:.2f} | {worst:.3f} s{mark} | {busy:.2f} s |", flush=True)
    return is_met


def _loop_seconds(server: Running) -> float:
    pid = server.process.pid
    fields = Path(f"/proc/{pid}/task/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def _pinging(port: int) -> Iterator[Callable[[], float]]:
    """Ask for health in another process; afterwards, the function gives the longest time to an answer in seconds."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=_ping, args=(port, theirs))
    process.start()
    ours.recv()
    found: list[float] = []
    try:
        yield lambda: found[0]
    finally:
        ours.send(None)
        found.append(ours.recv())
        process.join()


def _ping(port: int, parent: Connection) -> None:
    longest = 0.0
    with contextlib.closing(HTTPConnection("127.0.0.1", port, timeout=120)) as line:
        for _ in range(5):
            _ask(line)
        parent.send(None)
        while not parent.poll(0.002):
            longest = max(longest, _ask(line))
    parent.send(longest)


def _ask(line: HTTPConnection) -> float:
    started = time.perf_counter()
    line.request("GET", "/healthz")
    with line.getresponse() as reply:
        assert reply.status == 200
        reply.read()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
