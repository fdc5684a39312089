"""`python -m benchmarks [--short] [ROW …]`: how fast the mock is, compared with other servers on this machine."""

import argparse
import datetime
import os
import platform
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.servers import NotAvailable, pin_to
from benchmarks.throughput import Bench, Effort, Row

ROWS: dict[str, Callable[[Bench], list[Row]]] = {
    "known": Bench.known_upload,
    "report": Bench.report_share,
    "known-big": Bench.known_big_upload,
    "url": Bench.gallery_url,
    "base64": Bench.base64_vin,
    "unseen": Bench.unseen_upload,
    "tail": Bench.tail_latency,
    "start": Bench.start,
    "memory": Bench.memory,
    "workers": Bench.two_workers,
}


def main() -> None:
    """Measure the chosen rows and print them as a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--short", action="store_true", help="a few minutes, for a first impression")
    parser.add_argument("rows", nargs="*", choices=[*ROWS, []], metavar="ROW", help=", ".join(ROWS))
    arguments = parser.parse_args()
    pinned = pin_to(1)
    print(_machine(pinned))
    print("\n| what | figures | bar | |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as directory:
        bench = Bench(Effort.short() if arguments.short else Effort.full(), Path(directory))
        for name in arguments.rows or ROWS:
            for row in _measured(name, bench):
                met = "" if row.met is None else "met" if row.met else "**missed**"
                print(f"| {row.what} | {row.figures} | {row.bar} | {met} |", flush=True)


def _measured(name: str, bench: Bench) -> list[Row]:
    try:
        return ROWS[name](bench)
    except (NotAvailable, FileNotFoundError) as reason:
        return [Row(name, f"not measured: {reason}")]


def _machine(pinned: bool) -> str:
    where = "servers on core 0, load from core 1" if pinned else "servers and load not pinned to cores"
    today = datetime.datetime.now(datetime.UTC).date()
    return f"{today}, {os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, {where}"


if __name__ == "__main__":
    main()
