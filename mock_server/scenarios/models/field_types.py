"""The base class of the fixture models, and the types of their fields: each with its check and its JSON Schema.

A value from YAML is always text. A value from JSON may be a number or a boolean: it is read as if it were text.
"""

import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from mock_server.suggest import quoted, suggest

JsonSchema = dict[str, Any]

FREE_TEXT: JsonSchema = {"type": ["string", "number", "boolean", "null"]}
"""Text. An editor's YAML reader takes `007` for a number and `null` for nothing; both are text here."""

NONEMPTY_TEXT: JsonSchema = FREE_TEXT | {"minLength": 1}
"""Text that is not empty."""


class FixtureModel(BaseModel):
    """A mapping in a fixture file. An unknown key is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


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
    """The annotation of a field with a single value: how it is read, and its JSON Schema."""

    read: Callable[[object], object]
    schema: JsonSchema

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.read)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchema:
        return dict(self.schema)


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """The annotation of a field whose raw value is checked or changed by `prepare` before the field's type reads it.

    `schema` makes the JSON Schema of the raw value from that of the type.
    """

    prepare: Callable[[object], object]
    schema: Callable[[JsonSchema], JsonSchema]

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self.prepare, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchema:
        return self.schema(dict(handler(schema)))


@dataclass(frozen=True, slots=True, eq=False)
class Converted:
    """The annotation of a field that is written as `written_as` and becomes another type by `convert`."""

    written_as: Any
    convert: Callable[[Any], object]

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.convert, handler.generate_schema(self.written_as))


def one_word(*keys: str, schema: JsonSchema = NONEMPTY_TEXT) -> Prepared:
    """A single value stands for a mapping of `keys` to it: `plate: 7XYZ123` for `plate: {text: 7XYZ123}`."""

    def prepare(value: object) -> object:
        if scalar_text(value) is not None:
            return dict.fromkeys(keys, value)
        if not isinstance(value, dict):
            raise expected("a value, or a mapping of keys")
        return value

    return Prepared(prepare, lambda mapping: {"anyOf": [schema, mapping]})


def one_or_many(what: str, *, can_be_empty: bool = False) -> Prepared:
    """A single value stands for a list of one."""

    def prepare(value: object) -> object:
        if not isinstance(value, list):
            return [value]
        if not value and not can_be_empty:
            raise expected(f"{what}, or a list of them")
        return value

    size: JsonSchema = {} if can_be_empty else {"minItems": 1}
    return Prepared(prepare, lambda many: {"anyOf": [many["items"], many | size]})


def exactly(count: int, what: str) -> Prepared:
    """A list of `count` values; `what` describes them."""

    def prepare(value: object) -> object:
        if not isinstance(value, list) or len(value) != count:
            raise expected(what)
        return value

    return Prepared(prepare, lambda many: many | {"minItems": count, "maxItems": count})


def whole_number(low: int, high: int | None = None) -> Scalar:
    """A whole number from `low` to `high`."""
    return _number("a whole number", r"-?[0-9]{1,15}", int, low, high)


def number(low: float, high: float | None = None) -> Scalar:
    """A number from `low` to `high`."""
    return _number("a number", r"-?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?", float, low, high)


def _number(what: str, pattern: str, kind: type[int] | type[float], low: float, high: float | None) -> Scalar:
    expression = re.compile(pattern)
    limits = f", {low:g} or more" if high is None else f" from {low:g} to {high:g}"

    def read(value: object) -> float:
        text = scalar_text(value)
        if text is None or not expression.fullmatch(text):
            raise expected(what + limits)
        number = kind(text)
        if not low <= number <= (sys.float_info.max if high is None else high):
            raise expected(what + limits)
        return number

    json_type = "integer" if kind is int else "number"
    schema: JsonSchema = {"type": [json_type, "string"], "minimum": low, "pattern": f"^{pattern}$"}
    return Scalar(read, schema if high is None else schema | {"maximum": high})


def choice(words: Iterable[str], what: str, aliases: Mapping[str, str] | None = None) -> Scalar:
    """One of `words`, spelled exactly. With `aliases` for some of them: in any case; the words are in upper case."""
    values = {str(word): word for word in words}
    names = {**{word: word for word in values}, **(aliases or {})}

    def read(value: object) -> object:
        text = scalar_text(value)
        if text is None:
            raise expected(f"the name of {what}")
        name = names.get(text if aliases is None else text.upper())
        if name is None:
            raise invalid(f"unknown {what.split(' ', 1)[1]} {quoted(text)}", lambda: suggest(text, values))
        return values[name]

    return Scalar(read, {"enum": list(values)} if aliases is None else {"type": "string", "pattern": _any_case(names)})


def _any_case(words: Iterable[str]) -> str:
    """A pattern for `words` in any case. Patterns in JSON Schema have no flags."""
    spellings = ("".join(f"[{letter.lower()}{letter.upper()}]" for letter in word) for word in words)
    return f"^({'|'.join(spellings)})$"


def _matching(pattern: str, what: str, schema: JsonSchema) -> Scalar:
    """Text that matches `pattern` as a whole."""
    expression = re.compile(pattern, re.DOTALL)

    def read(value: object) -> str:
        text = scalar_text(value)
        if text is None or not expression.fullmatch(text):
            raise expected(what)
        return text

    return Scalar(read, schema)


_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(ms|s|m|h)")
_SECONDS = {"ms": Decimal("0.001"), "s": Decimal(1), "m": Decimal(60), "h": Decimal(3600)}
_LONGEST_SECONDS = 3600.0
_FLAGS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


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


_ANY_TEXT = _matching(".*", "text", FREE_TEXT)
_TEXT = _matching(".+", "text", NONEMPTY_TEXT)
_FLAG = Scalar(_flag, {"type": ["boolean", "string"], "pattern": _any_case(_FLAGS)})
DURATION = Scalar(
    _duration, {"type": "string", "pattern": f"^{_DURATION.pattern}$", "examples": ["200ms", "1.5s", "2m"]}
)
_SHA256 = _matching(
    "[0-9a-fA-F]{64}", "64 hexadecimal digits", {"type": ["string", "number"], "pattern": "^[0-9a-fA-F]{64}$"}
)

AnyText = Annotated[str, _ANY_TEXT]
Text = Annotated[str, _TEXT]
OptionalAnyText = Annotated[str | None, _ANY_TEXT]
OptionalText = Annotated[str | None, _TEXT]
Flag = Annotated[bool, _FLAG]
OptionalFlag = Annotated[bool | None, _FLAG]
Duration = Annotated[float, DURATION]
OptionalDuration = Annotated[float | None, DURATION]
Sha256 = Annotated[str | None, _SHA256, AfterValidator(str.lower)]
_LONGEST_NAME = 100
"""The name of a scenario is sent in a header."""


def _scenario_name(text: str) -> str:
    if len(text) > _LONGEST_NAME:
        raise expected(f"a name of at most {_LONGEST_NAME} characters")
    return text


ScenarioName = Annotated[
    str,
    _matching(
        "[a-z0-9-]+",
        "a name of lower-case letters, digits and hyphens",
        {"type": ["string", "integer", "boolean", "null"], "pattern": "^[a-z0-9-]+$", "maxLength": _LONGEST_NAME},
    ),
    AfterValidator(_scenario_name),
]

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_FRAMING = ("content-length", "transfer-encoding")


def _headers(headers: dict[str, str]) -> dict[str, str]:
    """Refuse names and values that are not valid in HTTP, and names that differ only in case."""
    seen: set[str] = set()
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name):
            raise invalid(f"{quoted(name)} is not a valid name of an HTTP header")
        if name.lower() in seen:
            raise invalid(f"the header {quoted(name)} is given twice", "the case of header names does not matter")
        if not value.isprintable() or not value.isascii():
            raise invalid(f"the header {quoted(name)} contains characters that are not allowed in HTTP headers")
        seen.add(name.lower())
    return headers


def _reply_headers(headers: dict[str, str]) -> dict[str, str]:
    """Refuse the headers that describe how the body is sent."""
    for name in _headers(headers):
        if name.lower() in _FRAMING:
            raise invalid(f"the header {quoted(name)} is set by the server", "a fault breaks the reply")
    return headers


_NAMES: JsonSchema = {"pattern": f"^{_HEADER_NAME.pattern}$"}
_REPLY_NAMES: JsonSchema = {**_NAMES, "not": {"pattern": _any_case(_FRAMING)}}
Headers = Annotated[dict[str, AnyText], AfterValidator(_headers), Field(json_schema_extra={"propertyNames": _NAMES})]
ReplyHeaders = Annotated[
    dict[str, AnyText], AfterValidator(_reply_headers), Field(json_schema_extra={"propertyNames": _REPLY_NAMES})
]
