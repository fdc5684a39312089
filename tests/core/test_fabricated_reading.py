"""Fabricated readings of pictures without a scenario."""

import hashlib

import pytest

from mock_server.core.fabricated_reading import fabricate
from mock_server.core.model import Product
from mock_server.core.reading import PlateReading, Reading
from mock_server.identifiers.plates import PLATE_FORMATS
from mock_server.identifiers.vins import is_valid, is_well_formed
from mock_server.imaging.geometry import Box

SIZES = [(1280, 960), (960, 1280), (300, 80), (40, 30), (3, 200), (1, 1)]


def digests(count: int) -> list[str]:
    """The digests of `count` pictures."""
    return [hashlib.sha256(str(number).encode()).hexdigest() for number in range(count)]


def inside(box: Box | None, size: tuple[int, int]) -> bool:
    """Whether there is a box, inside a picture of this size and not empty."""
    return box is not None and box.clamped(*size) == box and box.width > 0 and box.height > 0


def plate_of(reading: Reading) -> PlateReading:
    """The one plate of a reading."""
    (plate,) = reading.plates
    return plate


def test_a_digest_always_gives_the_same_reading() -> None:
    """Tests of users depend on it. Bytes and hex are the same digest."""
    plate = plate_of(fabricate("00" * 32, 1280, 960, Product.PLATE))
    vin = fabricate(bytes(32), 1280, 960, Product.VIN).vin

    assert (plate.text, plate.region, plate.score, plate.box) == ("MS-PI 6605", "de", 0.818, Box(558, 616, 777, 664))
    assert vin is not None
    assert (vin.text, vin.confidence, vin.box) == ("VSSYX97S72A874612", 0.95, Box(279, 463, 1001, 523))


def test_other_pictures_get_other_readings() -> None:
    """Of a thousand pictures, hardly any two have the same plate."""
    plates = {plate_of(fabricate(digest, 640, 480, Product.PLATE)).text for digest in digests(1000)}

    assert len(plates) > 995


@pytest.mark.parametrize("size", SIZES)
def test_plates_are_plausible(size: tuple[int, int]) -> None:
    """The text has the format of its region, scores decrease, and the plate is on its vehicle, inside the picture."""
    for digest in digests(150):
        plate = plate_of(fabricate(digest, *size, Product.PLATE))
        scores = [candidate.score for candidate in plate.candidates]
        others = [plate.region_score, plate.dscore, plate.score, *scores]

        assert PLATE_FORMATS[plate.region or ""].matches(plate.text)
        assert plate.candidates[0].text == plate.text
        assert plate.candidates[0].score == plate.score
        assert scores == sorted(set(scores), reverse=True)
        assert len(scores) >= 1
        assert all(0 <= score <= 1 and round(score, 3) == score for score in others)
        assert plate.vehicle is not None
        assert inside(plate.box, size)
        assert inside(plate.vehicle.box, size)


def test_a_plate_is_a_small_part_of_its_vehicle() -> None:
    """In an ordinary photo the plate is a small part of the vehicle, in its lower half, wider than high."""
    for digest in digests(150):
        plate = plate_of(fabricate(digest, 1280, 960, Product.PLATE))
        assert plate.box is not None
        assert plate.vehicle is not None
        around = plate.vehicle.box
        assert around is not None

        assert around.xmin < plate.box.xmin < plate.box.xmax < around.xmax
        assert around.ymin + around.height / 2 < plate.box.ymin < plate.box.ymax < around.ymax
        assert 1.8 < plate.box.width / plate.box.height < 5.2
        assert plate.box.width < 0.35 * around.width


@pytest.mark.parametrize("size", SIZES)
def test_vins_are_plausible(size: tuple[int, int]) -> None:
    """The check digit is valid, misreadings have no I, O, Q, and the box is long, flat and inside the picture."""
    for digest in digests(100):
        vin = fabricate(digest, *size, Product.VIN).vin
        assert vin is not None
        scores = [candidate.score for candidate in vin.candidates]

        assert is_valid(vin.text)
        assert vin.candidates[0].text == vin.text
        assert all(is_well_formed(candidate.text) for candidate in vin.candidates)
        assert scores == sorted(set(scores), reverse=True)
        assert 0.88 <= vin.confidence <= 0.99
        assert inside(vin.box, size)


def test_a_close_crop_counts_as_a_plate() -> None:
    """In a picture with the shape of a plate, the plate fills most of it."""
    plate = plate_of(fabricate("ab", 400, 100, Product.PLATE))
    assert plate.box is not None

    assert plate.box.height >= 60
    assert plate.vehicle is not None
    assert plate.vehicle.box == Box(0, 0, 400, 100)
