"""Vehicle identification numbers."""

import pytest

from mock_server.identifiers.vehicle_provider import SeededVehicleProvider
from mock_server.identifiers.vins import (
    ALPHABET,
    MANUFACTURERS,
    MODEL_YEARS,
    check_digit,
    is_valid,
    is_well_formed,
    with_check_digit,
    with_wrong_check_digit,
)

# VINs with published check digits, X among them.
REAL = ["JHLRD77874C026456", "1M8GDM9AXKP042788", "1HGCM82633A004352", "5GZCZ43D13S812715", "11111111111111111"]


@pytest.mark.parametrize("vin", REAL)
def test_check_digits_of_real_numbers(vin: str) -> None:
    """The computed check digit equals that of a real VIN."""
    assert check_digit(vin) == vin[8]
    assert is_valid(vin)


@pytest.mark.parametrize("vin", REAL)
def test_one_wrong_character_is_detected(vin: str) -> None:
    """Another character at a weighted position changes the check digit, unless it has the same value."""
    other = "3" if vin[3] not in "3CLT" else "4"

    assert not is_valid(vin[:3] + other + vin[4:])


@pytest.mark.parametrize(
    "text",
    ["", "JHLRD77874C02645", "JHLRD77874C0264566", "JHLRD77874C02645O", "IHLRD77874C026456", "jhlrd77874c026456"],
)
def test_texts_that_are_not_vins(text: str) -> None:
    """A VIN has 17 upper-case characters without I, O and Q."""
    assert not is_well_formed(text)
    assert not is_valid(text)


@pytest.mark.parametrize("vin", REAL)
def test_right_and_wrong_check_digits(vin: str) -> None:
    """A VIN can get its correct check digit, or a wrong one."""
    wrong = with_wrong_check_digit(vin)

    assert not is_valid(wrong)
    assert is_well_formed(wrong)
    assert with_check_digit(wrong) == vin


def test_random_vins_are_plausible() -> None:
    """A decoder accepts manufacturer, model year, serial number and check digit."""
    generator = SeededVehicleProvider(3)
    vins = [generator.vin() for _ in range(500)]

    assert all(is_valid(vin) for vin in vins)
    assert all(vin[:3] in MANUFACTURERS for vin in vins)
    assert all(vin[9] in MODEL_YEARS for vin in vins)
    assert all(vin[11:].isdigit() for vin in vins)
    assert len({vin[:3] for vin in vins}) == len(MANUFACTURERS)


def test_the_alphabets_have_no_ambiguous_characters() -> None:
    """No I, O, Q anywhere; no U, Z, 0 for a model year."""
    assert len(ALPHABET) == 33
    assert len(MODEL_YEARS) == 30
    assert not set("IOQ") & set(ALPHABET)
    assert not set("IOQUZ0") & set(MODEL_YEARS)
