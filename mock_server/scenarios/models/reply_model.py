"""The keys of a step that change the provider's reply field by field, or replace it."""

import re
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from mock_server.scenarios.models.field_types import (
    FixtureModel,
    JsonSchema,
    OptionalAnyText,
    OptionalText,
    ReplyHeaders,
    Scalar,
    expected,
    invalid,
    one_or_many,
    one_word,
    scalar_text,
    whole_number,
)
from mock_server.scenarios.yaml_reader import PlainScalar

_PATH = re.compile(r"[^.]+(\.[^.]+)*")
_JSON_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_JSON_WORDS: dict[str, Any] = {"true": True, "false": False, "null": None, "~": None}
_LOWEST, _HIGHEST = -(2**63), 2**64 - 1
"""The whole numbers that replies can have. Others become fractions."""
_MOST_DIGITS = 20
_WITHOUT_BODY = (204, 304)


def _path(value: object) -> str:
    text = scalar_text(value)
    if text is None or not _PATH.fullmatch(text):
        raise expected("the path of a field, such as results.box.ymax")
    return text


def _json_value(value: object) -> Any:
    """A value for JSON. Without quotes in YAML, numbers, true, false and null have their JSON types."""
    if isinstance(value, dict):
        return {str(key): _json_value(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_json_value(item) for item in value]
    if not isinstance(value, PlainScalar):
        return value
    text = str(value)
    if text in _JSON_WORDS:
        return _JSON_WORDS[text]
    number = _JSON_NUMBER.fullmatch(text)
    if not number:
        return text
    is_whole = not (number[2] or number[3]) and len(text) <= _MOST_DIGITS
    return int(text) if is_whole and _LOWEST <= int(text) <= _HIGHEST else float(text)


_PATH_SCHEMA: JsonSchema = {"type": ["string", "number", "boolean", "null"], "pattern": f"^{_PATH.pattern}$"}
FieldPath = Annotated[str, Scalar(_path, _PATH_SCHEMA)]
FieldPaths = Annotated[list[FieldPath], one_or_many("the path of a field", can_be_empty=True)]
JsonValue = Annotated[Any, Scalar(_json_value, {})]
AddedFields = Annotated[
    dict[FieldPath, JsonValue], Field(json_schema_extra={"propertyNames": {"pattern": _PATH_SCHEMA["pattern"]}})
]


class ReplyModel(FixtureModel):
    """A reply that is not the provider's."""

    status: Annotated[int, whole_number(200, 599)] = Field(200, description="The HTTP status.")
    headers: ReplyHeaders = Field({}, description="The headers of the reply. No other header describes the body.")
    body: OptionalAnyText = Field(None, description="The body, as text.")
    body_file: OptionalText = Field(None, description="A file with the body: a path relative to this file.")

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.body is not None and self.body_file is not None:
            raise invalid('both "body" and "body_file"', "keep one of them")
        if self.status in _WITHOUT_BODY and (self.body or self.body_file):
            raise invalid(f"a reply with the status {self.status} has no body", 'leave "body" out')
        return self


Reply = Annotated[ReplyModel, one_word("status", schema=whole_number(200, 599).schema)]
