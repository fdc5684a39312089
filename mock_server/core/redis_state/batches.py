"""Acts of many requests that travel as one: while a batch is under way, the next one gathers.

What an act costs is mostly its way there and back. Alone, it leaves with the turn of the event loop, as a batch of one;
the more requests there are at once, the more of them share the way (see `departures`). Acts of one kind on one counter
are one act: of those that ask for a unit, as many get one as there are units left.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mock_server.core.redis_state.departures import Departures
from mock_server.core.redis_state.journal_scripts import ADD_EXCHANGES
from mock_server.core.redis_state.link import Argument, Command, Link, settle
from mock_server.core.redis_state.redis_scripts import USED_NAME
from mock_server.core.redis_state.script import Script
from mock_server.errors import StoreUnavailableError

Versions = tuple[bytes, bytes]
"""Those of an account and of the world as the caller knows them; each may be empty."""
ANYHOW: Versions = b"", b""
"""Whatever the versions are."""
Act = tuple[bytes, bytes, bytes, str, str, Argument, bool]
"""Key, versions, period, field, limit; and whether a unit is asked for."""
Waiting = list["asyncio.Future[Any]"]


@dataclass(frozen=True, slots=True)
class Cargo:
    """What else goes with a batch: what is pushed on a list before, what the script is told of that.

    `arrived` is told whether it did.
    """

    list: bytes
    block: bytes
    arguments: Sequence[Argument]
    arrived: Callable[[bool], None]


class Batches:
    """Sends batches over a link, one after another."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._script = Script(link, ACT)
        self._waiting: dict[Act, Waiting] = {}
        self._load: Callable[[], Cargo | None] = lambda: None
        self._departures = Departures(link, self._depart)
        self._departed: asyncio.Future[None] | None = None

    def carry(self, load: Callable[[], Cargo | None]) -> None:
        """Ask with each batch what else is to go with it."""
        self._load = load

    def enter(self, key: bytes, period: str, field: str, versions: Versions) -> Awaitable[int | bytes]:
        """The units spent on a counter of an account that may enter; or what is different, as in ENTER.

        Raises StoreUnavailableError.
        """
        return self._join((key, *versions, period, field, b"", False))

    def spend(
        self, key: bytes, period: str, field: str, limit: int | None, versions: Versions
    ) -> Awaitable[int | None]:
        """Spend one unit; the new count, or None where nothing was left."""
        return self._join((key, *versions, period, field, b"" if limit is None else limit, True))

    def due(self) -> None:
        """There is something more to be sent."""
        self._departures.other()

    async def departed(self) -> None:
        """Wait until all that is due now has been sent."""
        if self._departures.due:
            if self._departed is None:
                self._departed = self._link.loop.create_future()
            await asyncio.shield(self._departed)

    def _join(self, act: Act) -> Awaitable[Any]:
        if not self._link.is_open:
            return self._open_and_join(act)
        reply: asyncio.Future[Any] = self._link.loop.create_future()
        waiting = self._waiting.get(act)
        if waiting is None:
            self._waiting[act] = [reply]
        else:
            waiting.append(reply)
        self._departures.act()
        return reply

    async def _open_and_join(self, act: Act) -> Any:
        await self._link.open()
        return await self._join(act)

    def _depart(self) -> None:
        """Send what has gathered."""
        acts, self._waiting = self._waiting, {}
        cargo = self._load()
        if self._departed is not None:
            self._departed.set_result(None)
            self._departed = None
        arguments: list[Argument] = [len(acts)]
        for act, waiting in acts.items():
            arguments += (*act[:-1], len(waiting) if act[-1] else 0)
        pushing: Command | None = None
        if cargo is not None:
            arguments += cargo.arguments
            pushing = b"RPUSH", self._link.prefix + cargo.list, cargo.block

        def returned(reply: Any) -> None:
            # Whoever is woken by a reply and has more to do takes part in the next batch.
            self._departures.returned()
            _tell(acts, reply)
            if cargo is not None:
                cargo.arrived(not isinstance(reply, Exception))

        self._script.send(returned, *arguments, after=pushing)


def _tell(acts: Mapping[Act, Waiting], reply: Any) -> None:
    """Hand each one's share of a batch's reply to whoever waits for it."""
    if isinstance(reply, Exception):
        for waiting in acts.values():
            for future in waiting:
                settle(future, reply)
        return
    values = iter(reply)
    for act, waiting in acts.items():
        granted, used = next(values), next(values)
        for place, future in enumerate(waiting, 1):
            if not act[-1]:
                settle(future, used)
            elif not isinstance(used, int):
                settle(future, StoreUnavailableError(used.decode(errors="replace")))
            else:
                settle(future, used - granted + place if place <= granted else None)


ACT = (
    USED_NAME
    + ADD_EXCHANGES
    + """
local prefix, at, replies, world = KEYS[1], 2, {}, nil
for _ = 1, ARGV[1] do
  local key, version, name, field = ARGV[at], ARGV[at + 1], used_name(prefix, ARGV[at + 3], ARGV[at]), ARGV[at + 4]
  local limit, granted, used = tonumber(ARGV[at + 5]), tonumber(ARGV[at + 6]), nil
  if version ~= '' then
    local entry = redis.call('HGET', prefix .. 'accounts', key)
    if ARGV[at + 2] ~= '' then world = world or redis.call('GET', prefix .. 'version') or '' end
    if ARGV[at + 2] ~= '' and ARGV[at + 2] ~= world then used = 'world'
    elseif not entry then used = 'unknown'
    elseif string.sub(entry, 1, #version + 1) ~= version .. ':' then used = entry
    end
  end
  if not used and granted == 0 then
    used = tonumber(redis.call('HGET', name, field) or 0)
  elseif not used then
    used = redis.call('HINCRBY', name, field, granted)
    if used == granted then counted(prefix, ARGV[at + 3], key, name) end
    local over = limit and math.min(used - limit, granted) or 0
    if over > 0 then
      granted = granted - over
      used = redis.call('HINCRBY', name, field, -over)
    end
  end
  replies[#replies + 1] = granted
  replies[#replies + 1] = used
  at = at + 7
end
if ARGV[at] then add_exchanges(prefix, at) end
return replies
"""
)
"""ARGV: how many acts; of each, key, version of the account (may be empty: then anything will do), version of the
world (may be empty), period, field, limit (may be empty), how many ask for a unit; then what is to be added to the
journal, if anything. For each act, how many got a unit, and the new count, or what is different as in ENTER."""
