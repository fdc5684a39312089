"""Chooses delays and faults from a seed. The HTTP layer carries them out."""

import math
from random import Random

from mock_server.core.model import NO_FAULT, Dribble, Fault, FaultPlan
from mock_server.core.scenario import Delay, Fixed, Lognormal, Uniform


def draw_plan(delay: Delay | None, fault: Fault | None, rng: Random) -> FaultPlan:
    """Choose what happens to one reply. The same state of `rng` gives the same plan.

    Only `Uniform` and `Lognormal` use `rng`. A delay comes before a fault. A fault replaces a dribble, which needs a
    proper reply.
    """
    if delay is None and fault is None:
        return NO_FAULT
    if isinstance(delay, Dribble):
        return FaultPlan(fault=fault) if fault else FaultPlan(dribble=delay)
    return FaultPlan(delay=_seconds(delay, rng), fault=fault)


def _seconds(delay: Fixed | Uniform | Lognormal | None, rng: Random) -> float:
    match delay:
        case None:
            return 0.0
        case Fixed(seconds):
            return max(seconds, 0.0)
        case Uniform(low, high):
            return max(rng.uniform(low, high), 0.0)
        case Lognormal(median, sigma, longest):
            drawn = rng.lognormvariate(math.log(median), sigma) if median > 0 else 0.0
            return drawn if longest is None else min(drawn, longest)
