"""When a batch leaves: where few ask, at once; under load, with as many acts as there were at once before.

Clients that were just answered are about to ask again. A batch that left without waiting for them would find
half of them behind it on its return, and so it would go on: twice as many batches as are needed.
"""

import asyncio
from collections.abc import Callable

from mock_server.core.redis_state.link import Link

_WORTH_WAITING = 3
"""Where fewer were there at once, none is waited for."""
_ENOUGH = 32
"""A batch of so many acts waits for no more."""
_MOMENT = 0.001
"""Seconds from one look to the next at whether what is expected comes. The event loop counts no finer."""
_MOST_LOOKS = 6


class Departures:
    """Has batches leave, one after another. What gathers is told by `act` and `other`."""

    def __init__(self, link: Link, depart: Callable[[], None]) -> None:
        self._link = link
        self._depart = depart
        self._acts = 0
        self._others = 0
        self._sent = 0
        self._expected = 0
        self._under_way = False
        self._leaving = False
        self._timer: asyncio.TimerHandle | None = None

    @property
    def due(self) -> bool:
        """Whether anything has gathered."""
        return self._acts + self._others > 0

    def act(self) -> None:
        """There is an act, for whose reply somebody waits."""
        self._acts += 1
        self._consider()

    def other(self) -> None:
        """There is something else that is to go along."""
        self._others += 1
        self._consider()

    def returned(self) -> None:
        """The batch that left last was answered, or never will be."""
        self._under_way = False
        at_once = self._sent + self._acts
        self._expected = min(at_once, _ENOUGH) if at_once >= _WORTH_WAITING else 0
        self._consider()

    def _consider(self) -> None:
        if self._under_way or self._leaving or not self.due:
            return
        if not self._expected:
            self._leaving = True
            self._link.loop.call_soon(self._leave)
        elif self._acts >= self._expected:
            self._leave()
        elif self._timer is None:
            self._timer = self._link.loop.call_later(_MOMENT, self._look, self._acts, -1, 1)

    def _look(self, before: int, earlier: int, looks: int) -> None:
        """Leave where nothing came since the look before the last: one alone may be over before anything could."""
        if self._acts > earlier and looks < _MOST_LOOKS:
            self._timer = self._link.loop.call_later(_MOMENT, self._look, self._acts, before, looks + 1)
        else:
            self._leave()

    def _leave(self) -> None:
        if self._under_way:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._sent, self._acts, self._others = self._acts, 0, 0
        self._leaving, self._under_way = False, True
        self._depart()
