"""A real Redis server on a free port, for the tests of what several processes share."""

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


class RedisServer:
    """A server process of the tests' own. It keeps what it is told on disk, so that it can be killed and come back."""

    def __init__(self, program: str, directory: Path) -> None:
        self._program = program
        self._directory = directory
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self.process = self._start()

    def url(self, namespace: str | None = None) -> str:
        """The URL of a state of one's own."""
        return f"redis://127.0.0.1:{self.port}/0?namespace={namespace or uuid4().hex}"

    def kill(self) -> None:
        """End it as a crash would."""
        self.process.kill()
        self.process.wait()

    def start(self) -> None:
        """Come back with what was on disk."""
        self.process = self._start()

    def forget(self) -> None:
        """Throw away what is on disk; the server must not run."""
        shutil.rmtree(self._directory / "appendonlydir", ignore_errors=True)

    def pause(self, *, resume: bool = False) -> None:
        """Leave it running but silent, or let it go on."""
        self.process.send_signal(signal.SIGCONT if resume else signal.SIGSTOP)

    def stop(self) -> None:
        """End it for good."""
        self.pause(resume=True)
        self.process.terminate()
        self.process.wait()

    def command(self, *words: str) -> str:
        """The server's answer to a command, as plain text."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
            connection.sendall(" ".join(words).encode() + b"\r\n")
            return connection.recv(65536).decode()

    def _start(self) -> subprocess.Popen[bytes]:
        options = {
            "port": self.port,
            "bind": "127.0.0.1",
            "dir": self._directory,
            "save": "",
            "appendonly": "yes",
            "appendfsync": "always",
        }
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        process = subprocess.Popen([self._program, *words], stdout=subprocess.DEVNULL)
        for _ in range(500):
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
        if os.environ.get("CI"):
            pytest.fail("CI has no redis-server: .ci/run installs it")
        pytest.skip(
            "no redis-server or valkey-server on the PATH: what several processes share is not tested"
        )
    return program


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """A server for the whole session. Tests keep apart by namespace; who kills one takes `own_redis_server`."""
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
