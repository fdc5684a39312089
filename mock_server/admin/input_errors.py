"""What is wrong with a document or a parameter that a caller sent, with its place."""

from collections.abc import Iterable, Mapping
from typing import Any

from mock_server.errors import FixturesError, Mistake
from mock_server.suggest import suggest

PARAMETER = "?"
"""Stands before the name of a query parameter where a document's mistakes have a JSON pointer."""


def mistake(place: str, what: str, hint: str = "") -> FixturesError:
    """One mistake, to be raised; `place` is a JSON pointer, or `?` and a parameter's name."""
    return FixturesError([Mistake(place, 0, 0, what, hint)])


def pointer(*steps: str | int) -> str:
    """A JSON pointer (RFC 6901)."""
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in steps)


def as_object(document: object) -> Mapping[str, Any]:
    """The document, which must be a JSON object."""
    if not isinstance(document, Mapping):
        raise mistake("", "a JSON object is wanted")
    return document


def only_known(document: Mapping[str, Any], known: Iterable[str], *, parameters: bool = False) -> None:
    """Refuse keys, or parameters, that nobody knows; all of them at once."""
    names = list(known)
    kind = "parameter" if parameters else "key"
    mistakes = []
    for name in document:
        if name not in names:
            place = PARAMETER + name if parameters else pointer(name)
            mistakes.append(Mistake(place, 0, 0, f'unknown {kind} "{name[:80]}"', suggest(name, names)))
    if mistakes:
        raise FixturesError(mistakes)


def one_of(value: object, known: Iterable[str], place: str, what: str) -> str:
    """One of the words that are known."""
    words = list(known)
    if not isinstance(value, str):
        raise mistake(place, f"the name of a {what} is wanted", suggest("", words))
    if value not in words:
        raise mistake(place, f'unknown {what} "{value[:80]}"', suggest(value, words))
    return value
