"""Words of mistakes: what was written, in quotes, and what was probably meant."""

import difflib
from collections.abc import Iterable

_LISTED = 16
_LONGEST = 60


def quoted(written: object) -> str:
    """What was written, in quotes and on one line; long texts are cut short."""
    text = str(written)
    shown = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text[:_LONGEST])
    return f'"{shown}…"' if len(text) > _LONGEST else f'"{shown}"'


def suggest(word: str, known: Iterable[str]) -> str:
    """A hint for the unknown `word`: the nearest of `known`, or all of them where they are few."""
    words = list(known)
    folded = {one.lower().replace("-", "_"): one for one in reversed(words)}
    near = difflib.get_close_matches(word.lower().replace("-", "_"), folded, n=1, cutoff=0.6)
    if near:
        return f"did you mean {quoted(folded[near[0]])}?"
    if words and len(words) <= _LISTED:
        return f"known: {', '.join(words)}"
    return ""
