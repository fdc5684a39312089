"""What the server says and does beside serving."""

import logging
from contextlib import ExitStack

import pytest
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from mock_server import MockServer, SettingsError
from mock_server.runner import Server
from tests.support import FIXTURES, eventually, line_to


def test_the_limit_of_open_files_is_in_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """One warning when connections come near the limit, with both numbers and what to do; none before."""
    monkeypatch.setattr("mock_server.runner.open_files_limit", lambda: 66)
    caplog.set_level(logging.WARNING)
    looks: list[int] = []
    update = Server._update

    def noted(server: Server) -> None:
        looks.append(len(server._state.connections))
        update(server)

    monkeypatch.setattr(Server, "_update", noted)
    monkeypatch.setattr("mock_server.runner._UPDATE_SECONDS", 0.02)
    with MockServer(FIXTURES) as mock, ExitStack() as connections:
        for _ in range(2):
            connections.enter_context(line_to(mock.url))
        assert eventually(lambda: looks.count(2) > 2)
        assert caplog.messages == []
        connections.enter_context(line_to(mock.url))
        assert eventually(lambda: looks.count(3) > 2)

        assert [message for message in caplog.messages if "3 connections are open" in message] == caplog.messages
        assert len(caplog.messages) == 1
        assert "limit of open files is 66" in caplog.text
        assert "ulimit -n" in caplog.text


def test_a_uvicorn_without_the_used_methods_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The start names what the installed uvicorn lacks, instead of failing at a request."""
    monkeypatch.delattr(HttpToolsProtocol, "on_url")

    with pytest.raises(SettingsError, match=r"HttpToolsProtocol has no on_url; install an earlier version"):
        MockServer(FIXTURES).start()
