"""What only makes the server faster changes no result."""

import platform
import subprocess
import sys

import orjson
import pytest

from mock_server import tuning
from tests.support import without_coverage

_LARGE = b'{"image_url": "' + b"QUJD" * 10_000 + b'", "rest": '


@pytest.mark.parametrize(
    "rest",
    [b"1", b"null", b'"\\ud83d\\ude97"', '"Škoda"'.encode(), b'[1.5, -2e3, {"image": true}]', b"[" * 500 + b"]" * 500],
    ids=["number", "null", "escapes", "UTF-8", "nested", "deeply nested"],
)
def test_large_json_has_the_same_value(rest: bytes) -> None:
    document = _LARGE + rest + b"}"
    assert tuning.loads(document) == orjson.loads(document)


@pytest.mark.parametrize(
    "rest",
    [b"NaN", b"Infinity", b"01", b'"\x01"', b'"\xff"', b'"\\ud800"', b'"\\x"', b"1}x", b"1,", b"'1'", b""],
    ids=repr,
)
def test_large_json_is_refused_alike(rest: bytes) -> None:
    document = _LARGE + rest + b"}"
    for parse in (orjson.loads, tuning.loads):
        with pytest.raises(orjson.JSONDecodeError):
            parse(document)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc keeps a heap for each thread")
@pytest.mark.parametrize("kept", ["", "tuning.keep_freed_memory()"], ids=["as usual", "kept"])
def test_freed_memory_of_a_thread_is_returned(kept: str) -> None:
    """A thread that freed 160 MB returns nearly all of it, whether the process keeps freed memory or not."""
    script = (
        "import threading; from pathlib import Path; from mock_server import tuning\n"
        "def resident(): return int(Path('/proc/self/statm').read_text().split()[1]) * 4096 / 2**20\n"
        "def work():\n"
        "    blocks = [b'x' * 100_000 for _ in range(1600)]\n"
        "    before = resident(); del blocks; tuning.return_freed_memory()\n"
        "    print(before - resident())\n"
        f"{kept}\n"
        "thread = threading.Thread(target=work); thread.start(); thread.join()\n"
    )
    command = [sys.executable, "-c", script]
    output = subprocess.run(command, env=without_coverage(), capture_output=True, text=True, check=True).stdout

    assert float(output) > 140


@pytest.mark.parametrize(
    ("chosen", "used"), [({}, "1"), ({"OPENBLAS_NUM_THREADS": "3"}, "3")], ids=["default", "chosen"]
)
def test_a_search_uses_one_thread(chosen: dict[str, str], used: str) -> None:
    """It does so unless the user has chosen another number."""
    script = (
        "import os; from mock_server import tuning; tuning.search_in_one_thread()\n"
        "print(os.environ['OPENBLAS_NUM_THREADS'], end='')\n"
    )
    environment = {name: value for name, value in without_coverage().items() if name != "OPENBLAS_NUM_THREADS"}
    command = [sys.executable, "-c", script]
    output = subprocess.run(command, env=environment | chosen, capture_output=True, text=True, check=True).stdout

    assert output == used
