"""Scenarios that the admin API writes into the fixtures directory, where the server was started with `--edit`."""

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import anyio.to_thread

from mock_server.admin.control import Control
from mock_server.admin.models import ServedScenario
from mock_server.admin.scenario_routes import Posted, parse_posted, scenario_view
from mock_server.admin.validation import mistake
from mock_server.core.scenario import Scenario
from mock_server.errors import ConflictError
from mock_server.http.multipart import Part
from mock_server.scenarios.discovery import PICTURE_ENDINGS
from mock_server.scenarios.fixture_export import IMAGE_DIRECTORY, yaml_text

LINE_LENGTH = 110  # characters of a scenario file


async def save_to_files(
    control: Control, document: Posted, pictures: Sequence[Part], *, is_replacing: bool
) -> ServedScenario:
    """Write a scenario and its picture as files, and serve them. Raises ConflictError and FixturesError."""
    root = _editable(control)
    if not isinstance(document, Mapping):
        raise mistake("", "expected a JSON document", "a scenario in YAML can be saved at run time only")
    scenario = await anyio.to_thread.run_sync(_write, control, root, document, pictures, is_replacing)
    # The scenario in the file would be hidden by a runtime scenario of its name.
    await control.live_scenarios.remove(scenario.id)
    await control.hot_reload.reload()
    return await scenario_view(control, control.live_scenarios.library.scenarios.by_id[scenario.id])


async def delete_file(control: Control, scenario: Scenario) -> None:
    """Delete the file of a scenario, and serve the others."""
    from mock_server.scenarios.scenario_files import ScenarioFiles

    files = ScenarioFiles(_editable(control), control.vocabulary)
    await anyio.to_thread.run_sync(files.delete, scenario)
    await control.hot_reload.reload()


def _editable(control: Control) -> Path:
    if control.editable is None:
        raise ConflictError("The server may not write into the fixtures directory: start it with --edit.")
    return control.editable


def _write(
    control: Control, root: Path, document: Mapping[str, Any], pictures: Sequence[Part], is_replacing: bool
) -> Scenario:
    from mock_server.scenarios.scenario_files import ScenarioFiles

    scenario = parse_posted(control, document, pictures).scenario
    files = ScenarioFiles(root, control.vocabulary)
    data = bytes(pictures[0].data) if pictures else None
    replaced = files.check_is_new(scenario.name, data, is_replacing=is_replacing)
    new: dict[Path, bytes] = {}
    names: list[str] = []
    for number, picture in enumerate(pictures):
        name = f"{scenario.name}{f'-{number + 1}' if number else ''}{_ending(picture)}"
        names.append(f"../{IMAGE_DIRECTORY}/{name}")
        new[root / IMAGE_DIRECTORY / name] = bytes(picture.data)
    known = control.live_scenarios.files.images
    names += [f"../{image}" for image in scenario.when.images if isinstance(known.get(image), Path)]
    when = {name: value for name, value in document.get("when", {}).items() if name != "image"}
    image = {"image": names[0] if len(names) == 1 else names} if names else {}
    others = {name: value for name, value in document.items() if name not in ("scenario", "when")}
    text = yaml_text({"scenario": scenario.name, "when": {**image, **when}, **others}, width=LINE_LENGTH)
    files.write(scenario.name, text, new, replaced)
    return scenario


def _ending(picture: Part) -> str:
    ending = PurePosixPath(picture.filename or "").suffix.lower()
    return ending if ending in PICTURE_ENDINGS else ".jpg"
