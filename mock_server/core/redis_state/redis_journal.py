"""The journal as all processes write it: bounded by count and by bytes, on the shared server."""

import asyncio
import itertools
import secrets
from collections import OrderedDict
from collections.abc import Iterator, Sequence

from mock_server.core.journal import JournalEntry, Selection
from mock_server.core.redis_state import journal_scripts
from mock_server.core.redis_state.batches import Batches, Cargo
from mock_server.core.redis_state.link import Link
from mock_server.core.redis_state.script import Script
from mock_server.core.serialization import from_row, to_row

_MOST_UNDER_WAY = 1000
"""So many exchanges may be on their way; where the server is slower than that, further ones are dropped."""
_ON_ITS_WAY = 0.02
"""Seconds after its reply within which an exchange arrives."""
_AT_ONCE = 50
"""Blocks of exchanges that are read in one go."""


class SharedJournal:
    """A `Journal` in Redis or Valkey. What is added goes with the next batch, which nobody waits for.

    What did not arrive counts as dropped. What was read is kept here as well: the next reading asks for what is new.
    """

    def __init__(self, link: Link, *, max_count: int, max_bytes: int, batches: Batches | None = None) -> None:
        self._bounds = max_count, max_bytes
        self._read = Script(link, journal_scripts.READ)
        self._clear = Script(link, journal_scripts.CLEAR)
        self._remove = Script(link, journal_scripts.REMOVE)
        self._batches = batches or Batches(link)
        self._batches.carry(self._load)
        self._unsent: list[bytes] = []
        self._under_way = 0
        self._lost = 0
        self._epoch = b""
        self._name, self._epochs = secrets.token_hex(4), itertools.count()
        self._known: OrderedDict[int, list[JournalEntry]] = OrderedDict()
        self._count = 0

    async def add(self, entry: JournalEntry) -> None:
        if self._under_way >= _MOST_UNDER_WAY:
            self._lost += 1
            return
        self._under_way += 1
        self._unsent.append(to_row(entry))
        self._batches.due()

    def _load(self) -> Cargo | None:
        """What was added since the last batch left."""
        sent, self._unsent = self._unsent, []
        if not sent:
            return None
        lost, self._lost = self._lost, 0

        def arrived(whether: bool) -> None:
            self._under_way -= len(sent)
            if not whether:
                self._lost += lost + len(sent)

        block = b"%d\n%b" % (len(sent), b"\n".join(sent))
        arguments = *self._bounds, lost, self._new_epoch(), len(sent), len(block)
        return Cargo(journal_scripts.LIST, block, arguments, arrived)

    async def exchanges(self) -> Sequence[JournalEntry]:
        await self._refresh()
        known = list(itertools.chain.from_iterable(self._known.values()))
        # The oldest may be too many, or gone from a block that was read when it was whole.
        return known[max(len(known) - self._count, 0) :]

    async def dropped(self) -> int:
        return await self._refresh() + self._lost

    async def clear(self, selection: Selection | None = None) -> int:
        if selection is None:
            await self._batches.departed()
            self._lost = 0
            return int(await self._clear(self._bounds[0]))
        while True:
            await self._refresh()
            meant = list(self._meant(selection))
            if not meant:
                return 0
            count = await self._remove(self._epoch, self._new_epoch(), self._bounds[0], *meant)
            # Somebody else may have removed some meanwhile.
            if count is not None:
                return int(count)

    def _meant(self, selection: Selection) -> Iterator[int | str]:
        """Places of blocks, each with the places of those exchanges in it that are meant, counted from its end."""
        left = self._count
        for place, block in reversed(self._known.items()):
            shown, left = block[max(len(block) - left, 0) :], max(left - len(block), 0)
            chosen = [str(nth) for nth, one in enumerate(reversed(shown), 1) if selection(one)]
            if chosen:
                yield place
                yield ",".join(chosen)

    async def _refresh(self) -> int:
        """Read what is new, and forget what is gone; how many were dropped."""
        # Whoever asks may have had a reply whose exchange is on its way, from here or from another process.
        await asyncio.sleep(_ON_ITS_WAY)
        await self._batches.departed()
        while True:
            last = next(reversed(self._known), 0)
            epoch, dropped, self._count, first, start, blocks = await self._read(
                self._epoch, last, _AT_ONCE, self._bounds[0]
            )
            if epoch != self._epoch:
                # Something in the middle is gone, or all: what was known is known no more.
                self._epoch = epoch
                self._known.clear()
            for place, block in enumerate(blocks, start):
                # Somebody else here may have read it meanwhile.
                if place > next(reversed(self._known), 0):
                    self._known[place] = [from_row(JournalEntry, row) for row in block.split(b"\n")[1:]]
            while self._known and next(iter(self._known)) < first:
                self._known.popitem(last=False)
            if len(blocks) < _AT_ONCE:
                return int(dropped)

    def _new_epoch(self) -> str:
        return f"{self._name}/{next(self._epochs)}"
