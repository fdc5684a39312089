"""The log of requests: one line each, in text or JSON, without keys and without surprises."""

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mock_server.core.exchange import Exchange
from mock_server.core.model import MatchKind, OutcomeName
from mock_server.logs import RequestLog, configure

EXCHANGE = Exchange(
    id="8f14e45fceea167a",
    time=datetime.fromtimestamp(1_796_117_400.125, UTC),
    provider="vehicore",
    product="plate",
    method="POST",
    path="/api/ocr/plate",
    status=200,
    milliseconds=3.21,
    account="demo",
    key="…ey",
    key_id="41bf473b0497",
    outcome=OutcomeName.READ,
    scenario="car",
    match=MatchKind.PIXELS,
    charged=1,
)


def _logged(format: str, *exchanges: Exchange) -> str:
    stream = io.StringIO()

    async def log() -> None:
        requests = RequestLog(format, stream)
        for exchange in exchanges:
            requests.record(exchange)
        assert stream.getvalue() == ""
        requests.flush()

    asyncio.run(log())
    return stream.getvalue()


def test_a_line_of_text() -> None:
    """The facts that a person needs, in one line."""
    assert _logged("text", EXCHANGE) == (
        "2026-12-01T09:30:00.125Z 8f14e45fceea167a vehicore POST /api/ocr/plate 200 read scenario=car match=pixels "
        "account=demo key=…ey 3.2ms\n"
    )


def test_a_line_of_json() -> None:
    """The same facts and more, for programs. The request id is the one in the reply's header."""
    line: dict[str, Any] = json.loads(_logged("json", EXCHANGE))

    assert (line["request_id"], line["outcome"], line["key"], line["level"]) == (EXCHANGE.id, "read", "…ey", "info")
    assert line["time"] == "2026-12-01T09:30:00.125Z"


@given(st.floats(-62_000_000_000, 253_000_000_000) | st.floats(1_700_000_000, 1_900_000_000))
@example(1_796_117_400.9999996)
@example(-0.0004)
def test_a_moment_is_that_of_the_calendar(moment: float) -> None:
    """Any time that a clock may be set to is written as `datetime` has it, in whole milliseconds."""
    expected = datetime.fromtimestamp(moment, UTC).replace(tzinfo=None).isoformat(timespec="milliseconds")

    assert _logged("text", replace(EXCHANGE, time=datetime.fromtimestamp(moment, UTC))).split()[0] == f"{expected}Z"


def test_lines_cannot_be_forged() -> None:
    """Line ends and control characters that a client sends stay within the line."""
    forged = replace(EXCHANGE, path="/api\r\n2026 fake", detail="a\x1b[31mb")

    assert _logged("text", forged, EXCHANGE).count("\n") == 2
    assert "\x1b" not in _logged("text", forged)
    assert _logged("json", forged).count("\n") == 1


@pytest.fixture
def _loggers() -> Iterator[None]:
    saved = {name: logging.getLogger(name) for name in ("mock_server", "uvicorn")}
    state = {name: (log.handlers, log.propagate, log.level) for name, log in saved.items()}
    yield
    for name, (handlers, propagate, level) in state.items():
        saved[name].handlers, saved[name].propagate = handlers, propagate
        saved[name].setLevel(level)


@pytest.mark.usefixtures("_loggers")
@pytest.mark.parametrize(("level", "requests"), [("debug", True), ("info", True), ("warning", False), ("error", False)])
def test_levels(level: str, requests: bool) -> None:
    """Requests are logged at info and below; warnings from warning down."""
    stream = io.StringIO()
    log = configure("json", level, stream)
    logging.getLogger("mock_server.anything").warning("a %s", "warning")

    assert (log is not None) is requests
    assert [json.loads(line)["message"] for line in stream.getvalue().splitlines()] == (
        [] if level == "error" else ["a warning"]
    )
