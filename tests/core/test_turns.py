"""How requests with new pictures wait for a decoder."""

import asyncio
from dataclasses import dataclass, field

import pytest

from mock_server.core.turns import Client, Turns
from mock_server.errors import ClientDisconnectedError
from tests.support import PATIENCE

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """The event loop that the server runs on."""
    return "asyncio"


@dataclass
class Person:
    """A client; `is_gone` is what a probe finds out."""

    is_ended: bool = False
    is_gone: bool = False
    is_probed: bool = False

    def probe(self) -> None:
        self.is_probed = True

    def has_left(self) -> bool:
        return self.is_gone and (self.is_probed or not self.is_ended)


@dataclass
class Counter:
    """Turns of which each ends when the test says so. `served` has the names in the order of their turns."""

    turns: Turns
    served: list[str] = field(default_factory=list)
    ends: dict[str, asyncio.Event] = field(default_factory=dict)
    tasks: list["asyncio.Task[None]"] = field(default_factory=list)

    async def join(self, name: str, key: str = "a", client: Client | None = None) -> "asyncio.Task[None]":
        self.ends[name] = asyncio.Event()
        self.tasks.append(asyncio.create_task(self._wait(name, key, client)))
        await asyncio.sleep(0)
        return self.tasks[-1]

    async def _wait(self, name: str, key: str, client: Client | None) -> None:
        async with self.turns.turn(key, client):
            self.served.append(name)
            await self.ends[name].wait()

    async def end_all(self) -> None:
        for end in self.ends.values():
            end.set()
        await asyncio.wait(self.tasks, timeout=PATIENCE)
        assert all(task.done() for task in self.tasks)


async def test_no_more_than_so_many_have_a_turn() -> None:
    """The next one begins when one ends."""
    counter = Counter(Turns(2))
    for name in ("1", "2", "3", "4"):
        await counter.join(name)
    assert counter.served == ["1", "2"]
    counter.ends["2"].set()
    await asyncio.wait([counter.tasks[1]], timeout=PATIENCE)
    await asyncio.sleep(0)
    assert counter.served == ["1", "2", "3"]
    await counter.end_all()

    assert counter.served == ["1", "2", "3", "4"]


async def test_keys_take_turns() -> None:
    """A key with many requests does not hold up the others; each key's requests stay in order."""
    counter = Counter(Turns(1))
    await counter.join("first", "busy")
    for name in ("1", "2", "3", "4"):
        await counter.join(name, "busy")
    await counter.join("x", "other")
    await counter.join("y", "third")
    await counter.join("z", "third")
    await counter.end_all()

    assert counter.served[0] == "first"
    assert sorted(counter.served[1:4]) == ["1", "x", "y"]
    assert set(counter.served[4:6]) == {"2", "z"}
    assert counter.served[6:] == ["3", "4"]


async def test_clients_that_left_have_no_turn() -> None:
    """Their requests end with an error when others are served."""
    counter, gone = Counter(Turns(1)), Person(is_gone=True)
    await counter.join("first")
    left = await counter.join("left", client=gone)
    await counter.join("there", client=Person())
    await counter.end_all()

    assert counter.served == ["first", "there"]
    assert isinstance(left.exception(), ClientDisconnectedError)


@pytest.mark.parametrize("is_gone", [True, False])
async def test_clients_that_ended_are_probed_and_come_last(is_gone: bool) -> None:
    """A client that sends nothing more may still wait for its reply."""
    counter, ended = Counter(Turns(1)), Person(is_ended=True, is_gone=is_gone)
    await counter.join("first")
    task = await counter.join("ended", client=ended)
    for name in ("1", "2"):
        await counter.join(name, client=Person())
    await counter.end_all()

    assert ended.is_probed
    assert counter.served == ["first", "1", "2"] + ([] if is_gone else ["ended"])
    assert isinstance(task.exception(), ClientDisconnectedError) is is_gone


async def test_a_timer_may_be_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """An event loop rounds its clock. A client that still waits has its turn all the same."""
    loop, counter = asyncio.get_running_loop(), Counter(Turns(1))
    monkeypatch.setattr(loop, "call_later", lambda delay, *args: loop.call_at(loop.time() + delay / 2, *args))
    await counter.join("first")
    await counter.join("ended", client=Person(is_ended=True))
    await counter.end_all()

    assert counter.served == ["first", "ended"]


async def test_an_error_ends_a_turn() -> None:
    """A picture that cannot be decoded makes room for the next one."""
    turns = Turns(1)
    for _ in range(3):
        with pytest.raises(ValueError, match="damaged"):
            async with turns.turn("a", None):
                raise ValueError("damaged")


async def test_a_request_that_is_cancelled_gives_up_its_place() -> None:
    """Whether it waits, or its turn has just come."""
    counter = Counter(Turns(1))
    first, waiting, called = [await counter.join(name) for name in ("first", "waiting", "called")]
    waiting.cancel()
    await asyncio.sleep(0)
    counter.ends["first"].set()
    await asyncio.wait([first], timeout=PATIENCE)
    called.cancel()
    await counter.join("last")
    await counter.end_all()

    assert counter.served[0] == "first"
    assert counter.served[-1] == "last"
    assert waiting.cancelled()
