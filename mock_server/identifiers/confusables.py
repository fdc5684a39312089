"""Characters that recognisers take for one another, and the readings that such mistakes give."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

Place = tuple[int, tuple[tuple[str, float], ...]]
"""Where a character stands in a text, and its look-alikes with their likeness, the likest first."""

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
    return others if permitted is None else tuple(other for other in others if other[0] in permitted)


def alternatives(
    text: str, limit: int, *, allowed: Iterable[str] | None = None, changes: int = 2
) -> tuple[Alternative, ...]:
    """The likeliest misreadings of `text`, never `text` itself: up to `limit` of them, the likest first.

    At most `changes` characters are replaced in one misreading. `allowed` limits the characters that may appear
    (a VIN has no I, O or Q). Likeness multiplies, so one mistake comes before two. The case of a replaced
    character is kept.
    """
    permitted = None if allowed is None else frozenset(allowed)
    places = [
        (index, look_alikes(char, permitted))
        for index, char in enumerate(text)
        if char.upper() in LOOK_ALIKES
    ]
    # Of the readings with one mistake so many are wanted at most; what two make of them must not be less likely.
    single = sorted((likeness for _, others in places for _, likeness in others), reverse=True)
    least = single[limit - 1] if 0 < limit <= len(single) else 0.0
    ranked = sorted(_misread(text, places, changes, least), key=lambda found: (-found[1], found[0]))
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


def _misread(
    text: str, places: Sequence[Place], changes: int, least: float, so_far: float = 1.0
) -> Iterator[tuple[str, float]]:
    """Every way to replace up to `changes` characters at these places, as long as its likeness is `least`."""
    if not changes:
        return
    for number, (index, others) in enumerate(places, 1):
        for other, alike in others:
            likeness = so_far * alike
            if likeness < least:
                break
            reading = text[:index] + _in_case(other, text[index]) + text[index + 1 :]
            yield reading, likeness
            yield from _misread(reading, places[number:], changes - 1, least, likeness)


def _in_case(char: str, like: str) -> str:
    return char.lower() if like.islower() else char
