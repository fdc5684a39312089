"""From the models to the plain values of the core, with what the user left out filled in."""

from collections.abc import Iterable

from mock_server.core.account import Account, Quota
from mock_server.core.fixture_set import Defaults
from mock_server.core.model import Candidate, Dribble, PlateReading, Product, Reading, Vehicle, VinReading
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
from mock_server.imaging.geometry import Box
from mock_server.scenarios.models.mock_model import AccountShape, MockShape, QuotaShape
from mock_server.scenarios.models.reading_model import CandidateShape, PlateShape, ReadingShape, VinShape
from mock_server.scenarios.models.scenario_model import ScenarioShape, WhenShape
from mock_server.scenarios.models.step_model import DelayShape, StepShape, TroubleShape

_CANDIDATE_DROP = 0.85
"""How much surer the reader is of a candidate than of the next one, where the file gives no score."""


def scenario(shape: ScenarioShape, *, images: Iterable[str], file: str = "", line: int = 0) -> Scenario:
    """The scenario that `shape` describes; `images` are the ids of its pictures."""
    cycle = shape.repeat == "cycle"
    return Scenario(
        name=shape.scenario,
        when=conditions(shape.when, images),
        reading=reading(shape.reading),
        steps=tuple(steps(shape.then, cycle=cycle)),
        cycle=cycle,
        description=shape.description,
        priority=shape.priority,
        file=file,
        line=line,
    )


def conditions(shape: WhenShape, images: Iterable[str]) -> Conditions:
    """Header names become lower-case, as requests have them."""
    properties = shape.properties
    return Conditions(
        images=tuple(dict.fromkeys(images)),
        sha256=shape.sha256,
        url=shape.url,
        filename=shape.filename,
        key=shape.key,
        account=shape.account,
        provider=shape.provider,
        product=shape.product,
        language=shape.language,
        header={name.lower(): glob for name, glob in shape.header.items()},
        properties=ImageProperties(**properties.model_dump()) if properties else None,
    )


def reading(shape: ReadingShape) -> Reading:
    """Every text is among its own candidates, first; every score is there."""
    plates = [shape.plate] if shape.plate else shape.plates
    return Reading(
        plates=tuple(_plate(plate) for plate in plates),
        vin=_vin(shape.vin) if shape.vin else None,
        text=shape.text,
    )


def _plate(shape: PlateShape) -> PlateReading:
    default = PlateReading(shape.text)
    score = _top_score(shape.text, shape.score, shape.candidates, default.score)
    vehicle = shape.vehicle
    return PlateReading(
        text=shape.text,
        region=shape.region,
        region_score=default.region_score if shape.region_score is None else shape.region_score,
        score=score,
        dscore=default.dscore if shape.dscore is None else shape.dscore,
        box=_box(shape.box),
        candidates=_candidates(shape.text, score, shape.candidates),
        vehicle=Vehicle(vehicle.type, vehicle.score, _box(vehicle.box)) if vehicle else None,
    )


def _vin(shape: VinShape) -> VinReading:
    score = _top_score(shape.text, shape.confidence, shape.candidates, VinReading(shape.text).confidence)
    return VinReading(shape.text, score, _box(shape.box), _candidates(shape.text, score, shape.candidates))


def _given_score(candidate: CandidateShape) -> float | None:
    return candidate.confidence if candidate.score is None else candidate.score


def _top_score(text: str, given: float | None, candidates: list[CandidateShape], default: float) -> float:
    """The score of the reading itself: as given, else as its own candidate has it, else no lower than any."""
    if given is not None:
        return given
    scores = {candidate.text: _given_score(candidate) for candidate in reversed(candidates)}
    own = scores.get(text)
    return (
        own if own is not None else max([default, *(score for score in scores.values() if score is not None)])
    )


def _candidates(text: str, score: float, shapes: list[CandidateShape]) -> tuple[Candidate, ...]:
    own = next((shape for shape in shapes if shape.text == text), CandidateShape(text=text))
    own_score = _given_score(own)
    found = [Candidate(text, score if own_score is None else own_score, _box(own.box))]
    for shape in shapes:
        if shape.text != text:
            given = _given_score(shape)
            found.append(
                Candidate(shape.text, _less_sure(found[-1]) if given is None else given, _box(shape.box))
            )
    return tuple(found)


def _less_sure(candidate: Candidate) -> float:
    return round(candidate.score * _CANDIDATE_DROP, 3)


def _box(corners: list[int] | None) -> Box | None:
    return Box(*corners) if corners else None


def steps(shapes: list[StepShape], *, cycle: bool) -> list[Step]:
    """The steps; one that is left again, without `times`, is for one request."""
    last = len(shapes) - 1
    return [
        _step(shape, times=shape.times if shape.times or (number == last and not cycle) else 1)
        for number, shape in enumerate(shapes)
    ]


def _step(shape: StepShape, times: int | None) -> Step:
    return Step(
        outcome=shape.outcome,
        message=shape.message,
        variant=shape.variant,
        times=times,
        delay=delay(shape.delay),
        fault=shape.fault,
        headers=shape.headers,
        trouble=_trouble(shape.trouble) if shape.trouble else None,
    )


def delay(shape: DelayShape | None) -> Delay | None:
    """The one kind of delay that `shape` holds."""
    if shape is None:
        return None
    if shape.uniform is not None:
        return Uniform(*shape.uniform)
    if shape.lognormal is not None:
        return Lognormal(shape.lognormal.median, shape.lognormal.sigma, shape.lognormal.max)
    if shape.dribble is not None:
        return Dribble(shape.dribble.chunks, shape.dribble.over)
    return Fixed(shape.fixed or 0.0)


def _trouble(shape: TroubleShape) -> Trouble:
    return Trouble(
        score=(shape.score[0], shape.score[-1]) if shape.score else None,
        confuse=shape.confuse,
        region=shape.region,
        bad_check_digit=shape.bad_check_digit,
        partial=shape.partial,
        unreadable=shape.unreadable,
        too_small=shape.too_small,
        too_blurred=shape.too_blurred,
    )


def account(shape: AccountShape, *, name: str, key: str) -> Account:
    """The account that `shape` describes; `name` and `key` stand in where it gives none."""
    return Account(
        name=shape.name or name,
        key=shape.key or key,
        status=shape.status,
        plans=frozenset(shape.plans),
        credits={Product.PLATE: shape.credits.plate, Product.VIN: shape.credits.vin},
        quota={Product.PLATE: _quota(shape.quota.plate), Product.VIN: _quota(shape.quota.vin)},
        tier=shape.tier,
        overage=shape.overage,
        quota_period=shape.quota_period,
        rate_limit=shape.rate_limit,
    )


def _quota(shape: QuotaShape) -> Quota:
    return Quota(shape.limit, shape.used)


def defaults(shape: MockShape) -> Defaults:
    """What stands beside the accounts, but for variants and settings, which depend on the vocabulary."""
    return Defaults(
        unmatched=shape.unmatched,
        strict=shape.strict,
        delay=delay(shape.delay),
        charge={provider: frozenset(outcomes) for provider, outcomes in shape.charge.items()},
    )
