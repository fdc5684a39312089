"""The rate limit of an account: a sliding window of requests, and the seconds to wait that `Retry-After` gives."""

from collections import deque
from dataclasses import dataclass
from functools import lru_cache

LATE_SECONDS = 5
"""A hit that is this much older than the one before it came late, from a busy process: it counts as of that moment.

If it is older still, the clock has been set back.
"""


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `amount` requests in any `seconds`."""

    amount: int
    seconds: float


@lru_cache(maxsize=256)
def parse_rate(text: str) -> Rate:
    """A rate such as "5/second", "100/2 minutes" or "10 per hour". Raises ValueError."""
    # Imported late: the import takes long, and most servers have no rate limit.
    from limits import parse_many

    rates = parse_many(text)
    if len(rates) != 1 or rates[0].get_expiry() < 1:
        raise ValueError(f"{text!r} is not a rate")
    return Rate(rates[0].amount, rates[0].get_expiry())


class Windows:
    """The latest requests of each key, in the memory of this process. `lua/store.lua` does the same in Redis."""

    def __init__(self) -> None:
        self._hits: dict[str, deque[float]] = {}

    def hit(self, key: str, rate: Rate, now: float) -> float | None:
        """Count one request. None if it is admitted, else the seconds to wait."""
        hits = self._hits.get(key)
        if hits is None or hits.maxlen != rate.amount:
            # The rate of the account has changed. Its latest requests still count.
            hits = self._hits[key] = deque(hits or (), maxlen=rate.amount)
        if hits and now < hits[-1] < now + LATE_SECONDS:
            now = hits[-1]
        if len(hits) < rate.amount or hits[0] <= now - rate.seconds or hits[0] > now:
            # A first hit in the future no longer counts: the clock has been set back since.
            hits.append(now)
            return None
        return hits[0] + rate.seconds - now

    def reset(self, key: str | None = None) -> None:
        """Forget the requests of one key, or of all."""
        if key is None:
            self._hits.clear()
        else:
            self._hits.pop(key, None)
