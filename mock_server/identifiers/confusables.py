"""Characters that OCR confuses with each other, and the misreadings that follow."""

from collections.abc import Collection
from dataclasses import dataclass
from itertools import combinations

Similar = tuple[tuple[str, float], ...]
"""Characters similar to one character, with the similarity (0 to 1), the most similar first."""

_PAIRS = {
    0.95: "0O",
    0.90: "1I",
    0.85: "8B",
    0.80: "0D OD",
    0.75: "0Q OQ 5S",
    0.70: "2Z",
    0.60: "UV 6G",
    0.50: "17 1L",
    0.45: "VY 68 38",
    0.40: "CG KX MN PR EF",
    0.35: "HN WV 4A",
    0.30: "T7",
    0.25: "90",
    0.20: "J3",
}
"""Similarity (an estimate) to the pairs of characters that have it."""


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another reading of a text; `likeness` is 0 to 1, where 1 is the text itself."""

    text: str
    likeness: float


def _similar_characters() -> dict[str, Similar]:
    similar: dict[str, list[tuple[str, float]]] = {}
    for likeness, pairs in _PAIRS.items():
        for pair in pairs.split():
            similar.setdefault(pair[0], []).append((pair[1], likeness))
            similar.setdefault(pair[1], []).append((pair[0], likeness))
    return {char: tuple(sorted(others, key=lambda other: (-other[1], other[0]))) for char, others in similar.items()}


LOOK_ALIKES = _similar_characters()
"""Upper-case character to the characters similar to it."""


def look_alikes(char: str, allowed: Collection[str] | None = None) -> Similar:
    """The characters similar to `char` (either case), limited to those in `allowed` if given."""
    others = LOOK_ALIKES.get(char.upper(), ())
    return others if allowed is None else tuple(other for other in others if other[0] in allowed)


def alternatives(text: str, limit: int, *, allowed: Collection[str] | None = None) -> list[Alternative]:
    """Up to `limit` (at least 1) misreadings of `text`, the most likely first; `text` itself is not among them.

    A misreading replaces one or two characters and keeps their case. `allowed` limits the characters that may appear
    (a VIN has no I, O or Q). The likeness of two replacements is their product, so one mistake ranks higher.
    """
    changes = [
        (likeness, index, other) for index, char in enumerate(text) for other, likeness in look_alikes(char, allowed)
    ]
    # Single replacements alone fill the limit down to this likeness, so less likely ones and pairs are left out.
    ranked = sorted((likeness for likeness, *_ in changes), reverse=True)
    least = ranked[limit - 1] if limit <= len(ranked) else 0.0
    changes = [change for change in changes if change[0] >= least]
    readings = [(-likeness, _replace(text, index, other)) for likeness, index, other in changes]
    for (likeness, first, one), (factor, second, other) in combinations(changes, 2):
        if first != second and likeness * factor >= least:
            readings.append((-likeness * factor, _replace(_replace(text, first, one), second, other)))
    return [Alternative(reading, round(-negative, 4)) for negative, reading in sorted(readings)[:limit]]


def confuse(text: str, count: int, *, allowed: Collection[str] | None = None) -> str:
    """`text` with the `count` characters replaced that are easiest to confuse; fewer if `text` has fewer of them."""
    best = [
        (-others[0][1], index, others[0][0])
        for index, char in enumerate(text)
        if (others := look_alikes(char, allowed))
    ]
    for _, index, other in sorted(best)[:count]:
        text = _replace(text, index, other)
    return text


def _replace(text: str, index: int, char: str) -> str:
    """`text` with another character at `index`, in the case of the old one."""
    return text[:index] + (char.lower() if text[index].islower() else char) + text[index + 1 :]
