"""A progress bar on stderr, shown only on a terminal and only when the work takes a while."""

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import click

# Seconds without a bar; most work is done by then.
PATIENCE = 0.5


@contextmanager
def progress(label: str) -> Iterator[Callable[[int, int], None] | None]:
    """Yield a function that shows "`done` of `total`"; None where stderr is not a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    started = time.monotonic()
    bars: list[Any] = []
    with ExitStack() as stack:

        def show(done: int, total: int) -> None:
            if not bars:
                if time.monotonic() - started < PATIENCE:
                    return
                # The default action of Ctrl-C would leave the terminal without a cursor.
                signal.signal(signal.SIGINT, signal.default_int_handler)
                bars.append(stack.enter_context(click.progressbar(length=total, label=label, file=sys.stderr)))
            bars[0].update(done - bars[0].pos)
            if done == total:
                # Not only at the end of the block: by then the log may have taken the place of stderr.
                stack.close()

        yield show
