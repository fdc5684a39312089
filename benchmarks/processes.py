"""Starts mocks and Redis servers for a measurement, and reads the processor time that they use."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


class Processes:
    """The processes of one run; all end with it."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._all: list[subprocess.Popen[str]] = []

    def redis(self, port: int, *, log: bool = True, sync: bool = False) -> "subprocess.Popen[str]":
        """A Redis, also on the socket `PORT.sock` of the directory.

        With a `log` it appends every change to a file, which is synced each second, or with `sync` before each reply.
        """
        command = ["redis-server", "--port", str(port), "--save", "", "--appendonly", "yes" if log else "no"]
        command += ["--appendfsync", "always" if sync else "everysec"]
        command += ["--dir", str(self._directory), "--unixsocket", str(self._directory / f"{port}.sock")]
        process = self._start(command)
        _until(lambda: redis_says(port, "PING").startswith("+PONG"))
        return process

    def mock(self, fixtures: Path, *flags: str) -> tuple["subprocess.Popen[str]", int]:
        """Start the mock on a free port."""
        words = [sys.executable, "-m", "mock_server", "serve", str(fixtures), "--port", "0", "--no-watch"]
        process = self._start([*words, "--log-level", "error", *flags])
        assert process.stdout is not None
        ready = process.stdout.readline()
        return process, int(ready.rsplit(":", 1)[1])

    def close(self) -> None:
        """End all processes."""
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


def redis_says(port: int, command: str) -> str:
    """The answer of a Redis to a command as plain text; empty if it does not answer."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(command.encode() + b"\r\n")
        return connection.recv(65536).decode()
    return ""


def free_port() -> int:
    """A free port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


def _until(holds: Callable[[], bool]) -> None:
    for _ in range(1000):
        if holds():
            return
        time.sleep(0.01)
    raise RuntimeError("a server does not start")


def children(pid: int) -> list[int]:
    """The child processes of a process."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def cpu(pid: int) -> float:
    """Processor time of a process in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def cpu_of_tree(pid: int) -> float:
    """Processor time of a process and all its descendants in seconds."""
    return sum(map(cpu, _tree(pid)))


def _tree(pid: int) -> Iterator[int]:
    yield pid
    for child in children(pid):
        yield from _tree(child)
