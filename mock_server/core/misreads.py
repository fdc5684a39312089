"""Misreads: changes a true reading into one that a recogniser could return. The YAML key is `trouble`.

The same reading, misread, picture and random source give the same result.
"""

import random
from collections.abc import Iterable
from dataclasses import replace

from mock_server.core.reading import Candidate, PlateReading, Reading, VinReading
from mock_server.core.scenario import Trouble
from mock_server.identifiers import confusables, vins
from mock_server.imaging.results import PictureFacts

_LOOKALIKE_FACTOR = 0.8
"""The factor for the score of the true text when a look-alike is ranked above it."""


def apply(reading: Reading, trouble: Trouble, *, facts: PictureFacts | None, rng: random.Random) -> Reading:
    """The reading instead of `reading`. Without `facts` (the picture was not fetched) the picture is good enough."""
    if facts is not None and _is_unreadable(trouble, facts):
        return Reading()
    plates = tuple(_plate(plate, trouble, rng) for plate in reading.plates)
    if reading.vin is None:
        return replace(reading, plates=plates)
    if trouble.unreadable:
        return replace(reading, plates=plates, vin=None, text=reading.text or _fragment(reading.vin.text, rng))
    return replace(reading, plates=plates, vin=_vin(reading.vin, trouble, rng))


def _is_unreadable(trouble: Trouble, facts: PictureFacts) -> bool:
    too_small = trouble.too_small is not None and facts.width < trouble.too_small
    return too_small or (trouble.too_blurred is not None and facts.sharpness < trouble.too_blurred)


def _plate(plate: PlateReading, trouble: Trouble, rng: random.Random) -> PlateReading:
    if trouble.region is not None:
        plate = replace(plate, region=trouble.region)
    if trouble.unreadable:
        return replace(plate, text="", score=0.0, candidates=())
    candidates = plate.candidates or (Candidate(plate.text, plate.score),)
    candidates = _misread(candidates, trouble, rng)
    return replace(plate, text=candidates[0].text, score=candidates[0].score, candidates=candidates)


def _vin(vin: VinReading, trouble: Trouble, rng: random.Random) -> VinReading:
    candidates = vin.candidates or (Candidate(vin.text, vin.confidence),)
    if trouble.bad_check_digit:
        candidates = _with_bad_check_digit(candidates)
    candidates = _misread(candidates, trouble, rng, allowed=vins.ALPHABET)
    return replace(vin, text=candidates[0].text, confidence=candidates[0].score, candidates=candidates)


def _misread(
    candidates: tuple[Candidate, ...], trouble: Trouble, rng: random.Random, allowed: str | None = None
) -> tuple[Candidate, ...]:
    if trouble.partial is not None:
        candidates = _without_repeats(
            replace(candidate, text=candidate.text[: trouble.partial]) for candidate in candidates
        )
    candidates = _confused(candidates, trouble.confuse, allowed)
    return candidates if trouble.score is None else _scored(candidates, rng.uniform(*trouble.score))


def _fragment(text: str, rng: random.Random) -> str:
    """Three to five characters of an unreadable VIN that can still be read."""
    length = min(len(text), rng.randint(3, 5))
    start = rng.randint(0, len(text) - length)
    return text[start : start + length]


def _with_bad_check_digit(candidates: tuple[Candidate, ...]) -> tuple[Candidate, ...]:
    """Gives the top candidate a wrong check digit, if it is a well-formed VIN."""
    top = candidates[0]
    if not vins.is_well_formed(top.text):
        return candidates
    return _without_repeats([replace(top, text=vins.with_wrong_check_digit(top.text)), *candidates[1:]])


def _confused(candidates: tuple[Candidate, ...], count: int, allowed: str | None) -> tuple[Candidate, ...]:
    """Puts a look-alike on top, followed by the true text with less confidence."""
    top = candidates[0]
    text = confusables.confuse(top.text, count, allowed=allowed)
    if text == top.text:
        return candidates
    truth = replace(top, score=round(top.score * _LOOKALIKE_FACTOR, 3))
    others = [replace(other, score=min(other.score, truth.score)) for other in candidates[1:]]
    return _without_repeats([replace(top, text=text), truth, *others])


def _scored(candidates: tuple[Candidate, ...], score: float) -> tuple[Candidate, ...]:
    """Gives the top candidate this score, and scales the others by the same factor."""
    top = candidates[0].score
    factor = score / top if top else 0.0
    rest = (replace(other, score=round(min(other.score * factor, score), 3)) for other in candidates[1:])
    return (replace(candidates[0], score=round(score, 3)), *rest)


def _without_repeats(candidates: Iterable[Candidate]) -> tuple[Candidate, ...]:
    first: dict[str, Candidate] = {}
    for candidate in candidates:
        first.setdefault(candidate.text, candidate)
    return tuple(first.values())
