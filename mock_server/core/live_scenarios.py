"""The scenarios that are served: those of the files, and those that were added at run time."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import anyio.to_thread

from mock_server.core.fixture_set import FixtureSet
from mock_server.core.library import Index, Library, references_of
from mock_server.core.reader import Reader
from mock_server.core.scenario import Scenario
from mock_server.core.state import Coordination


@dataclass(frozen=True, slots=True)
class RuntimeScenario:
    """A scenario that was added at run time, and the bytes of its pictures."""

    scenario: Scenario
    pictures: Mapping[str, bytes] = field(default_factory=dict)


class LiveScenarios:
    """Replaces the reader's library, one change after another. Running requests keep the library they began with.

    At equal priority and specificity, a runtime scenario wins over one from a file, and a later one over an earlier
    one. A runtime scenario hides a scenario from a file with the same name and the same `when.key`.
    """

    def __init__(self, reader: Reader, coordination: Coordination) -> None:
        self._reader = reader
        self._coordination = coordination
        self._files = reader.library.fixtures
        self._runtime: dict[str, RuntimeScenario] = {}
        self._changing = asyncio.Lock()

    @property
    def library(self) -> Library:
        """The library that new requests get."""
        return self._reader.library

    @property
    def files(self) -> FixtureSet:
        """The content of the files, without runtime scenarios."""
        return self._files

    @property
    def runtime(self) -> Mapping[str, RuntimeScenario]:
        """The runtime scenarios by id, in the order they were added."""
        return self._runtime

    async def adopt(self, runtime: Mapping[str, RuntimeScenario]) -> None:
        """Serve these runtime scenarios, by id, instead of those that are served."""
        async with self._changing:
            if runtime != self._runtime:
                in_order = sorted(runtime.items(), key=lambda pair: -pair[1].scenario.order)
                await self._change(self._files, dict(in_order))

    async def add(self, added: RuntimeScenario, *, replacing: bool = False) -> bool:
        """Add a runtime scenario. False if its id exists and `replacing` is off.

        Raises ImageError for a picture that cannot be read. Nothing has changed then.
        """
        async with self._coordination.changing(), self._changing:
            id = added.scenario.id
            if not replacing and id in self.library.scenarios.by_id:
                return False
            order = min((one.scenario.order for one in self._runtime.values()), default=0) - 1
            ordered = replace(added, scenario=replace(added.scenario, order=order))
            await self._change(self._files, {**self._without(id), id: ordered})
            return True

    async def remove(self, id: str) -> bool:
        """Remove a runtime scenario. False if there is none with that id."""
        async with self._coordination.changing(), self._changing:
            if id not in self._runtime:
                return False
            await self._change(self._files, self._without(id))
            return True

    async def clear(self) -> None:
        """Remove all runtime scenarios."""
        async with self._coordination.changing(), self._changing:
            if self._runtime:
                await self._change(self._files, {})

    async def reload(self, files: FixtureSet, index: Index) -> None:
        """Serve another set of files, whose pictures are in `index`. Runtime scenarios stay.

        Raises ImageError. Nothing has changed then.
        """
        async with self._changing:
            await self._change(files, self._runtime, index)

    def _without(self, id: str) -> dict[str, RuntimeScenario]:
        return {other: one for other, one in self._runtime.items() if other != id}

    async def _change(self, files: FixtureSet, runtime: dict[str, RuntimeScenario], index: Index | None = None) -> None:
        fixtures = _merge(files, runtime)
        old = self.library if index is None else Library.of(files, index)
        # Pictures that are indexed are not read again, but new ones take time.
        self._reader.library = await anyio.to_thread.run_sync(_build_library, fixtures, old)
        self._files, self._runtime = files, runtime


def _merge(files: FixtureSet, runtime: Mapping[str, RuntimeScenario]) -> FixtureSet:
    added = [one.scenario for one in runtime.values()]
    kept = [scenario for scenario in files.scenarios if scenario.id not in runtime]
    pictures = {id: data for one in runtime.values() for id, data in one.pictures.items()}
    return replace(files, scenarios=(*added, *kept), images={**files.images, **pictures})


def _build_library(fixtures: FixtureSet, old: Library) -> Library:
    references = references_of(fixtures)
    # Most scenarios have no new picture. The same index also keeps its cache of recent pictures.
    index = old.index if references == references_of(old.fixtures) else old.index.updated(references)
    return Library.of(fixtures, index, old.scenarios)
