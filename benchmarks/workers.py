"""`python -m benchmarks.workers`: two workers on Redis beside one in memory, and the ledger after kills.

Needs `wrk` and `redis-server`. The load generator and Redis run on the same cores as the servers, so the processor
time of each is told: what two cores could do if nothing else ran on them is two cores' time by the time that a request
takes of the servers and of Redis together.
"""

import argparse
import contextlib
import http.client
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.material import KEY, by_url, picture, upload

_TICKS = os.sysconf("SC_CLK_TCK")
_CONNECTIONS = 16
_LUA = r"""
local file = io.open(os.getenv("REQUEST"), "rb")
local head, body = file:read("*all"):match("^(.-)\r\n\r\n(.*)$")
file:close()
-- Set once instead of made for each request: wrk then does nothing but send.
wrk.method, wrk.path = head:match("^(%S+) (%S+)")
for name, value in head:gmatch("\r\n([^:]+): ([^\r]*)") do
  if name ~= "Content-Length" then wrk.headers[name] = value end
end
wrk.body = body
"""


@dataclass(frozen=True)
class Run:
    """What came of one run under load: replies a second, and milliseconds of processor time a reply."""

    rate: float
    servers: float
    redis: float
    load: float

    @property
    def possible(self) -> float:
        """Replies a second of one core that does nothing else."""
        return 1000 / (self.servers + self.redis)


class Processes:
    """Everything that this run has started, ended with it."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._all: list[subprocess.Popen[str]] = []

    def redis(self, port: int) -> "subprocess.Popen[str]":
        """A Redis that writes every change to its log before it replies."""
        command = ["redis-server", "--port", str(port), "--save", "", "--appendonly", "yes"]
        process = self._start([*command, "--dir", str(self._directory)])
        _until(lambda: _redis(port, "PING").startswith("+PONG"))
        return process

    def mock(self, fixtures: Path, *flags: str) -> tuple["subprocess.Popen[str]", int]:
        """The mock on a port of its own."""
        words = [sys.executable, "-m", "mock_server", "serve", str(fixtures), "--port", "0", "--no-watch"]
        process = self._start([*words, "--log-level", "error", *flags])
        assert process.stdout is not None
        ready = process.stdout.readline()
        return process, int(ready.rsplit(":", 1)[1])

    def close(self) -> None:
        """End all."""
        for process in reversed(self._all):
            process.terminate()
        for process in self._all:
            process.wait()
            if process.stdout is not None:
                process.stdout.close()

    def _start(self, command: list[str]) -> "subprocess.Popen[str]":
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self._all.append(process)
        return process


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.workers", description=__doc__)
    parser.add_argument("--seconds", type=int, default=6, help="of each run under load")
    parser.add_argument(
        "--rounds", type=int, default=3, help="runs of each kind, interleaved; the median is told"
    )
    arguments = parser.parse_args()
    for program in ("wrk", "redis-server"):
        if shutil.which(program) is None:
            sys.exit(f"{program} is not on the PATH")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        with contextlib.closing(Processes(Path(name))) as processes:
            _throughput(processes, Path(name), arguments.seconds, arguments.rounds)
        with contextlib.closing(Processes(Path(name))) as processes:
            _kills(processes, Path(name))


def _throughput(processes: Processes, directory: Path, seconds: int, rounds: int) -> None:
    fixtures = _fixtures(directory)
    redis_port = _free_port()
    redis = processes.redis(redis_port)
    jpeg = (fixtures / "images/known.jpg").read_bytes()
    mocks = [
        ("one in memory", *processes.mock(fixtures)),
        (
            "two on Redis",
            *processes.mock(fixtures, "--workers", "2", "--state", f"redis://127.0.0.1:{redis_port}/0"),
        ),
    ]
    requests = {
        "known 100 KB upload": upload(jpeg).data,
        "gallery URL": by_url("http://127.0.0.1/images/known.jpg").data,
    }
    print("| load | mock | replies/s | servers ms | Redis ms | load ms | of one core, alone |")
    print("|---|---|---|---|---|---|---|")
    for what, data in requests.items():
        runs: dict[str, list[Run]] = {name: [] for name, _, _ in mocks}
        for _ in range(rounds):
            for name, mock, port in mocks:
                runs[name].append(_load(directory, data, port, seconds, mock, redis))
        median = {name: sorted(all, key=lambda run: run.rate)[len(all) // 2] for name, all in runs.items()}
        for name, run in median.items():
            print(
                f"| {what} | {name} | {run.rate:,.0f} | {run.servers:.3f} | {run.redis:.3f} | {run.load:.3f} "
                f"| {run.possible:,.0f} |"
            )
        one, two = median.values()
        print(
            f"| {what} | ratio | **{two.rate / one.rate:.2f}** | | | | {2 * two.possible / one.possible:.2f} on two |"
        )
    spent = _spent(redis_port)
    counted = sum(_journal_total(port) for _, _, port in mocks[1:])
    print(f"\nledger: {spent:,} units spent on Redis; the journal keeps {counted:,} of the exchanges")


def _load(
    directory: Path,
    data: bytes,
    port: int,
    seconds: int,
    mock: "subprocess.Popen[str]",
    redis: "subprocess.Popen[str]",
) -> Run:
    script, request = directory / "load.lua", directory / "request"
    script.write_text(_LUA)
    request.write_bytes(data)
    command = [
        "wrk",
        "-t1",
        f"-c{_CONNECTIONS}",
        f"-d{seconds}s",
        "-s",
        str(script),
        f"http://127.0.0.1:{port}/",
    ]
    before = _cpu_of_tree(mock.pid), _cpu(redis.pid)
    environment = {**os.environ, "REQUEST": str(request)}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, text=True, preexec_fn=_as_batch
    ) as wrk:
        out = wrk.stdout.read() if wrk.stdout else ""
        _, _, usage = os.wait4(wrk.pid, 0)
        wrk.returncode = 0
    after = _cpu_of_tree(mock.pid), _cpu(redis.pid)
    found = re.search(r"(\d+) requests in ([\d.]+)(m?s)", out)
    if found is None or "Non-2xx" in out:
        raise RuntimeError(out)
    count = int(found[1])
    return Run(
        count / float(found[2]),
        (after[0] - before[0]) / count * 1000,
        (after[1] - before[1]) / count * 1000,
        (usage.ru_utime + usage.ru_stime) / count * 1000,
    )


def _as_batch() -> None:
    """Let the load generator wait for its turn instead of interrupting a server with every reply that comes in."""
    if hasattr(os, "SCHED_BATCH"):
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def _kills(processes: Processes, directory: Path) -> None:
    """Clients that count their successes, while a worker and then Redis are killed and come back."""
    fixtures, redis_port = _fixtures(directory), _free_port()
    redis = processes.redis(redis_port)
    mock, port = processes.mock(fixtures, "--workers", "2", "--state", f"redis://127.0.0.1:{redis_port}/0")
    data = upload((fixtures / "images/known.jpg").read_bytes()).data
    ended = threading.Event()
    tallies: list[dict[str, int]] = [{"ok": 0, "refused": 0, "broken": 0} for _ in range(_CONNECTIONS)]
    clients = [threading.Thread(target=_count, args=(port, data, tally, ended)) for tally in tallies]
    began = _spent(redis_port)
    for client in clients:
        client.start()
    for _ in range(4):
        time.sleep(1.0)
        os.kill(random.choice(_children(mock.pid)), signal.SIGKILL)
        time.sleep(1.0)
        redis.kill()
        redis.wait()
        time.sleep(0.5)
        redis = processes.redis(redis_port)
    time.sleep(2.0)
    before_end = sum(tally["ok"] for tally in tallies)
    time.sleep(0.5)
    recovered = sum(tally["ok"] for tally in tallies) > before_end
    ended.set()
    for client in clients:
        client.join()
    total = {name: sum(tally[name] for tally in tallies) for name in tallies[0]}
    spent = _spent(redis_port) - began
    print(
        f"\n4 kills of a worker and 4 of Redis under {_CONNECTIONS} connections: {total['ok']:,} successes, "
        f"{total['refused']:,} answered 5xx, {total['broken']:,} connections broken; {spent:,} units spent: "
        f"{spent - total['ok']:+d} (at most {_CONNECTIONS} in flight at each of 8 kills); "
        f"recovered without restart: {'yes' if recovered else 'NO'}"
    )


def _count(port: int, data: bytes, tally: dict[str, int], ended: threading.Event) -> None:
    connection: socket.socket | None = None
    while not ended.is_set():
        try:
            if connection is None:
                connection = socket.create_connection(("127.0.0.1", port), timeout=10)
            connection.sendall(data)
            reply = http.client.HTTPResponse(connection)
            reply.begin()
            reply.read()
            tally["ok" if reply.status == 200 else "refused"] += 1
        except (OSError, http.client.HTTPException):
            tally["broken"] += 1
            if connection is not None:
                connection.close()
            connection = None
    if connection is not None:
        connection.close()


def _fixtures(directory: Path) -> Path:
    fixtures = directory / "fixtures"
    (fixtures / "scenarios").mkdir(parents=True, exist_ok=True)
    (fixtures / "images").mkdir(exist_ok=True)
    (fixtures / "images/known.jpg").write_bytes(picture(1, 1024, 768, 100_000))
    units = "{plate: 100000000, vin: 100000000}"
    (fixtures / "mock.yaml").write_text(
        f"accounts:\n  - {{name: demo, key: {KEY}, credits: {units}, quota: {units}}}\n"
    )
    (fixtures / "scenarios/known.yaml").write_text(
        "scenario: known\nwhen: {image: ../images/known.jpg}\nreading: {plate: ABC123, vin: 1HGCM82633A004352}\n"
    )
    return fixtures


def _spent(port: int) -> int:
    fields = ("credits/plate", "credits/vin", "quota/plate", "quota/vin")
    names = [
        name for name in _redis(port, "KEYS vehicle-ocr-mock:used:*").split() if name.startswith("vehicle")
    ]
    values = [_redis(port, f"HGET {name} {field}").split() for name in names for field in fields]
    return sum(int(value[1]) for value in values if len(value) == 2)


def _journal_total(port: int) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/__admin/requests?limit=1")
    total: int = json.loads(connection.getresponse().read())["total"]
    connection.close()
    return total


def _redis(port: int, command: str) -> str:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(command.encode() + b"\r\n")
        return connection.recv(65536).decode()
    return ""


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


def _until(holds: Callable[[], bool]) -> None:
    for _ in range(1000):
        if holds():
            return
        time.sleep(0.01)
    raise RuntimeError("a server does not start")


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _cpu(pid: int) -> float:
    """Seconds of processor time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _cpu_of_tree(pid: int) -> float:
    return sum(map(_cpu, _tree(pid)))


def _tree(pid: int) -> Iterator[int]:
    yield pid
    for child in _children(pid):
        yield from _tree(child)


if __name__ == "__main__":
    main()
