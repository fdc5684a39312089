"""`${VAR}` and `${VAR:-default}` in fixture files: keys, tokens, ports and URLs from the environment."""

import os
import re
from collections.abc import Iterator
from typing import Any

from mock_server.errors import Mistake
from mock_server.scenarios.source import DocumentPath, Source
from mock_server.suggest import quoted

_EVERY = "*"
SCENARIO_PLACES = (("when", "key"), ("when", "url"))
MOCK_PLACES = (("accounts", _EVERY, "key"), ("admin_token",), ("admin-token",), ("port",))
_REFERENCE = re.compile(r"(\$?)\$\{([^}]*)\}")
_BRACES = re.compile(r"\$\{[^}]*\}")
_VARIABLE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?", re.DOTALL)


class _UnsetError(Exception):
    """A reference without a value: what is wrong, and a hint."""


def expand(document: object, places: tuple[tuple[str, ...], ...], source: Source, mistakes: list[Mistake]) -> bool:
    """Replace the references at some places of a document. Returns whether there are any.

    A reference without a value is a mistake, and its text stays. The values of variables are never part of a mistake.
    """
    has_references = False
    for place in places:
        for holder, name, path in list(_holders(document, place, ())):
            text = holder[name]
            if not isinstance(text, str) or not _REFERENCE.search(text):
                continue
            has_references = True
            try:
                holder[name] = _REFERENCE.sub(_value, text)
            except _UnsetError as error:
                mistakes.append(source.mistake(path, *error.args))
                if len(path) == 1:
                    # The text is no valid setting.
                    del holder[name]
    return has_references


def escape(document: object, places: tuple[tuple[str, ...], ...]) -> None:
    """Write the texts at some places of a document so that `expand` gives them back."""
    for place in places:
        for holder, name, _ in list(_holders(document, place, ())):
            if isinstance(holder[name], str):
                holder[name] = _BRACES.sub(r"$\g<0>", holder[name])


def _holders(
    document: object, place: tuple[str, ...], path: DocumentPath
) -> Iterator[tuple[dict[str, Any], str, DocumentPath]]:
    """The mappings that have a place's last name, with that name and its path."""
    name, *rest = place
    if name == _EVERY:
        for number, item in enumerate(document if isinstance(document, list) else ()):
            yield from _holders(item, tuple(rest), (*path, number))
    elif isinstance(document, dict) and name in document:
        if rest:
            yield from _holders(document[name], tuple(rest), (*path, name))
        else:
            yield document, name, (*path, name)


def _value(match: re.Match[str]) -> str:
    if match[1]:
        return match[0][1:]
    variable = _VARIABLE.fullmatch(match[2])
    if variable is None:
        raise _UnsetError(
            f"{quoted(match[0])} names no variable", "write ${NAME} or ${NAME:-default}; $${ is a plain ${"
        )
    name, default = variable[1], variable[2]
    if default is not None:
        return os.environ.get(name) or default
    if name not in os.environ:
        raise _UnsetError(f"the variable {name} is not set", f"${{{name}:-default}} gives it a default")
    return os.environ[name]
