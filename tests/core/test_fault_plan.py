"""Delays and faults are chosen from a seed."""

from random import Random
from statistics import median

import pytest

from mock_server.core.delay import Delay, Fixed, Lognormal, Uniform, draw_plan
from mock_server.core.model import NO_FAULT, Dribble, Fault, FaultPlan

RESET = Fault.CONNECTION_RESET_BY_PEER


@pytest.mark.parametrize(
    ("delay", "fault", "expected"),
    [
        (None, None, NO_FAULT),
        (Fixed(0.2), None, FaultPlan(delay=0.2)),
        (Fixed(0), None, FaultPlan()),
        (Fixed(-1), None, FaultPlan()),
        (None, RESET, FaultPlan(fault=RESET)),
        (Fixed(0.2), RESET, FaultPlan(delay=0.2, fault=RESET)),
        (Dribble(5, 1.0), None, FaultPlan(dribble=Dribble(5, 1.0))),
        (Dribble(5, 1.0), RESET, FaultPlan(fault=RESET)),
        (Uniform(0.1, 0.1), None, FaultPlan(delay=0.1)),
        (Lognormal(1.0, 0.0), None, FaultPlan(delay=1.0)),
        (Lognormal(0.0, 0.5), None, FaultPlan()),
        (Lognormal(9.0, 0.0, max=5.0), None, FaultPlan(delay=5.0)),
    ],
)
def test_plans_without_chance(delay: Delay | None, fault: Fault | None, expected: FaultPlan) -> None:
    """Fixed delays and faults give exactly this plan."""
    assert draw_plan(delay, fault, Random(1)) == expected


def drawn(delay: Delay, seed: int, count: int = 2000) -> list[float]:
    rng = Random(seed)
    return [draw_plan(delay, None, rng).delay for _ in range(count)]


@pytest.mark.parametrize("delay", [Uniform(0.1, 0.3), Lognormal(0.12, 0.4, max=5.0)])
def test_the_seed_repeats_the_delays(delay: Delay) -> None:
    """The same seed gives the same delays, another seed different ones."""
    assert drawn(delay, seed=7) == drawn(delay, seed=7)
    assert drawn(delay, seed=7) != drawn(delay, seed=8)


def test_plans_without_chance_do_not_use_the_generator() -> None:
    """A fixed delay in one place does not change random delays in another."""
    rng = Random(3)
    draw_plan(Fixed(1), RESET, rng)
    draw_plan(Dribble(2, 1), None, rng)

    assert rng.random() == Random(3).random()


def test_uniform_delays_fill_their_range() -> None:
    """Every delay is in the range, and each tenth of the range has its share."""
    delays = drawn(Uniform(0.1, 0.3), seed=1)
    tenths = [sum(0.1 + 0.02 * n <= delay < 0.12 + 0.02 * n for delay in delays) for n in range(10)]

    assert all(0.1 <= delay <= 0.3 for delay in delays)
    assert min(tenths) > 130
    assert max(tenths) < 270


def test_lognormal_delays_have_their_median_and_a_long_tail() -> None:
    """Half of them are above the median. The tail is long, up to the maximum."""
    delays = drawn(Lognormal(0.1, 1.0), seed=1)
    cut = drawn(Lognormal(0.1, 1.0, max=0.5), seed=1)

    assert 0.09 < median(delays) < 0.11
    assert max(delays) > 1.0
    assert cut == [min(delay, 0.5) for delay in delays]
