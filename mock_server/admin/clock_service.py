"""The clock as tests set it."""

from collections.abc import Mapping
from typing import Any

from mock_server.admin.input_errors import as_object, mistake, only_known, pointer
from mock_server.admin.times import duration, moment, shown
from mock_server.core.clock import Clock
from mock_server.core.coordination import Coordination

_LATEST = 253370764800.0
"""The year 9999: no date can be later."""


class ClockControl:
    """The mock's clock, which quotas, rate limits and the journal go by."""

    def __init__(self, clock: Clock, world: Coordination) -> None:
        self._clock = clock
        self._world = world

    def get(self) -> dict[str, Any]:
        """What time it is, whether it stands still, and how many seconds it is ahead of the system's."""
        state = self._clock.state
        return {
            "now": shown(self._clock.now()),
            "frozen": state.frozen is not None,
            "offset": None if state.frozen is not None else round(state.offset, 3),
        }

    async def set(self, document: object) -> dict[str, Any]:
        """`{"freeze": time or true}` stands still, `{"advance": duration}` moves on. Raises FixturesError."""
        wanted = as_object(document)
        only_known(wanted, ("freeze", "advance"))
        if len(wanted) != 1:
            raise mistake("", 'either "freeze" or "advance" is wanted')
        async with self._world.changing():
            self._set(wanted)
        return self.get()

    def _set(self, wanted: Mapping[str, Any]) -> None:
        if "freeze" in wanted:
            at = wanted["freeze"]
            self._clock.freeze(None if at is True else moment(at, pointer("freeze")))
        else:
            seconds = duration(wanted["advance"], pointer("advance"))
            if not 0 <= self._clock.now() + seconds < _LATEST:
                raise mistake(pointer("advance"), "that leads out of the years 1970 to 9998")
            self._clock.advance(seconds)

    async def release(self) -> dict[str, Any]:
        """Go with the system's clock again."""
        async with self._world.changing():
            self._clock.release()
        return self.get()
