"""The progress bar while many pictures are read. It is shown only on a terminal."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import drawn

pty = pytest.importorskip("pty", reason="terminals as POSIX has them")

IMPATIENT = """
import sys
from mock_server.cli import main, progress
progress.PATIENCE = float(sys.argv.pop(1))
main()
"""
AT_ONCE, NEVER = "0", "1000"
SHOW_CURSOR = "\x1b[?25h"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A directory of three scenarios with a picture each."""
    root = tmp_path / "fixtures"
    (root / "scenarios").mkdir(parents=True)
    for name in ("one", "two", "three"):
        (root / f"{name}.png").write_bytes(drawn(name))
        (root / "scenarios" / f"{name}.yaml").write_text(
            f"scenario: {name}\nwhen: {{image: ../{name}.png}}\nreading: {{plate: {name.upper()}}}\n"
        )
    return root


def on_terminal(cache: Path, patience: str, *arguments: str) -> str:
    """What a verb writes to stderr where that is a terminal."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", IMPATIENT, patience, *arguments]
    environ = {**os.environ, "XDG_CACHE_HOME": str(cache), "TERM": "xterm"}
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=theirs, env=environ):
        os.close(theirs)
        output = b""
        try:
            while piece := os.read(ours, 4096):
                output += piece
        except OSError:  # Linux reports the end of the terminal so
            pass
    os.close(ours)
    return output.decode()


@pytest.mark.parametrize("verb", ["validate", "match", "serve"])
def test_a_terminal_shows_how_far_it_is(root: Path, tmp_path: Path, verb: str) -> None:
    """Each verb that reads all pictures draws a bar that reaches its end, and gives the terminal its cursor back."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        arguments = {
            "validate": ["validate", str(root)],
            "match": ["match", str(root / "one.png"), str(root)],
            "serve": ["serve", str(root), "--port", str(taken.getsockname()[1])],
        }
        output = on_terminal(tmp_path / "cache", AT_ONCE, *arguments[verb])
    bar, *rest = output.split("\r\n")

    assert "reading pictures" in bar
    assert "100%" in bar
    assert bar.endswith(SHOW_CURSOR)
    assert "reading pictures" not in "".join(rest)
    assert ("cannot listen" in rest[0]) == (verb == "serve")


def test_what_is_quick_needs_no_bar(root: Path, tmp_path: Path) -> None:
    """Before the patience of a reader is at an end, nothing is drawn."""
    assert "reading pictures" not in on_terminal(tmp_path / "cache", NEVER, "validate", str(root))


def test_without_a_terminal_there_is_no_bar(root: Path) -> None:
    """Where stderr is a file or a pipe, nothing is drawn into it."""
    command = [sys.executable, "-c", IMPATIENT, AT_ONCE, "validate", str(root)]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)

    assert ended.stderr.count("\n") == 1
    assert "no mistakes" in ended.stderr
