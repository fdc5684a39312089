"""Globs of scenarios, as `fnmatch` matches them."""

import re
from fnmatch import translate
from functools import lru_cache

_MOST_COMPILED = 16_384
_WILDCARDS = frozenset("*?[")


def is_wild(glob: str) -> bool:
    """Whether a glob has wildcards."""
    return not _WILDCARDS.isdisjoint(glob)


def matches(text: str, glob: str) -> bool:
    """Whether a whole text matches a glob.

    `fnmatch` keeps few compiled globs. With thousands of scenarios it would compile each glob for each request, which
    takes a hundred times longer than this.
    """
    if "?" in glob or "[" in glob:
        return _compiled(glob).match(text) is not None
    first, *others = glob.split("*")
    if not others:
        return text == glob
    *middle, last = others
    at, end = len(first), len(text) - len(last)
    if at > end or not text.startswith(first) or not text.endswith(last):
        return False
    for part in middle:
        at = text.find(part, at, end)
        if at < 0:
            return False
        at += len(part)
    return True


@lru_cache(maxsize=_MOST_COMPILED)
def _compiled(glob: str) -> re.Pattern[str]:
    return re.compile(translate(glob))
