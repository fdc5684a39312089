"""Licence plate formats: the patterns of a region's plates and the letters that it issues.

In a pattern, `L` is a letter, `D` a digit, `N` a digit other than zero, and `@` one of the region's codes (a
district, a state, an age). A format's `slots` define further characters. All other characters are literal.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

Pick = Callable[[Sequence[str]], str]
"""Chooses one element of a sequence, all equally likely."""

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_DIGITS = "0123456789"


def _without(excluded: str) -> str:
    return "".join(letter for letter in _LETTERS if letter not in excluded)


_CONSONANTS = _without("AEIOUQ")


@dataclass(frozen=True)
class PlateFormat:
    """The plates of one region. `codes` and each slot are choices separated by spaces.

    `weight`: how frequent the region is among random plates. `forbidden`: parts of a text that are never issued.
    """

    patterns: tuple[str, ...]
    letters: str = _LETTERS
    codes: str = ""
    weight: int = 1
    slots: Mapping[str, str] = field(default_factory=dict)
    forbidden: tuple[str, ...] = ()

    def compose(self, pick: Pick) -> str:
        """The text of a plate, with its separators."""
        choices = self._choices
        text = "".join(pick(choices[char]) if char in choices else char for char in pick(self.patterns))
        # Forbidden parts are rare, so this recursion ends.
        return self.compose(pick) if any(part in text for part in self.forbidden) else text

    def matches(self, text: str) -> bool:
        """Whether `text` has this format. Case and separators do not matter."""
        return bool(self._expression.fullmatch(compact(text)))

    @cached_property
    def _choices(self) -> dict[str, Sequence[str]]:
        slots = {char: choices.split() for char, choices in self.slots.items()}
        return {"L": self.letters, "D": _DIGITS, "N": _DIGITS[1:], "@": self.codes.split(), **slots}

    @cached_property
    def _expression(self) -> re.Pattern[str]:
        return re.compile("|".join("".join(map(self._group, pattern)) for pattern in self.patterns))

    def _group(self, char: str) -> str:
        """The regular expression for one character of a pattern."""
        if char not in self._choices:
            return re.escape(compact(char))
        return "(?:" + "|".join(sorted(map(compact, self._choices[char]), key=len, reverse=True)) + ")"


def compact(text: str) -> str:
    """`text` as plates are compared: upper case, letters and digits only."""
    return re.sub(r"[^A-Z0-9]", "", text.upper())


def _numbers(*ranges: range) -> str:
    return " ".join(f"{number:02d}" for numbers in ranges for number in numbers)


_DE_DISTRICTS = (
    "B M HH K F S D DO E L DD HB H N KA MA WI MS FR KI AC BN BS ER HD HRO KS LB MZ OL OB PB RE SB TR UL WOB GT ERH"
)

PLATE_FORMATS: dict[str, PlateFormat] = {
    "us-ca": PlateFormat(("NLLLDDD",), _without("IOQ"), weight=6),
    "us-ny": PlateFormat(("LLL-DDDD",), _without("IOQ"), weight=3),
    "us-tx": PlateFormat(("LLL-DDDD",), _CONSONANTS, weight=4),
    "us-fl": PlateFormat(("LLL LDD",), _without("O"), weight=3),
    "us-il": PlateFormat(("LL DDDDD",), _without("IO"), weight=2),
    "ca-on": PlateFormat(("CLLL DDD",), _without("GIOQU"), weight=2),
    "gb": PlateFormat(
        ("12@ LLL",),
        _without("IQ"),
        _numbers(range(2, 27), range(51, 76)),
        weight=4,
        slots={"1": " ".join(_without("IJQTUXZ")), "2": " ".join(_without("IQZ"))},
    ),
    "de": PlateFormat(
        ("@-L NDDD", "&-LL NDDD", "@-LL NDD", "@-LL ND"),
        codes=_DE_DISTRICTS,
        weight=4,
        # A plate has at most eight characters, so four digits need a short district.
        slots={"&": " ".join(code for code in _DE_DISTRICTS.split() if len(code) < 3)},
        forbidden=("-HJ ", "-KZ ", "-NS ", "-SA ", "-SS "),
    ),
    "fr": PlateFormat(("LL-DDD-LL",), _without("IOU"), weight=3, forbidden=("SS", "WW")),
    "it": PlateFormat(("LL DDDLL",), _without("IOQU"), weight=2),
    "es": PlateFormat(("DDDD LLL",), _CONSONANTS, weight=2),
    "nl": PlateFormat(("LL-DDD-L", "L-DDD-LL", "N-LLL-DD"), _without("ACEIMOQUWY"), weight=2),
    "ua": PlateFormat(
        ("@ DDDD LL",),
        "ABCEHIKMOPTX",
        "AA KA AB AC AE AH AI AM AO AP AT AX BA BB BC BE BH BI BK BM BO BT BX CA CB CE",
        weight=2,
    ),
    "pl": PlateFormat(
        ("@ DDDDN", "@ DDDDL", "@ DDDLL", "@ DLDDN"),
        _without("BDIOQZ"),
        "WA WI KR PO DW LU EL SK WX WE RZ GA KK PY GD",
        weight=2,
    ),
    "br": PlateFormat(("LLLDLDD",), weight=2),
    "in": PlateFormat(
        ("@ 3 LL DDDN",),
        _without("IO"),
        "MH DL KA TN GJ UP HR RJ KL WB TS AP PB MP",
        weight=2,
        slots={"3": _numbers(range(1, 40))},
    ),
    "au-nsw": PlateFormat(("LLL-DDL", "LL-DD-LL"), _without("IOQ"), weight=2),
    "se": PlateFormat(("LLL DDD", "LLL DDL"), _without("IQV")),
    "be": PlateFormat(("1-LLL-DDD", "2-LLL-DDD"), _without("IMOQW")),
    "ch": PlateFormat(("@ NDDDDD", "@ NDDDD"), codes="ZH BE VD AG GE SG LU TI VS BL TG FR SO ZG"),
    "pt": PlateFormat(("LL-DD-LL",), _without("KWY")),
}
"""Region code, as providers report it, to the format of its plates."""


def regions_of(text: str) -> tuple[str, ...]:
    """The codes of all regions whose format `text` has."""
    return tuple(code for code, plate_format in PLATE_FORMATS.items() if plate_format.matches(text))
