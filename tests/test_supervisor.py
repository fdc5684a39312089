"""Several worker processes: they start together, are replaced when they end, and stop together."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from mock_server.errors import SettingsError
from mock_server.server import MockServer
from tests.redis_server import RedisServer
from tests.support import FIXTURES, PATIENCE, eventually

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork"),
    pytest.mark.skipif(shutil.which("ps") is None, reason="ps is not installed"),
]

CAR = (FIXTURES / "images/car.jpg").read_bytes()
FIXTURE_FILES = {
    "mock.yaml": """
accounts:
  - {name: demo, key: demo-key}
  - {name: thirty, key: thirty-key, credits: {plate: 30}, quota: {plate: {limit: 30, used: 10}}}
  - {name: slow, key: slow-key, rate_limit: 3/hour}
""",
    "scenarios/dribbled.yaml": """
scenario: dribbled
when: {filename: dribbled*}
then: [{outcome: read, delay: {dribble: {chunks: 4, over: 600ms}}}]
reading: {plate: ABC123}
---
scenario: in-turn
when: {filename: in-turn*}
then: [{outcome: service_error, times: 5}, {outcome: read}]
reading: {plate: ABC123}
""",
}


@dataclass
class Served:
    """A running command `serve`, its address and its client."""

    process: "subprocess.Popen[str]"
    url: str
    client: httpx.Client

    def plate(self, key: str, filename: str = "car.jpg") -> int:
        """The status of the reply to a plate request, on a new connection."""
        reply = self.client.post("/api/ocr/plate", headers={"X-API-Key": key}, files={"image": (filename, CAR)})
        return reply.status_code

    def workers(self) -> list[int]:
        """The process ids of the workers."""
        listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,stat="], capture_output=True, text=True, check=True)
        rows = [line.split() for line in listed.stdout.splitlines()]
        return [int(pid) for pid, parent, state in rows if int(parent) == self.process.pid and state[0] != "Z"]

    def stop(self) -> int:
        """Stop the server; gives its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


Serve = Callable[..., Served]


@pytest.fixture
def fixtures(tmp_path: Path) -> Path:
    """Fixtures with few units, few requests and slow replies."""
    for name, text in FIXTURE_FILES.items():
        path = tmp_path / "fixtures" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "fixtures"


@pytest.fixture
def serve(fixtures: Path) -> Iterator[Serve]:
    """Start `serve` on a free port; stop it after the test."""
    with ExitStack() as stack:

        def started(state: str, *flags: str, workers: int = 2) -> Served:
            process = command(fixtures, "--state", state, "--workers", str(workers), *flags)
            stack.callback(ended, process)
            assert process.stdout is not None
            ready = process.stdout.readline()
            assert ready.startswith("vehicle-ocr-mock ready on http://127.0.0.1:"), ready
            url = ready.split()[3]
            # A connection for each request: which worker gets one is the system's choice.
            limits = httpx.Limits(max_keepalive_connections=0)
            client = httpx.Client(base_url=url, timeout=PATIENCE, limits=limits, verify=False)
            return Served(process, url, stack.enter_context(client))

        yield started


def command(fixtures: Path, *flags: str) -> "subprocess.Popen[str]":
    """The command `serve` on a free port."""
    words = [sys.executable, "-m", "mock_server", "serve", str(fixtures), "--port", "0", "--no-watch", *flags]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ended(process: "subprocess.Popen[str]") -> None:
    """Stop the server if it still runs."""
    with process:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()


def until(holds: Callable[[], bool]) -> bool:
    """Whether a condition becomes true within a bounded time, however many connections fail until then."""

    def holds_now() -> bool:
        with suppress(httpx.TransportError):
            return holds()
        return False

    return eventually(holds_now)


def test_several_workers_need_a_shared_state(fixtures: Path) -> None:
    """Several workers need a shared state, because each would count for itself; the start fails without one."""
    with command(fixtures, "--workers", "2") as process:
        out, err = process.communicate(timeout=PATIENCE)

    assert (process.returncode, out) == (1, "")
    assert "--workers 2 needs a state that the processes share: add --state redis://HOST:PORT/DB" in err


def test_a_mock_in_a_thread_has_one_worker() -> None:
    """`MockServer` runs in a thread and has one worker."""
    with pytest.raises(SettingsError, match="one worker"):
        MockServer(workers=2, state="redis://127.0.0.1:1/0")


def test_a_state_that_cannot_be_reached_is_told_once(fixtures: Path) -> None:
    """The first worker reports why it does not start, and no process stays behind."""
    with command(fixtures, "--workers", "3", "--state", "redis://127.0.0.1:1/0") as process:
        out, err = process.communicate(timeout=PATIENCE)

    assert (process.returncode, out) == (1, "")
    assert err.count("the shared store does not answer") == 1


def test_one_line_tells_that_all_are_ready(redis_server: RedisServer, serve: Serve) -> None:
    """Every worker accepts connections before the ready line is printed; all stop together, with exit code 0."""
    served = serve(redis_server.url(), workers=3)

    assert len(served.workers()) == 3
    assert {served.plate("demo-key") for _ in range(20)} == {200}
    assert served.stop() == 0
    assert served.process.stdout is not None
    assert served.process.stdout.read() == ""


def test_workers_serve_https_as_well(redis_server: RedisServer, serve: Serve) -> None:
    """Each worker accepts connections on the HTTP and the HTTPS address."""
    served = serve(redis_server.url(), "--tls", "--tls-port", "0", workers=2)

    assert served.client.get("/healthz").status_code == 200


def test_units_and_rates_are_counted_together(redis_server: RedisServer, serve: Serve) -> None:
    """Two workers and a second mock on the same state charge exactly the units that an account has."""
    url = redis_server.url()
    two, other = serve(url), serve(url, workers=1)
    asked = [served for _ in range(30) for served in (two, two, other)]
    with ThreadPoolExecutor(8) as pool:
        units = Counter(pool.map(lambda served: served.plate("thirty-key"), asked))
        rates = Counter(pool.map(lambda served: served.plate("slow-key"), asked[:12]))

    assert units == {200: 30, 402: 60}
    assert rates == {200: 3, 429: 9}


def test_sequences_are_walked_together(redis_server: RedisServer, serve: Serve) -> None:
    """The steps of a scenario come in their order and number, whichever worker answers."""
    served = serve(redis_server.url())
    with ThreadPoolExecutor(8) as pool:
        statuses = Counter(pool.map(lambda _: served.plate("demo-key", "in-turn.jpg"), range(20)))

    assert statuses == {500: 5, 200: 15}


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc")
def test_no_other_thread_takes_a_signal(redis_server: RedisServer, serve: Serve) -> None:
    """The main thread of the process that watches the workers waits for signals; any other thread blocks them."""
    process = serve(redis_server.url()).process
    others = [task for task in Path(f"/proc/{process.pid}/task").iterdir() if task.name != str(process.pid)]
    blocked = [
        int(mask, 16)
        for task in others
        for mask in re.findall(r"^SigBlk:\s*(\w+)", (task / "status").read_text(), re.M)
    ]

    assert len(blocked) == len(others) > 0
    for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
        assert all(mask & 1 << (signum - 1) for mask in blocked), signum


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_requests_under_way_finish_before_the_end(
    redis_server: RedisServer, serve: Serve, signum: signal.Signals
) -> None:
    """A reply that has begun is sent to its end; then all workers end, and the exit code is 0."""
    served = serve(redis_server.url())
    request = served.client.build_request(
        "POST", "/api/ocr/plate", headers={"X-API-Key": "demo-key"}, files={"image": ("dribbled.jpg", CAR)}
    )
    reply = served.client.send(request, stream=True)
    served.process.send_signal(signum)

    assert b"ABC123" in reply.read()
    assert served.process.wait(PATIENCE) == 0
    assert served.workers() == []


def test_a_killed_worker_is_replaced(redis_server: RedisServer, serve: Serve) -> None:
    """When a worker is killed, the others continue, a new one replaces it, and the counters stay."""
    served = serve(redis_server.url())
    assert served.plate("thirty-key") == 200
    killed = served.workers()
    os.kill(killed[0], signal.SIGKILL)

    assert until(lambda: len(set(served.workers()) - {killed[0]}) == 2)
    assert Counter(served.plate("thirty-key") for _ in range(40)) == {200: 29, 402: 11}
    assert served.stop() == 0


def test_workers_do_not_outlive_whoever_started_them(redis_server: RedisServer, serve: Serve) -> None:
    """When the supervisor is killed, the workers end by themselves."""
    served = serve(redis_server.url())
    served.process.kill()
    served.process.wait()

    assert until(lambda: _refused(served.url))


def test_while_the_state_is_gone_every_request_fails_as_the_provider_would(
    own_redis_server: RedisServer, serve: Serve
) -> None:
    """While Redis is away, providers answer with their own 500; afterwards the counters are the same."""
    served = serve(own_redis_server.url())
    assert [served.plate("thirty-key") for _ in range(10)] == [200] * 10
    own_redis_server.kill()

    assert Counter(served.plate("thirty-key") for _ in range(10)) == {500: 10}
    own_redis_server.start()
    # The system chooses the worker: so many connections reach both.
    assert until(lambda: [served.plate("demo-key") for _ in range(40)] == [200] * 40)
    assert Counter(served.plate("thirty-key") for _ in range(30)) == {200: 20, 402: 10}


def test_hangup_reloads_all_workers(redis_server: RedisServer, serve: Serve, fixtures: Path) -> None:
    """SIGHUP to the supervisor makes every worker read the fixture files again."""
    served = serve(redis_server.url(), workers=2)
    workers = served.workers()
    (fixtures / "scenarios/more.yaml").write_text("scenario: more\nwhen: {filename: more*}\n")

    def counts() -> set[int]:
        return {served.client.get("/healthz").json()["scenarios"] for _ in range(20)}

    assert counts() == {2}
    served.process.send_signal(signal.SIGHUP)

    assert until(lambda: counts() == {3})
    assert served.workers() == workers
    assert served.stop() == 0


def _refused(url: str) -> bool:
    try:
        httpx.get(url + "/healthz", timeout=2)
    except httpx.ConnectError:
        return True
    return False
