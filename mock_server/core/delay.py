"""Delays of replies: the kinds that a scenario can choose, how they are drawn, and how files write them."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Annotated, Any, Self

from mock_server.core import field_types as types
from mock_server.core.field_types import Written, described, invalid
from mock_server.core.model import NO_FAULT, Dribble, Fault, FaultPlan


@dataclass(frozen=True, slots=True)
class Fixed:
    """A fixed delay, in seconds."""

    seconds: float

    def draw(self, rng: Random) -> float:
        return self.seconds


@dataclass(frozen=True, slots=True)
class Uniform:
    """A uniformly distributed delay between `low` and `high` seconds."""

    low: float
    high: float

    def draw(self, rng: Random) -> float:
        return rng.uniform(self.low, self.high)


@dataclass(frozen=True, slots=True)
class Lognormal(Written):
    """A long-tailed delay."""

    median: types.Duration = described("Half of the delays are longer than this.")
    sigma: Annotated[float, types.number(0, 10)] = described("The length of the tail, e.g. 0.4.")
    max: types.OptionalDuration = described("The longest delay.", None)

    @classmethod
    def read(cls, mapping: Any, build: Callable[[Any], Self]) -> Self:
        delay = build(mapping)
        if delay.max is not None and delay.max < delay.median:
            raise invalid('"max" is shorter than "median"')
        return delay

    def draw(self, rng: Random) -> float:
        drawn = rng.lognormvariate(math.log(self.median), self.sigma) if self.median > 0 else 0.0
        return drawn if self.max is None else min(drawn, self.max)


Delay = Fixed | Uniform | Lognormal | Dribble
_RANDOM_DELAYS = (Uniform, Lognormal)


def is_random(delay: Delay | None) -> bool:
    """Whether a delay differs from one request to the next."""
    return isinstance(delay, _RANDOM_DELAYS)


def draw_plan(delay: Delay | None, fault: Fault | None, rng: Random) -> FaultPlan:
    """Choose what happens to one reply. The same state of `rng` gives the same plan.

    A delay comes before a fault. A fault replaces a dribble, which needs a proper reply.
    """
    if isinstance(delay, Dribble):
        return FaultPlan(fault=fault) if fault else FaultPlan(dribble=delay)
    if delay is None and fault is None:
        return NO_FAULT
    return FaultPlan(delay=max(delay.draw(rng), 0.0) if delay else 0.0, fault=fault)


@dataclass(frozen=True, slots=True)
class _WrittenDelay(Written):
    """The delay of a reply: exactly one of these kinds."""

    __pydantic_config__ = Written.__pydantic_config__ | {"json_schema_extra": {"minProperties": 1, "maxProperties": 1}}

    fixed: types.OptionalDuration = described("Always the same delay.", None)
    uniform: Annotated[list[types.Duration], types.exactly(2, "two durations: [shortest, longest]")] | None = described(
        "A delay between the two, uniformly distributed.", None
    )
    lognormal: Lognormal | None = described("A delay mostly near the median, sometimes much longer.", None)
    dribble: Dribble | None = described("The reply arrives in pieces.", None)

    @classmethod
    def read(cls, mapping: Any, build: Callable[[Any], Self]) -> Self:
        delay = build(mapping)
        kinds = ("fixed", "uniform", "lognormal", "dribble")
        if len(mapping) != 1:
            given = ", ".join(kind for kind in kinds if kind in mapping)
            raise invalid(f"a delay is one of {', '.join(kinds)}", f"given: {given or 'none'}")
        if delay.uniform and delay.uniform[0] > delay.uniform[1]:
            raise invalid('the shortest delay of "uniform" is longer than the longest')
        return delay

    def value(self) -> Delay:
        """The one kind of delay that is given."""
        if self.uniform is not None:
            return Uniform(*self.uniform)
        return self.lognormal or self.dribble or Fixed(self.fixed or 0.0)


WrittenDelay = Annotated[
    Delay,
    types.Changed(
        after=_WrittenDelay.value,
        written_as=Annotated[_WrittenDelay, types.one_word("fixed", schema=types.DURATION.schema)],
    ),
]
