"""A scenario as the document that would make it."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from mock_server.core.model import Candidate, Dribble, PlateReading, Reading, Vehicle, VinReading
from mock_server.core.scenario import (
    Conditions,
    Delay,
    Fixed,
    Lognormal,
    Scenario,
    Step,
    Trouble,
    Uniform,
)
from mock_server.imaging.geometry import Box


def scenario_document(scenario: Scenario) -> dict[str, Any]:
    """In the form of a fixture file, with what its author left out filled in."""
    return {
        "scenario": scenario.name,
        "description": scenario.description,
        "priority": scenario.priority,
        "when": _when(scenario.when),
        "reading": _reading(scenario.reading),
        "then": [_step(step) for step in scenario.steps],
        "repeat": "cycle" if scenario.cycle else "last",
    }


def _given(document: Mapping[str, Any]) -> dict[str, Any]:
    """Without what says nothing."""
    return {
        name: value for name, value in document.items() if value is not None and value not in ("", [], {})
    }


def _when(when: Conditions) -> dict[str, Any]:
    properties = when.properties
    return _given(
        {
            "image": list(when.images),
            "sha256": when.sha256,
            "url": when.url,
            "filename": when.filename,
            "key": when.key,
            "account": when.account,
            "provider": when.provider,
            "product": when.product.value if when.product else None,
            "language": when.language,
            "header": dict(when.header),
            "properties": _given({one.name: getattr(properties, one.name) for one in fields(properties)})
            if properties
            else None,
        }
    )


def _reading(reading: Reading) -> dict[str, Any]:
    plates = [_plate(plate) for plate in reading.plates]
    return _given(
        {
            "plate": plates[0] if len(plates) == 1 else None,
            "plates": plates if len(plates) > 1 else None,
            "vin": _vin(reading.vin) if reading.vin else None,
            "text": reading.text,
        }
    )


def _plate(plate: PlateReading) -> dict[str, Any]:
    return _given(
        {
            "text": plate.text,
            "region": plate.region,
            "region_score": plate.region_score,
            "score": plate.score,
            "dscore": plate.dscore,
            "box": _box(plate.box),
            "candidates": [_candidate(candidate) for candidate in plate.candidates],
            "vehicle": _vehicle(plate.vehicle) if plate.vehicle else None,
        }
    )


def _vin(vin: VinReading) -> dict[str, Any]:
    return _given(
        {
            "text": vin.text,
            "confidence": vin.confidence,
            "box": _box(vin.box),
            "candidates": [_candidate(candidate) for candidate in vin.candidates],
        }
    )


def _candidate(candidate: Candidate) -> dict[str, Any]:
    return _given({"text": candidate.text, "score": candidate.score, "box": _box(candidate.box)})


def _vehicle(vehicle: Vehicle) -> dict[str, Any]:
    return _given({"type": vehicle.type, "score": vehicle.score, "box": _box(vehicle.box)})


def _box(box: Box | None) -> list[int] | None:
    return [box.xmin, box.ymin, box.xmax, box.ymax] if box else None


def _step(step: Step) -> dict[str, Any]:
    return _given(
        {
            "outcome": step.outcome.value,
            "message": step.message,
            "variant": step.variant,
            "times": step.times,
            "delay": _delay(step.delay) if step.delay else None,
            "fault": step.fault.value if step.fault else None,
            "headers": dict(step.headers),
            "trouble": _trouble(step.trouble) if step.trouble else None,
        }
    )


def _delay(delay: Delay) -> Any:
    match delay:
        case Fixed(seconds):
            return _duration(seconds)
        case Uniform(low, high):
            return {"uniform": [_duration(low), _duration(high)]}
        case Dribble(chunks, seconds):
            return {"dribble": {"chunks": chunks, "over": _duration(seconds)}}
        case Lognormal(median, sigma, longest):
            bound = {} if longest is None else {"max": _duration(longest)}
            return {"lognormal": {"median": _duration(median), "sigma": sigma, **bound}}


def _duration(seconds: float) -> str:
    return f"{seconds * 1000:.10g}ms" if seconds < 1 else f"{seconds:.10g}s"


def _trouble(trouble: Trouble) -> dict[str, Any]:
    given = {one.name: getattr(trouble, one.name) for one in fields(trouble)}
    given["score"] = list(trouble.score) if trouble.score else None
    return {name: value for name, value in given.items() if value not in (None, False, 0)}
