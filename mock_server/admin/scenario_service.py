"""Scenarios as tests see and set them. Those of files can be hidden at run time, never changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from mock_server.admin.input_errors import as_object, mistake, only_known, pointer
from mock_server.core.journal import key_id, redacted
from mock_server.core.library import Library, gallery_name
from mock_server.core.live_scenarios import LiveScenarios, RuntimeScenario
from mock_server.core.scenario import Scenario
from mock_server.core.store import Store
from mock_server.errors import ConflictError, NotFoundError
from mock_server.scenarios.scenario_writer import scenario_document
from mock_server.scenarios.vocabulary import Vocabulary
from mock_server.suggest import suggest

_RUNTIME_PICTURES = "runtime/"
_LAST_POSITION = 10**9


@dataclass(frozen=True, slots=True)
class SentPicture:
    """A picture that came with a scenario: its bytes and the name it was sent under, which is only compared."""

    data: bytes
    filename: str | None = None


class ScenarioControl:
    """The scenarios that are being served, as documents."""

    def __init__(self, stage: LiveScenarios, store: Store, vocabulary: Vocabulary) -> None:
        self._stage = stage
        self._store = store
        self.vocabulary = vocabulary

    async def all(self) -> list[dict[str, Any]]:
        """All scenarios: those added at run time first, then in the order of the files."""
        return [await self._shown(scenario) for scenario in self._stage.library.scenarios.by_name.values()]

    async def get(self, name: str) -> dict[str, Any]:
        """One scenario. Raises NotFoundError."""
        return await self._shown(self._known(name))

    async def add(
        self, document: Mapping[str, Any] | str, pictures: Sequence[SentPicture] = ()
    ) -> dict[str, Any]:
        """Add a runtime scenario. Raises FixturesError, ImageError, and ConflictError for a name that is taken."""
        added = self._made(document, pictures)
        if not await self._stage.add(added):
            raise ConflictError(f"A scenario named {added.scenario.name} exists already.")
        return await self.get(added.scenario.name)

    async def put(
        self, name: str, document: Mapping[str, Any] | str, pictures: Sequence[SentPicture] = ()
    ) -> tuple[dict[str, Any], bool]:
        """Add or replace a runtime scenario, and whether it is new; one of a file is hidden by it.

        Every key begins its sequence anew. Raises FixturesError and ImageError.
        """
        if isinstance(document, Mapping):
            document = {"scenario": name, **document}
        added = self._made(document, pictures)
        if added.scenario.name != name:
            raise mistake(
                pointer("scenario"), f'the document is named "{added.scenario.name}", its address "{name}"'
            )
        new = self._stage.runtime(name) is None
        await self._stage.add(added, replacing=True)
        await self._forget_positions(name)
        return await self.get(name), new

    async def remove(self, name: str) -> None:
        """Take a runtime scenario away; one of a file that it hid is seen again.

        Raises NotFoundError, and ConflictError for a scenario of a file.
        """
        scenario = self._known(name)
        if not await self._stage.remove(name):
            raise ConflictError(
                f"The scenario {name} comes from the file {scenario.file}: only runtime scenarios can be deleted."
            )
        await self._forget_positions(name)

    async def set_state(self, name: str, document: object) -> dict[str, Any]:
        """Set where a key stands in a scenario's sequence. Raises FixturesError and NotFoundError."""
        self._known(name)
        wanted = as_object(document)
        only_known(wanted, ("key", "position"))
        key, position = wanted.get("key"), wanted.get("position")
        if not isinstance(key, str) or not key:
            raise mistake(pointer("key"), "the key whose position is meant is wanted")
        if isinstance(position, bool) or not isinstance(position, int) or not 0 <= position <= _LAST_POSITION:
            raise mistake(pointer("position"), "a whole number, 0 or more, is wanted")
        await self._store.set_position(key, name, position)
        return {"scenario": name, "key": redacted(key), "key_id": key_id(key), "position": position}

    async def remove_of_key(self, key: str) -> None:
        """Take away the runtime scenarios that are bound to a key."""
        for scenario in list(self._stage.library.scenarios.by_name.values()):
            if scenario.when.key == key and self._stage.runtime(scenario.name):
                await self._stage.remove(scenario.name)

    def picture(self, name: str) -> tuple[str, bytes]:
        """The first picture of a scenario: its SHA-256 and its bytes. Raises NotFoundError."""
        scenario, library = self._known(name), self._stage.library
        for image in scenario.when.images:
            if (data := library.picture(gallery_name(image))) is not None:
                return sha256(data).hexdigest(), data
        raise NotFoundError(f"The scenario {name} names no picture.")

    def _known(self, name: str) -> Scenario:
        scenario = self._stage.library.scenarios.by_name.get(name)
        if scenario is None:
            hint = suggest(name, self._stage.library.scenarios.by_name)
            close = f" {hint[0].upper()}{hint[1:]}" if hint.startswith("did") else ""
            raise NotFoundError(f"There is no scenario {name[:80]}.{close}")
        return scenario

    def _made(self, document: Mapping[str, Any] | str, pictures: Sequence[SentPicture]) -> RuntimeScenario:
        # Loaded when asked for: the models that check documents take a good part of a start.
        from mock_server.scenarios.scenario_reader import parse_scenario

        # A picture that is sent along need not be named in the document as well.
        scenario = parse_scenario(document, vocabulary=self.vocabulary)
        ids: dict[str, bytes] = {_runtime_id(picture): picture.data for picture in pictures}
        by_filename = {picture.filename: _runtime_id(picture) for picture in pictures if picture.filename}
        images = dict.fromkeys(ids)
        for number, written in enumerate(scenario.when.images):
            image = by_filename.get(written) or _in_set(written, number, document, self._stage.library)
            images[image] = None
            source = self._stage.library.fixtures.images.get(image)
            if isinstance(source, bytes):
                # The scenario that it came with may go before this one.
                ids[image] = source
        scenario = replace(scenario, when=replace(scenario.when, images=tuple(images)))
        return RuntimeScenario(scenario, ids)

    async def _forget_positions(self, name: str) -> None:
        for key in list(await self._store.positions(name)):
            await self._store.set_position(key, name, 0)

    async def _shown(self, scenario: Scenario) -> dict[str, Any]:
        positions = await self._store.positions(scenario.name)
        return {
            **scenario_document(scenario),
            "runtime": self._stage.runtime(scenario.name) is not None,
            "file": scenario.file or None,
            "line": scenario.line or None,
            "pictures": [f"/images/{gallery_name(image)}" for image in scenario.when.images],
            "positions": [
                {"key": redacted(key), "key_id": key_id(key), "position": position}
                for key, position in positions.items()
            ],
        }


def _runtime_id(picture: SentPicture) -> str:
    return f"{_RUNTIME_PICTURES}{sha256(picture.data).hexdigest()[:32]}"


def _in_set(written: str, number: int, document: Mapping[str, Any] | str, library: Library) -> str:
    """The id of a picture of the set, by its path or by its name under /images/. Files are never looked for."""
    known = library.fixtures.images
    if written in known:
        return written
    name = gallery_name(written)
    if (found := next((image for image in known if gallery_name(image) == name), None)) is not None:
        return found
    many = isinstance(document, Mapping) and isinstance(document.get("when", {}).get("image"), list)
    place = pointer("when", "image", *([number] if many else []))
    hint = suggest(name, [gallery_name(image) for image in known]) or "send the picture as the part image"
    raise mistake(place, f'the set has no picture "{written[:120]}"', hint)
