"""Scenarios as files of a fixtures directory: written, replaced and deleted one at a time, and never outside of it."""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from mock_server.atomic_write import write_atomically
from mock_server.core.library import references_of
from mock_server.core.scenario import Scenario
from mock_server.errors import ConflictError, FixturesError
from mock_server.scenarios.discovery import SCENARIO_DIRECTORY
from mock_server.scenarios.load import load
from mock_server.scenarios.vocabulary import ANY, Vocabulary

if TYPE_CHECKING:
    from mock_server.core.library import FixtureSet

SCHEMA_LINE = "# yaml-language-server: $schema=../scenario.schema.json"
"""Names the JSON Schema of the file for the completion in editors."""
_SCHEMA = "scenario.schema.json"


class ScenarioFiles:
    """The scenario files of one directory. Every method raises ConflictError for what it refuses to do."""

    def __init__(self, root: Path, vocabulary: Vocabulary = ANY) -> None:
        self.root = root
        self._vocabulary = vocabulary

    def scenario_path(self, name: str) -> Path:
        """The file of a scenario that is written here."""
        return self.root / SCENARIO_DIRECTORY / f"{name}.yaml"

    def check_is_new(self, name: str, picture: bytes | None, *, is_replacing: bool) -> Scenario | None:
        """The scenario of this name, which is replaced.

        Refused: a name that is in use if nothing is replaced, and a picture that is too similar to another scenario's.
        """
        if not self.root.is_dir():
            return None
        existing = load(self.root).set
        old = next((scenario for scenario in existing.scenarios if scenario.name == name), None)
        if old and not is_replacing:
            raise ConflictError(f'{self.root} already has a scenario "{name}"; give another --name, or --replace')
        if picture is not None:
            self._check_picture(existing, old, picture)
        if old:
            self._check_is_alone(old)
        return old

    def _check_picture(self, existing: "FixtureSet", old: Scenario | None, picture: bytes) -> None:
        # Imported late: its libraries load slowly.
        from mock_server.imaging.index import ImageIndex

        matches = ImageIndex.build(references_of(existing)).find(picture).matches
        owners = [one for one in existing.scenarios if matches and matches[0].id in one.when.images]
        if matches and owners != [old]:
            owner = f'scenario "{owners[0].name}"' if owners else "no scenario"
            raise ConflictError(
                f"the photo cannot be distinguished from {self.root / matches[0].id}, the picture of {owner}"
            )

    def _check_is_alone(self, scenario: Scenario) -> None:
        path = self.scenario_path(scenario.name)
        is_alone = path.exists() and len(re.findall(r"^scenario:", path.read_text("utf-8"), re.MULTILINE)) == 1
        if not is_alone:
            raise ConflictError(f'the scenario "{scenario.name}" is not alone in {path}; edit its file instead')

    def write(
        self, name: str, text: str, pictures: Mapping[Path, bytes] | None = None, replaced: Scenario | None = None
    ) -> Path:
        """Write a scenario file, its pictures by their paths, and the JSON Schema if the directory has none.

        Pictures of the `replaced` scenario that nothing names any more are deleted. All files are restored if the
        fixtures cannot be loaded with the new ones; then it raises FixturesError.
        """
        from mock_server.scenarios.json_schema import scenario_schema

        scenario = self.scenario_path(name)
        replaceable = [scenario, *(self.root / id for id in replaced.when.images)] if replaced else []
        new: dict[Path, bytes | None] = {**(pictures or {}), scenario: f"{SCHEMA_LINE}\n{text}".encode()}
        for path in new:
            if path.exists() and path not in replaceable:
                raise ConflictError(f"{path} already exists; give another --name")
        if not (self.root / _SCHEMA).exists():
            schema = scenario_schema(self._vocabulary)
            new[self.root / _SCHEMA] = json.dumps(schema, indent=2, ensure_ascii=False).encode()
        if replaced and pictures:
            new = dict.fromkeys(path for path in replaceable if path not in new) | new
        self._change(new)
        return scenario

    def delete(self, scenario: Scenario) -> None:
        """Delete the file of a scenario, and those of its pictures that no other scenario names."""
        self._check_is_alone(scenario)
        others = {
            image for one in load(self.root).set.scenarios if one.name != scenario.name for image in one.when.images
        }
        pictures = [self.root / image for image in scenario.when.images if image not in others]
        self._change(dict.fromkeys([self.scenario_path(scenario.name), *pictures]))

    def _change(self, new: Mapping[Path, bytes | None]) -> None:
        for path in new:
            self._check_is_inside(path)
        old = {path: path.read_bytes() if path.exists() else None for path in new}
        _store(new)
        try:
            load(self.root)
        except FixturesError:
            _store(old)
            raise

    def _check_is_inside(self, path: Path) -> None:
        """Refuse a path that a symbolic link leads out of the directory."""
        root = os.path.realpath(self.root)
        if os.path.commonpath([root, os.path.realpath(path)]) != root:
            raise ConflictError(f"{path} is outside the fixtures directory")


def _store(files: Mapping[Path, bytes | None]) -> None:
    """Write each file, or delete it where its content is None. A file is never seen half written."""
    for path, content in files.items():
        if content is None:
            path.unlink(missing_ok=True)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content)
