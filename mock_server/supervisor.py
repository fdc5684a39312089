"""Several worker processes on the same sockets: starting them, replacing one that ended, stopping all.

The application is created once and then forked, so all workers share its memory and serve the same fixtures. The
supervisor itself serves nothing and runs no event loop.
"""

import contextlib
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence

from mock_server import tuning
from mock_server.app import App
from mock_server.errors import MockServerError, SettingsError
from mock_server.runner import GRACE_SECONDS, Server, on_hangup
from mock_server.runner import run as serve

logger = logging.getLogger(__name__)

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_CAN_FORK = hasattr(os, "fork")
_WATCHED = {*_STOP_SIGNALS, signal.SIGCHLD, signal.SIGALRM, signal.SIGHUP} if _CAN_FORK else set()
_RESTART_SECONDS = 1.0
"""A worker is replaced no earlier than this after its start."""
_READY = b"r"


def run(app: App, ready: Callable[[Server], None]) -> None:
    """Serve with `workers` processes until SIGINT or SIGTERM, then finish the requests in flight.

    Raises SettingsError on a system without fork, and SystemExit when a worker does not start.
    """
    if not _CAN_FORK:
        raise SettingsError("--workers needs a system that can fork, which this one cannot")
    first = Server(app)
    servers = [first, *(first.for_another_process() for _ in range(app.settings.workers - 1))]
    supervisor = _Supervisor(servers)
    with _signals_blocked():
        code = supervisor.start()
        if code == 0:
            ready(first)
            code = supervisor.watch()
    sys.exit(code)


class _Supervisor:
    """One worker process for each server. `_workers`: process id to the server's index and the time of the start."""

    def __init__(self, servers: Sequence[Server]) -> None:
        self._servers = servers
        self._workers: dict[int, tuple[int, float]] = {}
        # The kernel closes this pipe when the supervisor ends, even by SIGKILL. Workers then stop.
        self._alive = os.pipe()

    def start(self) -> int:
        """Start the workers one after another, so that an error is reported once; 0 or the exit code."""
        tuning.share_memory_with_children()
        for index in range(len(self._servers)):
            reading, writing = os.pipe()
            worker = self._fork(index, writing)
            os.close(writing)
            is_ready = os.read(reading, 1) == _READY
            os.close(reading)
            if not is_ready:
                _, status = os.waitpid(worker, 0)
                del self._workers[worker]
                self._stop()
                return os.waitstatus_to_exitcode(status) or 1
        return 0

    def watch(self) -> int:
        """Replace workers that end, until a stop signal; the exit code. SIGHUP is passed on."""
        hangup = on_hangup(lambda: self._send(signal.SIGHUP), lambda: os.kill(os.getpid(), signal.SIGTERM))
        while True:
            signum = signal.sigwait(_WATCHED)
            if signum in _STOP_SIGNALS:
                return self._stop()
            if signum == signal.SIGHUP:
                hangup()
            self._replace_ended()

    def _replace_ended(self) -> None:
        for worker, status in list(_ended_workers()):
            index, started = self._workers.pop(worker)
            logger.error("worker %d ended (%s) and is replaced", worker, _cause(status))
            time.sleep(max(0.0, started + _RESTART_SECONDS - time.monotonic()))
            self._fork(index)

    def _stop(self) -> int:
        """Stop the workers, and kill those that take too long; 0 when all ended by themselves."""
        for server in self._servers:
            server.close()
        self._send(signal.SIGTERM)
        signal.alarm(GRACE_SECONDS + 5)
        code = 0
        while self._workers:
            if signal.sigwait({signal.SIGCHLD, signal.SIGALRM}) == signal.SIGALRM:
                self._send(signal.SIGKILL)
            for worker, status in _ended_workers():
                del self._workers[worker]
                code = code or (1 if status else 0)
        return code

    def _send(self, signum: signal.Signals) -> None:
        for worker in self._workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker, signum)

    def _fork(self, index: int, ready: int | None = None) -> int:
        sys.stdout.flush()
        sys.stderr.flush()
        worker = os.fork()
        if worker == 0:
            self._run_worker(self._servers[index], ready)
        self._workers[worker] = index, time.monotonic()
        return worker

    def _run_worker(self, server: Server, ready: int | None) -> None:
        """Serve in the forked process, then end it. `ready` is a pipe to write to; a replacement has none."""
        code = 1
        try:
            os.close(self._alive[1])
            for other in self._servers:
                if other is not server:
                    other.close()
            for signum in _STOP_SIGNALS:
                # Before it serves, a worker has no request to finish.
                signal.signal(signum, lambda *_: os._exit(0))
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _WATCHED)
            server.app.is_replacement = ready is None
            serve(server, lambda: _report_ready(ready), until_closed=self._alive[0])
            code = 0
        except MockServerError as error:
            sys.stderr.write(f"vehicle-ocr-mock: {error}\n")
        except BaseException:
            logger.exception("a worker failed")
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)


def _report_ready(pipe: int | None) -> None:
    if pipe is not None:
        os.write(pipe, _READY)
        os.close(pipe)


def _ended_workers() -> Iterator[tuple[int, int]]:
    """The process id and the wait status of each worker that ended since the last call."""
    with contextlib.suppress(ChildProcessError):
        while (found := os.waitpid(-1, os.WNOHANG))[0]:
            yield found


def _cause(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"


@contextlib.contextmanager
def _signals_blocked() -> Iterator[None]:
    """Block the signals that `sigwait` takes, so that none is lost between two calls."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _WATCHED)
    # `sigwait` does not return a signal that is ignored, as SIGCHLD is by default.
    handler = signal.signal(signal.SIGCHLD, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGCHLD, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
