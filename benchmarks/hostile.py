"""`python -m benchmarks.hostile [--count N] [--seed N] [FAMILY …]`: a million hostile inputs; the memory they leave.

The families are those of `tests/hostile`: requests to an application in this process, raw HTTP over sockets, and
fixture files. A fault is printed with its input, and the exit code is then 1.
"""

import argparse
import asyncio
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mock_server import tuning
from mock_server.server import MockServer
from tests.hostile.campaign import resident
from tests.hostile.families import FAMILIES, inputs
from tests.hostile.fixture_files import DamagedDirectory, Loads
from tests.hostile.raw_http import conversations, converse
from tests.hostile.sending import SLOW_SECONDS, Target
from tests.support import FIXTURES

RAW, FILES = "raw HTTP", "fixture files"
_SHOWN = 5
_STEPS = 10


@dataclass(slots=True)
class Row:
    """The figures of one family. `memory` in bytes, at each tenth."""

    name: str
    count: int = 0
    seconds: float = 0.0
    slowest: float = 0.0
    memory: list[int] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    statuses: str = ""

    def __str__(self) -> str:
        memory = " ".join(f"{bytes / 1e6:.0f}" for bytes in self.memory)
        return (
            f"| {self.name} | {self.count:,} | {self.count / self.seconds:,.0f}/s | {self.slowest:.2f} s "
            f"| {memory} MB | {len(self.faults)} | {self.statuses} |"
        )


def main() -> None:
    """Run the chosen families and print a table."""
    names = [*FAMILIES, RAW, FILES]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hostile", description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000, help="inputs in all families together")
    parser.add_argument("--files", type=int, default=100_000, help="damaged fixture files")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="[default: the time]")
    parser.add_argument("families", nargs="*", choices=[*names, []], metavar="FAMILY", help=", ".join(names))
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore", module=r"PIL\.")
    chosen = arguments.families or names
    each = arguments.count // max(1, len([name for name in chosen if name != FILES]))
    print(f"seed {arguments.seed}")
    print(
        "| family | inputs | rate | slowest | memory at each tenth | faults | statuses |\n|---|---|---|---|---|---|---|"
    )
    failed = False
    for name in chosen:
        row = _measured(name, arguments.files if name == FILES else each, arguments.seed)
        print(row, flush=True)
        failed |= bool(row.faults) or row.slowest > SLOW_SECONDS
        for fault in row.faults[:_SHOWN]:
            print(f"\n{fault}\n", flush=True)
    sys.exit(1 if failed else 0)


def _measured(name: str, count: int, seed: int) -> Row:
    row, started = Row(name), time.perf_counter()
    measure = {RAW: _raw, FILES: _files}.get(name, _requests)
    measure(row, count, seed)
    row.seconds = time.perf_counter() - started
    return row


def _requests(row: Row, count: int, seed: int) -> None:
    async def send() -> None:
        async with Target.open(FIXTURES) as target:
            note = _noting(row, count)
            replies = await target.send_all(
                inputs(FAMILIES[row.name], count, seed), progress=lambda replies: note(replies.count, replies.faults)
            )
            row.count, row.slowest, row.faults = replies.count, replies.slowest, list(map(str, replies.faults))
            row.statuses = _counts(replies.statuses)

    asyncio.run(send())


def _raw(row: Row, count: int, seed: int) -> None:
    note = _noting(row, count)
    with MockServer(FIXTURES) as server:
        outcome = asyncio.run(
            converse(server, conversations(count, seed), progress=lambda outcome: note(outcome.count, outcome.faults))
        )
    row.count, row.slowest, row.faults = outcome.count, outcome.slowest, outcome.faults
    row.statuses = _counts(outcome.statuses)


def _files(row: Row, count: int, seed: int) -> None:
    results, note = Loads(), _noting(row, count)
    with tempfile.TemporaryDirectory() as place:
        directory = DamagedDirectory(Path(place))
        for step in range(_STEPS):
            directory.load_many(count // _STEPS, seed + step, results)
            note(results.count, results.faults)
    row.count, row.slowest, row.faults = results.count, results.slowest, results.faults
    row.statuses = f"{results.good:,} without mistakes, {len(results.mistakes):,} different mistakes"


def _counts(statuses: "dict[int, int]") -> str:
    return ", ".join(f"{status}: {number:,}" for status, number in sorted(statuses.items()))


def _noting(row: Row, count: int) -> Callable[[int, Sequence[object]], None]:
    """A function that notes the memory and shows the progress at each tenth."""

    def note(done: int, faults: Iterable[object]) -> None:
        if done * _STEPS >= count * (len(row.memory) + 1):
            row.memory.append(resident())
            found = len(list(faults))
            print(f"{row.name}: {done:,} of {count:,}, {row.memory[-1] / 1e6:.0f} MB, {found} faults", file=sys.stderr)

    return note


if __name__ == "__main__":
    tuning.keep_freed_memory()
    main()
