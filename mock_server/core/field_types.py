"""The types of the fields that fixture files have: how a value is read, and its JSON Schema.

A value from YAML is always text. A value from JSON may be a number or a boolean: it is read as if it were text.

Pydantic applies the types. It is imported when it does, because a start from the cache reads no document.
"""

import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from mock_server.suggest import quoted, suggest

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic_core import CoreSchema, PydanticCustomError

JsonSchema = dict[str, Any]

FREE_TEXT: JsonSchema = {"type": ["string", "number", "boolean", "null"]}
"""Text. An editor's YAML reader takes `007` for a number and `null` for nothing; both are text here."""

NONEMPTY_TEXT: JsonSchema = FREE_TEXT | {"minLength": 1}
"""Text that is not empty."""


class Written:
    """Base of the dataclasses that are mappings in fixture files. An unknown key is a mistake."""

    __slots__ = ()
    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: "GetCoreSchemaHandler") -> "CoreSchema":
        from pydantic_core import core_schema

        return core_schema.no_info_wrap_validator_function(cls.read, handler(source))

    @classmethod
    def read(cls, mapping: Any, build: Callable[[Any], Self]) -> Self:
        """The value of a mapping. `build` reads each field; a class adds what concerns several of them."""
        return build(mapping)


def described(text: str, default: Any = MISSING, *, key: str | None = None) -> Any:
    """A field of a dataclass with its description. `key` is what is written if it is not the field's name.

    A default that is a mapping is the same object for all.
    """
    metadata = {"description": text} | ({"alias": key} if key else {})
    if isinstance(default, Mapping):
        return field(default_factory=lambda: default, metadata=metadata)
    return field(default=default, metadata=metadata)


def expected(what: str) -> "PydanticCustomError":
    """The mistake of a value that is not `what`. The message names the key and the value."""
    return _error("expected", what=what)


def invalid(what: str, hint: str | Callable[[], str] = "") -> "PydanticCustomError":
    """A mistake with its complete message. A hint that takes time is a function, called if the mistake is reported."""
    return _error("invalid", what=what, hint=hint)


def _error(kind: Literal["expected", "invalid"], **context: Any) -> "PydanticCustomError":
    from pydantic_core import PydanticCustomError

    return PydanticCustomError(kind, "{what}", context)


def scalar_text(value: object) -> str | None:
    """A single value as text; None for a mapping, a list or None."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    return None


@dataclass(eq=False, repr=False)
class Scalar:
    """The annotation of a field with a single value: how it is read, and its JSON Schema."""

    read: Callable[[object], object]
    schema: JsonSchema

    def __get_pydantic_core_schema__(self, source: object, handler: "GetCoreSchemaHandler") -> "CoreSchema":
        from pydantic_core import core_schema

        return core_schema.no_info_plain_validator_function(self.read)

    def __get_pydantic_json_schema__(self, schema: "CoreSchema", handler: "GetJsonSchemaHandler") -> JsonSchema:
        return dict(self.schema)


def _unchanged(value: Any) -> Any:
    return value


@dataclass(eq=False, repr=False)
class Changed:
    """The annotation of a field whose value is checked or changed `before` the field's type reads it, or `after` that.

    `schema` changes the JSON Schema. `written_as` is the type that reads the value, if it is not the field's type.
    """

    before: Callable[[Any], Any] = _unchanged
    after: Callable[[Any], Any] = _unchanged
    schema: Callable[[JsonSchema], JsonSchema] = dict
    written_as: Any = None

    def __get_pydantic_core_schema__(self, source: object, handler: "GetCoreSchemaHandler") -> "CoreSchema":
        from pydantic_core import core_schema

        inner = handler(source) if self.written_as is None else handler.generate_schema(self.written_as)
        return core_schema.no_info_wrap_validator_function(self._read, inner)

    def __get_pydantic_json_schema__(self, schema: "CoreSchema", handler: "GetJsonSchemaHandler") -> JsonSchema:
        return self.schema(dict(handler(schema)))

    def _read(self, value: object, read: Callable[[object], object]) -> object:
        return self.after(read(self.before(value)))


def one_word(*keys: str, schema: JsonSchema = NONEMPTY_TEXT) -> Changed:
    """A single value stands for a mapping of `keys` to it: `plate: 7XYZ123` for `plate: {text: 7XYZ123}`."""

    def prepare(value: object) -> object:
        if scalar_text(value) is not None:
            return dict.fromkeys(keys, value)
        if not isinstance(value, dict):
            raise expected("a value, or a mapping of keys")
        return value

    return Changed(prepare, schema=lambda mapping: {"anyOf": [schema, mapping]})


def one_or_many(what: str, *, can_be_empty: bool = False) -> Changed:
    """A single value stands for a list of one."""

    def prepare(value: object) -> object:
        if not isinstance(value, list):
            return [value]
        if not value and not can_be_empty:
            raise expected(f"{what}, or a list of them")
        return value

    size: JsonSchema = {} if can_be_empty else {"minItems": 1}
    return Changed(prepare, schema=lambda many: {"anyOf": [many["items"], many | size]})


def exactly(count: int, what: str) -> Changed:
    """A list of `count` values; `what` describes them."""

    def prepare(value: object) -> object:
        if not isinstance(value, list) or len(value) != count:
            raise expected(what)
        return value

    return Changed(prepare, schema=lambda many: many | {"minItems": count, "maxItems": count})


def whole_number(low: int, high: int | None = None) -> Scalar:
    """A whole number from `low` to `high`."""
    return _number("a whole number", r"-?[0-9]{1,15}", int, low, high)


def number(low: float, high: float | None = None) -> Scalar:
    """A number from `low` to `high`."""
    return _number("a number", r"-?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?", float, low, high)


def _number(what: str, pattern: str, kind: type[int] | type[float], low: float, high: float | None) -> Scalar:
    limits = f", {low:g} or more" if high is None else f" from {low:g} to {high:g}"

    def read(value: object) -> float:
        text = scalar_text(value)
        if text is None or not re.fullmatch(pattern, text):
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

    return Scalar(read, {"enum": list(values)} if aliases is None else {"type": "string", "pattern": any_case(names)})


def any_case(words: Iterable[str]) -> str:
    """A pattern for `words` in any case. Patterns in JSON Schema have no flags."""
    spellings = ("".join(f"[{letter.lower()}{letter.upper()}]" for letter in word) for word in words)
    return f"^({'|'.join(spellings)})$"


def matching(pattern: str, what: str, schema: JsonSchema) -> Scalar:
    """Text that matches `pattern` as a whole."""

    def read(value: object) -> str:
        text = scalar_text(value)
        if text is None or not re.fullmatch(pattern, text, re.DOTALL):
            raise expected(what)
        return text

    return Scalar(read, schema)


_DURATION = r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(ms|s|m|h)"
_SECONDS = {"ms": "0.001", "s": "1", "m": "60", "h": "3600"}
_LONGEST_SECONDS = 3600.0
_FLAGS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


def _duration(value: object) -> float:
    from decimal import Decimal  # takes milliseconds to load

    parts = re.fullmatch(_DURATION, scalar_text(value) or "")
    if parts is None:
        raise expected("a duration such as 200ms, 1.5s or 2m")
    seconds = float(Decimal(parts[1]) * Decimal(_SECONDS[parts[2]]))
    if seconds > _LONGEST_SECONDS:
        raise expected("a duration of at most 1h")
    return seconds


def _flag(value: object) -> bool:
    text = scalar_text(value)
    if text is None or text.lower() not in _FLAGS:
        raise expected("true or false")
    return _FLAGS[text.lower()]


_ANY_TEXT = matching(".*", "text", FREE_TEXT)
_TEXT = matching(".+", "text", NONEMPTY_TEXT)
_FLAG = Scalar(_flag, {"type": ["boolean", "string"], "pattern": any_case(_FLAGS)})
DURATION = Scalar(_duration, {"type": "string", "pattern": f"^{_DURATION}$", "examples": ["200ms", "1.5s", "2m"]})
_SHA256 = matching(
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
Sha256 = Annotated[str | None, _SHA256, Changed(after=str.lower)]
Score = Annotated[float, number(0, 1)]


def _share(value: object) -> float:
    from decimal import Decimal  # takes milliseconds to load

    parts = re.fullmatch(r"([0-9]{1,3}(?:\.[0-9]{1,9})?) ?%", scalar_text(value) or "")
    if parts is None or Decimal(parts[1]) > 100:
        raise expected("a percentage from 0% to 100%, such as 10% or 0.5%")
    return float(Decimal(parts[1]) / 100)


_PERCENTAGE = Scalar(
    _share,
    {"type": "string", "pattern": r"^(100(\.0{1,9})?|[0-9]{1,2}(\.[0-9]{1,9})?) ?%$", "examples": ["10%", "0.5%"]},
)
Percentage = Annotated[float, _PERCENTAGE]
OptionalPercentage = Annotated[float | None, _PERCENTAGE]
