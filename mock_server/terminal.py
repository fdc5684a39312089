"""The terminal that a process was started in, and its standard streams."""

import os
import sys


def has_terminal() -> bool:
    """Whether this process has a terminal that is open."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def open_closed_streams() -> None:
    """Lead each standard stream that the parent process has closed to the null device.

    Otherwise the next socket gets its number: what is printed would go to a client, and uvloop aborts the process.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            # The lowest free number is this one, because those below are open.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
            if getattr(sys, name) is None:
                setattr(sys, name, os.fdopen(number, mode, closefd=False))
