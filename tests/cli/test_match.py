"""The verb `match`: which scenario a picture meets, how it was recognised, and what came nearest."""

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from tests.cli.command import run
from tests.support import FIXTURES, drawn, encoded, picture

HERE = str(FIXTURES)


@pytest.mark.parametrize(
    ("name", "how"), [("car.jpg", "same bytes"), ("car.png", "same pixels"), ("car.webp", "looks the same: distance -")]
)
def test_a_known_picture(tmp_path: Path, name: str, how: str) -> None:
    """The scenario, its picture and the stage that found it; exit code 0."""
    file = tmp_path / name
    with Image.open(BytesIO(picture("car"))) as car:
        file.write_bytes(picture("car") if name.endswith("jpg") else encoded(car, file.suffix[1:]))
    ended = run("match", str(file), HERE)

    assert ended.returncode == 0, ended.stdout
    assert f"match car (images/car.jpg, {how}" in ended.stdout


def test_further_conditions_are_printed(tmp_path: Path) -> None:
    """The further conditions of a scenario are printed."""
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "car.jpg").write_bytes(picture("car"))
    (tmp_path / "scenarios" / "car.yaml").write_text(
        "scenario: car\nwhen: {image: ../car.jpg, provider: carsxe, product: plate, header: {X-Lane: n*}}\n"
    )
    ended = run("match", str(tmp_path / "car.jpg"), str(tmp_path))

    assert "; also requires provider carsxe, product plate, header x-lane n*\n" in ended.stdout


def test_an_unknown_picture(tmp_path: Path) -> None:
    """What came nearest, with its distance and the limit; exit code 1."""
    (tmp_path / "unknown.png").write_bytes(drawn())
    ended = run("match", str(tmp_path / "unknown.png"), HERE)

    assert ended.returncode == 1
    assert "no scenario knows this picture" in ended.stdout


def test_no_picture(tmp_path: Path) -> None:
    """A file that is not a picture is refused with a reason; a missing file is a usage error."""
    (tmp_path / "letter.txt").write_text("Dear all")
    ended = run("match", str(tmp_path / "letter.txt"), HERE)

    assert (ended.returncode, ended.stdout) == (1, "")
    assert "is not a readable picture" in ended.stderr
    assert run("match", str(tmp_path / "nowhere.jpg"), HERE).returncode == 2


def test_the_explanation_is_a_picture(tmp_path: Path) -> None:
    """`--explain` writes a PNG that shows both pictures side by side."""
    (tmp_path / "unknown.png").write_bytes(drawn())
    ended = run("match", str(tmp_path / "unknown.png"), HERE, "--explain", str(tmp_path / "why.png"))

    assert "explained in" in ended.stdout
    with Image.open(tmp_path / "why.png") as why:
        assert why.format == "PNG"
