"""Acts of many requests that travel as one: while a batch is under way, the next one gathers.

What an act costs is mostly its way there and back. Alone, it leaves with the turn of the event loop, as a batch of one;
the more requests there are at once, the more of them share the way. Acts of one kind on one counter are one act: of
those that ask for a unit, as many get one as there are units left.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from mock_server.core.store_redis.acts import USED_NAME
from mock_server.core.store_redis.journal_acts import ADD_EXCHANGES
from mock_server.core.store_redis.link import Argument, Link, Script, settle

Waiting = dict[tuple[Argument, ...], "list[asyncio.Future[Any]]"]


@dataclass(frozen=True, slots=True)
class Cargo:
    """What else goes with a batch, and who is told whether it arrived."""

    arguments: Sequence[Argument]
    arrived: Callable[[bool], None]


class Batches:
    """Sends batches over a link, one after another."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._script = Script(link, ACT)
        self._entering: Waiting = {}
        self._spending: Waiting = {}
        self._load: Callable[[], Cargo | None] = lambda: None
        self._is_due = False
        self._under_way = False
        self._departed: asyncio.Future[None] | None = None

    def carry(self, load: Callable[[], Cargo | None]) -> None:
        """Ask with each batch what else is to go with it."""
        self._load = load

    async def enter(self, key: bytes, version: bytes, world: bytes, period: str, field: str) -> int | bytes:
        """The units spent on a counter of an account that may enter; or what is different, as in ENTER.

        Raises StoreUnavailableError.
        """
        reply: int | bytes = await self._join(self._entering, (key, version, world, period, field))
        return reply

    async def spend(self, key: bytes, period: str, field: str, limit: int | None) -> int | None:
        """Spend one unit; the new count, or None where nothing was left. Raises StoreUnavailableError."""
        reply: int | None = await self._join(
            self._spending, (key, period, field, b"" if limit is None else limit)
        )
        return reply

    def due(self) -> None:
        """There is something to be sent."""
        if not self._is_due:
            self._is_due = True
            if not self._under_way:
                asyncio.get_running_loop().call_soon(self._depart)

    async def departed(self) -> None:
        """Wait until all that is due now has been sent."""
        if self._is_due:
            if self._departed is None:
                self._departed = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._departed)

    async def _join(self, waiting: Waiting, act: tuple[Argument, ...]) -> Any:
        if not self._link.is_open:
            await self._link.open()
        reply: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        joined = waiting.get(act)
        if joined is None:
            waiting[act] = [reply]
            self.due()
        else:
            joined.append(reply)
        return await reply

    def _depart(self) -> None:
        """Send what has gathered."""
        entering, self._entering = self._entering, {}
        spending, self._spending = self._spending, {}
        cargo = self._load()
        self._is_due, self._under_way = False, True
        if self._departed is not None:
            self._departed.set_result(None)
            self._departed = None
        arguments: list[Argument] = [len(entering), len(spending)]
        for act in entering:
            arguments += act
        for act, waiting in spending.items():
            arguments += act
            arguments.append(len(waiting))
        if cargo is not None:
            arguments += cargo.arguments

        def returned(reply: Any) -> None:
            # Whoever is woken by a reply and has more to do takes part in the next batch.
            self._under_way = False
            if self._is_due:
                asyncio.get_running_loop().call_soon(self._depart)
            if cargo is not None:
                cargo.arrived(not isinstance(reply, Exception))
            _tell(entering, spending, reply)

        self._script.post(returned, *arguments)
        self._link.flush()


def _tell(entering: Waiting, spending: Waiting, reply: Any) -> None:
    if isinstance(reply, Exception):
        for waiting in (*entering.values(), *spending.values()):
            for future in waiting:
                settle(future, reply)
        return
    values = iter(reply)
    for waiting, value in zip(entering.values(), values, strict=False):
        for future in waiting:
            settle(future, value)
    for waiting, granted, used in zip(spending.values(), values, values, strict=True):
        for place, future in enumerate(waiting):
            settle(future, used - granted + place + 1 if place < granted else None)


ACT = (
    USED_NAME
    + ADD_EXCHANGES
    + """
local prefix, at, replies = KEYS[1], 3, {}
local world = ARGV[1] ~= '0' and redis.call('GET', prefix .. 'version')
for _ = 1, ARGV[1] do
  local key, version = ARGV[at], ARGV[at + 1]
  local entry, reply = redis.call('HGET', prefix .. 'accounts', key)
  if ARGV[at + 2] ~= '' and ARGV[at + 2] ~= world then reply = 'world'
  elseif not entry then reply = 'unknown'
  elseif string.sub(entry, 1, #version + 1) ~= version .. ':' then reply = entry
  else reply = tonumber(redis.call('HGET', used_name(prefix, ARGV[at + 3], key), ARGV[at + 4]) or 0)
  end
  replies[#replies + 1] = reply
  at = at + 5
end
for _ = 1, ARGV[2] do
  local key, period, field = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  local limit, granted = tonumber(ARGV[at + 3]), tonumber(ARGV[at + 4])
  local name = used_name(prefix, period, key)
  if limit then
    granted = math.max(math.min(granted, limit - tonumber(redis.call('HGET', name, field) or 0)), 0)
  end
  local used = granted > 0 and redis.call('HINCRBY', name, field, granted) or 0
  if granted > 0 and used == granted then counted(prefix, period, key, name) end
  replies[#replies + 1] = granted
  replies[#replies + 1] = used
  at = at + 5
end
if ARGV[at] then add_exchanges(prefix, at) end
return replies
"""
)
"""ARGV: how many entries and how many tills; of each entry, key, version of the account and of the world (may be
empty), period, field; of each till, key, period, field, limit (may be empty), how many ask for a unit; then what is to
be added to the journal, if anything. For each entry, the units spent, or what is different as in ENTER; for each till,
how many got a unit, and the new count."""
