"""The examples of docs/report.md: their commands, run as they are printed, give what is printed below them."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from mock_server.certificate_authority import CA_DIRECTORY_VARIABLE
from tests.cli.command import on_path
from tests.support import PATIENCE

ROOT = Path(__file__).parents[2]
_EXAMPLE = (
    (ROOT / "docs" / "report.md").read_text(encoding="utf-8").partition("## An example\n")[2].partition("\n## ")[0]
)
_BLOCKS = re.findall(r"^```(sh|text)\n(.*?)^```$", _EXAMPLE, re.MULTILINE | re.DOTALL)
_CHANGING = ((r"\d\d:\d\d:\d\d\.\d{3}", "TIME"), (r"\b[0-9a-f]{16}\b", "ID"))


def examples() -> list[tuple[str, str, str]]:
    """The commands, each with what it prints and what its report has."""
    kinds = [kind for kind, _ in _BLOCKS]
    texts = [text for _, text in _BLOCKS]

    assert kinds == ["sh", "text", "text"] * 2
    return list(zip(texts[::3], texts[1::3], texts[2::3], strict=True))


def missing(shown: str, real: str) -> list[str]:
    """The lines of a document that are not in the real output. A line that ends in "…" is the beginning of one."""
    for pattern, word in _CHANGING:
        shown, real = re.sub(pattern, word, shown), re.sub(pattern, word, real)
    lines = real.splitlines()
    return [
        line
        for line in shown.splitlines()
        if not any(one.startswith(line[:-1]) if line.endswith("…") else one == line for one in lines)
    ]


@pytest.mark.parametrize(("command", "printed", "report"), examples(), ids=["a client", "a suite"])
def test_the_output_is_real(command: str, printed: str, report: str, tmp_path: Path) -> None:
    """The published client of CarsXE, and the tests of an application."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    environ = {**on_path(tmp_path / "bin"), CA_DIRECTORY_VARIABLE: str(tmp_path / "ca")}
    for name in ("VEHICLE_OCR_MOCK_FIXTURES", "GITHUB_STEP_SUMMARY"):
        environ.pop(name, None)
    ended = subprocess.run(
        ["sh", "-c", command],
        cwd=tmp_path,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    written = (tmp_path / shlex.split(command)[shlex.split(command).index("--report") + 1]).read_text(encoding="utf-8")

    assert ended.returncode == 0, ended.stdout
    assert missing(printed, ended.stdout) == [], ended.stdout
    assert missing(report, written) == [], written
