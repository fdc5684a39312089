"""Types of single values in fixture files, each with its check and its JSON Schema.

A value from YAML is always text. A value from JSON may be a number or a boolean: it is read as if it were text.
"""

import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any

from pydantic import AfterValidator, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from mock_server.suggest import quoted, suggest

JsonSchema = dict[str, Any]

FREE_TEXT: JsonSchema = {"type": ["string", "number", "boolean", "null"]}
"""Text. An editor's YAML reader takes `007` for a number and `null` for nothing; both are text here."""

NONEMPTY_TEXT: JsonSchema = FREE_TEXT | {"minLength": 1}
"""Text that is not empty."""


def expected(what: str) -> PydanticCustomError:
    """The mistake of a value that is not `what`. The message names the key and the value."""
    return PydanticCustomError("expected", "{what}", {"what": what})


def invalid(what: str, hint: str | Callable[[], str] = "") -> PydanticCustomError:
    """A mistake with its complete message. A hint that takes time is a function, called if the mistake is reported."""
    return PydanticCustomError("invalid", "{what}", {"what": what, "hint": hint})


def scalar_text(value: object) -> str | None:
    """A single value as text; None for a mapping, a list or None."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    return None


@dataclass(frozen=True, slots=True, eq=False)
class Scalar:
    """The annotation of a field: how the value is read, and its JSON Schema."""

    read: Callable[[object], object]
    schema: JsonSchema = field(default_factory=dict)

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.read)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchema:
        return dict(self.schema)


_INTEGER = re.compile(r"-?[0-9]{1,15}")
_NUMBER = re.compile(r"-?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?")
_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(ms|s|m|h)")
_SECONDS = {"ms": Decimal("0.001"), "s": Decimal(1), "m": Decimal(60), "h": Decimal(3600)}
_LONGEST_SECONDS = 3600.0
_FLAGS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


def _pattern(pattern: str, what: str, schema: JsonSchema) -> Scalar:
    """Text that matches `pattern` as a whole."""
    expression = re.compile(pattern, re.DOTALL)

    def read(value: object) -> str:
        text = scalar_text(value)
        if text is None or not expression.fullmatch(text):
            raise expected(what)
        return text

    return Scalar(read, schema)


def whole_number(low: int, high: int | None = None) -> Scalar:
    """A whole number from `low` to `high`."""
    what = f"a whole number from {low} to {high}" if high is not None else f"a whole number, {low} or more"
    return _number(_INTEGER, int, "integer", low, high, what)


def number(low: float, high: float | None = None) -> Scalar:
    """A number from `low` to `high`."""
    what = f"a number from {low:g} to {high:g}" if high is not None else f"a number, {low:g} or more"
    return _number(_NUMBER, float, "number", low, high, what)


def _number(
    pattern: re.Pattern[str], kind: Callable[[str], float], json_type: str, low: float, high: float | None, what: str
) -> Scalar:
    def read(value: object) -> float:
        text = scalar_text(value)
        if text is None or not pattern.fullmatch(text):
            raise expected(what)
        number = kind(text)
        if not low <= number <= (sys.float_info.max if high is None else high):
            raise expected(what)
        return number

    schema: JsonSchema = {"type": [json_type, "string"], "minimum": low, "pattern": f"^{pattern.pattern}$"}
    return Scalar(read, schema | ({} if high is None else {"maximum": high}))


def choice(kind: type[Enum], what: str) -> Scalar:
    """One of the values of `kind`, spelled exactly."""
    values = {str(member.value): member for member in kind}
    return _one_of(values, what, str, {"enum": list(values)})


def one_of(
    words: Iterable[str], what: str, aliases: Callable[[str], str] = str, spellings: Iterable[str] = ()
) -> Scalar:
    """One of `words`; `aliases` turns each of `spellings`, in any case, into one of them."""
    values = {word: word for word in words}
    pattern: JsonSchema = {"type": "string", "pattern": f"^({any_case(spellings)})$"}
    return _one_of(values, what, aliases, pattern if spellings else {"enum": list(values)})


def _one_of(values: Mapping[str, object], what: str, aliases: Callable[[str], str], schema: JsonSchema) -> Scalar:
    def read(value: object) -> object:
        text = scalar_text(value)
        if text is None:
            raise expected(f"the name of {what}")
        if aliases(text) not in values:
            unknown = f"unknown {what.split(' ', 1)[1]} {quoted(text)}"
            raise invalid(unknown, lambda: suggest(text, values))
        return values[aliases(text)]

    return Scalar(read, schema)


def any_case(words: Iterable[str]) -> str:
    """A pattern for `words` in any case. Patterns in JSON Schema have no flags."""
    return "|".join("".join(f"[{letter.lower()}{letter.upper()}]" for letter in word) for word in words)


def _duration(value: object) -> float:
    text = scalar_text(value)
    parts = _DURATION.fullmatch(text) if text is not None else None
    if parts is None:
        raise expected("a duration such as 200ms, 1.5s or 2m")
    seconds = float(Decimal(parts[1]) * _SECONDS[parts[2]])
    if seconds > _LONGEST_SECONDS:
        raise expected("a duration of at most 1h")
    return seconds


def _flag(value: object) -> bool:
    text = scalar_text(value)
    if text is None or text.lower() not in _FLAGS:
        raise expected("true or false")
    return _FLAGS[text.lower()]


_ANY_TEXT = _pattern(".*", "text", FREE_TEXT)
_TEXT = _pattern(".+", "text", NONEMPTY_TEXT)
_FLAG = Scalar(_flag, {"type": ["boolean", "string"], "pattern": f"^({any_case(_FLAGS)})$"})
DURATION = Scalar(
    _duration, {"type": "string", "pattern": f"^{_DURATION.pattern}$", "examples": ["200ms", "1.5s", "2m"]}
)
_SCENARIO_NAME = _pattern(
    "[a-z0-9-]+",
    "a name of lower-case letters, digits and hyphens",
    {"type": ["string", "integer", "boolean", "null"], "pattern": "^[a-z0-9-]+$"},
)
_SHA256 = _pattern(
    "[0-9a-fA-F]{64}", "64 hexadecimal digits", {"type": ["string", "number"], "pattern": "^[0-9a-fA-F]{64}$"}
)

AnyText = Annotated[str, _ANY_TEXT]
Text = Annotated[str, _TEXT]
OptionalAnyText = Annotated[str | None, _ANY_TEXT]
OptionalText = Annotated[str | None, _TEXT]
Flag = Annotated[bool, _FLAG]
OptionalFlag = Annotated[bool | None, _FLAG]
Duration = Annotated[float, DURATION]
ScenarioName = Annotated[str, _SCENARIO_NAME]
Sha256 = Annotated[str | None, _SHA256, AfterValidator(str.lower)]
