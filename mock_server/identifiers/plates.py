"""Licence plate formats: the patterns of a region's plates and the letters that it issues.

In a pattern, `L` is a letter, `D` a digit and `N` a digit other than zero. A format's `slots` define further
characters, such as `@` for the code of a district or state. All other characters are literal.
"""

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.resources import files

Pick = Callable[[Sequence[str]], str]
"""Chooses one element of a sequence, all equally likely."""

_DIGITS = "0123456789"


@dataclass(frozen=True)
class PlateFormat:
    """The plates of one region. Each slot has choices separated by spaces.

    `weight`: how frequent the region is among random plates. `forbidden`: parts of a text that are never issued.
    """

    patterns: Sequence[str]
    letters: str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    weight: int = 1
    slots: Mapping[str, str] = field(default_factory=dict)
    forbidden: Sequence[str] = ()

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
        return {"L": self.letters, "D": _DIGITS, "N": _DIGITS[1:], **slots}

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


_TABLES = tomllib.loads(files(__package__).joinpath("plate_formats.toml").read_text("utf-8"))
PLATE_FORMATS = {region: PlateFormat(**table) for region, table in _TABLES.items()}
"""Region code, as providers report it, to the format of its plates."""


def regions_of(text: str) -> tuple[str, ...]:
    """The codes of all regions whose format `text` has."""
    return tuple(code for code, plate_format in PLATE_FORMATS.items() if plate_format.matches(text))
