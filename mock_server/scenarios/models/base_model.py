"""What the fixture models share: strict keys, one-word forms, and one value where a list is meant."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from mock_server.scenarios.models.field_types import (
    HEADER_NAME,
    SOME,
    AnyText,
    JsonSchema,
    wants,
    written,
    wrong,
)
from mock_server.suggest import quoted


class Shape(BaseModel):
    """A mapping in a fixture file. Unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True, eq=False)
class OneWord:
    """A plain value stands for a mapping of `keys` to it: `plate: 7XYZ123` for `plate: {text: 7XYZ123}`."""

    keys: tuple[str, ...]
    schema: JsonSchema | None = None

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self._widen, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchema:
        return {"anyOf": [self.schema or SOME, handler(schema)]}

    def _widen(self, value: object) -> object:
        if written(value) is not None:
            return dict.fromkeys(self.keys, value)
        if not isinstance(value, dict):
            raise wants("a value, or a mapping of keys")
        return value


@dataclass(frozen=True, slots=True, eq=False)
class OneOrMany:
    """A single value stands for a list of one. `or_none`: the list may be empty."""

    what: str
    or_none: bool = False

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self._widen, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchema:
        many = dict(handler(schema)) | ({} if self.or_none else {"minItems": 1})
        return {"anyOf": [many["items"], many]}

    def _widen(self, value: object) -> object:
        if isinstance(value, list):
            if not value and not self.or_none:
                raise wants(f"{self.what}, or a list of them")
            return value
        return [value]


@dataclass(frozen=True, slots=True, eq=False)
class Exactly:
    """A list of `count` values, as `what` says."""

    count: int
    what: str

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchema:
        return dict(handler(schema)) | {"minItems": self.count, "maxItems": self.count}

    def _check(self, value: object) -> object:
        if not isinstance(value, list) or len(value) != self.count:
            raise wants(self.what)
        return value


def header_names(headers: dict[str, str]) -> dict[str, str]:
    """Refuse names and values that no HTTP header can have, and names that differ only in case."""
    seen: set[str] = set()
    for name, value in headers.items():
        if not HEADER_NAME.fullmatch(name):
            raise wrong(f"{quoted(name)} is no name of an HTTP header")
        if name.lower() in seen:
            raise wrong(f"the header {quoted(name)} is given twice", "case does not tell header names apart")
        if not value.isprintable() or not value.isascii():
            raise wrong(f"the header {quoted(name)} holds characters that no HTTP header can carry")
        seen.add(name.lower())
    return headers


Headers = Annotated[
    dict[str, AnyText],
    AfterValidator(header_names),
    Field(json_schema_extra={"propertyNames": {"pattern": f"^{HEADER_NAME.pattern}$"}}),
]


def tidy(schema: Any) -> Any:
    """A generated JSON Schema without the titles and null defaults that help nobody."""
    if isinstance(schema, list):
        return [tidy(item) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    dropped = {
        key
        for key in ("title", "default")
        if (key == "title" and isinstance(schema.get(key), str))
        or (key == "default" and schema.get(key) is None)
    }
    return {key: tidy(value) for key, value in schema.items() if key not in dropped}
