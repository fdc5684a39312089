"""A child process in the place of this one: its input, its signals, its exit code."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import FrameType

# Asked of this process, meant for the child. Not every system has all of them.
_PASSED_ON = ("SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2")
# A terminal sends these to every process in its foreground: the child has them already.
_FROM_THE_TERMINAL = ("SIGHUP", "SIGINT", "SIGQUIT")

Child = subprocess.Popen[bytes]


def run_child(command: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run `command` to its end and return its exit code as a shell would give it.

    A child that died by signal n gives 128 + n. In the foreground of a terminal the child shares this process's
    group, so that the terminal's keys do what they always do; elsewhere it leads a group of its own, and a signal
    reaches the child's children too.

    Raises OSError when there is no such command, or it cannot be run.
    """
    shared = _in_the_foreground()
    group = None if shared else 0
    with (
        _signals_passed_on(shared) as pass_on_to,
        subprocess.Popen(command, env=dict(environ), process_group=group) as child,
    ):
        pass_on_to(child)
        try:
            code = child.wait()
        except BaseException:
            # Only an error in this very process leads here. Nothing may outlive it.
            child.terminate()
            raise
    return 128 - code if code < 0 else code


class OrderlyEnd:
    """What the signals that end a process do while there is no child: nothing, or end this process in order.

    An exception out of a signal handler may come between any two steps, so also between making a file and knowing
    of it. It is raised only while `at_once` lasts, and once; a signal at any other time is kept.
    """

    def __init__(self) -> None:
        self._kept: int | None = None
        self._raises = False

    def handle(self, number: int, frame: FrameType | None) -> None:
        """Keep the signal, or raise SystemExit with a shell's exit code for it."""
        self._kept = number
        if self._raises:
            self._raises = False
            raise SystemExit(128 + number)

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """End the process right away in here, also for a signal that came before."""
        self._raises = True
        if self._kept is not None:
            self.handle(self._kept, None)
        try:
            yield
        finally:
            self._raises = False

    def make_sure(self) -> None:
        """End the process if a signal came. What it raised is lost where nobody hears it: in a finaliser, above all."""
        if self._kept is not None:
            raise SystemExit(128 + self._kept)


@contextmanager
def ended_in_order() -> Iterator[OrderlyEnd]:
    """While there is no child yet, let the signals that end a process end this one with everything cleaned up."""
    end = OrderlyEnd()
    numbers = [getattr(signal, name) for name in ("SIGHUP", "SIGINT", "SIGTERM") if hasattr(signal, name)]
    with _handled(numbers, end.handle):
        yield end


@contextmanager
def _handled(numbers: Sequence[int], handle: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Handle signals for a while. What was ignored stays ignored, in the child too: that is how nohup works."""
    before = {
        number: signal.signal(number, handle)
        for number in numbers
        if signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _signals_passed_on(shared: bool) -> Iterator[Callable[[Child], None]]:
    """Pass signals on to the child that is named to the function given; those before that are kept for it."""
    children: list[Child] = []
    early: list[int] = []

    def handle(number: int, frame: FrameType | None) -> None:
        if shared and signal.Signals(number).name in _FROM_THE_TERMINAL:
            return
        if children:
            _send(children[0], number, to_group=not shared)
        else:
            early.append(number)

    def pass_on_to(child: Child) -> None:
        children.append(child)
        for number in early:
            _send(child, number, to_group=not shared)

    numbers = [getattr(signal, name) for name in _PASSED_ON if hasattr(signal, name)]
    with _handled(numbers, handle):
        yield pass_on_to


def _send(child: Child, number: int, *, to_group: bool) -> None:
    with suppress(ProcessLookupError):
        if not to_group:
            child.send_signal(number)
        elif child.returncode is None:
            os.killpg(child.pid, number)


def _in_the_foreground() -> bool:
    """Whether a terminal counts this process among those that its keys speak to."""
    try:
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)
