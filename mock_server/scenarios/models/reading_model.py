"""What a fixture file says about a picture: plates, VIN, other text."""

from typing import Annotated, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from mock_server.scenarios.models.base_model import Exactly, OneWord, Shape
from mock_server.scenarios.models.field_types import OptionalText, Text, number, whole_number, wrong

Score = Annotated[float, number(0, 1)]
OptionalScore = Annotated[float | None, number(0, 1)]


def _corners(box: list[int]) -> list[int]:
    xmin, ymin, xmax, ymax = box
    if xmin >= xmax or ymin >= ymax:
        raise wrong(
            f"the box {box} has no area",
            "a box is [xmin, ymin, xmax, ymax]: top-left, then bottom-right corner, in pixels",
        )
    return box


BoxCorners = Annotated[
    list[Annotated[int, whole_number(0)]],
    Exactly(4, "four whole numbers: [xmin, ymin, xmax, ymax]"),
    AfterValidator(_corners),
]
OptionalBox = Annotated[
    BoxCorners | None, Field(description="[xmin, ymin, xmax, ymax] in pixels of the upright picture.")
]


class CandidateShape(Shape):
    """Another text that the reader thought of."""

    model_config = ConfigDict(json_schema_extra={"not": {"required": ["score", "confidence"]}})

    text: Text = Field(description="The other text.")
    score: OptionalScore = Field(None, description="Its confidence, 0 to 1. `confidence` says the same.")
    confidence: OptionalScore = Field(None, description="Its confidence, 0 to 1.")
    box: OptionalBox = None

    @model_validator(mode="after")
    def _one_score(self) -> Self:
        if self.score is not None and self.confidence is not None:
            raise wrong('"score" and "confidence" are the same thing', "keep one of them")
        return self


class VehicleShape(Shape):
    """The vehicle that carries the plate."""

    type: Text = Field(description="What kind of vehicle, e.g. Sedan.")
    score: Score = Field(0.8, description="Confidence in the type, 0 to 1.")
    box: OptionalBox = None


class PlateShape(Shape):
    """A licence plate in the picture."""

    text: Text = Field(description="The text on the plate, kept as written.")
    region: OptionalText = Field(None, description="Code of the region, e.g. us-ca.")
    region_score: OptionalScore = Field(None, description="Confidence in the region, 0 to 1.")
    score: OptionalScore = Field(None, description="Confidence in the text, 0 to 1.")
    dscore: OptionalScore = Field(None, description="Confidence that this is a plate, 0 to 1.")
    box: OptionalBox = None
    candidates: list[Annotated[CandidateShape, OneWord(("text",))]] = Field(
        [], description="Other texts, best first; the text itself is put before them where it is missing."
    )
    vehicle: Annotated[VehicleShape, OneWord(("type",))] | None = Field(
        None, description="The vehicle that carries it."
    )


class VinShape(Shape):
    """A vehicle identification number in the picture."""

    text: Text = Field(description="The VIN, kept as written.")
    confidence: OptionalScore = Field(None, description="Confidence in the text, 0 to 1.")
    box: OptionalBox = None
    candidates: list[Annotated[CandidateShape, OneWord(("text",))]] = Field(
        [], description="Other texts, best first; the VIN itself is put before them where it is missing."
    )


Plate = Annotated[PlateShape, OneWord(("text",))]


class ReadingShape(Shape):
    """The truth about the picture."""

    model_config = ConfigDict(json_schema_extra={"not": {"required": ["plate", "plates"]}})

    plate: Plate | None = Field(None, description="The one plate in the picture.")
    plates: list[Plate] = Field([], description="Several plates in one picture.")
    vin: Annotated[VinShape, OneWord(("text",))] | None = Field(None, description="The VIN in the picture.")
    text: OptionalText = Field(None, description="Free text on the picture that is no VIN.")

    @model_validator(mode="after")
    def _plate_or_plates(self) -> Self:
        if {"plate", "plates"} <= self.model_fields_set:
            raise wrong('both "plate" and "plates"', 'list all of them under "plates"')
        return self
