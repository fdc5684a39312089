"""Which step of a scenario answers a key's next call, and chance that can be repeated.

The same seed, key and number of the call give the same draw.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from mock_server.core.scenario import Scenario, Step

CHAOS = "*chaos"
"""The name of the sequence that counts a key's requests for `chaos`. No scenario can have it."""


def draw(*facts: object) -> float:
    """A number from 0 to 1 (exclusive), uniformly distributed over different facts; the same for the same facts."""
    digest = hashlib.blake2b("/".join(map(str, facts)).encode("utf-8", "surrogateescape"), digest_size=7).digest()
    return int.from_bytes(digest, "big") / (1 << 56)


def pick(chances: Mapping[str, float], *facts: object) -> str | None:
    """One of the names, each with its chance (0 to 1, at most 1 in total), or None."""
    drawn = draw(*facts)
    for name, chance in chances.items():
        drawn -= chance
        if drawn < 0:
            return name
    return None


_OTHERWISE = Step()
"""What happens if no step answers: the picture is read."""
_LONGEST = 100_000
"""Calls after which a key's sequence with chance starts anew. It is played again from its start in each process."""
_MAX_SEQUENCES = 4096


def step_at(scenario: Scenario, position: int) -> Step:
    """The step for a key's call number `position`, from 0, in a scenario that leaves nothing to chance."""
    if scenario.cycle:
        position %= sum(step.times or 1 for step in scenario.steps)
    for step in scenario.steps:
        if not scenario.cycle and step.times is None:
            return step
        position -= step.times or 1
        if position < 0:
            return step
    return scenario.steps[-1]


@dataclass(slots=True)
class _Sequence:
    """How far one key is in one scenario. `used` are the calls that each step has answered."""

    scenario: Scenario
    key: str
    seed: int
    calls: int = 0
    used: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.used = [0] * len(self.scenario.steps)

    def next(self) -> Step:
        """The step that answers the next call."""
        number = self._next_number()
        if number is None and self.scenario.cycle:
            self.used = [0] * len(self.scenario.steps)
            number = self._next_number()
        self.calls += 1
        if number is None:
            return _OTHERWISE
        self.used[number] += 1
        return self.scenario.steps[number]

    def _next_number(self) -> int | None:
        last = len(self.scenario.steps) - 1
        for number, step in enumerate(self.scenario.steps):
            stays = number == last and step.chance is None and not self.scenario.cycle
            if step.times is not None and self.used[number] >= step.times and not stays:
                continue
            if step.chance is None:
                return number
            if draw(self.seed, self.key, self.scenario.name, self.calls, number) < step.chance:
                return number
        return None


class Sequences:
    """The steps of scenarios that leave some of them to chance.

    Everything follows from the seed, the key and the number of the call, so processes that share only this number
    agree. The sequences are kept so that they need not be played from their start at each call.
    """

    def __init__(self) -> None:
        self._sequences: dict[tuple[str, str], _Sequence] = {}

    def step(self, scenario: Scenario, position: int, *, key: str, seed: int) -> Step:
        """The step for a key's call number `position`, from 0."""
        position %= _LONGEST
        sequence = self._sequences.get((scenario.id, key))
        is_known = sequence is not None and sequence.scenario is scenario and sequence.seed == seed
        if sequence is None or not is_known or sequence.calls > position:
            if len(self._sequences) >= _MAX_SEQUENCES:
                self._sequences.clear()
            sequence = self._sequences[scenario.id, key] = _Sequence(scenario, key, seed)
        while sequence.calls < position:
            sequence.next()
        return sequence.next()
