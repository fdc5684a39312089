"""`python -m benchmarks.soak [--seconds N] [--connections N …]`: a long run of mixed requests, every reply checked.

Most requests are known pictures, uploaded or by URL. Some are pictures that are new each time, damaged requests, and
reads of the journal. Each half minute, a row shows the rate, the latencies, the wrong replies, the memory and the open
files. The memory must be flat after the first minute.
"""

import argparse
import itertools
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks import material
from benchmarks.load import Measured, Request, drive
from benchmarks.servers import Running, mock, pin_to, running

_STEP = 30.0
_REST = 15.0
_FLAT = 16.0
"""MB by which the memory may grow after the first minute."""
_UNSEEN = "unseen"


def main() -> None:
    """Run with each number of connections, and print a table for each."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=300.0, help="of each run, at least 60 [default: 300]")
    parser.add_argument("--connections", type=int, nargs="*", default=[64, 500], help="[default: 64 500]")
    arguments = parser.parse_args()
    pin_to(1)
    car = material.picture(1, 1024, 768, 100_000)
    failed = False
    with tempfile.TemporaryDirectory() as directory:
        fixtures = material.write_fixtures(Path(directory) / "few", {"car": car})
        for connections in arguments.connections:
            with running(mock(fixtures, "--log-level", "error")) as server:
                failed |= not _soak(server, _mixed(car, server.port), connections, arguments.seconds)
    sys.exit(1 if failed else 0)


def _mixed(car: bytes, port: int) -> list[Request]:
    """A cycle of requests: of 74, 2 have new pictures, 2 are damaged, 1 reads the journal; the others are known."""
    plate, vin = b"9DJ0000", b"JHLRD77874C026456"
    known = [
        replace(material.upload(car), expected=plate),
        replace(material.by_url(f"http://127.0.0.1:{port}/images/car.jpg"), expected=plate.lower()),
        replace(material.as_base64(car), expected=vin),
    ]
    others = [
        replace(material.upload(b"no picture"), status=400),
        replace(material.by_url(""), status=400),
        replace(material.get("/__admin/requests?limit=3"), expected=b'"requests"'),
    ]
    new = [
        replace(material.upload(jpeg, unseen=True, tag=_UNSEEN), expected=b'"result"')
        for jpeg in (material.picture(100 + seed, 1024, 768, 100_000) for seed in range(8))
    ]
    turns = ([*known * 15, *others[:2], one, *known * 8, others[2], other] for one, other in itertools.pairwise(new))
    return list(itertools.chain.from_iterable(turns))


def _soak(server: Running, requests: Sequence[Request], connections: int, seconds: float) -> bool:
    print(f"\n{connections} connections\n")
    print("| seconds | replies | p50 | p99 | new pictures p99 | wrong | failed | memory | files |")
    print("|---|---|---|---|---|---|---|---|---|")
    started, memories, is_good = time.monotonic(), list[float](), True

    def report(measured: Measured) -> None:
        nonlocal is_good
        memories.append(server.memory())
        print(_row(time.monotonic() - started, measured, memories[-1], server.open_files()), flush=True)
        is_good = is_good and not measured.wrong and not measured.failures

    drive(server.port, requests, connections=connections, seconds=seconds + 1, every=_STEP, report=report)
    is_good = is_good and max(memories[1:]) - memories[1] <= _FLAT
    time.sleep(_REST)
    print(
        f"\nafter the end: {server.memory():.0f} MB, {server.open_files()} files; {'good' if is_good else '**failed**'}"
    )
    return is_good


def _row(at: float, measured: Measured, memory: float, files: int) -> str:
    everything = sorted(itertools.chain.from_iterable(measured.latencies.values())) or [float("nan")]
    p50, p99 = (everything[int(len(everything) * share)] for share in (0.5, 0.99))
    unseen = measured.percentile(0.99, _UNSEEN)
    return (
        f"| {at:.0f} | {measured.rate:,.0f}/s | {p50 * 1000:.0f} ms | {p99 * 1000:.0f} ms | {unseen * 1000:.0f} ms "
        f"| {measured.wrong} | {measured.failures} | {memory:.0f} MB | {files} |"
    )


if __name__ == "__main__":
    main()
