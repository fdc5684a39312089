"""The verb `image`."""

import io
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from mock_server.cli.image import command
from mock_server.scenarios.load import load


def image(*arguments: str | Path) -> tuple[int, str]:
    """Run the verb; return its exit code and its output on one line."""
    result = CliRunner().invoke(command, [str(argument) for argument in arguments])
    return result.exit_code, " ".join(result.output.split())


def test_a_picture_and_its_scenario_are_written(tmp_path: Path) -> None:
    """The picture has the requested size, and a scenario file with its text is beside it."""
    out = tmp_path / "gb-car.png"
    code, said = image("scene", "--text", "lk19 vrx", "--region", "gb", "--size", "400x300", "--out", out)

    assert code == 0
    assert "LK19 VRX (gb)" in said
    with Image.open(out) as picture:
        assert (picture.format, picture.size) == ("PNG", (400, 300))
    scenario = (tmp_path / "gb-car.yaml").read_text("utf-8")
    assert "scenario: gb-car" in scenario
    assert "text: LK19 VRX" in scenario


def test_a_whole_fixture_set_can_be_served(tmp_path: Path) -> None:
    """`--count` writes a fixtures directory that loads: each picture has its reading and its box."""
    code, said = image("plate", "--count", "6", "--seed", "40", "--size", "240x160", "--out", tmp_path / "set")
    loaded = load(tmp_path / "set")

    assert (code, "6 pictures with their scenarios" in said) == (0, True)
    assert loaded.warnings == ()
    assert len(loaded.set.scenarios) == 6
    assert len(loaded.set.accounts) == 1
    assert all(scenario.reading.plates[0].box for scenario in loaded.set.scenarios)
    assert len({scenario.reading.plates[0].text for scenario in loaded.set.scenarios}) == 6


def test_a_log_shows_the_progress_of_a_large_set(tmp_path: Path) -> None:
    """Without a terminal, a line on stderr follows each tenth of the pictures."""
    _, few = image("plate", "--count", "2", "--size", "80x64", "--out", tmp_path / "few")
    _, many = image("plate", "--count", "12", "--size", "64x64", "--out", tmp_path / "many")

    assert "drew 1 of 2 pictures drew 2 of 2 pictures 2 pictures" in few
    assert many.count("drew ") == 10
    assert "drew 12 of 12 pictures 12 pictures" in many


def test_several_processes_draw_the_same_set_as_one(tmp_path: Path) -> None:
    """A picture depends on its own seed only, not on the process that draws it."""
    image("vin", "--count", "5", "--size", "96x64", "--seed", "3", "--out", tmp_path / "five")
    image("vin", "--count", "1", "--size", "96x64", "--seed", "7", "--out", tmp_path / "one")

    last, one = (tmp_path / name / "images" for name in ("five", "one"))
    assert (last / "vin-0005.jpg").read_bytes() == (one / "vin-0001.jpg").read_bytes()


def test_a_picture_goes_to_a_pipe() -> None:
    """Without --out, the picture itself goes to stdout if stdout is not a terminal."""
    arguments = [sys.executable, "-m", "mock_server", "image", "vin", "--size", "320x180", "--seed", "2"]
    run = subprocess.run(arguments, capture_output=True, check=True)

    with Image.open(io.BytesIO(run.stdout)) as picture:
        assert (picture.format, picture.size) == ("JPEG", (320, 180))


def test_the_same_seed_writes_the_same_file(tmp_path: Path) -> None:
    """If --out is a directory, the picture's name is made from its text."""
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        assert image("plate", "--seed", "8", "--size", "200x120", "--out", tmp_path / folder)[0] == 0
    (first,) = (tmp_path / "a").glob("*.jpg")
    (second,) = (tmp_path / "b").glob("*.jpg")

    assert first.name == second.name
    assert first.name.startswith("plate-")
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["plate", "--region", "us-cs"], 'unknown region "us-cs": did you mean "us-ca"?'),
        (["scene", "--place", "carpark"], "unknown place"),
        (["scene", "--vehicle", "sedann"], 'did you mean "sedan"?'),
        (["vin", "--style", "stickers"], 'did you mean "sticker"?'),
        (["plate", "--size", "big"], '"big" is not a size'),
        (["plate", "--size", "9x9"], "64 to 4096"),
        (["plate", "--text", "ЖЖ"], "cannot draw"),
        (["plate", "--out", "car.xcf"], "must end in .jpg"),
        (["plate", "--rotate", "90"], "rotate"),
        (["truck"], "truck"),
    ],
)
def test_mistakes_are_usage_errors(arguments: list[str], said: str) -> None:
    """An option that cannot be drawn is a usage error with a hint."""
    code, output = image(*arguments, "--seed", "1")

    assert code == 2
    assert said in output
