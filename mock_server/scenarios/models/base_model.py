"""The parts that the fixture models share: strict keys and short forms."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from mock_server.scenarios.models.field_types import (
    HEADER_NAME,
    NONEMPTY_TEXT,
    AnyText,
    JsonSchema,
    any_case,
    expected,
    invalid,
    scalar_text,
)
from mock_server.suggest import quoted


class FixtureModel(BaseModel):
    """A mapping in a fixture file. An unknown key is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class _Check:
    """An annotation that checks or changes the raw value before the annotated type reads it."""

    __slots__ = ()

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self.check, handler(source))

    def check(self, value: object) -> object:
        """The value that the annotated type reads."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, eq=False)
class OneWord(_Check):
    """A plain value stands for a mapping of `keys` to it: `plate: 7XYZ123` for `plate: {text: 7XYZ123}`."""

    keys: tuple[str, ...]
    schema: JsonSchema | None = None

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchema:
        return {"anyOf": [self.schema or NONEMPTY_TEXT, handler(schema)]}

    def check(self, value: object) -> object:
        if scalar_text(value) is not None:
            return dict.fromkeys(self.keys, value)
        if not isinstance(value, dict):
            raise expected("a value, or a mapping of keys")
        return value


@dataclass(frozen=True, slots=True, eq=False)
class OneOrMany(_Check):
    """A single value stands for a list of one."""

    what: str
    can_be_empty: bool = False

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchema:
        many = dict(handler(schema)) | ({} if self.can_be_empty else {"minItems": 1})
        return {"anyOf": [many["items"], many]}

    def check(self, value: object) -> object:
        if not isinstance(value, list):
            return [value]
        if not value and not self.can_be_empty:
            raise expected(f"{self.what}, or a list of them")
        return value


@dataclass(frozen=True, slots=True, eq=False)
class Exactly(_Check):
    """A list of `count` values; `what` describes them."""

    count: int
    what: str

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchema:
        return dict(handler(schema)) | {"minItems": self.count, "maxItems": self.count}

    def check(self, value: object) -> object:
        if not isinstance(value, list) or len(value) != self.count:
            raise expected(self.what)
        return value


@dataclass(frozen=True, slots=True, eq=False)
class Converted:
    """A value that is written as `written_as` and becomes another type by `convert`."""

    written_as: Any
    convert: Callable[[Any], object]

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.convert, handler.generate_schema(self.written_as))


def header_names(headers: dict[str, str]) -> dict[str, str]:
    """Refuse names and values that are not valid in HTTP, and names that differ only in case."""
    seen: set[str] = set()
    for name, value in headers.items():
        if not HEADER_NAME.fullmatch(name):
            raise invalid(f"{quoted(name)} is not a valid name of an HTTP header")
        if name.lower() in seen:
            raise invalid(f"the header {quoted(name)} is given twice", "the case of header names does not matter")
        if not value.isprintable() or not value.isascii():
            raise invalid(f"the header {quoted(name)} contains characters that are not allowed in HTTP headers")
        seen.add(name.lower())
    return headers


def reply_headers(headers: dict[str, str]) -> dict[str, str]:
    """Refuse the headers that describe how the body is sent."""
    for name in header_names(headers):
        if name.lower() in _FRAMING:
            raise invalid(f"the header {quoted(name)} is set by the server", "a fault breaks the reply")
    return headers


_FRAMING = ("content-length", "transfer-encoding")
_NAMES: JsonSchema = {"pattern": f"^{HEADER_NAME.pattern}$"}
_REPLY_NAMES: JsonSchema = {**_NAMES, "not": {"pattern": f"^({any_case(_FRAMING)})$"}}

Headers = Annotated[
    dict[str, AnyText], AfterValidator(header_names), Field(json_schema_extra={"propertyNames": _NAMES})
]
ReplyHeaders = Annotated[
    dict[str, AnyText], AfterValidator(reply_headers), Field(json_schema_extra={"propertyNames": _REPLY_NAMES})
]


def without_titles(schema: Any) -> Any:
    """A generated JSON Schema without titles and null defaults."""
    if isinstance(schema, list):
        return [without_titles(item) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    dropped = {
        key
        for key in ("title", "default")
        if (key == "title" and isinstance(schema.get(key), str)) or (key == "default" and schema.get(key) is None)
    }
    return {key: without_titles(value) for key, value in schema.items() if key not in dropped}
