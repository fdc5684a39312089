"""Measures that only make the server faster or smaller, each with its measured effect.

Two cores of a virtual machine, Linux, Python 3.11. A measure that brings less than a tenth does not belong here.
"""

import asyncio
import contextlib
import gc
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

import orjson

_LARGE_BLOCK = 31 * 1024 * 1024
_LARGE_JSON = 16 * 1024
# The parameter of `mallopt`, from malloc.h, and a block whose release makes glibc look at the end of a thread's heap.
_TRIM_THRESHOLD = -1
_TRIMMED_BLOCK = 128 * 1024
_is_memory_kept = False


def keep_freed_memory() -> None:
    """Have the memory of uploads kept for the next ones.

    glibc returns freed memory to the system at once, until it has seen a large block come and go. An upload of 100 KB
    then takes an eighth less processor time, because its pages are not fetched and zeroed again. 16 uploads of 5 MB at
    a time fetch 120 pages each instead of 720 after a block of 8 MB. glibc takes no notice of blocks over 32 MB.
    """
    global _is_memory_kept
    bytearray(_LARGE_BLOCK)
    _is_memory_kept = True


def search_in_one_thread() -> None:
    """Have numpy use one thread for each search, unless the user's environment says otherwise.

    With more, OpenBLAS keeps 12 MB for each core, and searches at the same time wait for each other. It reads the
    variable when numpy is imported. Only a server that is the process uses it.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def switch_threads_often() -> None:
    """Let the event loop have its turn after a millisecond, when threads decode pictures.

    Python's five milliseconds are long for a known picture, whose reply takes a fifth of one: with four clients that
    send new pictures, the replies to four others took 9 ms, and now take 4 ms.
    """
    sys.setswitchinterval(0.001)


def return_freed_memory() -> None:
    """Give the memory that is not used to the system, where the C library can.

    After a body of 30 MB, glibc keeps up to 60 MB of freed memory, and more in the heaps of its threads. The end of a
    thread's heap is returned only when that thread frees a block, and only if it is larger than the trim threshold: an
    index of 10,000 pictures, built in a thread, then takes 34 MB less.
    """
    import ctypes  # takes 5 ms, which the start does not need

    with contextlib.suppress(AttributeError, OSError, TypeError):
        library = ctypes.CDLL(None)
        if _is_memory_kept:
            library.mallopt(_TRIM_THRESHOLD, _TRIMMED_BLOCK)
            bytearray(_TRIMMED_BLOCK)
        library.malloc_trim(0)
        if _is_memory_kept:
            # What glibc had set it to when the large block was freed.
            library.mallopt(_TRIM_THRESHOLD, 2 * _LARGE_BLOCK)


def loads(document: bytes) -> Any:
    """Parse JSON in UTF-8. Raises ValueError.

    Pydantic's parser reads 100 KB of base64 in 11 µs, orjson in 40 µs. Its import takes 15 ms, so only the first large
    document waits for it. orjson has the last word about what Pydantic's parser refuses, such as deep nesting.
    """
    if len(document) > _LARGE_JSON:
        from pydantic_core import from_json

        with contextlib.suppress(ValueError):
            return from_json(document, allow_inf_nan=False)
    return orjson.loads(document)


def share_memory_with_children() -> None:
    """Freeze the objects of this process before it forks.

    The garbage collector writes to every object that it visits, and so copies its page. With frozen objects, a worker
    has 1 MB of memory of its own after its first collection instead of 11 MB.
    """
    gc.collect()
    gc.freeze()


@contextlib.contextmanager
def without_garbage_collection() -> Iterator[None]:
    """Make many objects and no garbage. They are not searched for garbage, neither now nor later.

    The imports and the fixtures of a start are made in 14 of 260 ms less. A reload of 10,000 files takes 3.9 s instead
    of 5.9 s, and `/healthz` waits 0.03 s for it instead of 0.4 s, because a search of so many objects stops everything.
    It concerns the whole process, so only a server that is the process uses it.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """uvloop's event loop where it is installed: uvicorn without it and without httptools is 2 to 3 times slower.

    Elsewhere the loop that watches sockets, as `Acceptor` needs; the default loop of Windows does not.
    """
    with contextlib.suppress(ImportError):
        import uvloop

        return uvloop.new_event_loop
    return asyncio.SelectorEventLoop
