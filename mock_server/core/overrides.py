"""Overrides: what happens to the next calls, before any scenario."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from mock_server.core.model import ReadRequest
from mock_server.core.scenario import Scenario, Step
from mock_server.core.sequence import draw
from mock_server.core.store import Store

OVERRIDE = "override"
"""The scenario's name in the header and in the journal."""

_ALL_KEYS = ""
"""The key of a counter: an override counts the calls of all keys together."""


@dataclass(frozen=True, slots=True)
class Override:
    """One step for the next calls of a key, a provider or a product, or for all calls.

    `scenario` has this scope as its conditions, and one step.
    """

    id: str
    scenario: Scenario

    @property
    def step(self) -> Step:
        return self.scenario.steps[0]

    @property
    def answer(self) -> Scenario:
        """The scenario that answers a call. Its step is not left to chance any more."""
        if self.step.chance is None:
            return self.scenario
        return replace(self.scenario, steps=(replace(self.step, chance=None),))

    @property
    def draws(self) -> str:
        """The name of the sequence whose position is the number of draws of a key."""
        return f"{self.counter}/chance"

    @property
    def counter(self) -> str:
        """The name of the sequence whose position is the number of calls."""
        return f"override/{self.id}"

    @property
    def scope(self) -> tuple[str | None, str | None, str | None]:
        """The key, the provider and the product; None stands for all of them. Unique among overrides."""
        when = self.scenario.when
        return when.key, when.provider, when.product

    async def remaining(self, store: Store) -> int | None:
        """The number of calls that it will still answer; None without a limit."""
        if self.step.times is None:
            return None
        return max(self.step.times - (await store.positions(self.counter)).get(_ALL_KEYS, 0), 0)


class Overrides:
    """The overrides of a mock. `is_active` is False if no call can meet one.

    `is_chaos_paused`: the chaos of `mock.yaml` is switched off until the next reset.
    """

    def __init__(self) -> None:
        self.is_chaos_paused = False
        self.is_active = False
        self._all: tuple[Override, ...] = ()
        self._by_scope: dict[tuple[str | None, str | None, str | None], Override] = {}
        self._used_up: set[str] = set()

    @property
    def all(self) -> tuple[Override, ...]:
        """The overrides in the order in which they were set."""
        return self._all

    @all.setter
    def all(self, overrides: tuple[Override, ...]) -> None:
        self._all = overrides
        self._by_scope = {override.scope: override for override in overrides}
        self._used_up = {override.id for override in overrides} & self._used_up
        self.is_active = len(self._used_up) < len(overrides)

    async def take(self, request: ReadRequest, store: Store, *, seed: int = 0) -> Scenario | None:
        """The scenario of the override that answers a call; the call is counted.

        The narrowest one answers: with a key before without, then with a provider, then with a product.
        """
        for override in self._candidates(request):
            if override.step.chance is not None and not await _is_drawn(override, request.key or "", store, seed):
                continue
            if override.step.times is None:
                return override.answer
            if await store.advance(_ALL_KEYS, override.counter) < override.step.times:
                return override.answer
            self._used_up.add(override.id)
            self.is_active = len(self._used_up) < len(self._all)
        return None

    def _candidates(self, request: ReadRequest) -> Iterator[Override]:
        for key in (request.key, None):
            for provider in (request.provider, None):
                for product in (request.product, None):
                    override = self._by_scope.get((key, provider, product))
                    if override is not None and override.id not in self._used_up:
                        yield override


async def _is_drawn(override: Override, key: str, store: Store, seed: int) -> bool:
    """Whether the override answers a call, by its chance: drawn from the seed, the key and the key's calls."""
    count = await store.advance(key, override.draws)
    return draw(seed, key, OVERRIDE, *override.scope, count) < (override.step.chance or 0.0)
