"""The verb `add`."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from mock_server.cli.add import command
from mock_server.drawing.draw import draw
from mock_server.drawing.drawn_picture import Drawing
from mock_server.errors import FixturesError
from mock_server.imaging.geometry import Box
from mock_server.scenarios.load import load


def add(*arguments: str | Path) -> tuple[int, str]:
    """Run the verb; return its exit code and its output on one line."""
    result = CliRunner().invoke(command, [str(argument) for argument in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, " ".join(result.output.split())


@pytest.fixture(scope="module")
def drawing() -> Drawing:
    """A picture of a car."""
    return draw("scene", seed=11, text="B-MW 1847", region="de", body="suv")


@pytest.fixture
def photo(tmp_path: Path, drawing: Drawing) -> Path:
    """The picture as a file."""
    path = tmp_path / "My Photo (1).JPG"
    path.write_bytes(drawing.encoded())
    return path


@pytest.fixture
def fixtures(tmp_path: Path) -> Path:
    """A fixtures directory that does not exist yet."""
    return tmp_path / "fixtures"


def test_a_photo_becomes_a_scenario(photo: Path, fixtures: Path) -> None:
    """The directory is created, and the scenario reads what the options say."""
    code, said = add(photo, "--plate", "B-MW 1847", "--region", "de", "--box", "10,20,90,40", "--fixtures", fixtures)
    (scenario,) = load(fixtures).set.scenarios
    (plate,) = scenario.reading.plates

    assert (code, "my-photo-1.jpg" in said) == (0, True)
    assert scenario.name == "my-photo-1"
    assert (plate.text, plate.region, plate.box) == ("B-MW 1847", "de", Box(10, 20, 90, 40))
    assert (fixtures / "images" / "my-photo-1.jpg").read_bytes() == photo.read_bytes()


def test_the_text_is_found_where_it_is_clear(photo: Path, fixtures: Path, drawing: Drawing) -> None:
    """Without --box a position of the plate is proposed and printed."""
    code, said = add(photo, "--plate", "B-MW 1847", "--name", "suv", "--fixtures", fixtures)
    (scenario,) = load(fixtures).set.scenarios
    box = scenario.reading.plates[0].box
    truth = drawing.truth.plates[0].box
    assert box is not None
    middle = ((truth.xmin + truth.xmax) / 2, (truth.ymin + truth.ymax) / 2)

    assert (code, "if not, give --box" in said) == (0, True)
    assert box.xmin < middle[0] < box.xmax
    assert box.ymin < middle[1] < box.ymax


def test_a_photo_without_text_is_compared_whole(tmp_path: Path, fixtures: Path) -> None:
    """Where nothing looks like text, the verb prints a note and writes no box."""
    path = tmp_path / "grey.png"
    Image.new("RGB", (300, 200), (90, 90, 90)).save(path)
    code, said = add(path, "--vin", "JHLRD77874C026456", "--fixtures", fixtures)
    vin = load(fixtures).set.scenarios[0].reading.vin
    assert vin is not None

    assert (code, "found no text in the photo" in said) == (0, True)
    assert (vin.text, vin.box) == ("JHLRD77874C026456", None)


def test_a_known_picture_is_refused(photo: Path, fixtures: Path, tmp_path: Path) -> None:
    """A re-encoded copy of a picture that exists is refused; the message names the scenario of the picture."""
    assert add(photo, "--plate", "B-MW 1847", "--name", "first", "--fixtures", fixtures)[0] == 0
    again = tmp_path / "again.png"
    with Image.open(photo) as picture:
        picture.save(again)
    code, said = add(again, "--plate", "B-MW 1847", "--fixtures", fixtures)

    assert code == 1
    assert 'the picture of scenario "first"' in said
    assert not (fixtures / "images" / "again.png").exists()


def test_a_known_name_is_refused(photo: Path, fixtures: Path, tmp_path: Path) -> None:
    """Names are unique; nothing is overwritten."""
    assert add(photo, "--plate", "B-MW 1847", "--name", "car", "--fixtures", fixtures)[0] == 0
    other = tmp_path / "other.png"
    Image.new("RGB", (300, 200), (90, 90, 90)).save(other)
    code, said = add(other, "--plate", "AB 12", "--name", "car", "--fixtures", fixtures)

    assert (code, "give another --name" in said) == (1, True)
    assert [path.name for path in (fixtures / "images").iterdir()] == ["car.jpg"]


def test_a_scenario_can_be_replaced(photo: Path, fixtures: Path, tmp_path: Path) -> None:
    """`--replace` corrects the box of the same photo, and takes another photo as well; the old picture is deleted."""
    assert add(photo, fixtures, "--plate", "B-MW 1847", "--name", "car")[0] == 0
    refused, _ = add(photo, fixtures, "--plate", "B-MW 1847", "--name", "car", "--box", "10,20,90,40")
    corrected = ("--plate", "B-MW 1847", "--name", "car", "--box", "10,20,90,40", "--replace")
    code, _ = add(photo, fixtures, *corrected)
    (scenario,) = load(fixtures).set.scenarios
    other = tmp_path / "other.png"
    Image.new("RGB", (300, 200), (90, 90, 90)).save(other)

    assert (refused, code) == (1, 0)
    assert scenario.reading.plates[0].box == Box(10, 20, 90, 40)
    assert add(other, fixtures, "--plate", "AB 12", "--name", "car", "--replace")[0] == 0
    assert [path.name for path in (fixtures / "images").iterdir()] == ["car.png"]
    assert load(fixtures).set.scenarios[0].reading.plates[0].text == "AB 12"


def test_only_the_named_scenario_is_replaced(photo: Path, fixtures: Path) -> None:
    """`--replace` does not take the picture of another scenario, or a file with more scenarios."""
    assert add(photo, fixtures, "--plate", "B-MW 1847", "--name", "first")[0] == 0
    second, said = add(photo, fixtures, "--plate", "B-MW 1847", "--name", "second", "--replace")
    path = fixtures / "scenarios" / "first.yaml"
    path.write_text(path.read_text("utf-8") + "---\nscenario: other\nwhen: {url: '*other*'}\n", "utf-8")
    before = path.read_bytes()
    first, why = add(photo, fixtures, "--plate", "AB 12", "--name", "first", "--replace")

    assert (second, 'the picture of scenario "first"' in said) == (1, True)
    assert (first, "is not alone in" in why) == (1, True)
    assert path.read_bytes() == before


def test_nothing_changes_if_the_result_cannot_be_loaded(photo: Path, fixtures: Path) -> None:
    """The replaced scenario and its picture are restored if another scenario needs that picture."""
    assert add(photo, fixtures, "--plate", "B-MW 1847", "--name", "car")[0] == 0
    shared = "scenario: shared\nwhen: {image: ../images/car.jpg, key: demo-key}\nthen: [{outcome: no_text}]\n"
    (fixtures / "scenarios" / "shared.yaml").write_text(shared, "utf-8")
    before = {path: path.read_bytes() for path in fixtures.rglob("*.*")}
    grey = photo.with_name("grey.png")
    Image.new("RGB", (300, 200), (90, 90, 90)).save(grey)
    with pytest.raises(FixturesError):
        add(grey, fixtures, "--plate", "AB 12", "--name", "car", "--replace")

    assert {path: path.read_bytes() for path in fixtures.rglob("*.*")} == before


def test_the_box_can_be_shown(photo: Path, fixtures: Path, tmp_path: Path) -> None:
    """`--show` writes the photo with a red line just outside the box."""
    shown = tmp_path / "shown.png"
    box = ("--box", "100,200,300,260")
    assert add(photo, fixtures, "--plate", "B-MW 1847", *box, "--show", shown)[0] == 0

    with Image.open(shown) as picture, Image.open(photo) as original:
        assert picture.size == original.size
        assert picture.getpixel((99, 230)) == (255, 0, 0)
        assert picture.getpixel((200, 261)) == (255, 0, 0)
        assert picture.getpixel((200, 230)) == original.getpixel((200, 230))


def test_editors_find_the_schema(photo: Path, fixtures: Path) -> None:
    """The scenario file names its JSON Schema, which is written beside `scenarios/`."""
    assert add(photo, fixtures, "--plate", "B-MW 1847", "--name", "car")[0] == 0
    path = fixtures / "scenarios" / "car.yaml"
    _, _, relative = path.read_text("utf-8").splitlines()[0].partition("$schema=")
    schema = json.loads((path.parent / relative).read_text("utf-8"))

    assert "scenario" in json.dumps(schema["properties"])
    assert load(fixtures).warnings == ()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--plate", "A", "other-fixtures"], "as an argument or as --fixtures, not both"),
        ([], "one of --plate, --vin"),
        (["--plate", "A", "--vin", "B"], "one of --plate, --vin"),
        (["--vin", "B", "--region", "de"], "--region can be given with --plate only"),
        (["--plate", "A", "--name", "No Good"], "is not a scenario name"),
        (["--plate", "A", "--box", "1,2,3"], "is not a box"),
        (["--plate", "A", "--box", "1,2,5000,40"], "outside the picture of 1024x768"),
        (["--plate", "A", "--box", "5,5,5,9"], "is empty"),
    ],
)
def test_mistakes_are_named(photo: Path, fixtures: Path, arguments: list[str], said: str) -> None:
    """Each is a usage error; nothing is written."""
    code, output = add(photo, *arguments, "--fixtures", fixtures)

    assert code == 2
    assert said in output
    assert not fixtures.exists()


def test_a_file_that_is_not_a_picture_is_refused(tmp_path: Path, fixtures: Path) -> None:
    """A file of another kind is not copied, and the message says why."""
    path = tmp_path / "notes.jpg"
    path.write_text("no picture")

    code, said = add(path, "--plate", "A", "--fixtures", fixtures)

    assert (code, "notes.jpg is not a readable picture: NotAnImageError" in said) == (1, True)
    assert not fixtures.exists()
