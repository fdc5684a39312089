"""Where a scenario's sequence stands after so many requests."""

from mock_server.core.scenario import Delay, Lognormal, Scenario, Step, Uniform

_DRAWN = (Uniform, Lognormal)


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
    first, *others = scenario.steps
    return bool(others or first.trouble) or is_random(first.delay)


def is_random(delay: Delay | None) -> bool:
    """Whether a delay differs from one request to the next."""
    return isinstance(delay, _DRAWN)
