"""Vehicle identification numbers (49 CFR 565): form, check digit, manufacturers, model years.

Positions count from 1, as in the standard: 1-3 manufacturer, 4-8 vehicle attributes, 9 check digit, 10 model year,
11 plant, 12-17 serial number.
"""

from collections.abc import Callable, Sequence

VIN_LENGTH = 17
ALPHABET = "ABCDEFGHJKLMNPRSTUVWXYZ0123456789"
"""The characters of a VIN: no I, O or Q."""

MODEL_YEARS = "ABCDEFGHJKLMNPRSTVWXY123456789"
"""The 30 codes of position 10: no I, O, Q, U, Z or 0."""

_VALUES = dict(
    zip("0123456789ABCDEFGHJKLMNPRSTUVWXYZ", [*range(10), *range(1, 9), *range(1, 6), 7, 9, *range(2, 10)], strict=True)
)
_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)

# fmt: off
MANUFACTURERS = (
    "1HG", "1FA", "1FT", "1G1", "1GC", "1C4", "1N4",  # United States: Honda, Ford, Chevrolet, Jeep, Nissan
    "2HG", "2T1", "3VW", "3N1",  # Canada: Honda, Toyota; Mexico: Volkswagen, Nissan
    "4T1", "4S4", "5YJ", "5NP", "5XY",  # United States: Toyota, Subaru, Tesla, Hyundai, Kia
    "JHL", "JHM", "JTD", "JN1", "JM1", "JF1",  # Japan: Honda, Toyota, Nissan, Mazda, Subaru
    "KMH", "KNA",  # Korea: Hyundai, Kia
    "SAL", "SAJ", "TMB",  # United Kingdom: Land Rover, Jaguar; Czechia: Skoda
    "VF1", "VF3", "VSS",  # France: Renault, Peugeot; Spain: Seat
    "W0L", "WAU", "WBA", "WDD", "WP0", "WVW",  # Germany: Opel, Audi, BMW, Mercedes-Benz, Porsche, Volkswagen
    "YV1", "ZAR", "ZFA",  # Sweden: Volvo; Italy: Alfa Romeo, Fiat
)
"""World manufacturer identifiers (positions 1-3)."""
# fmt: on


def check_digit(vin: str) -> str:
    """The check digit (0-9 or X) that belongs at position 9 of a well-formed VIN; the present one is ignored."""
    total = sum(_VALUES[char] * weight for char, weight in zip(vin, _WEIGHTS, strict=True))
    return "0123456789X"[total % 11]


def is_well_formed(vin: str) -> bool:
    """Whether `vin` has 17 characters, all in `ALPHABET`."""
    return len(vin) == VIN_LENGTH and all(char in _VALUES for char in vin)


def is_valid(vin: str) -> bool:
    """Whether `vin` is well-formed and its check digit is correct."""
    return is_well_formed(vin) and vin[8] == check_digit(vin)


def with_check_digit(vin: str) -> str:
    """`vin` (well-formed) with the correct check digit."""
    return vin[:8] + check_digit(vin) + vin[9:]


def with_wrong_check_digit(vin: str) -> str:
    """`vin` (well-formed) with a check digit that is one too high, so validators reject it."""
    digits = "0123456789X"
    wrong = digits[(digits.index(check_digit(vin)) + 1) % len(digits)]
    return vin[:8] + wrong + vin[9:]


def compose_vin(pick: Callable[[Sequence[str]], str]) -> str:
    """A VIN with a real manufacturer, a model year and a valid check digit. `pick` chooses one of a sequence."""
    letters, digits = ALPHABET[:23], ALPHABET[23:]
    description = "".join(pick(alphabet) for alphabet in (letters, letters, digits, digits, letters))
    plant = pick(letters)
    serial = "".join(pick(digits) for _ in range(6))
    return with_check_digit(pick(MANUFACTURERS) + description + "0" + pick(MODEL_YEARS) + plant + serial)
