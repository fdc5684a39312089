"""Python's parser in a program with threads."""

import ast
import functools
import sys
from threading import RLock
from typing import Any


def parse_in_one_thread_at_a_time() -> None:
    """Make `ast.parse` wait while another thread parses, in Python 3.11.

    Its parser counts in one place for all threads, so that a garbage collection at the wrong moment ends in
    `SystemError: AST constructor recursion depth mismatch`. Imports of numpy.ma and of Pydantic's models parse the
    signatures of functions, and so does the log of a traceback.
    """
    if sys.version_info >= (3, 12) or hasattr(ast.parse, "__wrapped__"):
        return
    lock, parse = RLock(), ast.parse

    @functools.wraps(parse)
    def parse_alone(*args: Any, **options: Any) -> Any:
        with lock:
            return parse(*args, **options)

    ast.parse = parse_alone
