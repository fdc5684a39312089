"""Scenarios as files: their check, `/export` and, with `serve --edit`, writing them into the fixtures directory."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response

from mock_server.admin.control import Control
from mock_server.admin.error_handlers import described
from mock_server.admin.models import CheckedScenario, ServedScenario
from mock_server.admin.operation import Operations
from mock_server.admin.scenario_routes import Posted, parse_posted, posted, scenario_view
from mock_server.admin.validation import mistake, read
from mock_server.core.account import Account
from mock_server.core.library import FixtureSet
from mock_server.core.scenario import Scenario
from mock_server.errors import ConflictError, FixturesError, NotFoundError
from mock_server.http.multipart import Part
from mock_server.scenarios.discovery import PICTURE_ENDINGS
from mock_server.scenarios.fixture_export import IMAGE_DIRECTORY, fixture_files
from mock_server.scenarios.scenario_files import ScenarioFiles
from mock_server.scenarios.scenario_writer import yaml_text
from mock_server.scenarios.source import pointer

OPERATIONS = Operations()

_EXPORT_HEADERS = {"content-disposition": 'attachment; filename="fixtures.zip"'}


@OPERATIONS("POST", "/scenarios/validate")
async def validate_scenario(control: Control, request: Request) -> CheckedScenario:
    document, pictures = await posted(await read(request))
    if isinstance(document, Mapping):
        document, pictures = _with_any_picture(document, pictures)
    try:
        await anyio.to_thread.run_sync(parse_posted, control, document, pictures)
    except FixturesError as error:
        return CheckedScenario([described(one) for one in error.mistakes if not one.warning], None)
    return CheckedScenario([], yaml_text(document) if isinstance(document, Mapping) else document)


@OPERATIONS("PUT", "/scenarios/{name}/file")
async def save_scenario_file(control: Control, request: Request) -> ServedScenario:
    name = request.path_params["name"]
    document, pictures = await posted(await read(request), name)
    if isinstance(document, Mapping) and document["scenario"] != name:
        raise mistake(pointer("scenario"), "the name differs from the name in the URL")
    return await save_to_files(control, document, pictures, is_replacing=True)


@OPERATIONS("DELETE", "/scenarios/{name}/file")
async def delete_scenario_file(control: Control, request: Request) -> None:
    name = request.path_params["name"]
    scenario = next((one for one in control.live_scenarios.files.scenarios if one.name == name), None)
    if scenario is None:
        raise NotFoundError(f"No fixture file has a scenario {name[:80]}.")
    await anyio.to_thread.run_sync(_files(control).delete, scenario)
    await control.hot_reload.reload()


async def save_to_files(
    control: Control, document: Posted, pictures: Sequence[Part], *, is_replacing: bool
) -> ServedScenario:
    """Write a scenario and its picture as files, and serve them. Raises ConflictError and FixturesError."""
    files = _files(control)
    if not isinstance(document, Mapping):
        raise mistake("", "expected a JSON document", "a scenario in YAML can be saved at run time only")
    scenario = await anyio.to_thread.run_sync(_write, control, files, document, pictures, is_replacing)
    # The scenario in the file would be hidden by a runtime scenario of its name.
    await control.live_scenarios.remove(scenario.id)
    await control.hot_reload.reload()
    return await scenario_view(control, control.live_scenarios.library.scenarios.by_id[scenario.id])


def _files(control: Control) -> ScenarioFiles:
    if control.editable is None:
        raise ConflictError("The server may not write into the fixtures directory: start it with --edit.")
    return ScenarioFiles(control.editable, control.vocabulary)


def _write(
    control: Control, files: ScenarioFiles, document: Mapping[str, Any], pictures: Sequence[Part], is_replacing: bool
) -> Scenario:
    scenario = parse_posted(control, document, pictures).scenario
    data = bytes(pictures[0].data) if pictures else None
    replaced = files.check_is_new(scenario.name, data, is_replacing=is_replacing)
    new: dict[Path, bytes] = {}
    names: list[str] = []
    for number, picture in enumerate(pictures):
        name = f"{scenario.name}{f'-{number + 1}' if number else ''}{_ending(picture)}"
        names.append(f"../{IMAGE_DIRECTORY}/{name}")
        new[files.root / IMAGE_DIRECTORY / name] = bytes(picture.data)
    known = control.live_scenarios.files.images
    names += [f"../{image}" for image in scenario.when.images if isinstance(known.get(image), Path)]
    when = {name: value for name, value in document.get("when", {}).items() if name != "image"}
    image = {"image": names[0] if len(names) == 1 else names} if names else {}
    others = {name: value for name, value in document.items() if name not in ("scenario", "when")}
    text = yaml_text({"scenario": scenario.name, "when": {**image, **when}, **others})
    files.write(scenario.name, text, new, replaced)
    return scenario


def _ending(picture: Part) -> str:
    ending = PurePosixPath(picture.filename or "").suffix.lower()
    return ending if ending in PICTURE_ENDINGS else ".jpg"


def _with_any_picture(document: Mapping[str, Any], pictures: list[Part]) -> tuple[Mapping[str, Any], list[Part]]:
    """A picture that is not sent yet counts as sent: only the document is checked."""
    when = document.get("when")
    written = when.get("image") if isinstance(when, Mapping) else None
    names = [written] if isinstance(written, str) else written if isinstance(written, list) else []
    more = [Part("image", memoryview(name.encode()), name) for name in names if isinstance(name, str)]
    return document, [*pictures, *more]


@OPERATIONS("GET", "/export")
async def export(control: Control, request: Request) -> Response:
    accounts = [account.declared or account for account in await control.store.accounts()]
    archive = await anyio.to_thread.run_sync(_zip, control.live_scenarios.library.fixtures, accounts)
    return Response(archive, headers=_EXPORT_HEADERS, media_type="application/zip")


def _zip(fixtures: FixtureSet, accounts: Sequence[Account]) -> bytes:
    """The zip file. The same content gives the same bytes."""
    file = BytesIO()
    with ZipFile(file, "w") as archive:
        for name, content in fixture_files(fixtures, list(_with_unique_names(accounts))):
            info = ZipInfo(name)
            info.compress_type = ZIP_DEFLATED if name.endswith(".yaml") else ZIP_STORED
            info.external_attr = 0o644 << 16
            archive.writestr(info, _read(content))
    return file.getvalue()


def _read(content: bytes | Path) -> bytes:
    if isinstance(content, bytes):
        return content
    try:
        return content.read_bytes()
    except OSError:
        raise ConflictError(f"The picture {content.name} is no longer there: reload the fixtures.") from None


def _with_unique_names(accounts: Sequence[Account]) -> Iterator[Account]:
    """The accounts. In a file, each has a name of its own; at run time several can have the same."""
    taken: set[str] = set()
    for account in accounts:
        name, number = account.name, 1
        while name in taken:
            number += 1
            name = f"{account.name}-{number}"
        taken.add(name)
        yield replace(account, name=name)
