"""Several processes that serve as one: who starts them, replaces one that died, and ends them.

The application is made ready once and then forked: children share its memory and serve at once, and one that is
replaced serves what the others serve. This process itself serves nothing and runs no event loop.
"""

import contextlib
import gc
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence

from mock_server.app import App
from mock_server.errors import MockServerError, SettingsError
from mock_server.runner import Server
from mock_server.runner import run as serve
from mock_server.uvicorn_server import GRACE_SECONDS

logger = logging.getLogger(__name__)

_STOPPING = (signal.SIGINT, signal.SIGTERM)
_CAN_FORK = hasattr(os, "fork")
_WATCHED = {*_STOPPING, signal.SIGCHLD, signal.SIGALRM} if _CAN_FORK else set()
_SHORTEST_LIFE = 1.0
"""Seconds; a worker that died sooner is replaced no earlier than this after its start."""
_READY = b"r"


def run(app: App, ready: Callable[[Server], None]) -> None:
    """Serve with as many processes as the settings say, until SIGINT or SIGTERM; requests in flight finish first.

    Raises SettingsError where processes cannot be forked, and SystemExit where the first of them do not start.
    """
    if not _CAN_FORK:
        raise SettingsError("--workers needs a system that can fork, which this one cannot")
    first = Server(app)
    servers = [first, *(first.another() for _ in range(app.settings.workers - 1))]
    supervisor = _Supervisor(servers)
    with _signals_held():
        code = supervisor.start()
        if code == 0:
            ready(first)
            code = supervisor.watch()
    sys.exit(code)


class _Supervisor:
    """One process for each server: `_workers` maps its id to which server it serves and since when."""

    def __init__(self, servers: Sequence[Server]) -> None:
        self._servers = servers
        self._workers: dict[int, tuple[int, float]] = {}
        self._due: dict[int, float] = {}
        # Nobody writes to this pipe. It is closed when this process ends, however that comes about.
        self._alive = os.pipe()

    def start(self) -> int:
        """Start all, one after another: what keeps one from starting is told once. 0, or the exit code."""
        # What is there now stays where it is, so that the memory is shared with the children for good.
        gc.collect()
        gc.freeze()
        for place in range(len(self._servers)):
            reading, writing = os.pipe()
            worker = self._fork(place, writing)
            os.close(writing)
            started = os.read(reading, 1) == _READY
            os.close(reading)
            if not started:
                _, status = os.waitpid(worker, 0)
                del self._workers[worker]
                self._end()
                return os.waitstatus_to_exitcode(status) or 1
        return 0

    def watch(self) -> int:
        """Replace workers that die, until a signal asks to stop; the exit code."""
        while True:
            signum = signal.sigwait(_WATCHED)
            if signum in _STOPPING:
                return self._end()
            self._bury()
            self._replace()

    def _bury(self) -> None:
        for worker, status in _ended():
            place, since = self._workers.pop(worker)
            logger.error("worker %d ended (%s) and is replaced", worker, _how(status))
            self._due[place] = since + _SHORTEST_LIFE

    def _replace(self) -> None:
        now = time.monotonic()
        for place, due in list(self._due.items()):
            if due <= now:
                del self._due[place]
                self._fork(place)
        if self._due:
            signal.setitimer(signal.ITIMER_REAL, max(min(self._due.values()) - now, 0.01))

    def _end(self) -> int:
        """Ask all to stop, wait, and end those that take too long; 0 when all stopped by themselves."""
        for server in self._servers:
            server.close()
        self._signal(signal.SIGTERM)
        signal.setitimer(signal.ITIMER_REAL, GRACE_SECONDS + 5)
        code = 0
        while self._workers:
            if signal.sigwait({signal.SIGCHLD, signal.SIGALRM}) == signal.SIGALRM:
                self._signal(signal.SIGKILL)
            for worker, status in _ended():
                del self._workers[worker]
                code = code or (1 if status else 0)
        return code

    def _signal(self, signum: signal.Signals) -> None:
        for worker in self._workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker, signum)

    def _fork(self, place: int, ready: int | None = None) -> int:
        sys.stdout.flush()
        sys.stderr.flush()
        worker = os.fork()
        if worker == 0:
            self._serve(self._servers[place], ready)
        self._workers[worker] = place, time.monotonic()
        return worker

    def _serve(self, server: Server, ready: int | None) -> None:
        """The life of a worker. It never returns to what its parent was doing."""
        code = 1
        try:
            os.close(self._alive[1])
            for other in self._servers:
                if other is not server:
                    other.close()
            for signum in _STOPPING:
                # Told to stop before it serves, it has nothing to finish.
                signal.signal(signum, lambda *_: os._exit(0))
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _WATCHED)
            server.app.is_replacement = ready is None
            serve(server, lambda: _tell(ready), until_closed=self._alive[0])
            code = 0
        except MockServerError as error:
            sys.stderr.write(f"vehicle-ocr-mock: {error}\n")
        except BaseException:
            logger.exception("a worker failed")
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)


def _tell(ready: int | None) -> None:
    if ready is not None:
        os.write(ready, _READY)
        os.close(ready)


def _ended() -> Iterator[tuple[int, int]]:
    """The workers that have ended since this was last asked, each with its wait status."""
    with contextlib.suppress(ChildProcessError):
        while (found := os.waitpid(-1, os.WNOHANG))[0]:
            yield found


def _how(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"


@contextlib.contextmanager
def _signals_held() -> Iterator[None]:
    """Signals wait until they are asked for: none can arrive between looking and waiting."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _WATCHED)
    # What is ignored, as this one is by default, need not be kept waiting.
    handler = signal.signal(signal.SIGCHLD, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGCHLD, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
