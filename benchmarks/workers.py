"""`python -m benchmarks.workers`: two workers on Redis compared with one in memory, and the accounts after crashes.

Needs `wrk` and `redis-server`. The load generator and Redis run on the same cores as the servers, so the table gives
the processor time of each. Two cores that run nothing else could answer two seconds of processor time per second,
divided by the time that a request takes of the servers and of Redis together.
"""

import argparse
import contextlib
import http.client
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
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.material import KEY, by_url, picture, upload
from benchmarks.processes import Processes, children, cpu, cpu_of_tree, free_port, redis_says

_CONNECTIONS = 16
_LUA = r"""
local file = io.open(os.getenv("REQUEST"), "rb")
local head, body = file:read("*all"):match("^(.-)\r\n\r\n(.*)$")
file:close()
-- Set once instead of computed for each request, so that wrk only sends.
wrk.method, wrk.path = head:match("^(%S+) (%S+)")
for name, value in head:gmatch("\r\n([^:]+): ([^\r]*)") do
  if name ~= "Content-Length" then wrk.headers[name] = value end
end
wrk.body = body
"""


_Mock = tuple["subprocess.Popen[str]", int, "subprocess.Popen[str] | None"]
"""Process, port and Redis of a mock."""


@dataclass(frozen=True)
class Run:
    """The results of one run under load: replies per second, and milliseconds of processor time per reply."""

    rate: float
    servers: float
    redis: float
    load: float

    @property
    def possible(self) -> float:
        """Replies per second of one core that does nothing else."""
        return 1000 / (self.servers + self.redis)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.workers", description=__doc__)
    parser.add_argument("--seconds", type=int, default=6, help="length of each run under load")
    parser.add_argument(
        "--rounds", type=int, default=3, help="runs of each kind, interleaved; the table gives the median"
    )
    arguments = parser.parse_args()
    for program in ("wrk", "redis-server"):
        if shutil.which(program) is None:
            sys.exit(f"{program} is not on the PATH")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        with contextlib.closing(Processes(Path(name))) as processes:
            _print(compare(processes, Path(name), arguments.seconds, arguments.rounds))
        with contextlib.closing(Processes(Path(name))) as processes:
            _kills(processes, Path(name))


def compare(processes: Processes, directory: Path, seconds: int, rounds: int) -> dict[str, dict[str, Run]]:
    """The median run of each mock under each load. Mocks take turns; the first one keeps its state in memory."""
    fixtures = _fixtures(directory)
    durable, quick = free_port(), free_port()
    shared = {
        "two on Redis": (f"unix://{directory}/{quick}.sock", processes.redis(quick, log=False)),
        "two on Redis, TCP and log": (f"redis://127.0.0.1:{durable}/0", processes.redis(durable)),
    }
    mocks: dict[str, _Mock] = {"one in memory": (*processes.mock(fixtures), None)}
    for name, (url, server) in shared.items():
        mocks[name] = (*processes.mock(fixtures, "--workers", "2", "--state", url), server)
    jpeg = (fixtures / "images/known.jpg").read_bytes()
    requests = {
        "known 100 KB upload": upload(jpeg).data,
        "gallery URL": by_url("http://127.0.0.1/images/known.jpg").data,
    }
    medians: dict[str, dict[str, Run]] = {}
    for what, data in requests.items():
        runs: dict[str, list[Run]] = {name: [] for name in mocks}
        for _ in range(rounds):
            for name, (process, port, redis) in mocks.items():
                runs[name].append(_load(directory, data, port, seconds, process, redis))
        medians[what] = {name: sorted(all, key=lambda run: run.rate)[len(all) // 2] for name, all in runs.items()}
    return medians


def _print(medians: Mapping[str, Mapping[str, Run]]) -> None:
    print("| load | mock | replies/s | servers ms | Redis ms | load ms | ratio | ratio by processor time |")
    print("|---|---|---|---|---|---|---|---|")
    for what, by_name in medians.items():
        one = next(iter(by_name.values()))
        for name, run in by_name.items():
            ratios = "| |" if run is one else f"**{run.rate / one.rate:.2f}** | {2 * run.possible / one.possible:.2f} |"
            print(
                f"| {what} | {name} | {run.rate:,.0f} | {run.servers:.3f} | {run.redis:.3f} | {run.load:.3f} | {ratios}"
            )


def _load(
    directory: Path,
    data: bytes,
    port: int,
    seconds: int,
    mock: "subprocess.Popen[str]",
    redis: "subprocess.Popen[str] | None",
) -> Run:
    script, request = directory / "load.lua", directory / "request"
    script.write_text(_LUA)
    request.write_bytes(data)
    command = ["wrk", "-t1", f"-c{_CONNECTIONS}", f"-d{seconds}s", "-s", str(script), f"http://127.0.0.1:{port}/"]
    before = _cpu(mock, redis)
    environment = {**os.environ, "REQUEST": str(request)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True, preexec_fn=_as_batch) as wrk:
        out = wrk.stdout.read() if wrk.stdout else ""
        _, _, usage = os.wait4(wrk.pid, 0)
        wrk.returncode = 0
    after = _cpu(mock, redis)
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


def _cpu(mock: "subprocess.Popen[str]", redis: "subprocess.Popen[str] | None") -> tuple[float, float]:
    return cpu_of_tree(mock.pid), cpu(redis.pid) if redis else 0.0


def _as_batch() -> None:
    """Schedule the load generator as a batch process, so that it does not preempt a server at every reply.

    Not at real-time priority: the servers would leave it no time.
    """
    if hasattr(os, "SCHED_BATCH") and os.sched_getscheduler(0) == os.SCHED_OTHER:
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def _kills(processes: Processes, directory: Path) -> None:
    """Count the successes of clients while a worker, and then Redis, is killed and started again."""
    fixtures, redis_port = _fixtures(directory), free_port()
    redis = processes.redis(redis_port, sync=True)
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
        os.kill(random.choice(children(mock.pid)), signal.SIGKILL)
        time.sleep(1.0)
        redis.kill()
        redis.wait()
        time.sleep(0.5)
        redis = processes.redis(redis_port, sync=True)
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
    names = [name for name in redis_says(port, "KEYS vehicle-ocr-mock:used:*").split() if name.startswith("vehicle")]
    values = [redis_says(port, f"HGET {name} {field}").split() for name in names for field in fields]
    return sum(int(value[1]) for value in values if len(value) == 2)


if __name__ == "__main__":
    main()
