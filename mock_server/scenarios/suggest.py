"""Did you mean …? The nearest of the words that are known."""

import difflib
from collections.abc import Iterable

_LISTED = 16


def suggest(word: str, known: Iterable[str]) -> str:
    """A hint for the unknown `word`: the nearest of `known`, or all of them where they are few."""
    words = list(known)
    folded = {one.lower().replace("-", "_"): one for one in reversed(words)}
    near = difflib.get_close_matches(word.lower().replace("-", "_"), folded, n=1, cutoff=0.6)
    if near:
        return f'did you mean "{folded[near[0]]}"?'
    if words and len(words) <= _LISTED:
        return f"known: {', '.join(words)}"
    return ""
