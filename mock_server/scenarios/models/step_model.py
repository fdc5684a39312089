"""What happens in one step: an outcome, a delay, a fault, trouble in recognition."""

from typing import Annotated, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from mock_server.core.model import Fault, OutcomeName
from mock_server.scenarios.models.base_model import Exactly, FixtureModel, Headers, OneOrMany, OneWord
from mock_server.scenarios.models.field_types import (
    DURATION,
    Duration,
    Flag,
    OptionalAnyText,
    OptionalText,
    choice,
    number,
    wants,
    whole_number,
    wrong,
)
from mock_server.scenarios.models.reading_model import Score

OUTCOME = choice(OutcomeName, "an outcome")
OptionalDuration = Annotated[float | None, DURATION]


def _range(scores: list[float]) -> list[float]:
    if len(scores) > 2:
        raise wants("one score, or two: [lowest, highest]")
    if scores[0] > scores[-1]:
        raise wrong(f"the lowest score {scores[0]:g} is above the highest {scores[-1]:g}")
    return scores


class LognormalModel(FixtureModel):
    """A long-tailed delay."""

    median: Duration = Field(description="Half of the delays are longer.")
    sigma: Annotated[float, number(0, 10)] = Field(description="How long the tail is, e.g. 0.4.")
    max: OptionalDuration = Field(None, description="No delay is longer.")

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.max is not None and self.max < self.median:
            raise wrong('"max" is shorter than "median"')
        return self


class DribbleModel(FixtureModel):
    """A reply sent in pieces."""

    chunks: Annotated[int, whole_number(1, 10_000)] = Field(description="How many pieces.")
    over: Duration = Field(description="The time from the first piece to the last.")


class DelayModel(FixtureModel):
    """How long the reply takes: one of these."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    fixed: OptionalDuration = Field(None, description="Always the same.")
    uniform: Annotated[list[Duration], Exactly(2, "two durations: [shortest, longest]")] | None = Field(
        None, description="Anything between the two, all as likely."
    )
    lognormal: LognormalModel | None = Field(
        None, description="Mostly near the median, sometimes much longer."
    )
    dribble: DribbleModel | None = Field(None, description="The reply arrives in pieces.")

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        given = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(given) != 1:
            raise wrong(
                "a delay is one of fixed, uniform, lognormal, dribble", f"given: {', '.join(given) or 'none'}"
            )
        if self.uniform and self.uniform[0] > self.uniform[1]:
            raise wrong('the shortest delay of "uniform" is longer than the longest')
        return self


Delay = Annotated[DelayModel, OneWord(("fixed",), DURATION.schema)]


class TroubleModel(FixtureModel):
    """What goes wrong in recognition itself. Several may be combined."""

    score: Annotated[list[Score], OneOrMany("a score"), AfterValidator(_range)] | None = Field(
        None, description="Confidences come from this range: 0.4, or [0.3, 0.5]."
    )
    confuse: Annotated[int, whole_number(0, 17)] = Field(
        0,
        description="So many characters are read as look-alikes; the truth stays among the candidates.",
    )
    region: OptionalText = Field(None, description="This region is reported instead of the true one.")
    bad_check_digit: Flag = Field(False, description="The VIN comes back with a wrong check digit.")
    partial: Annotated[int | None, whole_number(1)] = Field(
        None, description="Only so many of the first characters are read."
    )
    unreadable: Flag = Field(False, description="The plate or VIN is found, its text is not.")
    too_small: Annotated[int | None, whole_number(1)] = Field(
        None, description="Pictures narrower than so many pixels yield nothing."
    )
    too_blurred: Annotated[float | None, number(0)] = Field(
        None, description="Pictures less sharp than this (variance of the Laplacian) yield nothing."
    )


class StepModel(FixtureModel):
    """One step of the sequence."""

    outcome: Annotated[OutcomeName, OUTCOME] = Field(OutcomeName.READ, description="What the provider does.")
    message: OptionalAnyText = Field(None, description="Replaces the provider's own message.")
    variant: OptionalText = Field(None, description="A documented alternative of this outcome.")
    times: Annotated[int | None, whole_number(1)] = Field(
        None, description="So many requests, then the next step."
    )
    delay: Delay | None = Field(None, description="How long the reply takes.")
    fault: Annotated[Fault | None, choice(Fault, "a fault")] = Field(
        None, description="What happens to the connection instead of a proper reply."
    )
    headers: Headers = Field({}, description="Headers added to the reply.")
    trouble: TroubleModel | None = Field(None, description="What goes wrong in recognition itself.")


Step = Annotated[StepModel, OneWord(("outcome",), OUTCOME.schema)]
