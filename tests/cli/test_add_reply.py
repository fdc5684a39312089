"""The verb `add` with a reply of a provider. A second mock stands for the real service."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result

from mock_server import MockServer
from mock_server.cli.add import command
from mock_server.core.reading import Reading
from mock_server.errors import FixturesError
from mock_server.imaging.geometry import Box
from mock_server.scenarios.load import load
from tests.support import FIXTURES, PATIENCE, carsxe, picture, vehicore

KEY = "k3y-of-the-real-service"


def add(*arguments: str | Path, key: str | None = KEY, typed: str | None = None) -> Result:
    """Run the verb with the keys of both providers in the environment, and what the user types."""
    environment = {"VEHICORE_API_KEY": key, "CARSXE_API_KEY": key}
    result = CliRunner().invoke(command, [str(argument) for argument in arguments], env=environment, input=typed)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def reading_of(fixtures: Path) -> Reading:
    """The reading of the only scenario."""
    (scenario,) = load(fixtures).set.scenarios
    return scenario.reading


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A picture that both mocks know: its scenario has a box."""
    path = tmp_path / "photo.jpg"
    path.write_bytes(picture("car"))
    return path


@pytest.fixture(scope="module")
def real() -> Iterator[MockServer]:
    """The service that is asked, with one account."""
    with MockServer(FIXTURES) as server:
        server.create_account(key=KEY, name="real")
        yield server


CARSXE_PLATES: dict[str, Any] = {
    "success": True,
    "message": "",
    "processing_time": 71.5,
    "results": [
        {
            "plate": "7xyz123",
            "box": {"xmin": 10, "ymin": 20, "xmax": 90, "ymax": 40},
            "region": {"code": "us-ca", "score": 0.81},
            "score": 0.9,
            "dscore": 0.7,
            "candidates": [{"plate": "7xyz123", "score": 0.9}, {"plate": "7xyzi23", "score": 0.6}],
            "vehicle": {"type": "Sedan", "score": 0.5, "box": {"xmin": 0, "ymin": 0, "xmax": 4000, "ymax": 3000}},
            "color": "a field that nobody knows",
        }
    ],
    "camera_id": "camera-17",
    "filename": "1204_secret.jpg",
    "request_id": "id-4711",
    "token": "tok-4711",
}


def test_a_stored_reply_of_carsxe(photo: Path, tmp_path: Path) -> None:
    """Everything that is on the picture is taken, and nothing else; a box that does not fit is left out."""
    (tmp_path / "reply.json").write_text(json.dumps(CARSXE_PLATES))
    result = add(photo, tmp_path / "new", "--reply", tmp_path / "reply.json")
    written = (tmp_path / "new" / "scenarios" / "photo.yaml").read_text()
    (plate,) = reading_of(tmp_path / "new").plates

    assert result.exit_code == 0, result.output
    assert (plate.text, plate.region, plate.region_score, plate.score, plate.dscore) == (
        "7XYZ123",
        "us-ca",
        0.81,
        0.9,
        0.7,
    )
    assert plate.box == Box(10, 20, 90, 40)
    assert [(one.text, one.score) for one in plate.candidates] == [("7XYZ123", 0.9), ("7XYZI23", 0.6)]
    assert plate.vehicle is not None
    assert (plate.vehicle.type, plate.vehicle.box) == ("Sedan", None)
    assert "the box of Sedan does not fit the photo" in result.stderr
    assert not [word for word in ("4711", "camera", "secret", "color", "filename") if word in written]


REPLIES: list[tuple[Any, list[str], list[str], str | None, str | None]] = [
    # reply, options, plates, VIN, other text
    ({"result": "ABC 123"}, [], ["ABC 123"], None, None),
    ({"result": "JHLRD77874C026456"}, [], [], "JHLRD77874C026456", None),
    ({"result": "JHLRD77874C026456"}, ["--product", "plate"], ["JHLRD77874C026456"], None, None),
    ({"result": "UNLEADED ONLY"}, ["--product", "vin"], [], None, "UNLEADED ONLY"),
    ({"result": ""}, [], [], None, None),
    ({"success": True, "results": [{"plate": "a1"}, {"plate": "b-2"}]}, [], ["A1", "B-2"], None, None),
    ({"success": True, "results": []}, [], [], None, None),
    ({"success": True, "vin": "jhlrd77874c026456", "confidence": 0.5, "box": None}, [], [], "JHLRD77874C026456", None),
    ({"success": True, "candidates": []}, [], [], None, None),
    ({"success": False, "message": "No plates detected in image"}, [], [], None, None),
    (
        {"success": True, "results": [{"plate": "x", "score": "high", "region": 1, "candidates": {}}]},
        [],
        ["X"],
        None,
        None,
    ),
    (
        {
            "success": True,
            "results": [
                {
                    "plate": "y",
                    "score": float("nan"),
                    "box": dict.fromkeys(("xmin", "ymin", "xmax", "ymax"), float("inf")),
                }
            ],
        },
        [],
        ["Y"],
        None,
        None,
    ),
    (
        {"success": True, "results": [{"plate": "z", "region": {"code": "null"}, "vehicle": {"type": "none"}}]},
        [],
        ["Z"],
        None,
        None,
    ),
]


@pytest.mark.parametrize(
    ("reply", "options", "plates", "vin", "text"),
    REPLIES,
    ids=[json.dumps(row[0])[:50] + "".join(row[1]) for row in REPLIES],
)
def test_replies(
    reply: Any, options: list[str], plates: list[str], vin: str | None, text: str | None, photo: Path, tmp_path: Path
) -> None:
    """Every form of a reply becomes the reading that gives it; where nothing was found, a step says so."""
    (tmp_path / "reply.json").write_text(json.dumps(reply))
    result = add(photo, tmp_path / "new", "--reply", tmp_path / "reply.json", *options)
    (scenario,) = load(tmp_path / "new").set.scenarios

    assert result.exit_code == 0, result.output
    assert [plate.text for plate in scenario.reading.plates] == plates
    assert (scenario.reading.vin.text if scenario.reading.vin else None) == vin
    assert scenario.reading.text == text
    assert scenario.steps[0].outcome == ("read" if plates or vin or text else "nothing_found")


@pytest.mark.parametrize(
    "reply", ["[]", "no JSON", '{"message": "x"}', '{"success": true, "active": true}', '{"result": 1}']
)
def test_other_files_are_refused(reply: str, photo: Path, tmp_path: Path) -> None:
    """An error and any other JSON has no reading; nothing is written."""
    (tmp_path / "reply.json").write_text(reply)
    result = add(photo, tmp_path / "new", "--reply", tmp_path / "reply.json")

    assert result.exit_code == 1
    assert "not JSON" in result.output or "is not a reply of VehiCore or CarsXE" in result.output
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("provider", ["vehicore", "carsxe"])
@pytest.mark.parametrize(("product", "name"), [("plate", "car"), ("vin", "vin")])
def test_asking_the_real_service(provider: str, product: str, name: str, real: MockServer, tmp_path: Path) -> None:
    """One call with the picture; its reply becomes a scenario that answers alike. The key is shown nowhere."""
    image = tmp_path / "asked.jpg"
    image.write_bytes(picture(name))
    before = real.count(key=KEY)
    result = add(image, tmp_path / "new", "--ask", provider, "--product", product, "--base-url", real.url, "--yes")
    (asked,) = real.requests(key=KEY)[before:]

    assert result.exit_code == 0, result.output
    assert (asked.provider, asked.product, asked.outcome, asked.scenario) == (provider, product, "read", name)
    assert "This costs one" in result.stderr
    assert f"{provider.upper()}_API_KEY" in result.stderr
    assert KEY not in result.output
    with MockServer(tmp_path / "new") as mock, httpx.Client(base_url=mock.url, timeout=PATIENCE) as client:
        uploaded = vehicore(client, product, image.read_bytes())
        referenced = carsxe(client, product, f"{mock.url}/images/asked.jpg")
    for reply in (uploaded, referenced):
        assert reply.headers["x-mock-scenario"] == "asked"
        assert {"plate": "9djc652", "vin": "jhlrd77874c026456"}[product] in reply.text.lower()


def test_the_user_is_asked(photo: Path, real: MockServer, tmp_path: Path) -> None:
    """Without --yes and without an answer nothing is sent and nothing is written."""
    before = real.count()
    asking = (photo, tmp_path / "new", "--ask", "carsxe", "--base-url", real.url)
    refused = [add(*asking, typed=text) for text in ("n\n", "")]

    assert [one.exit_code for one in refused] == [1, 1]
    assert real.count() == before
    assert not (tmp_path / "new").exists()
    assert add(*asking, typed="y\n").exit_code == 0
    assert real.count() == before + 1


def test_a_taken_name_costs_nothing(photo: Path, real: MockServer, tmp_path: Path) -> None:
    """What would fail anyway is found before the call."""
    assert add(photo, tmp_path / "new", "--plate", "A1").exit_code == 0
    before = real.count()
    result = add(photo, tmp_path / "new", "--ask", "vehicore", "--base-url", real.url, "--yes")

    assert (result.exit_code, real.count()) == (1, before)


def test_a_refusal_is_shown(photo: Path, real: MockServer, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The status and the message of the provider, without the key, in no log either; nothing is written."""
    with caplog.at_level(logging.DEBUG):
        result = add(photo, tmp_path / "new", "--ask", "carsxe", "--base-url", real.url, "--yes", key="wr0ng-key")

    assert result.exit_code == 1
    assert "CarsXE answered 401" in result.output
    assert "wr0ng-key" not in result.output + caplog.text
    assert not (tmp_path / "new").exists()
    with pytest.raises(Exception, match=r"http://127\.0\.0\.1:1 does not answer") as raised:
        add(photo, tmp_path / "new", "--ask", "carsxe", "--base-url", "http://127.0.0.1:1", "--yes")
    assert KEY not in str(raised.value)


def test_usage(photo: Path, tmp_path: Path) -> None:
    """One source of the text, a known provider, and a key."""
    wrong = {
        "one of --plate, --vin, --reply and --ask": add(photo, "--plate", "A", "--ask", "carsxe"),
        "there is no provider": add(photo, tmp_path / "new", "--ask", "carxse", "--yes"),
        "set CARSXE_API_KEY": add(photo, tmp_path / "new", "--ask", "carsxe", "--yes", key=None),
    }

    assert {text: (result.exit_code, text in result.output) for text, result in wrong.items()} == dict.fromkeys(
        wrong, (2, True)
    )


def test_a_reply_that_cannot_be_a_reading_changes_nothing(photo: Path, tmp_path: Path) -> None:
    """The fixtures are loaded with the new scenario before it stays."""
    (tmp_path / "new" / "scenarios").mkdir(parents=True)
    (tmp_path / "new" / "scenarios" / "bad.yaml").write_text("scenario: BAD\n")
    (tmp_path / "reply.json").write_text('{"result": "A1"}')
    with pytest.raises(FixturesError):
        add(photo, tmp_path / "new", "--reply", tmp_path / "reply.json")
    assert not (tmp_path / "new" / "images").exists()
