"""Where a scenario's sequence stands after so many requests."""

from mock_server.core.model import Dribble
from mock_server.core.scenario import Fixed, Scenario, Step


def step_at(scenario: Scenario, position: int) -> Step:
    """The step for the request at `position`, counted from 0 for each key."""
    steps = scenario.steps
    if scenario.cycle:
        position %= sum(step.times or 1 for step in steps)
    for step in steps:
        if not scenario.cycle and step.times is None:
            return step
        position -= step.times or 1
        if position < 0:
            return step
    return steps[-1]


def counts_requests(scenario: Scenario) -> bool:
    """Whether a scenario's answer depends on how often it was met: several steps, or anything drawn by chance."""
    return len(scenario.steps) > 1 or any(_draws(step) for step in scenario.steps)


def _draws(step: Step) -> bool:
    fixed = step.delay is None or isinstance(step.delay, Fixed | Dribble)
    return not fixed or step.trouble is not None
