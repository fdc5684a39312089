"""What a fixture file says about a picture: plates, VIN, other text. Scores that it leaves out are filled in."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from enum import Enum
from typing import Annotated, Any, Self, TypeGuard, TypeVar

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler, model_validator
from pydantic_core import CoreSchema, core_schema

from mock_server.core import field_types as types
from mock_server.core.field_types import invalid
from mock_server.core.reading import OMITTED, Candidate, PlateReading, Reading, Vehicle, VinReading
from mock_server.imaging.geometry import Box

Value = TypeVar("Value")


_NULLS = frozenset({"null", "Null", "NULL", "~"})
"""What YAML reads as null."""
_CANDIDATE_FACTOR = 0.85
"""A candidate without a score gets the score of the one before it times this."""
_VEHICLE_SCORE = 0.8
"""The score of a vehicle that gives none, or whose score replies leave out."""


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

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> types.JsonSchema:
        written = dict(handler(schema))
        return {"anyOf": [written if self.keeps_null else _without_null(written), {"const": Omission.NONE.value}]}

    def _read(self, value: object, read: Callable[[object], object]) -> object:
        if value == Omission.NONE.value:
            return Omission.NONE
        if value is None or (isinstance(value, str) and value in _NULLS and not self.keeps_null):
            raise invalid("null has no meaning here", '"none" leaves the field out of the reply')
        return read(value)


def _without_null(schema: types.JsonSchema) -> types.JsonSchema:
    if isinstance(types := schema.get("type"), list):
        return schema | {"type": [name for name in types if name != "null"]}
    if choices := schema.get("anyOf"):
        return schema | {"anyOf": [choice for choice in choices if choice != {"type": "null"}]}
    return schema


def is_given(value: Value | Omission | None) -> TypeGuard[Value]:
    """Whether a field has a value of its own."""
    return value is not None and value is not Omission.NONE


class FixtureModel(BaseModel):
    """A mapping in a fixture file. An unknown key is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def value(self, kind: type[Value], **given: object) -> Value:
        """A dataclass of the core from the fields of the same names; `given` come first.

        None means "not given", so the core's own default applies.
        """
        names = {field.name for field in fields(kind)}  # type: ignore[arg-type] # no type variable says "dataclass"
        names &= type(self).model_fields.keys() - given.keys()
        same = {name: value for name in names if is_given(value := getattr(self, name))}
        return kind(**same, **given)

    @property
    def omitted(self) -> tuple[str, ...]:
        """The names of the fields that are `none`."""
        return tuple(name for name in type(self).model_fields if getattr(self, name) is Omission.NONE)


OptionalScore = Annotated[float | Omission | None, Omissible(Annotated[float | None, types.number(0, 1)])]
ReadText = Annotated[str | Omission, Omissible(types.Text, keeps_null=True)]
"""The text that is read. `null` and `~` are texts too."""


def _box(corners: list[int]) -> Box:
    box = Box(*corners)
    if box.width <= 0 or box.height <= 0:
        raise invalid(
            f"the box {corners} has no area",
            "a box is [xmin, ymin, xmax, ymax]: top-left, then bottom-right corner, in pixels",
        )
    return box


_Corners = Annotated[
    list[Annotated[int, types.whole_number(0)]], types.exactly(4, "four whole numbers: [xmin, ymin, xmax, ymax]")
]
OptionalBox = Annotated[
    Box | Omission | None,
    Omissible(Annotated[Box | None, types.Changed(after=_box, written_as=_Corners)]),
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

    def candidate(self, score: float) -> Candidate:
        """The candidate; `score` is used if it gives none."""
        left_out = tuple(dict.fromkeys("score" if name == "confidence" else name for name in self.omitted))
        score = self.any_score if is_given(self.any_score) else score
        return self.value(Candidate, text=self.text if is_given(self.text) else "", score=score, omitted=left_out)


_CandidateList = list[Annotated[CandidateModel, types.one_word("text")]]
Candidates = Annotated[list[CandidateModel] | Omission, Omissible(_CandidateList)]


class VehicleModel(FixtureModel):
    """The vehicle that carries the plate."""

    type: Annotated[str | Omission, Omissible(types.Text)] = Field(description="The type of vehicle, e.g. Sedan.")
    score: OptionalScore = Field(None, description="Confidence in the type, 0 to 1.")
    box: OptionalBox = None

    @property
    def vehicle(self) -> Vehicle:
        kind = self.type if is_given(self.type) else ""
        score = self.score if is_given(self.score) else _VEHICLE_SCORE
        return self.value(Vehicle, type=kind, score=score, omitted=self.omitted)


_Vehicle = Annotated[VehicleModel, types.one_word("type")]


class PlateModel(FixtureModel):
    """A licence plate in the picture."""

    text: ReadText = Field(description="The text on the plate, kept as written.")
    region: Annotated[str | Omission | None, Omissible(types.OptionalText)] = Field(
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

    @property
    def reading(self) -> PlateReading:
        score = _top_score(self, self.score, PlateReading().score)
        candidates = _candidates(self, score)
        vehicle = self.vehicle.vehicle if is_given(self.vehicle) else None
        return self.value(PlateReading, score=score, candidates=candidates, vehicle=vehicle, omitted=self.omitted)


class VinModel(FixtureModel):
    """A vehicle identification number in the picture."""

    text: ReadText = Field(description="The VIN, kept as written.")
    confidence: OptionalScore = Field(None, description="Confidence in the text, 0 to 1.")
    box: OptionalBox = None
    candidates: Candidates = Field(
        [], description="Possible texts, best first. The VIN's own text is added as the first one."
    )

    @property
    def reading(self) -> VinReading:
        score = _top_score(self, self.confidence, VinReading().confidence)
        return self.value(VinReading, confidence=score, candidates=_candidates(self, score), omitted=self.omitted)


def _top_score(model: PlateModel | VinModel, given: float | Omission | None, default: float) -> float:
    """The score of a reading: the given one, its own candidate's, or one that is not below any candidate's."""
    if is_given(given):
        return given
    candidates = model.candidates if is_given(model.candidates) else []
    scores = {candidate.text: candidate.any_score for candidate in reversed(candidates)}
    own = scores.get(model.text) if is_given(model.text) else None
    if isinstance(own, float):
        return own
    return max([default, *(score for score in scores.values() if isinstance(score, float))])


def _candidates(model: PlateModel | VinModel, score: float) -> tuple[Candidate, ...]:
    """All candidates with scores; the reading's own text comes first, unless replies leave it out."""
    if not is_given(model.candidates):
        return ()
    others = [one for one in model.candidates if one.text != model.text or not is_given(one.text)]
    found: list[Candidate] = []
    if is_given(model.text):
        own = next((one for one in model.candidates if one.text == model.text), CandidateModel(text=model.text))
        found.append(own.candidate(score))
    for other in others:
        lower = round(found[-1].score * _CANDIDATE_FACTOR, 3) if found else score
        found.append(other.candidate(lower))
    return tuple(found)


Plate = Annotated[PlateModel, types.one_word("text")]


class ReadingModel(FixtureModel):
    """The true content of the picture."""

    model_config = ConfigDict(json_schema_extra={"not": {"required": ["plate", "plates"]}})

    plate: Plate | None = Field(None, description="The only plate in the picture.")
    plates: list[Plate] = Field([], description="Several plates in one picture.")
    vin: Annotated[VinModel, types.one_word("text")] | None = Field(None, description="The VIN in the picture.")
    text: types.OptionalText = Field(None, description="Other text in the picture, which is not a VIN.")

    @model_validator(mode="after")
    def _plate_or_plates(self) -> Self:
        if {"plate", "plates"} <= self.model_fields_set:
            raise invalid('both "plate" and "plates"', 'list all of them under "plates"')
        return self

    @property
    def reading(self) -> Reading:
        plates = [self.plate] if self.plate else self.plates
        vin = self.vin.reading if self.vin else None
        return Reading(tuple(plate.reading for plate in plates), vin, self.text)
