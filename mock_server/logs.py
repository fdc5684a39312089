"""The request log and the event log, as text or JSON lines. They contain no API keys."""

import asyncio
import logging
import sys
from datetime import UTC, datetime
from typing import IO

import orjson

from mock_server.core.exchange import Exchange

# Lines wait this long, in seconds, to be written together with others.
_FLUSH_SECONDS = 0.05
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

    def record(self, exchange: Exchange) -> None:
        """Add the line of one exchange. Call it on an event loop."""
        self._buffer.append(exchange)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_FLUSH_SECONDS, self.flush)

    def flush(self) -> None:
        """Write the buffered lines."""
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
    detail = f" ({_one_line(exchange.detail)})" if exchange.detail else ""
    return (
        f"{_timestamp(exchange.time)} {exchange.id} {exchange.provider} "
        f"{exchange.method} {_one_line(exchange.path)} {exchange.status} {exchange.outcome or '-'} "
        f"scenario={exchange.scenario or '-'} match={exchange.match} "
        f"account={exchange.account or '-'} key={exchange.key or '-'} "
        f"{exchange.milliseconds:.1f}ms{fault}{detail}\n"
    )


def _json_line(exchange: Exchange) -> str:
    facts = {"time": _timestamp(exchange.time), "level": "info", "event": "request", "request_id": exchange.id}
    facts |= {name: getattr(exchange, name) for name in _JSON_FIELDS}
    return orjson.dumps(facts).decode() + "\n"


def _one_line(text: str) -> str:
    # Text from a client must not start a new line in the log.
    return text if text.isprintable() else text.encode("unicode_escape").decode("ascii")


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
        return orjson.dumps(facts).decode()


def configure(format: str, level: str, stream: IO[str] | None = None) -> RequestLog | None:
    """Set up logging for a server in the foreground. Return the request log, or None if `level` excludes it.

    Do not call it for a server inside another program, which sets up logging itself.
    """
    stream = stream or sys.stderr
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        _JsonFormatter() if format == "json" else logging.Formatter("%(levelname)s %(name)s: %(message)s")
    )
    logger = logging.getLogger("mock_server")
    logger.handlers = [handler]
    logger.propagate = False
    logger.setLevel(level.upper())
    logging.getLogger("python_multipart").setLevel(logging.ERROR)  # the journal has what is wrong with a body
    uvicorn = logging.getLogger("uvicorn")
    uvicorn.handlers, uvicorn.propagate = [handler], False
    uvicorn.setLevel(max(logger.level, logging.WARNING))
    return RequestLog(format, stream) if logger.level <= logging.INFO else None
