"""The request log and the event log, as text or JSON lines. They contain no API keys."""

import asyncio
import atexit
import contextlib
import json
import logging
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import IO, Any

import orjson

from mock_server.core.exchange import Exchange

# Lines wait this long, in seconds, to be written together with others.
_FLUSH_SECONDS = 0.05
_STDERR = 2
_JSON_FIELDS = (
    *("provider", "product", "method", "path", "status", "outcome", "scenario", "match", "charged"),
    *("account", "key", "key_id", "milliseconds", "delay", "fault", "detail"),
)


class RequestLog:
    """Writes one line for each request. Lines are buffered for a short time and written together."""

    def __init__(self, format: str, stream: IO[str]) -> None:
        self._line = _json_line if format == "json" else _text_line
        self._stream = stream
        self._buffer: list[Exchange] = []
        self._timer: asyncio.TimerHandle | None = None
        self.settle: Callable[[], None] = lambda: None
        """Called before lines are written: records the exchanges that wait elsewhere."""

    def record(self, exchange: Exchange) -> None:
        """Add the line of one exchange. Call it on an event loop."""
        self._buffer.append(exchange)
        self.flush_soon()

    def flush_soon(self) -> None:
        """Write the lines in a moment. Call it on an event loop."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_FLUSH_SECONDS, self.flush)

    def flush(self) -> None:
        """Write the buffered lines."""
        self.settle()
        exchanges, self._buffer = self._buffer, []
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if exchanges:
            self._stream.write("".join(map(self._line, exchanges)))
            self._stream.flush()


def _timestamp(time: datetime) -> str:
    return f"{time.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def _text_line(exchange: Exchange) -> str:
    fault = f" fault={exchange.fault}" if exchange.fault else ""
    detail = f" ({exchange.detail})" if exchange.detail else ""
    line = (
        f"{_timestamp(exchange.time)} {exchange.id} {exchange.provider} "
        f"{exchange.method} {exchange.path} {exchange.status} {exchange.outcome or '-'} "
        f"scenario={exchange.scenario or '-'} match={exchange.match} "
        f"account={exchange.account or '-'} key={exchange.key or '-'} "
        f"{exchange.milliseconds:.1f}ms{fault}{detail}"
    )
    return _one_line(line) + "\n"


def _json_line(exchange: Exchange) -> str:
    facts = {"time": _timestamp(exchange.time), "level": "info", "event": "request", "request_id": exchange.id}
    facts |= {name: getattr(exchange, name) for name in _JSON_FIELDS}
    return _json(facts) + "\n"


def _one_line(text: str) -> str:
    """The text with escapes for what could start a new line or control a terminal."""
    return text if text.isprintable() else "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def _json(facts: Mapping[str, Any]) -> str:
    try:
        text = orjson.dumps(facts).decode()
    except TypeError:  # the name of a file that is not valid UTF-8
        return json.dumps(facts)
    # JSON may contain U+0085 and U+2028, at which some programs split lines.
    return text if text.isprintable() else json.dumps(facts)


class _TextFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return _one_line(super().format(record))


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        facts: dict[str, str] = {
            "time": _timestamp(datetime.fromtimestamp(record.created, UTC)),
            "level": record.levelname.lower(),
            "event": "log",
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            facts["exception"] = self.formatException(record.exc_info)
        return _json(facts)


def configure(format: str, level: str, stream: IO[str] | None = None) -> RequestLog | None:
    """Set up logging for a server in the foreground. Return the request log, or None if `level` excludes it.

    Do not call it for a server inside another program, which sets up logging itself.
    """
    is_own_process = stream is None
    if is_own_process:
        _log_native_output()
    stream = stream or sys.stderr
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        _JsonFormatter() if format == "json" else _TextFormatter("%(levelname)s %(name)s: %(message)s")
    )
    if is_own_process:
        _log_the_rest(handler)
    logger = logging.getLogger("mock_server")
    logger.handlers = [handler]
    logger.propagate = False
    logger.setLevel(level.upper())
    # The journal has what is wrong with a body or a picture.
    logging.getLogger("python_multipart").setLevel(logging.ERROR)
    logging.getLogger("PIL").setLevel(logging.CRITICAL)
    uvicorn = logging.getLogger("uvicorn")
    uvicorn.handlers, uvicorn.propagate = [handler], False
    uvicorn.setLevel(max(logger.level, logging.WARNING))
    return RequestLog(format, stream) if logger.level <= logging.INFO else None


def _log_the_rest(handler: logging.Handler) -> None:
    """Warnings of Python and of libraries, and exceptions that nothing handles, become log lines as well."""
    logging.getLogger().handlers = [handler]
    logging.captureWarnings(True)
    # About damaged pictures. Python would keep the text of each warning for ever.
    warnings.filterwarnings("ignore", module=r"PIL\.")
    threading.excepthook = _log_thread_exception
    sys.unraisablehook = _log_unraisable


def _log_thread_exception(arguments: threading.ExceptHookArgs) -> None:
    exception = arguments.exc_value or arguments.exc_type()
    logging.getLogger("mock_server").error("a thread failed", exc_info=exception)


def _log_unraisable(unraisable: Any) -> None:
    logging.getLogger("mock_server").error("an exception was ignored", exc_info=unraisable.exc_value)


def _log_native_output() -> None:
    """Log the lines that C libraries such as libtiff print on stderr. `sys.stderr` writes to the old stderr."""
    try:
        if sys.stderr.fileno() != _STDERR:
            return
        stream = os.fdopen(os.dup(_STDERR), "w", buffering=1, encoding="utf-8", errors="backslashreplace")
    except (OSError, ValueError):
        return
    reading, writing = os.pipe()
    # A library may print while it holds the interpreter's lock. Output beyond the size of the pipe is lost.
    os.set_blocking(writing, False)
    sys.stderr = stream
    os.dup2(writing, _STDERR)
    os.close(writing)
    thread = threading.Thread(target=_log_lines, args=(reading,), daemon=True, name="native-output")
    with _signals_blocked():
        # The thread inherits this. Otherwise it could take a signal for which the main thread waits.
        thread.start()
    atexit.register(_finish_native_output, thread, stream.fileno())


@contextlib.contextmanager
def _signals_blocked() -> Iterator[None]:
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _finish_native_output(thread: threading.Thread, stderr: int) -> None:
    """Close the pipe, so that the thread logs the last lines and ends."""
    os.dup2(stderr, _STDERR)
    thread.join(1.0)


def _log_lines(reading: int) -> None:
    with os.fdopen(reading, encoding="utf-8", errors="backslashreplace") as lines:
        for line in lines:
            logging.getLogger("mock_server.native").warning("%s", line.strip())
