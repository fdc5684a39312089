"""From the models of fixture files to the values of the core, with what the user left out filled in."""

from collections.abc import Iterable
from dataclasses import fields
from typing import TypeVar

from mock_server.core.account import Account, Quota
from mock_server.core.library import Defaults
from mock_server.core.model import Dribble, Product, WrittenReply
from mock_server.core.overrides import OVERRIDE
from mock_server.core.reading import Candidate, PlateReading, Reading, Vehicle, VinReading
from mock_server.core.scenario import (
    Conditions,
    Delay,
    Fixed,
    ImageProperties,
    Lognormal,
    Scenario,
    Step,
    Trouble,
    Uniform,
)
from mock_server.scenarios.models.field_types import FixtureModel
from mock_server.scenarios.models.mock_model import AccountModel, MockModel
from mock_server.scenarios.models.reading_model import (
    CandidateModel,
    Omission,
    PlateModel,
    ReadingModel,
    VehicleModel,
    VinModel,
    is_given,
    omitted,
)
from mock_server.scenarios.models.reply_model import ReplyModel
from mock_server.scenarios.models.scenario_model import (
    DelayModel,
    OverrideModel,
    ScenarioModel,
    StepModel,
    TroubleModel,
    WhenModel,
)

Value = TypeVar("Value")

_CANDIDATE_FACTOR = 0.85
"""A candidate without a score gets the score of the one before it times this."""
_VEHICLE_SCORE = 0.8
"""The score of a vehicle that gives none, or whose score replies leave out."""


def scenario(model: ScenarioModel, *, images: Iterable[str], file: str = "", line: int = 0) -> Scenario:
    """The scenario of a document; `images` are the ids of its pictures."""
    cycle = model.repeat == "cycle"
    return _same_fields(
        Scenario,
        model,
        name=model.scenario,
        when=_conditions(model.when, images),
        reading=_reading(model.reading),
        steps=_steps(model.then, cycle=cycle),
        cycle=cycle,
        file=file,
        line=line,
    )


def override(model: OverrideModel) -> Scenario:
    """The scenario of an override: its scope as conditions, and one step."""
    return Scenario(OVERRIDE, _same_fields(Conditions, model), steps=(_step(model, model.times),))


def account(model: AccountModel, *, name: str, key: str) -> Account:
    """The account of a document; `name` and `key` are used if it gives none."""
    quota = {Product.PLATE: model.quota.plate, Product.VIN: model.quota.vin}
    return _same_fields(
        Account,
        model,
        name=model.name or name,
        key=model.key or key,
        plans=frozenset(model.plans),
        credits={Product.PLATE: model.credits.plate, Product.VIN: model.credits.vin},
        quota={product: _same_fields(Quota, one) for product, one in quota.items()},
        shared_quota=_same_fields(Quota, model.quota.shared) if model.quota.shared else None,
    )


def defaults(model: MockModel) -> Defaults:
    """The defaults of `mock.yaml`, without variants and settings, which depend on the vocabulary."""
    charge = {provider: frozenset(outcomes) for provider, outcomes in model.charge.items()}
    return _same_fields(Defaults, model, delay=delay(model.delay), charge=charge)


def delay(model: DelayModel | None) -> Delay | None:
    """The one kind of delay that is given."""
    if model is None:
        return None
    if model.uniform is not None:
        return Uniform(*model.uniform)
    if model.lognormal is not None:
        return _same_fields(Lognormal, model.lognormal)
    if model.dribble is not None:
        return Dribble(model.dribble.chunks, model.dribble.over)
    return Fixed(model.fixed or 0.0)


def _same_fields(kind: type[Value], model: FixtureModel, **given: object) -> Value:
    """A value of the core from the model's fields of the same names; `given` come first.

    None in a model means "not given", so the core's own default applies.
    """
    # `kind` is a dataclass; a type variable cannot say so.
    names = {field.name for field in fields(kind)} & type(model).model_fields.keys() - given.keys()  # type: ignore[arg-type]
    same = {name: value for name in names if is_given(value := getattr(model, name))}
    return kind(**same, **given)


def _conditions(model: WhenModel, images: Iterable[str]) -> Conditions:
    return _same_fields(
        Conditions,
        model,
        images=tuple(dict.fromkeys(images)),
        # Requests have their header names in lower case.
        header={name.lower(): glob for name, glob in model.header.items()},
        properties=_same_fields(ImageProperties, model.properties) if model.properties else None,
    )


def _reading(model: ReadingModel) -> Reading:
    plates = [model.plate] if model.plate else model.plates
    return Reading(tuple(map(_plate, plates)), _vin(model.vin) if model.vin else None, model.text)


def _plate(model: PlateModel) -> PlateReading:
    score = _top_score(model, model.score, PlateReading("").score)
    return _same_fields(
        PlateReading,
        model,
        text=_text(model),
        score=score,
        candidates=_candidates(model, score),
        vehicle=_vehicle(model.vehicle) if is_given(model.vehicle) else None,
        omitted=omitted(model),
    )


def _vehicle(model: VehicleModel) -> Vehicle:
    kind = model.type if is_given(model.type) else ""
    score = model.score if is_given(model.score) else _VEHICLE_SCORE
    return _same_fields(Vehicle, model, type=kind, score=score, omitted=omitted(model))


def _vin(model: VinModel) -> VinReading:
    score = _top_score(model, model.confidence, VinReading("").confidence)
    return _same_fields(
        VinReading,
        model,
        text=_text(model),
        confidence=score,
        candidates=_candidates(model, score),
        omitted=omitted(model),
    )


def _text(model: PlateModel | VinModel | CandidateModel) -> str:
    return model.text if is_given(model.text) else ""


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
        found.append(_candidate(own, score))
    for other in others:
        lower = round(found[-1].score * _CANDIDATE_FACTOR, 3) if found else score
        found.append(_candidate(other, lower))
    return tuple(found)


def _candidate(model: CandidateModel, score: float) -> Candidate:
    """A candidate; `score` is used if it gives none."""
    left_out = tuple(dict.fromkeys("score" if name == "confidence" else name for name in omitted(model)))
    return _same_fields(
        Candidate,
        model,
        text=_text(model),
        score=model.any_score if is_given(model.any_score) else score,
        omitted=left_out,
    )


def _steps(models: list[StepModel], *, cycle: bool) -> tuple[Step, ...]:
    """The steps. Without `times` a step is for one request; the last one, and one with a chance, without end."""
    last = len(models) - 1
    return tuple(
        _step(model, times=_times(model, stays=number == last and not cycle)) for number, model in enumerate(models)
    )


def _times(model: StepModel, *, stays: bool) -> int | None:
    """A step with a chance has no limit, unless it gives one."""
    return model.times if model.times or stays or model.chance is not None else 1


def _step(model: StepModel, times: int | None) -> Step:
    return _same_fields(
        Step,
        model,
        times=times,
        delay=delay(model.delay),
        trouble=_trouble(model.trouble) if model.trouble else None,
        omit=tuple(model.omit),
        reply=_reply(model.reply) if model.reply else None,
    )


def _reply(model: ReplyModel) -> WrittenReply:
    """A written reply. The content of its file is read when the whole directory is loaded."""
    return _same_fields(WrittenReply, model, body=(model.body or "").encode("utf-8", "replace"))


def _trouble(model: TroubleModel) -> Trouble:
    return _same_fields(Trouble, model, score=(model.score[0], model.score[-1]) if model.score else None)
