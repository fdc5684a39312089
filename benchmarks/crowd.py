"""`python -m benchmarks.crowd [--seconds N]`: many clients, some of which send pictures that nobody has sent before.

Every picture gets its turn: the slowest requests take a few times as long as the middle one.
The memory is flat after the first quarter.
"""

import argparse
import itertools
import tempfile
import time
from pathlib import Path

from benchmarks import material
from benchmarks.load import Measured, Request, drive
from benchmarks.servers import Running, mock, pin_to, running

_UNSEEN = "unseen"
_QUARTERS = 4
_MOST_TIMES_P50 = 10


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.crowd", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="of each row [default: 60]")
    parser.add_argument("--connections", type=int, nargs="*", default=[64, 500], help="[default: 64 500]")
    parser.add_argument("--unseen", type=float, default=0.06, help="share of pictures nobody has sent [default: 0.06]")
    arguments = parser.parse_args()
    pin_to(1)
    car = material.picture(1, 1024, 768, 100_000)
    requests = _mixed(car, arguments.unseen)
    print("| connections | quarter | replies | p50 | p99 | p99 / p50 | unseen p50 | unseen p99 | memory |")
    print("|---|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as directory:
        fixtures = material.write_fixtures(Path(directory) / "few", {"car": car})
        for connections in arguments.connections:
            with running(mock(fixtures)) as server:
                drive(server.port, [material.upload(car)], seconds=1.0)
                for quarter in range(_QUARTERS):
                    seconds = arguments.seconds / _QUARTERS
                    measured = drive(server.port, requests, connections=connections, seconds=seconds)
                    print(_row(connections, quarter + 1, measured, server), flush=True)
                    time.sleep(0.5)


def _mixed(known: bytes, share: float) -> list[Request]:
    """Uploads of a known picture, with one of a new picture after each so many of them."""
    known_ones = [material.upload(known)] * max(0, round(1 / share) - 1)
    strangers = [material.picture(100 + seed, 1024, 768, 100_000) for seed in range(16)]
    turns = ([*known_ones, material.upload(jpeg, unseen=True, tag=_UNSEEN)] for jpeg in strangers)
    return list(itertools.chain.from_iterable(turns))


def _row(connections: int, quarter: int, measured: Measured, server: Running) -> str:
    everything = sorted(itertools.chain.from_iterable(measured.latencies.values()))
    p50, p99 = (everything[int(len(everything) * share)] for share in (0.5, 0.99))
    ratio = p99 / p50
    met = "" if ratio <= _MOST_TIMES_P50 else " **missed**"
    unseen = " | ".join(f"{measured.percentile(share, _UNSEEN) * 1000:.0f} ms" for share in (0.5, 0.99))
    failures = f", {measured.failures} failures" if measured.failures else ""
    return (
        f"| {connections} | {quarter} | {measured.rate:,.0f}/s{failures} | {p50 * 1000:.0f} ms | {p99 * 1000:.0f} ms "
        f"| {ratio:.1f}x{met} | {unseen} | {server.memory():.0f} MB |"
    )


if __name__ == "__main__":
    main()
