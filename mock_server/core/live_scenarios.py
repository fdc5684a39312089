"""The scenarios that are served: those of the files, and those that were added at run time."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import anyio.to_thread

from mock_server.core.library import FixtureSet, Index, Library, references_of
from mock_server.core.request_pipeline import RequestPipeline
from mock_server.core.scenario import Scenario
from mock_server.core.state import Coordination


@dataclass(frozen=True, slots=True)
class RuntimeScenario:
    """A scenario that was added at run time, and the bytes of its pictures."""

    scenario: Scenario
    pictures: Mapping[str, bytes] = field(default_factory=dict)


class LiveScenarios:
    """Replaces the pipeline's library, one change after another. Running requests keep the library they began with.

    At equal priority and specificity, a runtime scenario wins over one from a file, and a later one over an earlier
    one. A runtime scenario hides a scenario from a file with the same name and the same `when.key`.
    """

    def __init__(self, pipeline: RequestPipeline, coordination: Coordination) -> None:
        self._pipeline = pipeline
        self._coordination = coordination
        self._files = pipeline.library.fixtures
        self._file_ids = {scenario.id for scenario in self._files.scenarios}
        self._runtime: dict[str, RuntimeScenario] = {}
        self._changing = asyncio.Lock()

    @property
    def library(self) -> Library:
        """The library that new requests get."""
        return self._pipeline.library

    @property
    def files(self) -> FixtureSet:
        """The content of the files, without runtime scenarios."""
        return self._files

    @property
    def runtime(self) -> Mapping[str, RuntimeScenario]:
        """The runtime scenarios by id, in the order they were added."""
        return self._runtime

    async def adopt(self, changes: Mapping[str, RuntimeScenario | None], *, is_complete: bool) -> None:
        """Apply changes of other processes by id; None removes a scenario.

        With `is_complete`, runtime scenarios that are not among them are removed, too.
        """
        async with self._changing:
            if len(changes) == 1 and not is_complete:
                await self._change_one(*next(iter(changes.items())))
                return
            found = changes if is_complete else {**self._runtime, **changes}
            remaining = [(id, one) for id, one in found.items() if one is not None]
            runtime = dict(sorted(remaining, key=lambda pair: -pair[1].scenario.order))
            if runtime != self._runtime:
                await self._change(self._files, runtime)

    async def add(self, added: RuntimeScenario, *, is_replacing: bool = False) -> bool:
        """Add a runtime scenario. False if its id exists and `is_replacing` is off.

        Raises ImageError for a picture that cannot be read. Nothing has changed then.
        """
        async with self._coordination.changing(), self._changing:
            id = added.scenario.id
            if not is_replacing and id in self.library.scenarios.by_id:
                return False
            latest = next(reversed(self._runtime.values()), None)
            order = latest.scenario.order - 1 if latest else -1
            ordered = replace(added, scenario=replace(added.scenario, order=order, overlay=False))
            await self._change_one(id, ordered)
            return True

    async def remove(self, id: str) -> bool:
        """Remove a runtime scenario. False if there is none with that id."""
        async with self._coordination.changing(), self._changing:
            if id not in self._runtime:
                return False
            await self._change_one(id, None)
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

    async def _change_one(self, id: str, new: RuntimeScenario | None) -> None:
        """Add, replace or remove one runtime scenario. Most scenarios do not concern the index of pictures."""
        runtime = dict(self._runtime)
        old = runtime.pop(id, None)
        if new is not None:
            runtime[id] = new
        if id in self._file_ids or _concerns_index(old) or _concerns_index(new):
            await self._change(self._files, runtime)
        else:
            removed, added = old.scenario if old else None, new.scenario if new else None
            self._pipeline.library = self.library.changed(removed=removed, added=added)
            self._runtime = runtime

    async def _change(self, files: FixtureSet, runtime: dict[str, RuntimeScenario], index: Index | None = None) -> None:
        fixtures = _merge(files, runtime)
        known = (files, index) if index is not None else (self.library.fixtures, self.library.index)
        # Pictures that are indexed are not read again, but new ones take time.
        self._pipeline.library = await anyio.to_thread.run_sync(_build_library, fixtures, *known)
        self._files, self._runtime = files, runtime
        self._file_ids = {scenario.id for scenario in files.scenarios}


def _concerns_index(one: RuntimeScenario | None) -> bool:
    """Whether a scenario has pictures of its own, or boxes for a picture of the index."""
    return one is not None and bool(one.pictures or (one.scenario.when.images and one.scenario.reading.boxes()))


def _merge(files: FixtureSet, runtime: Mapping[str, RuntimeScenario]) -> FixtureSet:
    added = [one.scenario for one in runtime.values()]
    kept = [scenario for scenario in files.scenarios if scenario.id not in runtime]
    pictures = {id: data for one in runtime.values() for id, data in one.pictures.items()}
    return replace(files, scenarios=(*added, *kept), images={**files.images, **pictures})


def _build_library(fixtures: FixtureSet, indexed: FixtureSet, index: Index) -> Library:
    references = references_of(fixtures)
    # Most scenarios have no new picture. The same index also keeps its cache of recent pictures.
    return Library.of(fixtures, index if references == references_of(indexed) else index.updated(references))
