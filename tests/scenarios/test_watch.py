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
from tests.support import PATIENCE

Write = Callable[[Mapping[str, str | bytes]], Path]
Results = MemoryObjectReceiveStream[Loaded | FixturesError]

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def watching(loader: FixtureLoader) -> AsyncIterator[Results]:
    """The results of watching the loader's directory; all of it must take less than half a minute."""
    send, receive = anyio.create_memory_object_stream[Loaded | FixturesError](100)
    with anyio.fail_after(PATIENCE):
        async with send, receive, anyio.create_task_group() as tasks:
            tasks.start_soon(watch, loader, send.send)
            yield receive
            tasks.cancel_scope.cancel()


def loaded(write: Write, files: Mapping[str, str | bytes]) -> FixtureLoader:
    """The loader of a directory with these files, which it has loaded."""
    loader = FixtureLoader(write(files))
    loader.load()
    return loader


async def names(results: Results) -> list[str]:
    """The scenarios of the next set."""
    result = await results.receive()
    assert isinstance(result, Loaded)
    return [scenario.name for scenario in result.set.scenarios]


async def test_saved_file_is_reported(write: Write) -> None:
    """New, changed and removed files each give a new set."""
    loader = loaded(write, {"scenarios/a.yaml": "scenario: a\n"})

    async with watching(loader) as results:
        write({"scenarios/deep/b.yaml": "scenario: b\nwhen: {product: vin}\n"})
        assert await names(results) == ["a", "b"]
        write({"scenarios/a.yaml": "scenario: changed\n"})
        assert await names(results) == ["changed", "b"]
        (loader.root / "scenarios/a.yaml").unlink()
        assert await names(results) == ["b"]


async def test_bad_file_and_then_a_good_one(write: Write) -> None:
    """Mistakes are reported with their places; the next good state gives a set again."""
    loader = loaded(write, {"scenarios/a.yaml": "scenario: a\n"})

    async with watching(loader) as results:
        write({"scenarios/a.yaml": "scenario: a\nwhen: {prodct: vin}\n"})
        bad = await results.receive()
        assert isinstance(bad, FixturesError)
        assert [str(mistake).removeprefix(f"{loader.root}/") for mistake in bad.mistakes] == [
            'scenarios/a.yaml:2:8: unknown key "prodct" in "when" — did you mean "product"?'
        ]
        write({"scenarios/a.yaml": "scenario: a\nwhen: {product: vin}\n"})
        assert await names(results) == ["a"]


async def test_pictures_and_accounts_are_watched(write: Write) -> None:
    """A changed picture and a changed `mock.yaml` give a new set too."""
    loader = loaded(write, {"scenarios/a.yaml": "scenario: a\nwhen: {image: ../images/car.png}\n"})

    async with watching(loader) as results:
        write({"mock.yaml": "accounts: [{key: k}]\n"})
        result = await results.receive()
        assert isinstance(result, Loaded)
        assert [account.key for account in result.set.accounts] == ["k"]
        write({"images/car.png": (loader.root / "images/truck.png").read_bytes()})
        assert await names(results) == ["a"]


async def test_what_happened_before_the_watch_began(write: Write) -> None:
    """A file saved between the first load and the start of the watch is not lost."""
    loader = loaded(write, {"scenarios/a.yaml": "scenario: a\n"})
    write({"scenarios/a.yaml": "scenario: early\n"})

    async with watching(loader) as results:
        assert await names(results) == ["early"]


async def test_other_files_are_ignored(write: Write) -> None:
    """A change of a file that does not belong to the set is ignored."""
    loader = loaded(write, {"scenarios/a.yaml": "scenario: a\n"})

    async with watching(loader) as results:
        write({"scenarios/.a.yaml.swp": "x", "notes.txt": "y", "scenarios/a.yaml~": "z"})
        write({"scenarios/b.yaml": "scenario: b\nwhen: {product: vin}\n"})
        assert await names(results) == ["a", "b"]
        assert results.statistics().current_buffer_used == 0


async def test_scenario_and_picture_that_change(write: Write) -> None:
    """New, changed and removed files and pictures are found."""
    loader = loaded(write, {"scenarios/a.yaml": "scenario: a\n"})

    async with watching(loader) as results:
        write({"scenarios/a.yaml": "scenario: b\nwhen: {image: ../images/new.png}\n"})
        assert isinstance(await results.receive(), FixturesError)
        write({"images/new.png": (loader.root / "images/car.png").read_bytes()})
        assert await names(results) == ["b"]
        (loader.root / "scenarios/a.yaml").unlink()
        assert await names(results) == []


async def test_directory_that_is_replaced(write: Write, tmp_path: Path) -> None:
    """The name of the directory counts: after a replacement the new directory is watched."""
    loader = loaded(write, {"scenarios/a.yaml": "scenario: a\n"})

    async with watching(loader) as results:
        await anyio.sleep(0.5)
        loader.root.rename(tmp_path / "old")
        error = await results.receive()
        assert "there is no such fixtures directory" in str(error)
        write({"scenarios/a.yaml": "scenario: new\n"})
        while await names(results) != ["new"]:
            pass
        (tmp_path / "old/scenarios/a.yaml").write_text("scenario: old\n")
        write({"scenarios/a.yaml": "scenario: newer\n"})
        assert await names(results) == ["newer"]


async def test_link_that_is_changed(write: Write, tmp_path: Path) -> None:
    """A link in place of the directory may lead to another one, as deployments swap them."""
    for name in ("one", "two"):
        (tmp_path / name / "scenarios").mkdir(parents=True)
        (tmp_path / name / "scenarios/a.yaml").write_text(f"scenario: {name}\n")
    current = tmp_path / "current"
    current.symlink_to(tmp_path / "one")
    loader = FixtureLoader(current)
    loader.load()

    async with watching(loader) as results:
        await anyio.sleep(0.5)
        (tmp_path / "next").symlink_to(tmp_path / "two")
        (tmp_path / "next").replace(current)
        assert await names(results) == ["two"]
        (tmp_path / "two/scenarios/a.yaml").write_text("scenario: edited\n")
        assert await names(results) == ["edited"]


async def test_files_that_are_saved_one_after_another(write: Write) -> None:
    """A scenario that names a picture saved a moment later gives one result, without a mistake."""
    root = write({"scenarios/a.yaml": "scenario: a\n"})
    picture = (root / "images/car.png").read_bytes()
    loader = FixtureLoader(root)
    loader.load()

    async with watching(loader) as results:
        await anyio.sleep(0.5)
        write({"scenarios/a.yaml": "scenario: b\nwhen: {image: [../images/one.png, ../images/two.png]}\n"})
        for name in ("one", "two"):
            await anyio.sleep(0.01)
            write({f"images/{name}.png": picture})
        assert await names(results) == ["b"]


async def test_a_change_among_a_thousand_files(write: Write) -> None:
    """A change in a large directory is found and loaded."""
    loader = loaded(
        write, {f"scenarios/{n}.yaml": f"scenario: s{n}\nwhen: {{filename: {n}.jpg}}\n" for n in range(1000)}
    )

    async with watching(loader) as results:
        await anyio.sleep(1)
        write({"scenarios/0.yaml": "scenario: changed\n"})
        assert "changed" in await names(results)


async def test_links_in_a_circle(write: Write) -> None:
    """A link to a directory above ends the search there."""
    root = write({"scenarios/a.yaml": "scenario: a\n"})
    (root / "images/loop").symlink_to(root)
    loader = FixtureLoader(root)
    loader.load()

    async with watching(loader) as results:
        write({"scenarios/a.yaml": "scenario: b\n"})
        assert await names(results) == ["b"]
