"""Finished calls are recorded together, and everything that is read contains them."""

import asyncio
import io
from collections.abc import Awaitable, Callable

import pytest

from mock_server.core.journal import MemoryJournal
from mock_server.core.model import Product, ReadRequest
from mock_server.core.rehearsal import Change, MemoryRehearsal
from mock_server.http.reply import Reply
from mock_server.logs import RequestLog
from mock_server.metrics import Metrics
from mock_server.providers.finished_call import FinishedCall
from mock_server.providers.journal_entry import Answered
from mock_server.providers.provider import Call, limited
from mock_server.recorder import Recorder
from tests.support import PATIENCE


class Lines(io.StringIO):
    """A stream that says when lines were written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = asyncio.Event()

    def flush(self) -> None:
        self.written.set()


class Recorded:
    """A recorder in memory, with everything that it records to."""

    def __init__(self) -> None:
        self.journal = MemoryJournal()
        self.rehearsal = MemoryRehearsal(0.0)
        self.metrics = Metrics()
        self.lines = Lines()
        self.log = RequestLog("text", self.lines)
        self.recorder = Recorder(self.journal, self.rehearsal, self.metrics, self.log)

    async def record(self, *numbers: int) -> None:
        for number in numbers:
            await self.recorder.record(finished(f"id{number:04}"))


def finished(id: str, image: bytes | None = None, *, headers: int = 1) -> FinishedCall:
    names = ("content-length", *(f"x-{number}" for number in range(1, headers)))
    call = Call("POST", "/read", b"", dict.fromkeys(names, "7"), image)
    request = ReadRequest("acme", Product.PLATE, "key-of-a-test", image, url=None if image else "http://mock/car.jpg")
    return FinishedCall(id, "acme", call, Answered(Reply(200, (), b"{}"), None, request), now=1e9, seconds=0.001)


async def _journal(recorded: Recorded) -> list[str]:
    return [entry.id for entry in await recorded.journal.exchanges()]


async def _rehearsal(recorded: Recorded) -> list[str]:
    return [event.call.id for event in (await recorded.rehearsal.tally()).events if event.call]


async def _log(recorded: Recorded) -> list[str]:
    recorded.log.flush()
    return [line.split()[1] for line in recorded.lines.getvalue().splitlines()]


@pytest.mark.parametrize("read", [_journal, _rehearsal, _log])
@pytest.mark.parametrize("count", [1, 99, 100, 101, 1000])
def test_what_is_read_contains_every_call_in_order(
    read: Callable[[Recorded], Awaitable[list[str]]], count: int
) -> None:
    """The journal, the rehearsal (here the calls of one key, of which the latest are kept) and the log."""

    async def run() -> list[str]:
        recorded = Recorded()
        await recorded.record(*range(count))
        first = await read(recorded)
        assert await read(recorded) == first
        return first

    found = asyncio.run(run())
    assert found == [f"id{number:04}" for number in range(count - len(found), count)]
    assert len(found) >= min(count, 150)


def test_the_metrics_contain_every_call() -> None:
    """Also those that were recorded a moment ago."""

    async def run() -> bytes:
        recorded = Recorded()
        await recorded.record(*range(7))
        return recorded.metrics.text()[0]

    assert b'vehicle_ocr_mock_requests_total{match="none",outcome="none",product="plate",provider="acme"} 7.0' in (
        asyncio.run(run())
    )


def test_the_log_is_written_without_a_reader() -> None:
    """A line appears although no further call comes."""

    async def run() -> None:
        recorded = Recorded()
        await recorded.record(1)
        await asyncio.wait_for(recorded.lines.written.wait(), PATIENCE)
        assert "id0001" in recorded.lines.getvalue()

    asyncio.run(run())


def test_a_change_comes_after_the_calls_before_it() -> None:
    """The report says which calls were made before a reset."""

    async def run() -> list[bool]:
        recorded = Recorded()
        await recorded.record(1, 2)
        await recorded.rehearsal.mark(Change.RESET)
        await recorded.record(3)
        return [event.mark is not None for event in (await recorded.rehearsal.tally()).events]

    assert asyncio.run(run()) == [False, False, True, False]


def test_clearing_drops_the_calls_that_were_recorded_before() -> None:
    """Not only those that have been added to the journal."""

    async def run() -> tuple[int, list[str]]:
        recorded = Recorded()
        await recorded.record(1, 2)
        cleared = await recorded.journal.clear()
        await recorded.record(3)
        return cleared, await _journal(recorded)

    assert asyncio.run(run()) == (2, ["id0003"])


def test_pictures_are_not_kept_for_the_record() -> None:
    """A call that waits has neither the body nor the picture, but its size and what distinguishes it."""
    one, same, other = (finished("1", image) for image in (b"a" * 9000, b"a" * 9000, b"b" * 9000))
    for call in (one, same, other):
        call.release_picture()

    assert one.call.body is None
    assert one.answered.request is not None
    assert one.answered.request.image is None
    assert one.picture == same.picture != other.picture
    _, observed = one.recorded()
    assert observed is not None
    assert observed.size == 9000


def test_few_calls_wait() -> None:
    """Without a reader, all but the latest calls are recorded as well."""
    recorded = Recorded()
    recorded.journal.settle = lambda: None

    async def run() -> int:
        await recorded.record(*range(1000))
        return len(await recorded.journal.exchanges())

    assert asyncio.run(run()) >= 900


def test_calls_with_thousands_of_headers_do_not_wait() -> None:
    """A hundred of them, recorded together, would hold the event loop for seconds."""
    recorded = Recorded()
    recorded.journal.settle = lambda: None

    async def run() -> list[int]:
        counts = []
        for number in range(3):
            await recorded.recorder.record(finished(f"id{number}", headers=1500))
            counts.append(len(await recorded.journal.exchanges()))
        return counts

    assert asyncio.run(run()) == [0, 2, 2]


def test_texts_of_calls_that_wait_are_short() -> None:
    """A hundred calls with long texts would otherwise hold gigabytes until they are recorded."""
    long = "k" * 1_000_000
    request = limited(
        ReadRequest(
            "acme", Product.PLATE, long, url=long, filename=long, language=long, notes=(long,), fields=("a", long)
        )
    )

    assert len(repr(request)) < 10_000
    assert request.fields[0] == "a"
