"""Licence plate formats: how a region's plates are composed, and which letters it really uses.

A pattern is the text as it stands on the plate. `L` is a serial letter, `D` a digit, `N` a digit but zero, and
`@` one of the region's codes (a district, a state, an age mark); anything else stands for itself.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

_ALL = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_DIGITS = "0123456789"
_CONSONANTS = "BCDFGHJKLMNPRSTVWXYZ"
Pick = Callable[[Sequence[str]], str]
"""Chooses one of the elements of a sequence, evenly."""


def _without(excluded: str) -> str:
    return "".join(letter for letter in _ALL if letter not in excluded)


@dataclass(frozen=True)
class PlateGrammar:
    """The plates of one region. `share` says how often it is met, against the others."""

    code: str
    name: str
    patterns: tuple[str, ...]
    letters: str = _ALL
    codes: tuple[str, ...] = ()
    share: int = 1
    slots: Mapping[str, Sequence[str]] = field(default_factory=dict)
    forbidden: tuple[str, ...] = ()

    def compose(self, pick: Pick) -> str:
        """A plate text as it stands on the plate, separators included."""
        pattern = pick(self.patterns)
        alphabets = self._alphabets
        text = "".join(pick(alphabets[char]) if char in alphabets else char for char in pattern)
        # A few letter pairs are never issued; composing again is rare and ends, as most pairs are.
        return self.compose(pick) if any(pair in text for pair in self.forbidden) else text

    def matches(self, text: str) -> bool:
        """Whether `text` has this region's format, whatever its case and separators."""
        return bool(self._expression.fullmatch(compact(text)))

    @cached_property
    def _alphabets(self) -> dict[str, Sequence[str]]:
        return {"L": self.letters, "D": _DIGITS, "N": _DIGITS[1:], "@": self.codes, **self.slots}

    @cached_property
    def _expression(self) -> re.Pattern[str]:
        def part(char: str) -> str:
            if char in self._alphabets:
                return (
                    "(?:" + "|".join(sorted(map(compact, self._alphabets[char]), key=len, reverse=True)) + ")"
                )
            return re.escape(compact(char))

        return re.compile("|".join("".join(map(part, pattern)) for pattern in self.patterns))


def compact(text: str) -> str:
    """`text` in upper case, letters and digits only: how plates are compared."""
    return re.sub(r"[^A-Z0-9]", "", text.upper())


_GB_AGES = tuple(f"{age:02d}" for age in (*range(2, 27), *range(51, 76)))
_DE_DISTRICTS = (
    *(
        "B",
        "M",
        "HH",
        "K",
        "F",
        "S",
        "D",
        "DO",
        "E",
        "L",
        "DD",
        "HB",
        "H",
        "N",
        "KA",
        "MA",
        "WI",
        "MS",
        "FR",
        "KI",
    ),
    *(
        "AC",
        "BN",
        "BS",
        "ER",
        "HD",
        "HRO",
        "KS",
        "LB",
        "MZ",
        "OL",
        "OB",
        "PB",
        "RE",
        "SB",
        "TR",
        "UL",
        "WOB",
        "GT",
        "ERH",
    ),
)
_UA_REGIONS = (
    *(
        "AA",
        "KA",
        "AB",
        "AC",
        "AE",
        "AH",
        "AI",
        "AM",
        "AO",
        "AP",
        "AT",
        "AX",
        "BA",
        "BB",
        "BC",
        "BE",
        "BH",
        "BI",
    ),
    *("BK", "BM", "BO", "BT", "BX", "CA", "CB", "CE"),
)
_PL_DISTRICTS = ("WA", "WI", "KR", "PO", "DW", "LU", "EL", "SK", "WX", "WE", "RZ", "GA", "KK", "PY", "GD")
_IN_STATES = ("MH", "DL", "KA", "TN", "GJ", "UP", "HR", "RJ", "KL", "WB", "TS", "AP", "PB", "MP")
_CH_CANTONS = ("ZH", "BE", "VD", "AG", "GE", "SG", "LU", "TI", "VS", "BL", "TG", "FR", "SO", "ZG")
_NO_VOWELS_NL = "BDFGHJKLNPRSTVXZ"

GRAMMARS: dict[str, PlateGrammar] = {
    grammar.code: grammar
    for grammar in (
        PlateGrammar("us-ca", "California", ("NLLLDDD",), _without("IOQ"), share=6),
        PlateGrammar("us-ny", "New York", ("LLL-DDDD",), _without("IOQ"), share=3),
        PlateGrammar("us-tx", "Texas", ("LLL-DDDD",), _CONSONANTS, share=4),
        PlateGrammar("us-fl", "Florida", ("LLL LDD",), _without("O"), share=3),
        PlateGrammar("us-il", "Illinois", ("LL DDDDD",), _without("IO"), share=2),
        PlateGrammar("ca-on", "Ontario", ("CLLL DDD",), _without("GIOQU"), share=2),
        PlateGrammar(
            *("gb", "United Kingdom", ("12@ LLL",), _without("IQ"), _GB_AGES, 4),
            slots={"1": _without("IJQTUXZ"), "2": _without("IQZ")},
        ),
        PlateGrammar(
            *("de", "Germany", ("@-L NDDD", "&-LL NDDD", "@-LL NDD", "@-LL ND"), _ALL, _DE_DISTRICTS, 4),
            # A plate has at most eight characters: four digits go with a short district only.
            slots={"&": tuple(code for code in _DE_DISTRICTS if len(code) < 3)},
            forbidden=("-HJ ", "-KZ ", "-NS ", "-SA ", "-SS "),
        ),
        PlateGrammar("fr", "France", ("LL-DDD-LL",), _without("IOU"), share=3, forbidden=("SS", "WW")),
        PlateGrammar("it", "Italy", ("LL DDDLL",), _without("IOQU"), share=2),
        PlateGrammar("es", "Spain", ("DDDD LLL",), _CONSONANTS, share=2),
        PlateGrammar("nl", "Netherlands", ("LL-DDD-L", "L-DDD-LL", "N-LLL-DD"), _NO_VOWELS_NL, share=2),
        PlateGrammar("ua", "Ukraine", ("@ DDDD LL",), "ABCEHIKMOPTX", _UA_REGIONS, 2),
        PlateGrammar(
            "pl", "Poland", ("@ DDDDN", "@ DDDDL", "@ DDDLL", "@ DLDDN"), _without("BDIOQZ"), _PL_DISTRICTS, 2
        ),
        PlateGrammar("br", "Brazil", ("LLLDLDD",), _ALL, share=2),
        PlateGrammar(
            *("in", "India", ("@ 3 LL DDDN",), _without("IO"), _IN_STATES, 2),
            slots={"3": tuple(f"{office:02d}" for office in range(1, 40))},
        ),
        PlateGrammar("au-nsw", "New South Wales", ("LLL-DDL", "LL-DD-LL"), _without("IOQ"), share=2),
        PlateGrammar("se", "Sweden", ("LLL DDD", "LLL DDL"), _without("IQV"), share=1),
        PlateGrammar("be", "Belgium", ("1-LLL-DDD", "2-LLL-DDD"), _without("IMOQW"), share=1),
        PlateGrammar("ch", "Switzerland", ("@ NDDDDD", "@ NDDDD"), _ALL, _CH_CANTONS, 1),
        PlateGrammar("pt", "Portugal", ("LL-DD-LL",), _without("KWY"), share=1),
    )
}
"""Region code, as recognisers give it, to the region's plates."""


def regions_of(text: str) -> tuple[str, ...]:
    """The codes of all regions whose format `text` has."""
    return tuple(code for code, grammar in GRAMMARS.items() if grammar.matches(text))
