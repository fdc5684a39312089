"""Run a child process in place of this process: pass on its input, its signals and its exit code."""

import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

# Some systems do not have all of these.
ENDING_SIGNALS = ("SIGHUP", "SIGINT", "SIGTERM")
_FORWARDED = (*ENDING_SIGNALS, "SIGQUIT", "SIGUSR1", "SIGUSR2")
# A terminal sends these to every process in its foreground, so the child gets them without us.
_SENT_BY_TERMINAL = ("SIGHUP", "SIGINT", "SIGQUIT")

_Handler = Callable[[int, FrameType | None], None]
_Child = subprocess.Popen[bytes]


def run_child(command: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run `command` to its end and return its exit code as a shell would.

    A child that a signal n ends gives 128 + n. In the foreground of a terminal the child shares this process's group,
    so that the terminal's keys work as usual. Elsewhere it leads a group of its own, and a signal that is passed on
    also reaches the child's children.

    Raises OSError when the command does not exist or cannot be run.
    """
    shares_group = _is_in_foreground()
    child: _Child | None = None
    early: list[int] = []

    def forward(number: int, frame: FrameType | None = None) -> None:
        if shares_group and signal.Signals(number).name in _SENT_BY_TERMINAL:
            return
        if child is None:
            early.append(number)
        else:
            _send(child, number, to_group=not shares_group)

    with (
        handled(_FORWARDED, forward),
        _woken_by_signals() as woken,
        subprocess.Popen(command, env=dict(environ), process_group=None if shares_group else 0) as process,
    ):
        child = process
        for number in early:
            forward(number)
        try:
            while (code := process.poll()) is None:
                woken.recv(4096)
        except BaseException:
            process.terminate()
            raise
    return 128 - code if code < 0 else code


@contextmanager
def handled(names: Sequence[str], handler: _Handler) -> Iterator[None]:
    """Handle signals while the context lasts. An ignored signal stays ignored, for nohup, also in the child."""
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    before = {
        number: signal.signal(number, handler) for number in numbers if signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)


@contextmanager
def _woken_by_signals() -> Iterator[socket.socket]:
    """A socket that can be read after each handled signal and after the end of a child.

    A signal that another thread takes does not end a `waitpid` of this thread, and neither does one that arrives just
    before that call. The handler would wait until the child ends.
    """
    reading, writing = socket.socketpair()
    with reading, writing:
        writing.setblocking(False)
        # Also where it is ignored: the end of an ignored child would wake nothing.
        previous_handler = signal.signal(signal.SIGCHLD, lambda *_: None)
        previous_fd = signal.set_wakeup_fd(writing.fileno(), warn_on_full_buffer=False)
        try:
            yield reading
        finally:
            signal.set_wakeup_fd(previous_fd)
            signal.signal(signal.SIGCHLD, previous_handler)


def _send(child: _Child, number: int, *, to_group: bool) -> None:
    with suppress(ProcessLookupError):
        if not to_group:
            child.send_signal(number)
        elif child.returncode is None:
            os.killpg(child.pid, number)


def _is_in_foreground() -> bool:
    """Whether this process is in the foreground of a terminal."""
    try:
        with Path("/dev/tty").open("r+b", buffering=0) as terminal:
            return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    except OSError:
        return False
