"""The recording of finished calls: journal, rehearsal, metrics and log."""

from mock_server.core.journal import Journal, MemoryJournal
from mock_server.core.rehearsal import MemoryRehearsal, Rehearsal
from mock_server.core.state import Share
from mock_server.logs import RequestLog
from mock_server.metrics import Metrics
from mock_server.providers.finished_call import FinishedCall

_MOST_WAITING = 100
_MOST_HEADERS = 2_000
"""Headers of the calls that wait. To record so many takes the event loop 10 ms."""


class Recorder:
    """Records each call once. What this process keeps of calls waits until there are many, or something is read.

    A loop over a hundred calls takes half the time of the same work done between requests, because the processor then
    has its instructions at hand: this saves a tenth of a small request. A shared state gets every call at once, by
    `share`.
    """

    def __init__(
        self,
        journal: Journal,
        rehearsal: Rehearsal,
        metrics: Metrics,
        log: RequestLog | None,
        share: Share | None = None,
    ) -> None:
        self._journal = journal if isinstance(journal, MemoryJournal) else None
        self._rehearsal = rehearsal if isinstance(rehearsal, MemoryRehearsal) else None
        self._share = share
        self._metrics = metrics
        self._log = log
        self._waiting: list[FinishedCall] = []
        self._headers = 0
        for part in (journal, rehearsal, metrics, log):
            if isinstance(part, MemoryJournal | MemoryRehearsal | Metrics | RequestLog):
                part.settle = self.settle

    async def record(self, finished: FinishedCall) -> bool:
        """Record a call before its reply is sent. What is read afterwards contains it.

        A shared state charges what the call still costs in the same act. False, and nothing is recorded, if no unit was
        left. Raises StoreUnavailableError for a call that costs a unit.
        """
        if self._share is not None and not await self._share(*finished.recorded(), finished.admission):
            return False
        self._waiting.append(finished)
        self._headers += len(finished.call.headers)
        if self._log is not None:
            self._log.flush_soon()
        if len(self._waiting) >= _MOST_WAITING or self._headers >= _MOST_HEADERS:
            self.settle()
        return True

    def settle(self) -> None:
        """Record the calls that wait, in their order."""
        waiting, self._waiting, self._headers = self._waiting, [], 0
        for finished in waiting:
            entry, call = finished.recorded()
            if self._rehearsal is not None:
                self._rehearsal.add(entry, call)
            if self._journal is not None:
                self._journal.append(entry)
            self._metrics.record(entry)
            if self._log is not None:
                self._log.record(entry)
