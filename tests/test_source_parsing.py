"""Threads of a program that contains the mock may parse Python at the same time."""

import ast
import gc
import inspect
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mock_server.startup import parse_in_one_thread_at_a_time

SOURCE = Path(inspect.__file__).read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def _busy_collector() -> Iterator[None]:
    """The garbage collector runs often and calls Python, and threads change often."""
    thresholds, interval = gc.get_threshold(), sys.getswitchinterval()

    def collected(phase: str, info: dict[str, int]) -> None:
        for _ in range(100):
            pass

    gc.callbacks.append(collected)
    gc.set_threshold(50)
    sys.setswitchinterval(1e-6)
    yield
    gc.callbacks.remove(collected)
    gc.set_threshold(*thresholds)
    sys.setswitchinterval(interval)


def _parsed(depth: int) -> str:
    """Parse in a function that is called so deep."""
    return _parsed(depth - 1) if depth else type(ast.parse(SOURCE)).__name__


def test_threads_parse_at_once() -> None:
    """Each has its result, whatever the depth of the calls that led there."""
    parse_in_one_thread_at_a_time()
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(_parsed, (0, 5, 10, 15))) == ["Module"] * 4


def test_it_is_arranged_once() -> None:
    """Each mock of a program asks for it."""
    parse_in_one_thread_at_a_time()
    before = ast.parse
    parse_in_one_thread_at_a_time()

    assert ast.parse is before
