"""The step of a scenario's sequence at a position."""

from mock_server.core.scenario import Delay, Lognormal, Scenario, Step, Uniform

_RANDOM = (Uniform, Lognormal)


def step_at(scenario: Scenario, position: int) -> Step:
    """The step for a key's request number `position`, from 0."""
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
    """Whether the result depends on the number of earlier requests: there are several steps, or something is random."""
    first, *others = scenario.steps
    return bool(others or first.trouble) or is_random(first.delay)


def is_random(delay: Delay | None) -> bool:
    """Whether a delay is random."""
    return isinstance(delay, _RANDOM)
