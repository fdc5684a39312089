"""The rows of `docs/performance.md`: what is measured, what it is compared with, and the bar that it must reach."""

import contextlib
import math
import shutil
import socket
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from benchmarks import material
from benchmarks.load import Measured, Request, drive
from benchmarks.processes import Processes
from benchmarks.report_cost import cost_of_report
from benchmarks.servers import (
    BARE,
    DECODING,
    STARLETTE,
    Launch,
    NotAvailable,
    Running,
    installed_peers,
    mock,
    running,
    unpinned,
)
from benchmarks.workers import compare


@dataclass(frozen=True)
class Row:
    """One line of the results. `met` is None where there is no bar."""

    what: str
    figures: str
    bar: str = ""
    met: bool | None = None


@dataclass(frozen=True)
class Effort:
    """How long each measurement takes, and how often it is repeated for each server."""

    seconds: float
    rounds: int
    uploads: int  # of the memory row
    scenarios: int = 1000  # of the rows with many
    starts: int = 7

    @classmethod
    def short(cls) -> "Effort":
        # Whole seconds: Linux stops processes of real-time priority for a twentieth of each second.
        return cls(seconds=1.0, rounds=3, uploads=2_000, scenarios=100, starts=3)

    @classmethod
    def full(cls) -> "Effort":
        return cls(seconds=3.0, rounds=5, uploads=200_000)


class Bench:
    """All rows, over one set of pictures that is written below `directory`."""

    def __init__(self, effort: Effort, directory: Path) -> None:
        self.effort = effort
        self.directory = directory
        self.car = material.picture(1, 1024, 768, 100_000)
        self.vin = material.picture(2, 800, 600, 75_000)
        self.strangers = [material.picture(100 + seed, 1024, 768, 100_000) for seed in range(16)]

    @cached_property
    def big(self) -> bytes:
        """A picture of 5 MB."""
        return material.picture(3, 4000, 3000, 5_000_000)

    @cached_property
    def fixtures(self) -> Path:
        """Fixtures with the car, the VIN and the big picture."""
        pictures = {"car": self.car, "vin": self.vin, "big": self.big}
        return material.write_fixtures(self.directory / "few", pictures)

    @cached_property
    def many(self) -> Path:
        """A thousand scenarios, fewer in the short mode, each with its picture."""
        pictures = {
            f"s{seed}": material.picture(1000 + seed, 256, 192, 12_000) for seed in range(self.effort.scenarios)
        }
        return material.write_fixtures(self.directory / "many", pictures)

    def known_upload(self) -> list[Row]:
        """A known picture of 100 KB."""
        requests = [material.upload(self.car)]
        rates = self._rates([mock(self.fixtures), STARLETTE, BARE, *installed_peers()], lambda _: requests)
        rows = [_against("known 100 KB upload", rates, STARLETTE, bar=1.0), _against("", rates, BARE)]
        bars = {"WireMock": 2.5}
        return rows + [_against("", rates, peer, bar=bars.get(peer.name)) for peer in installed_peers()]

    def report_share(self) -> list[Row]:
        """The counting for the rehearsal report, as a share of a known upload over a socket."""
        cost, _ = cost_of_report(self.fixtures, self.car, 4 * self.effort.rounds)
        requests = [material.upload(self.car)]
        with running(mock(self.fixtures)) as server:
            _warm(server, requests)
            before = server.processor_seconds()
            measured = drive(server.port, requests, seconds=self.effort.seconds)
            upload = (server.processor_seconds() - before) / measured.replies
        share = cost / upload
        figures = f"{share:.1%} ({cost * 1e6:.1f} µs of {upload * 1e6:.0f} µs)"
        return [Row("counting for the report, share of a known upload", figures, "3 %", share < 0.03)]

    def known_big_upload(self) -> list[Row]:
        """A known picture of 5 MB."""
        requests = [material.upload(self.big)]
        rates = self._rates([mock(self.fixtures), STARLETTE, BARE], lambda _: requests)
        return [_against("known 5 MB upload", rates, STARLETTE, bar=1.5), _against("", rates, BARE)]

    def gallery_url(self) -> list[Row]:
        """A picture of the mock's own gallery, requested by its URL."""
        rates = self._rates(
            [mock(self.fixtures), STARLETTE, BARE],
            lambda server: [material.by_url(f"http://127.0.0.1:{server.port}/images/car.jpg")],
        )
        return [_against("CarsXE by gallery URL", rates, STARLETTE, bar=0.42), _against("", rates, BARE)]

    def base64_vin(self) -> list[Row]:
        """A known picture in 100 KB of base64."""
        requests = [material.as_base64(self.vin)]
        rates = self._rates([mock(self.fixtures), STARLETTE, BARE], lambda _: requests)
        return [_against("CarsXE 100 KB base64 VIN", rates, STARLETTE, bar=0.9), _against("", rates, BARE)]

    def unseen_upload(self) -> list[Row]:
        """Unknown pictures of 100 KB, with new bytes each time, on a mock with many scenarios."""
        requests = [material.upload(jpeg, unseen=True) for jpeg in self.strangers]
        rates = self._rates([mock(self.many), DECODING], lambda _: requests)
        return [_against(f"unseen 100 KB, {self.effort.scenarios:,} scenarios", rates, DECODING, bar=0.5)]

    def tail_latency(self) -> list[Row]:
        """Known pictures on 64 connections, alone and among unseen ones of 5 MB."""
        alone = [material.upload(self.car)]
        mixed = alone * 49 + [material.upload(self.big, unseen=True, tag="unseen")]
        pairs = []
        with running(mock(self.fixtures)) as server:
            _warm(server, alone)
            for _ in range(self.effort.rounds):
                pair = [
                    drive(server.port, requests, connections=64, seconds=self.effort.seconds * 2).percentile(0.99)
                    for requests in (alone, mixed)
                ]
                pairs.append(pair)
        ratio = statistics.median(mixed / alone for alone, mixed in pairs)
        before, after = (statistics.median(values) * 1000 for values in zip(*pairs, strict=True))
        figures = f"{before:.1f} ms alone, {after:.1f} ms with 2 % unseen 5 MB: {ratio:.2f}x"
        return [Row("p99 at 64 connections", figures, "<= 5x", ratio <= 5)]

    def start(self) -> list[Row]:
        """Time from exec to the first answer."""
        ours, many = mock(None), mock(self.many, name="many scenarios")
        clock, processor = self._first_answers([ours, BARE, many])
        ratio, of_processor = _ratio(clock, ours.name, BARE.name), _ratio(processor, ours.name, BARE.name)
        return [
            Row(
                "exec to first answer, shipped set",
                f"{_median(clock, ours.name) * 1000:.0f} ms = {ratio:.2f}x bare; {of_processor:.2f}x in processor time",
                "<= 2.5x",
                ratio <= 2.5,
            ),
            Row("", f"bare ASGI {_median(clock, BARE.name) * 1000:.0f} ms"),
            Row(
                f"{self.effort.scenarios:,} scenarios from cache",
                f"{_median(clock, many.name):.2f} s; {_median(processor, many.name):.2f} s of processor time",
                "<= 1.5 s",
                _median(clock, many.name) <= 1.5,
            ),
        ]

    def memory(self) -> list[Row]:
        """Resident memory with the shipped set, idle and under uploads."""
        requests = [material.upload(self.car)]
        with running(mock(None)) as server:
            time.sleep(1.0)
            idle = server.memory()
        with running(mock(self.fixtures)) as server:
            marks = []
            for _ in range(4):
                drive(server.port, requests, seconds=600, at_most=self.effort.uploads // 4)
                marks.append(server.memory())
        figures = ", ".join(f"{mark:.0f}" for mark in marks)
        flat = marks[-1] <= marks[1] * 1.05 + 2
        return [
            Row("memory idle, shipped set", f"{idle:.0f} MB", "<= 90 MB", idle <= 90),
            Row(f"memory over {self.effort.uploads:,} uploads", f"{figures} MB at each quarter", "flat", flat),
        ]

    def two_workers(self) -> list[Row]:
        """Two workers that share a Redis, compared with one that keeps its state in memory; `wrk` sends."""
        for program in ("wrk", "redis-server"):
            if shutil.which(program) is None:
                raise NotAvailable(f"{program} is not on the PATH")
        seconds, directory = math.ceil(self.effort.seconds), self.directory / "workers"
        directory.mkdir()
        with unpinned(), contextlib.closing(Processes(directory)) as processes:
            medians = compare(processes, directory, seconds, self.effort.rounds)
        rows = []
        for what, runs in medians.items():
            one, *shared = runs.items()
            for name, run in shared:
                ratio = run.rate / one[1].rate
                figures = (
                    f"{run.rate:,.0f}/s = {ratio:.2f}x {one[0]}; by processor time "
                    f"{2 * run.possible / one[1].possible:.2f}x; the load takes {run.load * 1000:.0f} µs a reply "
                    "of the same two cores"
                )
                rows.append(Row(f"{what}: {name}", figures, ">= 0.9x", ratio >= 0.9))
        return rows

    def _rates(
        self, launches: Sequence[Launch], requests: Callable[[Running], Sequence[Request]]
    ) -> dict[str, list[float]]:
        """Requests per second of each server and round; all servers run, and one at a time is under load."""
        rates: dict[str, list[float]] = {launch.name: [] for launch in launches}
        with contextlib.ExitStack() as stack:
            servers = [stack.enter_context(running(launch)) for launch in launches]
            for server in servers:
                _warm(server, requests(server))
            for _ in range(self.effort.rounds):
                for server in servers:
                    measured = drive(server.port, requests(server), seconds=self.effort.seconds)
                    rates[server.name].append(_sound(server, measured).rate)
        return rates

    def _first_answers(self, launches: Sequence[Launch]) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
        """Seconds from exec to the first answer, wall-clock time and processor time; servers take turns in every round.

        The first start fills the caches and is not counted.
        """
        clock: dict[str, list[float]] = {launch.name: [] for launch in launches}
        processor: dict[str, list[float]] = {launch.name: [] for launch in launches}
        for turn in range(self.effort.starts + 1):
            for launch in launches:
                started = time.perf_counter()
                with running(launch) as server, socket.create_connection(("127.0.0.1", server.port)) as connection:
                    connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
                    connection.recv(1024)
                    seconds = time.perf_counter() - started
                    if turn:
                        clock[launch.name].append(seconds)
                        processor[launch.name].append(server.processor_seconds())
        return clock, processor


def _warm(server: Running, requests: Sequence[Request]) -> None:
    measured = drive(server.port, requests, seconds=0.5)
    if not measured.replies:
        # A Java virtual machine answers its first requests slowly.
        measured = drive(server.port, requests, seconds=30, at_most=500)
    _sound(server, measured)


def _sound(server: Running, measured: Measured) -> Measured:
    """The results, unless requests failed: those figures would be meaningless."""
    if measured.failures or not measured.replies:
        raise RuntimeError(f"{server.name}: {measured.failures} failures, {measured.replies} good replies")
    return measured


def _median(rates: dict[str, list[float]], name: str) -> float:
    return statistics.median(rates[name])


def _ratio(rates: dict[str, list[float]], ours: str, other: str) -> float:
    """The median of the ratios of each round; within a round, both met the same noise."""
    return statistics.median(a / b for a, b in zip(rates[ours], rates[other], strict=True))


def _against(what: str, rates: dict[str, list[float]], other: Launch, bar: float | None = None) -> Row:
    ours = next(iter(rates))
    ratio = _ratio(rates, ours, other.name)
    figures = f"{_median(rates, ours):,.0f}/s = {ratio:.2f}x {other.name} ({_median(rates, other.name):,.0f}/s)"
    return Row(what, figures, f">= {bar}x" if bar else "", ratio >= bar if bar else None)
