"""docs/drawing.md: its values exist, and its examples run."""

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from mock_server.cli.image import command
from mock_server.drawing.designs import BODIES, DESIGNS, PAINTS
from mock_server.drawing.places import PLACES
from mock_server.drawing.vin_drawing import VIN_STYLES

DOCUMENT = (Path(__file__).parents[2] / "docs" / "drawing.md").read_text("utf-8")
ROWS = dict(re.findall(r"^\| (`--.*?) \| (.*) \|$", DOCUMENT, re.MULTILINE))
COMMANDS = re.findall(r"^\$ vehicle-ocr-mock image (.*?)(?: +#.*)?$", DOCUMENT, re.MULTILINE)


@pytest.mark.parametrize(
    ("option", "names"),
    [("--region", DESIGNS), ("--place", PLACES), ("--vehicle", BODIES), ("--paint", PAINTS), ("--style", VIN_STYLES)],
)
def test_the_table_lists_every_value(option: str, names: tuple[str, ...]) -> None:
    """The values of an option in the table are the values that can be drawn."""
    assert sorted(" ".join(re.findall(r"`([^`]+)`", ROWS[f"`{option}`"])).split()) == sorted(names)


def test_the_table_lists_every_option() -> None:
    """Every option of the verb has a row, except `--out` and `--help`."""
    documented = {option for row in ROWS for option in re.findall(r"--[a-z-]+", row)}
    options = {option for parameter in command.params for option in parameter.opts if option.startswith("--")}

    assert documented == options - {"--out"}


@pytest.mark.parametrize("arguments", COMMANDS)
def test_the_commands_draw(arguments: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each command writes pictures and scenario files, here with small pictures and a small set."""
    monkeypatch.chdir(tmp_path)
    arguments, _, target = arguments.replace("--count 500", "--count 1").partition(" > ")
    result = CliRunner().invoke(command, [*shlex.split(arguments), "--size", "128x96"])
    files = {path.suffix for path in tmp_path.rglob("*.*")}

    assert result.exit_code == 0, result.output
    assert files >= {".yaml"} if not target else result.stdout_bytes.startswith(b"\xff\xd8")


def test_the_python_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each block runs as it is, and the first one saves its picture."""
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```python\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)
    for block in blocks:
        exec(block, {})

    assert len(blocks) == 2
    assert (tmp_path / "car.png").exists()
