"""Running the command `vehicle-ocr-mock` as a process of its own."""

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support import PATIENCE, plugin_to_load

COMMAND = [sys.executable, "-m", "mock_server"]
ROOT = Path(__file__).parents[2]
READY = "vehicle-ocr-mock ready on "


def run(*arguments: str, environment: Mapping[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
    """Run the command to its end."""
    environ = {**os.environ, **(environment or {})}
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, timeout=PATIENCE, env=environ, check=False
    )


def on_path(place: Path) -> dict[str, str]:
    """Put `vehicle-ocr-mock`, `python` and `pytest` into a directory; returns an environment with it on the path."""
    plugins = " ".join(f"-p {name}" for name in (*plugin_to_load(), "no:schemathesis", "no:cacheprovider"))
    commands = {"vehicle-ocr-mock": "-m mock_server", "pytest": f"-m pytest {plugins}", "python": ""}
    for name, arguments in commands.items():
        (place / name).write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {arguments} "$@"\n')
        (place / name).chmod(0o755)
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "PATH": f"{place}{os.pathsep}{os.environ['PATH']}"}
    environ.pop("VEHICLE_OCR_MOCK_URL", None)
    return environ


@dataclass
class Served:
    """A server that runs as a process; `stdout` and `stderr` are complete once it has ended."""

    process: "subprocess.Popen[str]"
    url: str
    stdout: str = ""
    stderr: str = ""

    def end(self, signum: int = signal.SIGTERM) -> int:
        """Send a signal and wait; gives the exit code."""
        self.process.send_signal(signum)
        rest, self.stderr = self.process.communicate(timeout=PATIENCE)
        self.stdout += rest
        return self.process.returncode


@contextmanager
def served(
    *arguments: str, environment: Mapping[str, str] | None = None, prefix: Sequence[str] = ()
) -> Iterator[Served]:
    """The command `serve` on a free port, ready; `prefix` is a program that runs it."""
    environ = {**os.environ, **(environment or {})}
    process = subprocess.Popen(
        [*prefix, *COMMAND, "serve", "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environ,
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()

        assert line.startswith(READY), process.stderr.read() if process.stderr else line
        yield Served(process, line.removeprefix(READY).split()[0], line)
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
