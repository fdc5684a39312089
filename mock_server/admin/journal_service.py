"""The journal as tests ask it: lists, counts, what found no scenario and what nearly did."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import anyio.to_thread

from mock_server.admin.exchange_document import exchange_document, near_miss_document, to_json
from mock_server.admin.request_filter import RequestFilter, parse_filter
from mock_server.core.journal import Journal, JournalEntry
from mock_server.core.live_scenarios import LiveScenarios
from mock_server.core.matching import Scenarios
from mock_server.core.near_misses import near_misses
from mock_server.core.thumbnail_cache import Thumbnails
from mock_server.errors import NotFoundError

NEAR_MISSES_TOLD = 50
"""Of how many requests near misses are told, where no limit is given."""

_IN_PASSING = 50
"""So many exchanges are told on the event loop; more go to a thread, so that no request waits for them."""


class RequestControl:
    """The journal, as JSON text: lists may be long, and are made where they hold up nobody."""

    def __init__(
        self, journal: Journal, thumbnails: Thumbnails, stage: LiveScenarios, providers: Collection[str]
    ) -> None:
        self._journal = journal
        self._thumbnails = thumbnails
        self._stage = stage
        self._providers = providers

    def filter(self, wanted: Mapping[str, Any], *, parameters: bool = False) -> RequestFilter:
        """What a document or the parameters of a query ask for. Raises FixturesError."""
        return parse_filter(wanted, self._providers, parameters=parameters)

    async def find(self, wanted: RequestFilter, *, unmatched: bool = False) -> bytes:
        """`{"requests": […], "total": n, "dropped": n}`, oldest first; a limit keeps the latest."""
        exchanges = await self._journal.exchanges()
        dropped = await self._journal.dropped()
        if len(exchanges) <= _IN_PASSING:
            return _listed(exchanges, wanted, unmatched, dropped)
        return await anyio.to_thread.run_sync(_listed, exchanges, wanted, unmatched, dropped)

    async def count(self, wanted: RequestFilter) -> int:
        """How many are meant."""
        exchanges = await self._journal.exchanges()
        return len(_chosen(exchanges, wanted))

    async def get(self, id: str) -> dict[str, Any]:
        """One exchange. Raises NotFoundError."""
        return exchange_document(await self._known(id))

    async def thumbnail(self, id: str) -> bytes:
        """The picture of an exchange as a small JPEG. Raises NotFoundError."""
        exchange = await self._known(id)
        if exchange.image is None:
            raise NotFoundError(f"Request {id} sent no picture that could be read.")
        made = await self._thumbnails.find(exchange.image.sha256)
        if made is None:
            raise NotFoundError(f"The thumbnail of request {id} is no longer kept.")
        return made

    async def near_misses(self, wanted: RequestFilter) -> bytes:
        """`{"nearMisses": [{"request": …, "scenarios": […]}]}` for requests that found no scenario."""
        exchanges = [one for one in await self._journal.exchanges() if one.query is not None]
        scenarios = self._stage.library.scenarios
        limit = NEAR_MISSES_TOLD if wanted.limit is None else wanted.limit
        chosen = _latest(_chosen(exchanges, wanted), limit)
        return await anyio.to_thread.run_sync(_with_near_misses, chosen, scenarios)

    async def clear(self, wanted: RequestFilter | None = None) -> int:
        """Forget exchanges: those that are meant, or all; how many that were."""
        return await self._journal.clear(wanted if wanted and wanted.tests else None)

    async def _known(self, id: str) -> JournalEntry:
        for exchange in await self._journal.exchanges():
            if exchange.id == id:
                return exchange
        raise NotFoundError(f"The journal has no request {id[:40]}.")


def _chosen(
    exchanges: Sequence[JournalEntry], wanted: RequestFilter, *, unmatched: bool = False
) -> list[JournalEntry]:
    return [one for one in exchanges if wanted(one) and (one.query is not None or not unmatched)]


def _latest(exchanges: list[JournalEntry], limit: int | None) -> list[JournalEntry]:
    return exchanges if limit is None else exchanges[max(len(exchanges) - limit, 0) :]


def _listed(exchanges: Sequence[JournalEntry], wanted: RequestFilter, unmatched: bool, dropped: int) -> bytes:
    chosen = _chosen(exchanges, wanted, unmatched=unmatched)
    shown = [exchange_document(one) for one in _latest(chosen, wanted.limit)]
    return to_json({"requests": shown, "total": len(chosen), "dropped": dropped})


def _with_near_misses(exchanges: Sequence[JournalEntry], scenarios: Scenarios) -> bytes:
    told = [
        {
            "request": exchange_document(exchange),
            "scenarios": [near_miss_document(miss) for miss in near_misses(exchange.query, scenarios)],
        }
        for exchange in exchanges
        if exchange.query is not None
    ]
    return to_json({"nearMisses": told})
