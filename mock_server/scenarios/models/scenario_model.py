"""The models of a scenario file. Editors show the descriptions: they are part of the JSON Schema."""

import re
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from mock_server.core.model import Fault, OutcomeName, Product
from mock_server.scenarios.models.field_types import (
    DURATION,
    AnyText,
    Duration,
    FixtureModel,
    Flag,
    Headers,
    JsonSchema,
    OptionalAnyText,
    OptionalDuration,
    OptionalFlag,
    OptionalText,
    ReplyHeaders,
    Scalar,
    ScenarioName,
    Sha256,
    Text,
    choice,
    exactly,
    expected,
    invalid,
    number,
    one_or_many,
    one_word,
    scalar_text,
    whole_number,
)
from mock_server.scenarios.models.reading_model import ReadingModel, Score
from mock_server.scenarios.models.reply_model import AddedFields, FieldPaths, Reply

Size = Annotated[int | None, whole_number(1)]

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "MPO", "HEIF")
_FORMAT = choice(FORMATS, "an image format", {"JPG": "JPEG", "TIF": "TIFF", "HEIC": "HEIF"})


class PropertiesModel(FixtureModel):
    """Conditions on the picture itself."""

    format: Annotated[str | None, _FORMAT] = Field(
        None, description="JPEG, PNG, WEBP, GIF, BMP, TIFF, AVIF, MPO or HEIF."
    )
    min_width: Size = Field(None, description="The smallest width in pixels.")
    max_width: Size = Field(None, description="The largest width in pixels.")
    min_height: Size = Field(None, description="The smallest height in pixels.")
    max_height: Size = Field(None, description="The largest height in pixels.")
    min_bytes: Size = Field(None, description="The smallest number of bytes.")
    max_bytes: Size = Field(None, description="The largest number of bytes.")
    blank: OptionalFlag = Field(None, description="true: a picture of one colour; false: any other picture.")

    @model_validator(mode="after")
    def _possible(self) -> Self:
        for what in ("width", "height", "bytes"):
            low, high = getattr(self, f"min_{what}"), getattr(self, f"max_{what}")
            if low is not None and high is not None and low > high:
                raise invalid(f'"min_{what}" {low} is above "max_{what}" {high}', "no picture can meet both")
        return self


class WhenModel(FixtureModel):
    """The conditions of a scenario. All conditions that are given must be met."""

    image: Annotated[list[Text], one_or_many("a path")] = Field(
        [], description="Pictures, recognised by their content: paths relative to this file. One of them is enough."
    )
    sha256: Sha256 = Field(None, description="The SHA-256 of the picture's bytes.")
    url: OptionalText = Field(None, description="A glob for the image URL that the client sends.")
    filename: OptionalText = Field(None, description="A glob for the name of the uploaded file.")
    key: OptionalText = Field(None, description="An API key.")
    account: OptionalText = Field(None, description="The name of an account in mock.yaml.")
    provider: OptionalText = Field(None, description="Only requests to this provider.")
    product: Annotated[Product | None, choice(Product, "a product")] = Field(
        None, description="Only requests for this product: plate or vin."
    )
    language: OptionalText = Field(None, description="The language code that the client sends.")
    header: Headers = Field({}, description="A glob for each request header.")
    properties: PropertiesModel | None = Field(None, description="Conditions on the picture itself.")


OUTCOME = choice(OutcomeName, "an outcome")


def _range(scores: list[float]) -> list[float]:
    if len(scores) > 2:
        raise expected("one score, or two: [lowest, highest]")
    if scores[0] > scores[-1]:
        raise invalid(f"the lowest score {scores[0]:g} is above the highest {scores[-1]:g}")
    return scores


class LognormalModel(FixtureModel):
    """A long-tailed delay."""

    median: Duration = Field(description="Half of the delays are longer than this.")
    sigma: Annotated[float, number(0, 10)] = Field(description="The length of the tail, e.g. 0.4.")
    max: OptionalDuration = Field(None, description="The longest delay.")

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.max is not None and self.max < self.median:
            raise invalid('"max" is shorter than "median"')
        return self


class DribbleModel(FixtureModel):
    """A reply sent in pieces."""

    chunks: Annotated[int, whole_number(1, 10_000)] = Field(description="The number of pieces.")
    over: Duration = Field(description="The time from the first piece to the last.")


class DelayModel(FixtureModel):
    """The delay of a reply: exactly one of these kinds."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    fixed: OptionalDuration = Field(None, description="Always the same delay.")
    uniform: Annotated[list[Duration], exactly(2, "two durations: [shortest, longest]")] | None = Field(
        None, description="A delay between the two, uniformly distributed."
    )
    lognormal: LognormalModel | None = Field(None, description="A delay mostly near the median, sometimes much longer.")
    dribble: DribbleModel | None = Field(None, description="The reply arrives in pieces.")

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        given = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(given) != 1:
            raise invalid(
                "a delay is one of fixed, uniform, lognormal, dribble", f"given: {', '.join(given) or 'none'}"
            )
        if self.uniform and self.uniform[0] > self.uniform[1]:
            raise invalid('the shortest delay of "uniform" is longer than the longest')
        return self


Delay = Annotated[DelayModel, one_word("fixed", schema=DURATION.schema)]


class TroubleModel(FixtureModel):
    """Errors of the recognition itself. Several can be combined."""

    score: Annotated[list[Score], one_or_many("a score"), AfterValidator(_range)] | None = Field(
        None, description="The confidence is drawn from this range: 0.4, or [0.3, 0.5]."
    )
    confuse: Annotated[int, whole_number(0, 17)] = Field(
        0, description="The number of characters that are read as look-alikes; the true text becomes a candidate."
    )
    region: OptionalText = Field(None, description="The region that is reported instead of the true one.")
    bad_check_digit: Flag = Field(False, description="true: the VIN is reported with a wrong check digit.")
    partial: Annotated[int | None, whole_number(1)] = Field(
        None, description="The number of first characters that are read; the others are missing."
    )
    unreadable: Flag = Field(False, description="true: the plate or VIN is found, its text is not.")
    too_small: Annotated[int | None, whole_number(1)] = Field(
        None, description="Nothing is found in a picture narrower than this, in pixels."
    )
    too_blurred: Annotated[float | None, number(0)] = Field(
        None, description="Nothing is found in a picture less sharp than this (variance of the Laplacian)."
    )


_PERCENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,9})?) ?%")


def _share(value: object) -> float:
    text = scalar_text(value)
    parts = _PERCENT.fullmatch(text) if text is not None else None
    if parts is None or Decimal(parts[1]) > 100:
        raise expected("a percentage from 0% to 100%, such as 10% or 0.5%")
    return float(Decimal(parts[1]) / 100)


_PERCENT_SCHEMA: JsonSchema = {
    "type": "string",
    "pattern": r"^(100(\.0{1,9})?|[0-9]{1,2}(\.[0-9]{1,9})?) ?%$",
    "examples": ["10%", "0.5%"],
}
_PERCENTAGE = Scalar(_share, _PERCENT_SCHEMA)
Percentage = Annotated[float, _PERCENTAGE]
OptionalPercentage = Annotated[float | None, _PERCENTAGE]

_PARTS_OF_PROVIDERS_REPLY = ("outcome", "message", "variant", "headers", "trouble", "omit", "add")


class StepModel(FixtureModel):
    """One step of the sequence."""

    outcome: Annotated[OutcomeName, OUTCOME] = Field(OutcomeName.READ, description="The kind of reply.")
    message: OptionalAnyText = Field(None, description="A text that replaces the provider's own message.")
    variant: OptionalText = Field(None, description="A documented alternative of this outcome.")
    times: Annotated[int | None, whole_number(1)] = Field(
        None, description="The number of requests before the next step."
    )
    delay: Delay | None = Field(None, description="The delay of the reply.")
    fault: Annotated[Fault | None, choice(Fault, "a fault")] = Field(
        None, description="A broken connection instead of a reply."
    )
    headers: ReplyHeaders = Field({}, description="Headers that are added to the reply.")
    trouble: TroubleModel | None = Field(None, description="Errors of the recognition itself.")
    omit: FieldPaths = Field(
        [], description="Fields that are left out of the JSON reply: paths of names joined by dots, through lists."
    )
    add: AddedFields = Field({}, description="Fields that the JSON reply gets, by their paths; none is overwritten.")
    reply: Reply | None = Field(None, description="A reply in place of the provider's.")
    chance: OptionalPercentage = Field(
        None, description="The share of calls that the step answers, e.g. 10%; the next step answers the others."
    )

    @model_validator(mode="after")
    def _one_reply(self) -> Self:
        if self.reply is not None:
            for key in _PARTS_OF_PROVIDERS_REPLY:
                if key in self.model_fields_set and getattr(self, key):
                    hint = 'write them inside "reply"' if key == "headers" else "leave it out"
                    raise invalid(f'"reply" replaces the provider\'s reply, so "{key}" has no effect', hint)
        return self


Step = Annotated[StepModel, one_word("outcome", schema=OUTCOME.schema)]


class ScenarioModel(FixtureModel):
    """A scenario: when it applies, what is on the picture, and how the provider replies."""

    scenario: ScenarioName = Field(
        description="The name, unique in the directory: lower-case letters, digits and hyphens."
    )
    description: AnyText = Field("", description="A text for people.")
    priority: Annotated[int, whole_number(1, 9)] = Field(5, description="1 (highest) to 9; 5 is the default.")
    when: WhenModel = Field(WhenModel(), description="The conditions; all that are given must be met.")
    reading: ReadingModel = Field(ReadingModel(), description="What is on the picture.")
    then: Annotated[list[Step], one_or_many("a step")] = Field(
        [StepModel()], description="The replies, step by step. Each API key has its own position."
    )
    overlay: Flag = Field(
        False, description="true: it lies over the others, as a scenario that is added at run time does."
    )
    repeat: Annotated[Literal["last", "cycle"], choice(("last", "cycle"), "a way to repeat")] = Field(
        "last", description="After the last step: last stays there, cycle starts again."
    )


ALWAYS = "always"
KINDS = ("outcome", "fault", "reply")
"""The keys that say what happens. An override has at least one of them."""

_PATTERN = f"^([1-9][0-9]{{0,8}}|{ALWAYS})$"


def _times(value: object) -> int | None:
    text = scalar_text(value)
    if text == ALWAYS:
        return None
    if text is None or not re.fullmatch(_PATTERN, text):
        raise expected(f"a whole number, 1 or more, or {ALWAYS}")
    return int(text)


_TIMES = Scalar(_times, {"type": ["integer", "string"], "minimum": 1, "maximum": 999_999_999, "pattern": _PATTERN})


class OverrideModel(StepModel):
    """What happens to the next calls, before any scenario: at least one of outcome, fault, reply."""

    model_config = ConfigDict(json_schema_extra={"anyOf": [{"required": [kind]} for kind in KINDS]})

    key: OptionalText = Field(None, description="Only calls with this API key.")
    provider: OptionalText = Field(None, description="Only calls to this provider.")
    product: Annotated[Product | None, choice(Product, "a product")] = Field(
        None, description="Only calls for this product: plate or vin."
    )
    times: Annotated[int | None, _TIMES] = Field(1, description="The number of calls, or always.")
