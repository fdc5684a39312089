"""`none`: a field of a reading that replies leave out."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeGuard, TypeVar

from pydantic import BaseModel, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from mock_server.scenarios.models.field_types import JsonSchema, invalid

Value = TypeVar("Value")

_NULLS = frozenset({"null", "Null", "NULL", "~"})
"""What YAML reads as null."""


class Omission(Enum):
    """The value of a field that replies leave out."""

    NONE = "none"


@dataclass(frozen=True, slots=True, eq=False)
class Omissible:
    """The annotation of a field that is written as `written_as`, or as `none`.

    A null is a mistake: it could mean "left out" or "null in the reply". With `keeps_null`, the text `null` is text.
    """

    written_as: Any
    keeps_null: bool = False

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_wrap_validator_function(self._read, handler.generate_schema(self.written_as))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchema:
        written = dict(handler(schema))
        return {"anyOf": [written if self.keeps_null else _without_null(written), {"const": Omission.NONE.value}]}

    def _read(self, value: object, read: Callable[[object], object]) -> object:
        if value == Omission.NONE.value:
            return Omission.NONE
        if value is None or (isinstance(value, str) and value in _NULLS and not self.keeps_null):
            raise invalid("null has no meaning here", '"none" leaves the field out of the reply')
        return read(value)


def _without_null(schema: JsonSchema) -> JsonSchema:
    if isinstance(types := schema.get("type"), list):
        return schema | {"type": [name for name in types if name != "null"]}
    if choices := schema.get("anyOf"):
        return schema | {"anyOf": [choice for choice in choices if choice != {"type": "null"}]}
    return schema


def is_given(value: Value | Omission | None) -> TypeGuard[Value]:
    """Whether a field has a value of its own."""
    return value is not None and value is not Omission.NONE


def omitted(model: BaseModel) -> tuple[str, ...]:
    """The names of the fields that are `none`."""
    return tuple(name for name in type(model).model_fields if getattr(model, name) is Omission.NONE)
