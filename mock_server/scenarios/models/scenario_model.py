"""The models of a scenario file. Descriptions end up in the JSON Schema, where editors show them."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from mock_server.core.model import Product
from mock_server.scenarios.models.base_model import FixtureModel, Headers, OneOrMany
from mock_server.scenarios.models.field_types import (
    AnyText,
    OptionalFlag,
    OptionalText,
    ScenarioName,
    Sha256,
    Text,
    choice,
    one_of,
    whole_number,
    wrong,
)
from mock_server.scenarios.models.reading_model import ReadingModel
from mock_server.scenarios.models.step_model import Step, StepModel

Size = Annotated[int | None, whole_number(1)]

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "MPO", "HEIF")
_OTHER_FORMATS = {"JPG": "JPEG", "TIF": "TIFF", "HEIC": "HEIF"}


def _format_name(text: str) -> str:
    upper = text.upper()
    return _OTHER_FORMATS.get(upper, upper)


_FORMAT = one_of(FORMATS, "an image format", _format_name, (*FORMATS, *_OTHER_FORMATS))


class PropertiesModel(FixtureModel):
    """Conditions on the picture itself."""

    format: Annotated[str | None, _FORMAT] = Field(
        None, description="JPEG, PNG, WEBP, GIF, BMP, TIFF, AVIF, MPO or HEIF."
    )
    min_width: Size = Field(None, description="At least so many pixels wide.")
    max_width: Size = Field(None, description="At most so many pixels wide.")
    min_height: Size = Field(None, description="At least so many pixels high.")
    max_height: Size = Field(None, description="At most so many pixels high.")
    min_bytes: Size = Field(None, description="At least so many bytes.")
    max_bytes: Size = Field(None, description="At most so many bytes.")
    blank: OptionalFlag = Field(None, description="true: a picture of one colour; false: any other.")

    @model_validator(mode="after")
    def _possible(self) -> Self:
        for what in ("width", "height", "bytes"):
            low, high = getattr(self, f"min_{what}"), getattr(self, f"max_{what}")
            if low is not None and high is not None and low > high:
                raise wrong(f'"min_{what}" {low} is above "max_{what}" {high}', "no picture can meet both")
        return self


class WhenModel(FixtureModel):
    """Which requests the scenario is for. All that are given must hold."""

    image: Annotated[list[Text], OneOrMany("a path")] = Field(
        [],
        description="Pictures, known by their content: paths relative to this file. Any of them is enough.",
    )
    sha256: Sha256 = Field(None, description="SHA-256 of the picture's bytes.")
    url: OptionalText = Field(None, description="Glob for the image URL that the client gives.")
    filename: OptionalText = Field(None, description="Glob for the name of the uploaded file.")
    key: OptionalText = Field(None, description="An API key.")
    account: OptionalText = Field(None, description="Name of an account of mock.yaml.")
    provider: OptionalText = Field(None, description="Only requests to this provider.")
    product: Annotated[Product | None, choice(Product, "a product")] = Field(
        None, description="Only requests for this product: plate or vin."
    )
    language: OptionalText = Field(None, description="Language code that the client gives.")
    header: Headers = Field({}, description="Globs for request headers, by name.")
    properties: PropertiesModel | None = Field(None, description="Conditions on the picture itself.")


class ScenarioModel(FixtureModel):
    """A scenario: when it applies, what is on the picture, and what happens then."""

    scenario: ScenarioName = Field(
        description="Its name, unique in the directory: lower-case letters, digits, -."
    )
    description: AnyText = Field("", description="For people.")
    priority: Annotated[int, whole_number(1, 9)] = Field(5, description="1 is highest, 5 the default.")
    when: WhenModel = Field(
        WhenModel(), description="Which requests it is for; all that are given must hold."
    )
    reading: ReadingModel = Field(ReadingModel(), description="What is on the picture.")
    then: Annotated[list[Step], OneOrMany("a step")] = Field(
        [StepModel()], description="What happens, step by step; one position for each key."
    )
    repeat: Annotated[Literal["last", "cycle"], one_of(("last", "cycle"), "a way to repeat")] = Field(
        "last", description="After the last step: stay there, or start over."
    )
