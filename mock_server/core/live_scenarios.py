"""What is being served: the files' scenarios and, before them, those that were added at run time."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import anyio.to_thread

from mock_server.core.coordination import Coordination
from mock_server.core.fixture_set import FixtureSet
from mock_server.core.library import Index, Library, references_of
from mock_server.core.reader import Reader
from mock_server.core.scenario import Scenario


@dataclass(frozen=True, slots=True)
class RuntimeScenario:
    """A scenario added at run time, and the bytes of pictures that came with it."""

    scenario: Scenario
    pictures: Mapping[str, bytes] = field(default_factory=dict)


class LiveScenarios:
    """Swaps the reader's library whole, one change after another; requests under way keep the one they began with.

    A runtime scenario wins over one from a file at equal priority and specificity, and a later one over an
    earlier one. It may have the name of one from a file, which it then hides.
    """

    def __init__(self, reader: Reader, coordination: Coordination) -> None:
        self._reader = reader
        self._coordination = coordination
        self._files = reader.library.fixtures
        self._runtime: dict[str, RuntimeScenario] = {}
        self._added = 0
        self._changing = asyncio.Lock()

    @property
    def library(self) -> Library:
        """The library that new requests get."""
        return self._reader.library

    @property
    def files(self) -> FixtureSet:
        """What the files say, without anything added at run time."""
        return self._files

    def runtime(self, name: str) -> RuntimeScenario | None:
        """The runtime scenario of that name."""
        return self._runtime.get(name)

    def all_runtime(self) -> Mapping[str, RuntimeScenario]:
        """All runtime scenarios by name, in the order they were added."""
        return self._runtime

    @property
    def added(self) -> int:
        """How many runtime scenarios were ever added."""
        return self._added

    async def adopt(self, runtime: Mapping[str, RuntimeScenario], added: int) -> None:
        """Take over the runtime scenarios that another process has."""
        async with self._changing:
            await self._change(self._files, dict(runtime))
            self._added = added

    async def add(self, added: RuntimeScenario, *, replacing: bool = False) -> bool:
        """Add a runtime scenario; False where its name is taken and nothing may be replaced.

        Raises ImageError for a picture that cannot be read; then nothing is changed.
        """
        async with self._coordination.changing(), self._changing:
            name = added.scenario.name
            if not replacing and name in self.library.scenarios.by_name:
                return False
            self._added += 1
            ordered = replace(added, scenario=replace(added.scenario, order=-self._added))
            await self._change(self._files, {**self._runtime, name: ordered})
            return True

    async def remove(self, name: str) -> bool:
        """Take a runtime scenario away; False where there is none of that name."""
        async with self._coordination.changing(), self._changing:
            if name not in self._runtime:
                return False
            await self._change(self._files, {key: one for key, one in self._runtime.items() if key != name})
            return True

    async def clear(self) -> None:
        """Take all runtime scenarios away."""
        async with self._coordination.changing(), self._changing:
            if self._runtime:
                await self._change(self._files, {})

    async def reload(self, files: FixtureSet, index: Index) -> None:
        """Serve another set of files, whose pictures are in `index`; runtime scenarios stay.

        Raises ImageError; then nothing is changed.
        """
        async with self._changing:
            await self._change(files, self._runtime, index)

    async def _change(
        self, files: FixtureSet, runtime: dict[str, RuntimeScenario], index: Index | None = None
    ) -> None:
        fixtures = _together(files, runtime)
        known = (files, index) if index is not None else (self.library.fixtures, self.library.index)
        # Known pictures are not read again, but the rest may take a while.
        self._reader.library = await anyio.to_thread.run_sync(_arranged, fixtures, *known)
        self._files, self._runtime = files, runtime


def _together(files: FixtureSet, runtime: Mapping[str, RuntimeScenario]) -> FixtureSet:
    added = [one.scenario for one in runtime.values()]
    kept = [scenario for scenario in files.scenarios if scenario.name not in runtime]
    pictures = {id: data for one in runtime.values() for id, data in one.pictures.items()}
    return replace(files, scenarios=(*added, *kept), images={**files.images, **pictures})


def _arranged(fixtures: FixtureSet, indexed: FixtureSet, index: Index) -> Library:
    references = references_of(fixtures)
    # Most scenarios name no new picture. The index keeps the pictures it has seen lately, so it is kept as well.
    return Library.of(fixtures, index if references == references_of(indexed) else index.updated(references))
