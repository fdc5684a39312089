"""A bar for the time that it takes to read many pictures; only where somebody watches."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

_PATIENCE = 0.5
"""Seconds without a bar: most is done by then."""


@contextmanager
def progress(label: str) -> Iterator[Callable[[int, int], None] | None]:
    """What is to be told how many of how many are done; None where stderr is no terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    with ExitStack() as stack:
        yield _Bar(label, stack).show


class _Bar:
    def __init__(self, label: str, stack: ExitStack) -> None:
        self._label = label
        self._stack = stack
        self._begun = time.monotonic()
        self._bar: Any = None

    def show(self, done: int, of: int) -> None:
        """Draw the bar, if it has taken long enough for one. Its line ends with the stack."""
        if self._bar is None:
            if time.monotonic() - self._begun < _PATIENCE:
                return
            # Loaded for those who wait anyway.
            import typer

            bar = typer.progressbar(length=of, label=self._label, file=sys.stderr)
            self._bar = self._stack.enter_context(bar)
        self._bar.update(done - self._bar.pos)
