"""What the server says and does beside serving."""

import logging
import time
from contextlib import ExitStack

import pytest
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from mock_server import MockServer, SettingsError
from tests.support import FIXTURES, line_to


def test_the_limit_of_open_files_is_in_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """One warning when connections come near the limit, with both numbers and what to do; none before."""
    monkeypatch.setattr("mock_server.runner.open_files_limit", lambda: 66)
    caplog.set_level(logging.WARNING)
    with MockServer(FIXTURES) as mock, ExitStack() as connections:
        for _ in range(2):
            connections.enter_context(line_to(mock.url))
        time.sleep(1.5)
        assert caplog.messages == []
        connections.enter_context(line_to(mock.url))
        until = time.monotonic() + 10
        while not caplog.messages and time.monotonic() < until:
            time.sleep(0.05)
        time.sleep(1.5)

        assert [message for message in caplog.messages if "3 connections are open" in message] == caplog.messages
        assert len(caplog.messages) == 1
        assert "limit of open files is 66" in caplog.text
        assert "ulimit -n" in caplog.text


def test_a_uvicorn_without_the_used_methods_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The start names what the installed uvicorn lacks, instead of failing at a request."""
    monkeypatch.delattr(HttpToolsProtocol, "on_url")

    with pytest.raises(SettingsError, match=r"HttpToolsProtocol has no on_url; install an earlier version"):
        MockServer(FIXTURES).start()
