"""What a fixture file says about a picture: plates, VIN, other text."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any, Self, TypeGuard, TypeVar

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler, model_validator
from pydantic_core import CoreSchema, core_schema

from mock_server.core.reading import OMITTED
from mock_server.imaging.geometry import Box
from mock_server.scenarios.models.field_types import (
    Converted,
    FixtureModel,
    JsonSchema,
    OptionalText,
    Text,
    exactly,
    invalid,
    number,
    one_word,
    whole_number,
)

Value = TypeVar("Value")

_NULLS = frozenset({"null", "Null", "NULL", "~"})
"""What YAML reads as null."""


class Omission(Enum):
    """The value of a field that replies leave out."""

    NONE = OMITTED


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


Score = Annotated[float, number(0, 1)]
OptionalScore = Annotated[float | Omission | None, Omissible(Annotated[float | None, number(0, 1)])]
ReadText = Annotated[str | Omission, Omissible(Text, keeps_null=True)]
"""The text that is read. `null` and `~` are texts too."""


def _box(corners: list[int]) -> Box:
    box = Box(*corners)
    if box.width <= 0 or box.height <= 0:
        raise invalid(
            f"the box {corners} has no area",
            "a box is [xmin, ymin, xmax, ymax]: top-left, then bottom-right corner, in pixels",
        )
    return box


_Corners = Annotated[list[Annotated[int, whole_number(0)]], exactly(4, "four whole numbers: [xmin, ymin, xmax, ymax]")]
OptionalBox = Annotated[
    Box | Omission | None,
    Omissible(Annotated[Box | None, Converted(_Corners, _box)]),
    Field(description="[xmin, ymin, xmax, ymax] in pixels of the upright picture."),
]


class CandidateModel(FixtureModel):
    """Another possible text."""

    model_config = ConfigDict(json_schema_extra={"not": {"required": ["score", "confidence"]}})

    text: ReadText = Field(description="The text.")
    score: OptionalScore = Field(None, description="Its confidence, 0 to 1. `confidence` means the same.")
    confidence: OptionalScore = Field(None, description="Its confidence, 0 to 1.")
    box: OptionalBox = None

    @property
    def any_score(self) -> float | Omission | None:
        """The confidence, under either name."""
        return self.confidence if self.score is None else self.score

    @model_validator(mode="after")
    def _one_score(self) -> Self:
        if self.score is not None and self.confidence is not None:
            raise invalid('"score" and "confidence" are the same thing', "keep one of them")
        return self


_CandidateList = list[Annotated[CandidateModel, one_word("text")]]
Candidates = Annotated[list[CandidateModel] | Omission, Omissible(_CandidateList)]


class VehicleModel(FixtureModel):
    """The vehicle that carries the plate."""

    type: Annotated[str | Omission, Omissible(Text)] = Field(description="The type of vehicle, e.g. Sedan.")
    score: OptionalScore = Field(None, description="Confidence in the type, 0 to 1.")
    box: OptionalBox = None


_Vehicle = Annotated[VehicleModel, one_word("type")]


class PlateModel(FixtureModel):
    """A licence plate in the picture."""

    text: ReadText = Field(description="The text on the plate, kept as written.")
    region: Annotated[str | Omission | None, Omissible(OptionalText)] = Field(
        None, description="Code of the region, e.g. us-ca."
    )
    region_score: OptionalScore = Field(None, description="Confidence in the region, 0 to 1.")
    score: OptionalScore = Field(None, description="Confidence in the text, 0 to 1.")
    dscore: OptionalScore = Field(None, description="Confidence that this is a plate, 0 to 1.")
    box: OptionalBox = None
    candidates: Candidates = Field(
        [], description="Possible texts, best first. The plate's own text is added as the first one."
    )
    vehicle: Annotated[VehicleModel | Omission | None, Omissible(_Vehicle | None)] = Field(
        None, description="The vehicle that carries the plate."
    )


class VinModel(FixtureModel):
    """A vehicle identification number in the picture."""

    text: ReadText = Field(description="The VIN, kept as written.")
    confidence: OptionalScore = Field(None, description="Confidence in the text, 0 to 1.")
    box: OptionalBox = None
    candidates: Candidates = Field(
        [], description="Possible texts, best first. The VIN's own text is added as the first one."
    )


Plate = Annotated[PlateModel, one_word("text")]


class ReadingModel(FixtureModel):
    """The true content of the picture."""

    model_config = ConfigDict(json_schema_extra={"not": {"required": ["plate", "plates"]}})

    plate: Plate | None = Field(None, description="The only plate in the picture.")
    plates: list[Plate] = Field([], description="Several plates in one picture.")
    vin: Annotated[VinModel, one_word("text")] | None = Field(None, description="The VIN in the picture.")
    text: OptionalText = Field(None, description="Other text in the picture, which is not a VIN.")

    @model_validator(mode="after")
    def _plate_or_plates(self) -> Self:
        if {"plate", "plates"} <= self.model_fields_set:
            raise invalid('both "plate" and "plates"', 'list all of them under "plates"')
        return self
