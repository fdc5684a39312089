"""Misreads: what an imperfect recogniser returns instead of the true reading."""

import random

import pytest

from mock_server.core import misreads
from mock_server.core.reading import Candidate, PlateReading, Reading, VinReading
from mock_server.core.scenario import Trouble
from mock_server.identifiers import vins
from mock_server.imaging.geometry import Box
from mock_server.imaging.results import PictureFacts

VIN = "JHLRD77874C026456"
BOX = Box(10, 20, 110, 50)
PLATE = PlateReading("9DJC652", "us-ca", 0.8, 0.9, 0.95, BOX, (Candidate("9DJC652", 0.9), Candidate("9OJC652", 0.7)))
READING = Reading(plates=(PLATE,), vin=VinReading(VIN, 0.98, BOX, (Candidate(VIN, 0.98),)), text="note")


def seen(width: int = 1000, sharpness: float = 500.0) -> PictureFacts:
    """The facts of a picture; misreads depend on two of them."""
    return PictureFacts("JPEG", width, 600, 1000, "00", blank=False, sharpness=sharpness)


def applied(trouble: Trouble, *, facts: PictureFacts | None = None, seed: int = 1) -> Reading:
    """`READING` with misreads."""
    return misreads.apply(READING, trouble, facts=facts, rng=random.Random(seed))


def test_no_trouble() -> None:
    """Without misreads the reading does not change."""
    assert applied(Trouble(), facts=seen()) == READING


@pytest.mark.parametrize("seed", range(20))
def test_score_is_drawn_from_the_range(seed: int) -> None:
    """Confidences are in the range, and the candidates keep their order and their ratio."""
    reading = applied(Trouble(score=(0.3, 0.5)), seed=seed)

    plate, vin = reading.plates[0], reading.vin
    assert vin is not None
    assert 0.3 <= plate.score <= 0.5
    assert 0.3 <= vin.confidence <= 0.5
    assert plate.candidates[0] == Candidate("9DJC652", plate.score)
    assert plate.candidates[1].score == pytest.approx(plate.score * 0.7 / 0.9, abs=0.002)


def test_same_seed_same_scores() -> None:
    """The same random source gives the same reading, another source a different one."""
    trouble = Trouble(score=(0.1, 0.9))

    assert applied(trouble, seed=3) == applied(trouble, seed=3)
    assert applied(trouble, seed=3) != applied(trouble, seed=4)


@pytest.mark.parametrize("count", [1, 2])
def test_confuse_keeps_the_true_text_among_the_candidates(count: int) -> None:
    """`count` characters of the top reading differ. The true text is second, with less confidence."""
    reading = applied(Trouble(confuse=count))

    plate, vin = reading.plates[0], reading.vin
    assert vin is not None
    assert sum(a != b for a, b in zip(plate.text, "9DJC652", strict=True)) == count
    assert sum(a != b for a, b in zip(vin.text, VIN, strict=True)) == count
    assert vins.is_well_formed(vin.text)
    for text, score, candidates in (
        (plate.text, plate.score, plate.candidates),
        (vin.text, vin.confidence, vin.candidates),
    ):
        assert candidates[0] == Candidate(text, score)
        assert candidates[1].text in ("9DJC652", VIN)
    scores = [candidate.score for candidate in plate.candidates]
    assert scores == sorted(scores, reverse=True)
    assert len({candidate.text for candidate in plate.candidates}) == len(plate.candidates)


def test_confuse_where_nothing_can_be_confused() -> None:
    """A text without look-alike characters does not change."""
    reading = Reading(plates=(PlateReading("--"),))

    result = misreads.apply(reading, Trouble(confuse=2), facts=None, rng=random.Random(0))

    assert result.plates[0].text == "--"


def test_wrong_region() -> None:
    """Another region is reported; the text stays."""
    plate = applied(Trouble(region="us-nv")).plates[0]

    assert (plate.region, plate.text, plate.score) == ("us-nv", "9DJC652", 0.9)


def test_bad_check_digit() -> None:
    """Only the check digit of the VIN changes, and it is wrong."""
    vin = applied(Trouble(bad_check_digit=True)).vin

    assert vin is not None
    assert not vins.is_valid(vin.text)
    assert vins.is_well_formed(vin.text)
    assert (vin.text[:8], vin.text[9:]) == (VIN[:8], VIN[9:])
    assert vin.candidates[0].text == vin.text


def test_bad_check_digit_of_a_text_that_has_none() -> None:
    """A text that is not a well-formed VIN does not change."""
    reading = Reading(vin=VinReading("SHORT"))

    assert misreads.apply(reading, Trouble(bad_check_digit=True), facts=None, rng=random.Random(0)).vin == (
        VinReading("SHORT", candidates=(Candidate("SHORT", 0.95),))
    )


def test_partial() -> None:
    """Only the first characters are read, also of the candidates."""
    reading = applied(Trouble(partial=3))

    assert reading.plates[0].text == "9DJ"
    assert [candidate.text for candidate in reading.plates[0].candidates] == ["9DJ", "9OJ"]
    assert reading.vin is not None
    assert reading.vin.text == VIN[:3]


def test_unreadable_plate() -> None:
    """The plate has its box, but no text."""
    plate = applied(Trouble(unreadable=True)).plates[0]

    assert (plate.text, plate.score, plate.candidates) == ("", 0.0, ())
    assert (plate.box, plate.dscore) == (BOX, 0.95)


def test_unreadable_vin() -> None:
    """An unreadable VIN becomes a short text."""
    reading = Reading(vin=VinReading(VIN))

    result = misreads.apply(reading, Trouble(unreadable=True), facts=None, rng=random.Random(5))

    assert result.vin is None
    assert result.text is not None
    assert result.text in VIN
    assert 3 <= len(result.text) <= 5


@pytest.mark.parametrize(
    ("trouble", "facts", "nothing"),
    [
        (Trouble(too_small=400), seen(width=399), True),
        (Trouble(too_small=400), seen(width=400), False),
        (Trouble(too_small=400), None, False),
        (Trouble(too_blurred=60), seen(sharpness=59.9), True),
        (Trouble(too_blurred=60), seen(sharpness=60.0), False),
        (Trouble(too_blurred=60, too_small=400), seen(399, 100.0), True),
    ],
)
def test_limits_of_the_picture(trouble: Trouble, facts: PictureFacts | None, nothing: bool) -> None:
    """A picture below the limits of size and sharpness has an empty reading."""
    assert applied(trouble, facts=facts) == (Reading() if nothing else READING)


def test_misreads_combine() -> None:
    """Several misreads of one step all apply."""
    plate = applied(Trouble(score=(0.2, 0.2), confuse=1, region="us-nv", partial=5)).plates[0]

    assert (len(plate.text), plate.score, plate.region) == (5, 0.2, "us-nv")
    assert plate.candidates[1].text == "9DJC6"
