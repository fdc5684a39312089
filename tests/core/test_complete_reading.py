"""Completing a fixture's reading, in pixels of the picture that was sent."""

import pytest

from mock_server.core.complete_reading import NOMINAL_SIZE, complete
from mock_server.core.reading import Candidate, PlateReading, Reading, Vehicle, VinReading
from mock_server.imaging.geometry import Box, Placement

SIZE = (800, 600)
HALF = Placement((800, 600), (400, 300), scale=(0.5, 0.5))


def inside(box: Box | None, size: tuple[int, int]) -> bool:
    """Whether a box is inside a picture and not empty."""
    return box is not None and 0 <= box.xmin < box.xmax <= size[0] and 0 <= box.ymin < box.ymax <= size[1]


@pytest.mark.parametrize("size", [SIZE, (40, 30), (3000, 200), None])
@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_text_alone_becomes_a_whole_plate(size: tuple[int, int] | None, count: int) -> None:
    """Box, region, candidates and vehicle are filled in, every box inside the picture."""
    plates = tuple(PlateReading(f"9DJC65{number}") for number in range(count))
    reading = complete(Reading(plates=plates), None, size)
    lefts = [plate.box.xmin for plate in reading.plates if plate.box]

    for plate in reading.plates:
        assert inside(plate.box, size or NOMINAL_SIZE)
        assert plate.vehicle is not None
        assert inside(plate.vehicle.box, size or NOMINAL_SIZE)
        assert plate.region
        assert plate.candidates == (Candidate(plate.text, plate.score),)
    assert lefts == sorted(set(lefts)), "several plates stand side by side"


def test_a_text_alone_becomes_a_whole_vin() -> None:
    """A VIN gets a box, and its only candidate is itself, in the same box."""
    vin = complete(Reading(vin=VinReading("JHLRD77874C026456", 0.9)), None, SIZE).vin

    assert vin is not None
    assert inside(vin.box, SIZE)
    assert vin.candidates == (Candidate("JHLRD77874C026456", 0.9, vin.box),)


def test_given_fields_do_not_change() -> None:
    """The values of the fixture are kept."""
    plate = PlateReading(
        "9DJC652",
        "us-nv",
        0.5,
        0.6,
        0.7,
        Box(10, 20, 110, 50),
        (Candidate("9DJC652", 0.6), Candidate("9OJC652", 0.4)),
        Vehicle("Van", 0.9, Box(0, 0, 700, 500)),
    )
    reading = Reading((plate,), VinReading("V", 0.5, Box(1, 2, 30, 40), (Candidate("V", 0.5, Box(1, 2, 3, 4)),)), "t")

    assert complete(reading, None, SIZE) == reading


def test_boxes_are_mapped() -> None:
    """The boxes of plates, vehicles, VINs and candidates are mapped to the picture that was sent."""
    plate = PlateReading("A", box=Box(100, 200, 300, 260), vehicle=Vehicle("SUV", 0.8, Box(0, 0, 800, 600)))
    vin = VinReading(
        "V", box=Box(10, 20, 110, 40), candidates=(Candidate("V", 0.9), Candidate("W", 0.1, Box(20, 20, 60, 40)))
    )
    reading = complete(Reading((plate,), vin), HALF, (400, 300))

    assert reading.plates[0].box == Box(50, 100, 150, 130)
    assert reading.plates[0].vehicle == Vehicle("SUV", 0.8, Box(0, 0, 400, 300))
    assert reading.vin is not None
    assert reading.vin.box == Box(5, 10, 55, 20)
    assert [candidate.box for candidate in reading.vin.candidates] == [Box(5, 10, 55, 20), Box(10, 10, 30, 20)]


def test_boxes_are_cut_at_the_edge() -> None:
    """A box beyond the edge of the picture is clipped."""
    reading = complete(Reading((PlateReading("A", box=Box(-5, 580, 900, 700)),)), None, SIZE)

    assert reading.plates[0].box == Box(0, 580, 800, 600)


def test_an_empty_reading_stays_empty() -> None:
    """Nothing is added to a reading without plates and VIN."""
    for reading in (Reading(), Reading(text="UNLEADED")):
        assert complete(reading, HALF, SIZE) == reading
