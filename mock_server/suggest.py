"""Parts of messages: a text in quotes, a number with its noun, and a hint with the text that was probably meant."""

import difflib
from collections.abc import Iterable

_LONGEST_LIST = 20
_LONGEST_TEXT = 60


def quoted(written: object) -> str:
    """A text in quotes and on one line; a long text is cut."""
    text = str(written)
    shown = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text[:_LONGEST_TEXT])
    return f'"{shown}…"' if len(text) > _LONGEST_TEXT else f'"{shown}"'


def many(count: int, noun: str, plural: str | None = None) -> str:
    """A number with its noun: "1 request", "2 requests"."""
    return f"{count} {noun}" if count == 1 else f"{count} {plural or f'{noun}s'}"


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The one of `known` that was probably meant by `word`, if one is near enough. Case does not matter."""
    folded = {one.lower().replace("-", "_"): one for one in reversed(list(known))}
    # The comparison takes time in proportion to the length, and a long text is no misspelt word.
    start = word[:_LONGEST_TEXT].lower().replace("-", "_")
    near = difflib.get_close_matches(start, folded, n=1)
    return folded[near[0]] if near else None


def suggest(word: str, known: Iterable[str]) -> str:
    """A hint for the unknown `word`: the nearest of `known`, or all of them if they are few."""
    words = list(known)
    if (near := nearest(word, words)) is not None:
        return f"did you mean {quoted(near)}?"
    if words and len(words) <= _LONGEST_LIST:
        return f"known: {', '.join(words)}"
    return ""
