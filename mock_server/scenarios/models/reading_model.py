"""What a fixture file says about a picture: plates, VIN, other text."""

from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from mock_server.imaging.geometry import Box
from mock_server.scenarios.models.field_types import (
    Converted,
    FixtureModel,
    OptionalText,
    Text,
    exactly,
    invalid,
    number,
    one_word,
    whole_number,
)
from mock_server.scenarios.models.omission import Omissible, Omission

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
