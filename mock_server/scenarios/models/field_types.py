"""Scalar types of the fixture models: text in, typed value out, and the JSON Schema that says the same.

From YAML every scalar comes as text; in the admin API's JSON numbers and booleans are typed. Both are taken.
"""

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from mock_server.suggest import quoted, suggest

JsonSchema = dict[str, Any]

FREE: JsonSchema = {"type": ["string", "number", "boolean", "null"]}
"""Free text as an editor's YAML reader types it: `007` a number, `null` nothing. All of it is text here."""

SOME: JsonSchema = FREE | {"minLength": 1}
"""Free text that is not empty."""


def wants(what: str) -> PydanticCustomError:
    """The mistake of a value that is not `what`; the value itself is named where the line is written."""
    return PydanticCustomError("wants", "{what}", {"what": what})


def wrong(what: str, hint: str = "") -> PydanticCustomError:
    """A mistake told in full."""
    return PydanticCustomError("wrong", "{what}", {"what": what, "hint": hint})


def written(value: object) -> str | None:
    """A scalar as text; None for anything else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    return None


@dataclass(frozen=True, slots=True, eq=False)
class Scalar:
    """Annotation of a model's field: how its text is read, and its JSON Schema."""

    read: Callable[[object], object]
    schema: JsonSchema = field(default_factory=dict)

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.read)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchema:
        return dict(self.schema)


def _text(value: object) -> str:
    text = written(value)
    if text is None:
        raise wants("text")
    return text


def _some_text(value: object) -> str:
    text = written(value)
    if not text:
        raise wants("text")
    return text


def _pattern(pattern: str, what: str) -> Callable[[object], str]:
    expression = re.compile(pattern)

    def read(value: object) -> str:
        text = written(value)
        if text is None or not expression.fullmatch(text):
            raise wants(what)
        return text

    return read


_INTEGER = re.compile(r"-?[0-9]{1,15}")
_NUMBER = re.compile(r"-?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?")
_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(ms|s|m|h)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_LONGEST = 3600.0
_FLAGS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


def whole_number(low: int, high: int | None = None) -> Scalar:
    """A whole number from `low` to `high`."""
    what = f"a whole number from {low} to {high}" if high is not None else f"a whole number, {low} or more"

    def read(value: object) -> int:
        text = written(value)
        if text is None or not _INTEGER.fullmatch(text):
            raise wants(what)
        number = int(text)
        if number < low or (high is not None and number > high):
            raise wants(what)
        return number

    schema: JsonSchema = {"type": ["integer", "string"], "minimum": low, "pattern": "^-?[0-9]{1,15}$"}
    return Scalar(read, schema | ({} if high is None else {"maximum": high}))


def number(low: float, high: float | None = None) -> Scalar:
    """A number from `low` to `high`."""
    what = f"a number from {low:g} to {high:g}" if high is not None else f"a number, {low:g} or more"

    def read(value: object) -> float:
        text = written(value)
        result = float(text) if text is not None and _NUMBER.fullmatch(text) else math.nan
        if not (math.isfinite(result) and low <= result and (high is None or result <= high)):
            raise wants(what)
        return result

    schema: JsonSchema = {"type": ["number", "string"], "minimum": low, "pattern": f"^{_NUMBER.pattern}$"}
    return Scalar(read, schema | ({} if high is None else {"maximum": high}))


def _duration(value: object) -> float:
    text = written(value)
    parts = _DURATION.fullmatch(text) if text is not None else None
    if parts is None:
        raise wants("a duration such as 200ms, 1.5s or 2m")
    seconds = float(parts[1]) * _SECONDS[parts[2]]
    if seconds > _LONGEST:
        raise wants("a duration of at most 1h")
    return seconds


def _flag(value: object) -> bool:
    text = written(value)
    if text is None or text.lower() not in _FLAGS:
        raise wants("true or false")
    return _FLAGS[text.lower()]


def choice(kind: type[Enum], what: str) -> Scalar:
    """One of the values of `kind`, spelled exactly."""
    values = {str(member.value): member for member in kind}

    def read(value: object) -> Enum:
        text = written(value)
        if text is None:
            raise wants(f"the name of {what}")
        if text not in values:
            raise wrong(f"unknown {what.split(' ', 1)[1]} {quoted(text)}", suggest(text, values))
        return values[text]

    return Scalar(read, {"enum": list(values)})


def one_of(
    words: Iterable[str], what: str, aliases: Callable[[str], str] = str, spellings: Iterable[str] = ()
) -> Scalar:
    """One of `words`; `aliases` turns `spellings`, in any case, into them."""
    known = tuple(words)

    def read(value: object) -> str:
        text = written(value)
        if text is None:
            raise wants(f"the name of {what}")
        if aliases(text) not in known:
            raise wrong(f"unknown {what.split(' ', 1)[1]} {quoted(text)}", suggest(text, known))
        return aliases(text)

    pattern: JsonSchema = {"type": "string", "pattern": f"^({any_case(spellings)})$"}
    return Scalar(read, pattern if spellings else {"enum": list(known)})


def any_case(words: Iterable[str]) -> str:
    """A pattern for `words` in any case, for JSON Schema, whose patterns have no flags."""
    return "|".join("".join(f"[{letter.lower()}{letter.upper()}]" for letter in word) for word in words)


_FLAG = Scalar(_flag, {"type": ["boolean", "string"], "pattern": f"^({any_case(_FLAGS)})$"})

AnyText = Annotated[str, Scalar(_text, FREE)]
Text = Annotated[str, Scalar(_some_text, SOME)]
OptionalAnyText = Annotated[str | None, Scalar(_text, FREE)]
OptionalText = Annotated[str | None, Scalar(_some_text, SOME)]
Flag = Annotated[bool, _FLAG]
OptionalFlag = Annotated[bool | None, _FLAG]
DURATION = Scalar(
    _duration, {"type": "string", "pattern": f"^{_DURATION.pattern}$", "examples": ["200ms", "1.5s", "2m"]}
)
Duration = Annotated[float, DURATION]
ScenarioName = Annotated[
    str,
    Scalar(
        _pattern(r"[a-z0-9-]+", "a name of lower-case letters, digits and hyphens"),
        {"type": ["string", "integer", "boolean", "null"], "pattern": "^[a-z0-9-]+$"},
    ),
]
Sha256 = Annotated[
    str | None,
    Scalar(
        lambda value: _pattern("[0-9a-fA-F]{64}", "64 hexadecimal digits")(value).lower(),
        {"type": ["string", "number"], "pattern": "^[0-9a-fA-F]{64}$"},
    ),
]
HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
