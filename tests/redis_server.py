"""A real Redis server on a free port, for tests of the shared state."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.support import PATIENCE, free_port


class RedisServer:
    """A server process of the tests. It writes every change to a file before it replies, so a test may kill it."""

    def __init__(self, program: str, directory: Path) -> None:
        self._program = program
        self._directory = directory
        self.port = free_port()
        self.process = self._start()

    def url(self, namespace: str | None = None) -> str:
        """The URL of an empty state."""
        return f"redis://127.0.0.1:{self.port}/0?namespace={namespace or uuid4().hex}"

    def kill(self) -> None:
        """Kill it, as in a crash."""
        self.process.kill()
        self.process.wait()

    def start(self) -> None:
        """Start it again, with the data on disk."""
        self.process = self._start()

    def forget(self) -> None:
        """Delete the data on disk. The server must not run."""
        shutil.rmtree(self._directory / "appendonlydir", ignore_errors=True)

    def pause(self, *, resume: bool = False) -> None:
        """Suspend or resume it."""
        self.process.send_signal(signal.SIGCONT if resume else signal.SIGSTOP)

    def stop(self) -> None:
        """Terminate it."""
        self.pause(resume=True)
        self.process.terminate()
        self.process.wait()

    def command(self, *words: str) -> str:
        """The reply to a command, as plain text."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as connection:
            connection.sendall(" ".join(words).encode() + b"\r\n")
            return connection.recv(65536).decode()

    def _start(self) -> subprocess.Popen[bytes]:
        options = {
            "port": self.port,
            "bind": "127.0.0.1",
            "dir": self._directory,
            "save": "",
            "appendonly": "yes",
            # What is written survives the process. Waiting for the disk would only help when the machine crashes, and
            # on a busy disk it takes longer than the mock waits for a reply.
            "appendfsync": "no",
        }
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        process = subprocess.Popen([self._program, *words], stdout=subprocess.DEVNULL)
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            try:
                if self.command("PING") == "+PONG\r\n":
                    return process
            except OSError:
                pass
            if process.poll() is not None:
                raise RuntimeError(f"{self._program} ended with {process.returncode}")
            time.sleep(0.01)
        process.kill()
        raise RuntimeError(f"{self._program} does not answer")


def _program() -> str:
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    if program is None:
        if "redis-server" in os.environ.get("EXPECTED_PROGRAMS", "").split():
            pytest.fail("redis-server is missing, although CI has installed it")
        pytest.skip("no redis-server or valkey-server on the PATH: what several processes share is not tested")
    return program


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """A server for the whole session. Each test uses its own namespace, or `own_redis_server` if it kills it."""
    yield from _serve()


@pytest.fixture
def own_redis_server() -> Iterator[RedisServer]:
    """A server that one test may kill."""
    yield from _serve()


def _serve() -> Iterator[RedisServer]:
    program = _program()
    with tempfile.TemporaryDirectory(prefix="redis-", ignore_cleanup_errors=True) as directory:
        server = RedisServer(program, Path(directory))
        try:
            yield server
        finally:
            server.stop()
