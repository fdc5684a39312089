"""The step of a sequence at a position."""

import pytest

from mock_server.core.delay import Fixed, Uniform
from mock_server.core.model import OutcomeName
from mock_server.core.scenario import Scenario, Step, Trouble
from mock_server.core.sequence import step_at

FAIL, READ, SLOW = OutcomeName.SERVICE_ERROR, OutcomeName.READ, OutcomeName.UPSTREAM_TIMEOUT


@pytest.mark.parametrize(
    ("steps", "cycle", "outcomes"),
    [
        ((Step(READ),), False, [READ] * 4),
        ((Step(FAIL, times=2), Step(READ)), False, [FAIL, FAIL, READ, READ]),
        ((Step(FAIL, times=1), Step(SLOW, times=2), Step(READ, times=1)), False, [FAIL, SLOW, SLOW, READ, READ]),
        ((Step(FAIL), Step(READ)), False, [FAIL, FAIL, FAIL]),
        ((Step(FAIL, times=2), Step(READ)), True, [FAIL, FAIL, READ, FAIL, FAIL, READ]),
        ((Step(FAIL), Step(READ)), True, [FAIL, READ, FAIL, READ]),
    ],
)
def test_steps(steps: tuple[Step, ...], cycle: bool, outcomes: list[OutcomeName]) -> None:
    """A step repeats `times` times, the last one stays, and a cycle starts over."""
    scenario = Scenario("s", steps=steps, cycle=cycle)

    assert [step_at(scenario, position).outcome for position in range(len(outcomes))] == outcomes


@pytest.mark.parametrize(
    ("steps", "counts"),
    [
        ((Step(),), False),
        ((Step(delay=Fixed(1)),), False),
        ((Step(delay=Uniform(0, 1)),), True),
        ((Step(trouble=Trouble(confuse=1)),), True),
        ((Step(), Step()), True),
    ],
)
def test_requests_are_counted_only_if_necessary(steps: tuple[Step, ...], counts: bool) -> None:
    """A scenario counts its requests only if its result depends on the count."""
    assert Scenario("s", steps=steps).counts_requests is counts
