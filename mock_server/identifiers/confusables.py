"""Characters that recognisers take for one another, and the readings that such mistakes give."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations

_PAIRS: tuple[tuple[str, str, float], ...] = (
    ("0", "O", 0.95),
    ("1", "I", 0.90),
    ("8", "B", 0.85),
    ("0", "D", 0.80),
    ("O", "D", 0.80),
    ("0", "Q", 0.75),
    ("O", "Q", 0.75),
    ("5", "S", 0.75),
    ("2", "Z", 0.70),
    ("U", "V", 0.60),
    ("6", "G", 0.60),
    ("1", "7", 0.50),
    ("1", "L", 0.50),
    ("V", "Y", 0.45),
    ("6", "8", 0.45),
    ("3", "8", 0.45),
    ("C", "G", 0.40),
    ("K", "X", 0.40),
    ("M", "N", 0.40),
    ("P", "R", 0.40),
    ("E", "F", 0.40),
    ("H", "N", 0.35),
    ("W", "V", 0.35),
    ("4", "A", 0.35),
    ("T", "7", 0.30),
    ("9", "0", 0.25),
    ("J", "3", 0.20),
)


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another reading of a text; `likeness` is 0 to 1, 1 for the text itself."""

    text: str
    likeness: float


def _table() -> dict[str, tuple[tuple[str, float], ...]]:
    found: dict[str, list[tuple[str, float]]] = {}
    for first, second, likeness in _PAIRS:
        found.setdefault(first, []).append((second, likeness))
        found.setdefault(second, []).append((first, likeness))
    return {
        char: tuple(sorted(others, key=lambda other: (-other[1], other[0]))) for char, others in found.items()
    }


LOOK_ALIKES = _table()
"""Upper-case character to its look-alikes with their likeness (0 to 1), the likest first."""


def look_alikes(char: str, allowed: Iterable[str] | None = None) -> tuple[tuple[str, float], ...]:
    """The look-alikes of one character (either case), the likest first, only those in `allowed` where given."""
    permitted = None if allowed is None else frozenset(allowed)
    others = LOOK_ALIKES.get(char.upper(), ())
    return tuple(other for other in others if permitted is None or other[0] in permitted)


def alternatives(
    text: str, limit: int, *, allowed: Iterable[str] | None = None, changes: int = 2
) -> tuple[Alternative, ...]:
    """The likeliest misreadings of `text`, never `text` itself: up to `limit` of them, the likest first.

    At most `changes` characters are replaced in one misreading. `allowed` limits the characters that may appear
    (a VIN has no I, O or Q). Likeness multiplies, so one mistake comes before two. The case of a replaced
    character is kept.
    """
    permitted = None if allowed is None else frozenset(allowed)
    places = [index for index, char in enumerate(text) if look_alikes(char, permitted)]
    found: dict[str, float] = {}
    for count in range(1, min(changes, len(places)) + 1):
        for chosen in combinations(places, count):
            for reading, likeness in _replaced(text, chosen, permitted):
                found[reading] = max(likeness, found.get(reading, 0.0))
    ranked = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Alternative(reading, round(likeness, 4)) for reading, likeness in ranked[:limit])


def confuse(text: str, count: int, *, allowed: Iterable[str] | None = None) -> str:
    """`text` with its `count` most mistakable characters replaced by look-alikes; fewer where it has fewer."""
    permitted = None if allowed is None else frozenset(allowed)
    best = [
        (-others[0][1], index, others[0][0])
        for index, char in enumerate(text)
        if (others := look_alikes(char, permitted))
    ]
    chars = list(text)
    for _, index, other in sorted(best)[:count]:
        chars[index] = _in_case(other, chars[index])
    return "".join(chars)


def _replaced(
    text: str, places: tuple[int, ...], permitted: frozenset[str] | None
) -> Iterator[tuple[str, float]]:
    """Every way to replace the characters at all of `places`, with its likeness."""
    if not places:
        yield text, 1.0
        return
    first, rest = places[0], places[1:]
    for other, likeness in look_alikes(text[first], permitted):
        changed = text[:first] + _in_case(other, text[first]) + text[first + 1 :]
        for reading, weight in _replaced(changed, rest, permitted):
            yield reading, likeness * weight


def _in_case(char: str, like: str) -> str:
    return char.lower() if like.islower() else char
