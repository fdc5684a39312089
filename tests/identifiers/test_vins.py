"""Vehicle identification numbers."""

import pytest

from mock_server.identifiers.generator import IdentifierGenerator
from mock_server.identifiers.vins import (
    ALPHABET,
    MAKERS,
    MODEL_YEARS,
    check_digit,
    is_valid,
    is_well_formed,
    with_check_digit,
    with_wrong_check_digit,
)

# VINs with published check digits, X among them.
REAL = [
    "JHLRD77874C026456",
    "1M8GDM9AXKP042788",
    "1HGCM82633A004352",
    "5GZCZ43D13S812715",
    "11111111111111111",
]


@pytest.mark.parametrize("vin", REAL)
def test_check_digits_of_real_numbers(vin: str) -> None:
    """The computed check digit is the one that the maker stamped."""
    assert check_digit(vin) == vin[8]
    assert is_valid(vin)


@pytest.mark.parametrize("vin", REAL)
def test_one_wrong_character_is_noticed(vin: str) -> None:
    """Any other character at a weighted place breaks the check digit, unless it has the same value."""
    other = "3" if vin[3] not in "3CLT" else "4"

    assert not is_valid(vin[:3] + other + vin[4:])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "JHLRD77874C02645",
        "JHLRD77874C0264566",
        "JHLRD77874C02645O",
        "IHLRD77874C026456",
        "jhlrd77874c026456",
    ],
)
def test_what_is_no_vin(text: str) -> None:
    """17 characters, upper case, never I, O or Q."""
    assert not is_well_formed(text)
    assert not is_valid(text)


@pytest.mark.parametrize("vin", REAL)
def test_right_and_wrong_check_digits(vin: str) -> None:
    """A number can be given its right check digit, or one that no validator accepts."""
    wrong = with_wrong_check_digit(vin)

    assert not is_valid(wrong)
    assert is_well_formed(wrong)
    assert with_check_digit(wrong) == vin


def test_generated_numbers_could_be_real() -> None:
    """Maker, model year, serial number and check digit are what a decoder accepts."""
    generator = IdentifierGenerator(3)
    vins = [generator.vin() for _ in range(500)]

    assert all(is_valid(vin) for vin in vins)
    assert all(vin[:3] in MAKERS for vin in vins)
    assert all(vin[9] in MODEL_YEARS for vin in vins)
    assert all(vin[11:].isdigit() for vin in vins)
    assert len({vin[:3] for vin in vins}) == len(MAKERS)


def test_the_alphabets_leave_out_what_is_mistaken() -> None:
    """No I, O, Q anywhere; no U, Z, 0 for a model year."""
    assert len(ALPHABET) == 33
    assert len(MODEL_YEARS) == 30
    assert not set("IOQ") & set(ALPHABET)
    assert not set("IOQUZ0") & set(MODEL_YEARS)
