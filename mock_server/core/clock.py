"""The clock for quotas, rate limits and the journal. Tests move it instead of sleeping."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class ClockState:
    """The difference from the system's clock: `offset` seconds ahead, or frozen at `frozen` (Unix time)."""

    offset: float = 0.0
    frozen: float | None = None


class Clock:
    """A clock that can be frozen, moved and released again. Times are Unix seconds, UTC."""

    def __init__(self, source: Callable[[], float] = time.time) -> None:
        self._source = source
        self.state = ClockState()

    def now(self) -> float:
        """Unix time by this clock."""
        state = self.state
        return self._source() + state.offset if state.frozen is None else state.frozen

    def today(self) -> datetime:
        """The current time as an aware datetime in UTC."""
        return datetime.fromtimestamp(self.now(), UTC)

    def freeze(self, at: float | None = None) -> None:
        """Stop at Unix time `at`, or now."""
        self.state = ClockState(frozen=self.now() if at is None else at)

    def advance(self, seconds: float) -> None:
        """Move forward, or back if `seconds` is negative. A frozen clock stays frozen."""
        state = self.state
        if state.frozen is None:
            self.state = ClockState(offset=state.offset + seconds)
        else:
            self.state = ClockState(frozen=state.frozen + seconds)

    def release(self) -> None:
        """Follow the system's clock again."""
        self.state = ClockState()
