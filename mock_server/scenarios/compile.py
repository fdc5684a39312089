"""From the models of fixture files to the values of the core, with what the user left out filled in."""

from collections.abc import Iterable
from dataclasses import fields
from typing import TypeVar

from mock_server.core.account import Account, Quota
from mock_server.core.fixture_set import Defaults
from mock_server.core.model import Candidate, Dribble, PlateReading, Product, Reading, Vehicle, VinReading
from mock_server.core.overrides import OVERRIDE
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
from mock_server.scenarios.models.override_model import OverrideModel
from mock_server.scenarios.models.reading_model import CandidateModel, PlateModel, ReadingModel, VinModel
from mock_server.scenarios.models.scenario_model import DelayModel, ScenarioModel, StepModel, TroubleModel, WhenModel

Value = TypeVar("Value")

_CANDIDATE_FACTOR = 0.85
"""A candidate without a score gets the score of the one before it times this."""


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
    same = {name: value for name in names if (value := getattr(model, name)) is not None}
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
    score = _top_score(model, model.score, PlateReading(model.text).score)
    return _same_fields(
        PlateReading,
        model,
        score=score,
        candidates=_candidates(model, score),
        vehicle=_same_fields(Vehicle, model.vehicle) if model.vehicle else None,
    )


def _vin(model: VinModel) -> VinReading:
    score = _top_score(model, model.confidence, VinReading(model.text).confidence)
    return _same_fields(VinReading, model, confidence=score, candidates=_candidates(model, score))


def _top_score(model: PlateModel | VinModel, given: float | None, default: float) -> float:
    """The score of a reading: the given one, or that of its own candidate, or one not below any candidate's."""
    if given is not None:
        return given
    scores = {candidate.text: candidate.any_score for candidate in reversed(model.candidates)}
    own = scores.get(model.text)
    return own if own is not None else max([default, *(score for score in scores.values() if score is not None)])


def _candidates(model: PlateModel | VinModel, score: float) -> tuple[Candidate, ...]:
    """All candidates with scores; the reading's own text comes first."""
    own = next((one for one in model.candidates if one.text == model.text), CandidateModel(text=model.text))
    found = [Candidate(own.text, score if own.any_score is None else own.any_score, own.box)]
    for other in model.candidates:
        if other.text != model.text:
            lower = round(found[-1].score * _CANDIDATE_FACTOR, 3)
            found.append(Candidate(other.text, lower if other.any_score is None else other.any_score, other.box))
    return tuple(found)


def _steps(models: list[StepModel], *, cycle: bool) -> tuple[Step, ...]:
    """The steps. Without `times` a step is for one request, the last one without end."""
    last = len(models) - 1
    return tuple(
        _step(model, times=model.times if model.times or (number == last and not cycle) else 1)
        for number, model in enumerate(models)
    )


def _step(model: StepModel, times: int | None) -> Step:
    trouble = _trouble(model.trouble) if model.trouble else None
    return _same_fields(Step, model, times=times, delay=delay(model.delay), trouble=trouble)


def _trouble(model: TroubleModel) -> Trouble:
    return _same_fields(Trouble, model, score=(model.score[0], model.score[-1]) if model.score else None)
