"""The flags of `serve` in their plain form, read without the library that words help and usage errors.

That library takes a good part of a start. Whatever is not plain here is left to it: help and mistakes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from mock_server.settings import Settings

_KINDS: dict[str, Any] = {field.name: field.type for field in fields(Settings) if field.name != "fixtures"}
HINTS = "hints"


class _NotPlainError(Exception):
    """Something that the other reading has to judge."""


def plain_flags(arguments: Sequence[str]) -> dict[str, Any] | None:
    """What was given, by name, from `--name value`, `--name=value`, `--name` and `--no-name`; None if not plain.

    `hints` is among them, and `fixtures` is the argument without a name.
    """
    given: dict[str, Any] = {}
    rest = iter(arguments)
    try:
        for argument in rest:
            if argument.startswith("-"):
                _option(argument, rest, given)
            elif "fixtures" in given:
                return None
            else:
                given["fixtures"] = Path(argument)
    except (_NotPlainError, ValueError):
        return None
    return given


def _option(argument: str, rest: Iterator[str], given: dict[str, Any]) -> None:
    flag, equals, value = argument.partition("=")
    name = flag.removeprefix("--").replace("-", "_")
    if "_" in flag or not flag.startswith("--"):
        raise _NotPlainError
    if not equals and _is_switch(name.removeprefix("no_")):
        if name == f"no_{HINTS}":
            raise _NotPlainError
        given[name.removeprefix("no_")] = not name.startswith("no_")
        return
    kind = _KINDS.get(name)
    if kind not in (int, str):
        raise _NotPlainError
    value = value if equals else next(rest, "-")
    if not equals and value.startswith("-"):
        raise _NotPlainError
    if name == "fetch":
        given[name] = ",".join([*given.get(name, "").split(","), value]) if name in given else value
    else:
        given[name] = kind(value)


def _is_switch(name: str) -> bool:
    return name == HINTS or _KINDS.get(name) is bool
