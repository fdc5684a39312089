"""Signals that come while `exec` has no child yet."""

import os
import signal

import pytest

from mock_server.cli.child import ended_in_order


def test_a_signal_waits_until_it_may_end_the_process() -> None:
    """Between making a file and knowing of it no signal gets in; it ends the process right after."""
    with ended_in_order() as end:
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(SystemExit) as raised, end.at_once():
            pytest.fail("the signal that was kept did not end it")

    assert raised.value.code == 128 + signal.SIGTERM


def test_a_second_signal_does_not_interrupt_the_cleaning_up() -> None:
    """The process is ending already: asking again changes nothing."""
    steps: list[str] = []

    def asked_twice() -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            steps.append("went on")
        finally:
            os.kill(os.getpid(), signal.SIGTERM)
            steps.append("cleaned up")

    with ended_in_order() as end, pytest.raises(SystemExit), end.at_once():
        asked_twice()

    assert steps == ["cleaned up"]
