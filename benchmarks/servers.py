"""Starts server processes on one core, reads their memory and processor time, and ends them."""

import contextlib
import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_START_SECONDS = 120.0


class NotAvailable(Exception):
    """A server cannot be run on this machine; the text says why."""


@dataclass(frozen=True)
class Launch:
    """How to start a server: its command line for a port, and its cores (None: all)."""

    name: str
    command: Callable[[int], Sequence[str]]
    cores: frozenset[int] | None = frozenset({0})
    environment: tuple[tuple[str, str], ...] = ()


def mock(fixtures: Path | None, *options: str, name: str = "vehicle-ocr-mock") -> Launch:
    """The product itself, with all features on."""
    directory = [str(fixtures)] if fixtures else []
    return Launch(
        name, lambda port: [sys.executable, "-m", "mock_server", "serve", *directory, f"--port={port}", *options]
    )


def peer(name: str, module: str) -> Launch:
    """A peer written in Python: a module of `benchmarks.peers`."""
    return Launch(name, lambda port: [sys.executable, "-m", f"benchmarks.peers.{module}", str(port)])


BARE = peer("bare ASGI", "bare")
STARLETTE = peer("plain Starlette", "plain_starlette")
DECODING = peer("decodes with draft", "decoding")


def installed_peers() -> list[Launch]:
    """Other mock servers that are installed on this machine; nothing is downloaded."""
    peers = []
    if importlib.util.find_spec("pytest_httpserver"):
        peers.append(peer("pytest-httpserver", "httpserver"))
    jar = os.environ.get("WIREMOCK_JAR")
    if jar and shutil.which("java"):
        peers.append(_wiremock(jar))
    return peers


def _wiremock(jar: str) -> Launch:
    def command(port: int) -> Sequence[str]:
        root = Path(tempfile.gettempdir()) / "vehicle-ocr-mock-wiremock"
        (root / "mappings").mkdir(parents=True, exist_ok=True)
        reply = {"status": 200, "jsonBody": {"result": "9DJC652"}, "headers": {"Content-Type": "application/json"}}
        stub = {"request": {"method": "POST", "urlPattern": "/.*"}, "response": reply}
        (root / "mappings" / "all.json").write_text(json.dumps(stub))
        quiet = ["--disable-banner", "--no-request-journal", "--async-response-enabled", "true"]
        return ["java", "-jar", jar, "--port", str(port), "--root-dir", str(root), *quiet]

    return Launch("WireMock", command)


@dataclass
class Running:
    """A server that accepts connections on `port`."""

    name: str
    port: int
    process: "subprocess.Popen[bytes]"

    def memory(self) -> float:
        """Resident memory of the process and its children in MB."""
        return sum(_resident(pid) for pid in _family(self.process.pid)) / 1e6

    def open_files(self) -> int:
        """Number of open files of the process."""
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))

    def processor_seconds(self) -> float:
        """Processor time of the running threads in seconds since the start."""
        # Exact to the nanosecond. The times in `stat` have whole hundredths of a second, and a start takes a tenth.
        tasks = Path(f"/proc/{self.process.pid}/task").iterdir()
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


@contextlib.contextmanager
def running(launch: Launch) -> Iterator[Running]:
    """Run a server within a context. Raises NotAvailable if it ends before it accepts connections."""
    port = free_port()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            launch.command(port),
            stdout=output,
            stderr=output,
            env={**_environment(), **dict(launch.environment)},
            preexec_fn=_pin(launch.cores),
        )
        try:
            if not _accepts(port, process):
                output.seek(0)
                lines = output.read().decode(errors="replace").strip().splitlines() or ["no output"]
                raise NotAvailable(f"{launch.name} did not start: {lines[-1]}")
            yield Running(launch.name, port, process)
        finally:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _environment() -> dict[str, str]:
    # Installed packages have compiled files; a checkout needs them for a fair comparison.
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def free_port() -> int:
    """A free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def pin_to(core: int) -> bool:
    """Pin this process, the load generator, to one core; False where that is not possible."""
    if not hasattr(os, "sched_setaffinity") or len(os.sched_getaffinity(0)) < 2:
        return False
    os.sched_setaffinity(0, {core})
    return True


@contextlib.contextmanager
def unpinned() -> Iterator[None]:
    """Within a context, let this process and those that it starts run on all cores."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, range(os.cpu_count() or 1))
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _pin(cores: frozenset[int] | None) -> Callable[[], None] | None:
    if not hasattr(os, "sched_setaffinity"):
        return None
    wanted = cores or frozenset(range(os.cpu_count() or 1))
    return lambda: os.sched_setaffinity(0, wanted)


def _accepts(port: int, process: "subprocess.Popen[bytes]") -> bool:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.001)
        else:
            return True
    return False


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children")
    found = children.read_text().split() if children.exists() else []
    return [pid, *(member for child in found for member in _family(int(child)))]


def _resident(pid: int) -> int:
    fields = Path(f"/proc/{pid}/statm").read_text().split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")
