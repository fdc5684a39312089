"""The fixture set that ships with the package."""

import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mock_server.core.account import Account, AccountStatus, Quota
from mock_server.core.library import FixtureSet, UnmatchedPolicy, references_of
from mock_server.core.model import OutcomeName, Product
from mock_server.core.scenario import Scenario, Trouble
from mock_server.identifiers.plates import PLATE_FORMATS
from mock_server.identifiers.vins import is_valid
from mock_server.imaging.index import ImageIndex
from mock_server.scenarios.load import load
from scripts.shipped_fixtures import EVERYTHING, write

FIXTURES = Path(__file__).parent.parent / "fixtures"
NAMES = [shipped.name for shipped in EVERYTHING]


@pytest.fixture(scope="module")
def shipped() -> FixtureSet:
    """The set as the server loads it."""
    return load(FIXTURES).set


@pytest.fixture(scope="module")
def index(shipped: FixtureSet) -> ImageIndex:
    """The index of its pictures."""
    return ImageIndex.build(references_of(shipped))


def test_it_loads_without_a_mistake_or_a_warning() -> None:
    """The shipped set is an example for users."""
    assert load(FIXTURES).warnings == ()


def test_it_is_small(shipped: FixtureSet) -> None:
    """All pictures together are smaller than 3 MB, and every one is used."""
    files = [path for path in (FIXTURES / "images").iterdir() if path.is_file()]

    assert sum(path.stat().st_size for path in files) < 3_000_000
    assert {f"images/{path.name}" for path in files} == set(shipped.images)


def test_scenarios_are_easy_to_browse(shipped: FixtureSet) -> None:
    """Each scenario has a plain name, a description, its own picture, and a file with its name."""
    pictures = [image for scenario in shipped.scenarios for image in scenario.when.images]

    assert len(shipped.scenarios) >= 40
    assert all(re.fullmatch(r"[a-z0-9-]+", scenario.name) for scenario in shipped.scenarios)
    assert all(20 < len(scenario.description) < 100 for scenario in shipped.scenarios)
    assert len(set(pictures)) == len(pictures) == len(shipped.scenarios)
    assert {path.stem for path in (FIXTURES / "scenarios").iterdir()} == set(NAMES)


def test_readings_are_plausible_and_have_boxes(shipped: FixtureSet) -> None:
    """Plates have the format of their region, VINs a valid check digit, and both a box that is large enough."""
    for scenario in shipped.scenarios:
        for plate in scenario.reading.plates:
            assert plate.box is not None, scenario.name
            assert PLATE_FORMATS[plate.region or ""].matches(plate.text), scenario.name
            assert plate.box.width / len(plate.text) >= 8, scenario.name
            assert plate.vehicle is not None or "vehicle" in plate.omitted, scenario.name
        if scenario.reading.vin:
            assert is_valid(scenario.reading.vin.text), scenario.name
            assert scenario.reading.vin.box is not None, scenario.name


def test_some_boxes_are_at_the_rim_of_the_plate(shipped: FixtureSet) -> None:
    """A US plate is 2.0 times as wide as high, an Australian one 2.8 and a European one 4.6, less if it is rotated."""
    boxes = {name: scenario(shipped, name).reading.plates[0].box for name in NAMES if name.startswith("rim-box")}
    aspects = {name: box.width / box.height for name, box in boxes.items() if box}

    assert aspects == {
        "rim-box-florida": pytest.approx(2.0, rel=0.06),
        "rim-box-illinois": pytest.approx(2.0, rel=0.06),
        "rim-box-australia": pytest.approx(2.78, rel=0.06),
        "rim-box-portugal": pytest.approx(4.64, rel=0.12),
    }


def test_every_outcome_of_a_picture_is_shown(shipped: FixtureSet) -> None:
    """Every outcome has a picture, except the outcomes that depend on the request only."""
    shown = {step.outcome for scenario in shipped.scenarios for step in scenario.steps}
    of_requests = {
        OutcomeName.MISSING_KEY,
        OutcomeName.UNKNOWN_KEY,
        OutcomeName.INVALID_REQUEST,
        OutcomeName.PAYMENT_REQUIRED,
    }

    assert shown == set(OutcomeName) - of_requests


def test_every_trouble_is_shown(shipped: FixtureSet) -> None:
    """Every kind of misreading has a picture."""
    troubles = [step.trouble for scenario in shipped.scenarios for step in scenario.steps if step.trouble]
    plain = Trouble()
    names = Trouble.__slots__
    shown = {name for trouble in troubles for name in names if getattr(trouble, name) != getattr(plain, name)}

    assert shown == set(names)


def test_several_regions_and_vehicles_are_shown(shipped: FixtureSet) -> None:
    """The set has many regions, several vehicle types, two cars in a photo, similar characters, low confidence."""
    plates = [plate for scenario in shipped.scenarios for plate in scenario.reading.plates]

    assert len({plate.region for plate in plates}) >= 15
    assert {plate.vehicle.type for plate in plates if plate.vehicle} >= {"Sedan", "SUV", "Van", "Pickup Truck"}
    assert max(len(scenario.reading.plates) for scenario in shipped.scenarios) == 2
    assert max(len(plate.candidates) for plate in plates) >= 4
    assert min(plate.score for plate in plates) < 0.5


@pytest.mark.parametrize(
    ("key", "status"),
    [
        ("demo-key", AccountStatus.ACTIVE),
        ("inactive-key", AccountStatus.INACTIVE),
        ("disabled-key", AccountStatus.DISABLED),
        ("blocked-key", AccountStatus.BLOCKED),
    ],
)
def test_keys_have_their_status(shipped: FixtureSet, key: str, status: AccountStatus) -> None:
    """The documented keys exist, with their status."""
    assert account(shipped, key).status is status


@pytest.mark.parametrize("product", Product)
def test_keys_have_their_allowances(shipped: FixtureSet, product: Product) -> None:
    """The keys have many, no and one credit, no product, and two requests a second."""
    demo, none, one = (account(shipped, key) for key in ("demo-key", "no-credits", "one-credit"))

    assert (demo.credits[product] or 0) >= 1_000_000
    assert (demo.quota[product].limit or 0) >= 1_000_000
    assert (none.credits[product], none.quota[product].limit == none.quota[product].used) == (0, True)
    assert (one.credits[product], one.quota[product].limit, one.quota[product].used) == (1, 1, 0)
    assert account(shipped, "basic-plan-key").plans == frozenset()
    assert account(shipped, "slow-key").rate_limit == "2/second"
    assert account(shipped, "sandbox-key").shared_quota == Quota(100)


def test_unknown_pictures_get_a_reading(shipped: FixtureSet) -> None:
    """A user's own photo gets a plausible reading."""
    assert shipped.defaults.unmatched is UnmatchedPolicy.SYNTHESIZE


@pytest.mark.parametrize("name", NAMES)
def test_each_picture_matches_itself_only(shipped: FixtureSet, index: ImageIndex, name: str) -> None:
    """A picture matches itself and no other, also when it is re-encoded and a fifth smaller."""
    path = FIXTURES / "images" / f"{name}.jpg"
    buffer = io.BytesIO()
    with Image.open(path) as image:
        if name != "blank":
            image.resize((image.width * 4 // 5, image.height * 4 // 5)).save(buffer, "JPEG", quality=80)

    assert [found.id for found in index.find(path.read_bytes()).matches] == [f"images/{name}.jpg"]
    if name != "blank":
        assert [found.id for found in index.find(buffer.getvalue()).matches] == [f"images/{name}.jpg"]


@pytest.mark.parametrize("name", ["two-line-plate", "vin-sticker", "rate-limited"])
def test_the_script_draws_the_shipped_files(tmp_path: Path, name: str) -> None:
    """Scenario files are equal to the shipped ones; pictures are nearly equal, because Pillow releases differ."""
    write(tmp_path, [name])
    for folder, suffix in (("scenarios", "yaml"), ("images", "jpg")):
        drawn, kept = (root / folder / f"{name}.{suffix}" for root in (tmp_path, FIXTURES))
        if suffix == "yaml":
            assert drawn.read_text("utf-8") == kept.read_text("utf-8")
        else:
            with Image.open(drawn) as one, Image.open(kept) as other:
                assert np.abs(np.asarray(one, np.int16) - np.asarray(other, np.int16)).mean() < 2
    assert (tmp_path / "mock.yaml").read_text("utf-8") == (FIXTURES / "mock.yaml").read_text("utf-8")


def test_the_documented_sequence_exists(shipped: FixtureSet) -> None:
    """flaky-then-fine fails twice for plates on CarsXE and then succeeds with a delay."""
    flaky = scenario(shipped, "flaky-then-fine")

    assert (flaky.when.provider, flaky.when.product) == ("carsxe", Product.PLATE)
    assert [(step.outcome, step.times) for step in flaky.steps] == [
        (OutcomeName.SERVICE_ERROR, 2),
        (OutcomeName.READ, None),
    ]
    assert flaky.steps[1].delay is not None


def account(fixtures: FixtureSet, key: str) -> Account:
    """The account with this key."""
    (found,) = (each for each in fixtures.accounts if each.key == key)
    return found


def scenario(fixtures: FixtureSet, name: str) -> Scenario:
    """The scenario of this name."""
    (found,) = (each for each in fixtures.scenarios if each.name == name)
    return found
