"""Hot reload, on real files."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from anyio.streams.memory import MemoryObjectReceiveStream

from mock_server.errors import FixturesError
from mock_server.scenarios.hot_reload import watch
from mock_server.scenarios.load import FixtureLoader, Loaded

Write = Callable[[Mapping[str, str | bytes]], Path]
Results = MemoryObjectReceiveStream[Loaded | FixturesError]

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """The loop that the server runs on."""
    return "asyncio"


@asynccontextmanager
async def watching(loader: FixtureLoader) -> AsyncIterator[Results]:
    """The results of watching the loader's directory; all of it must take less than half a minute."""
    send, receive = anyio.create_memory_object_stream[Loaded | FixturesError](100)
    stop = anyio.Event()
    with anyio.fail_after(30):
        async with send, receive, anyio.create_task_group() as tasks:

            async def run() -> None:
                await watch(loader, send.send, stop=stop)

            tasks.start_soon(run)
            yield receive
            stop.set()


async def names(results: Results) -> list[str]:
    """The scenarios of the next set."""
    result = await results.receive()
    assert isinstance(result, Loaded)
    return [scenario.name for scenario in result.set.scenarios]


async def test_saved_file_is_reported(write: Write) -> None:
    """New, changed and removed files each give a new set."""
    root = write({"scenarios/a.yaml": "scenario: a\n"})
    loader = FixtureLoader(root)
    loader.load()

    async with watching(loader) as results:
        write({"scenarios/deep/b.yaml": "scenario: b\nwhen: {product: vin}\n"})
        assert await names(results) == ["a", "b"]
        write({"scenarios/a.yaml": "scenario: changed\n"})
        assert await names(results) == ["changed", "b"]
        (root / "scenarios/a.yaml").unlink()
        assert await names(results) == ["b"]


async def test_bad_file_and_then_a_good_one(write: Write) -> None:
    """Mistakes are reported with their places; the next good state gives a set again."""
    root = write({"scenarios/a.yaml": "scenario: a\n"})
    loader = FixtureLoader(root)
    loader.load()

    async with watching(loader) as results:
        write({"scenarios/a.yaml": "scenario: a\nwhen: {prodct: vin}\n"})
        bad = await results.receive()
        assert isinstance(bad, FixturesError)
        assert [str(mistake).removeprefix(f"{root}/") for mistake in bad.mistakes] == [
            'scenarios/a.yaml:2:8: unknown key "prodct" in "when" — did you mean "product"?'
        ]
        write({"scenarios/a.yaml": "scenario: a\nwhen: {product: vin}\n"})
        assert await names(results) == ["a"]


async def test_pictures_and_accounts_are_watched(write: Write) -> None:
    """A changed picture and a changed `mock.yaml` give a new set too."""
    root = write({"scenarios/a.yaml": "scenario: a\nwhen: {image: ../images/car.png}\n"})
    loader = FixtureLoader(root)
    loader.load()

    async with watching(loader) as results:
        write({"mock.yaml": "accounts: [{key: k}]\n"})
        result = await results.receive()
        assert isinstance(result, Loaded)
        assert [account.key for account in result.set.accounts] == ["k"]
        write({"images/car.png": (root / "images/truck.png").read_bytes()})
        assert await names(results) == ["a"]


async def test_what_happened_before_the_watch_began(write: Write) -> None:
    """A file saved between the first load and the start of the watch is not lost."""
    root = write({"scenarios/a.yaml": "scenario: a\n"})
    loader = FixtureLoader(root)
    loader.load()
    write({"scenarios/a.yaml": "scenario: early\n"})

    async with watching(loader) as results:
        assert await names(results) == ["early"]


async def test_other_files_are_ignored(write: Write) -> None:
    """A change of a file that does not belong to the set is ignored."""
    root = write({"scenarios/a.yaml": "scenario: a\n"})
    loader = FixtureLoader(root)
    loader.load()

    async with watching(loader) as results:
        write({"scenarios/.a.yaml.swp": "x", "notes.txt": "y", "scenarios/a.yaml~": "z"})
        write({"scenarios/b.yaml": "scenario: b\nwhen: {product: vin}\n"})
        assert await names(results) == ["a", "b"]
        assert results.statistics().current_buffer_used == 0
