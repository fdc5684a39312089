"""`/scenarios`: the scenarios of the fixture files, and those that are added at run time."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response

from mock_server.admin.control import Control
from mock_server.admin.models import SCENARIO_STATE, ScenarioList, ScenarioState, SequencePosition, ServedScenario
from mock_server.admin.operation import Operations, created, in_turns, json_response
from mock_server.admin.validation import (
    MAX_KEY,
    Body,
    as_count,
    as_text,
    check_names,
    mistake,
    parse_document,
    read,
    read_object,
)
from mock_server.core.exchange import document_json
from mock_server.core.library import Library, gallery_name
from mock_server.core.live_scenarios import RuntimeScenario
from mock_server.core.redaction import key_id, redacted
from mock_server.core.scenario import Scenario, Step
from mock_server.errors import ConflictError, MultipartError, NotFoundError
from mock_server.http.multipart import Part
from mock_server.scenarios.scenario_writer import scenario_document
from mock_server.scenarios.source import pointer
from mock_server.suggest import suggest

OPERATIONS = Operations()

Posted = Mapping[str, Any] | str
"""A scenario as a mapping, or as YAML text."""


@OPERATIONS("GET", "/scenarios")
async def list_scenarios(control: Control, request: Request) -> bytes:
    scenarios = control.live_scenarios.library.scenarios.in_order()
    views = [await scenario_view(control, scenario) async for scenario in in_turns(scenarios)]
    return await anyio.to_thread.run_sync(document_json, ScenarioList(views))


@OPERATIONS("POST", "/scenarios")
async def add_scenario(control: Control, request: Request) -> Response:
    document, pictures = await posted(await read(request))
    return created_scenario(request, await add_runtime(control, document, pictures))


async def add_runtime(
    control: Control, document: Posted, pictures: Sequence[Part], *, is_replacing: bool = False
) -> ServedScenario:
    """Add a scenario until the next reset. Raises FixturesError, and ConflictError if it exists."""
    added = await anyio.to_thread.run_sync(parse_posted, control, document, pictures)
    name, key = added.scenario.name, added.scenario.when.key
    if not await control.live_scenarios.add(added, is_replacing=is_replacing):
        raise ConflictError(f"A scenario named {name} exists already{f' for the key {key}' if key else ''}.")
    if is_replacing:
        await control.store.clear_positions(added.scenario.id)
    await control.note_change(key)
    return await scenario_view(control, added.scenario)


def created_scenario(request: Request, scenario: ServedScenario) -> Response:
    """The response with a new scenario."""
    key = scenario.when.get("key")
    query = "" if key is None else f"?{urlencode({'key': key})}"
    return created(request, f"/scenarios/{scenario.scenario}{query}", scenario)


@OPERATIONS("GET", "/scenarios/{name}")
async def get_scenario(control: Control, request: Request) -> ServedScenario:
    return await scenario_view(control, _requested(control, request))


@OPERATIONS("PUT", "/scenarios/{name}")
async def put_scenario(control: Control, request: Request) -> Response:
    name = request.path_params["name"]
    document, pictures = await posted(await read(request), name)
    added = await anyio.to_thread.run_sync(parse_posted, control, document, pictures)
    if added.scenario.name != name:
        what = f'the name "{added.scenario.name}" differs from the name in the URL, "{name}"'
        raise mistake(pointer("scenario"), what)
    key, when = request.query_params.get("key"), added.scenario.when
    if key is not None and when.key is None:
        added = replace(added, scenario=replace(added.scenario, when=replace(when, key=key)))
    elif key is not None and when.key != key:
        raise mistake(pointer("when", "key"), "the key differs from the key in the URL")
    is_new = added.scenario.id not in control.live_scenarios.runtime
    await control.live_scenarios.add(added, is_replacing=True)
    await control.store.clear_positions(added.scenario.id)
    await control.note_change(added.scenario.when.key)
    return json_response(await scenario_view(control, added.scenario), 201 if is_new else 200)


@OPERATIONS("DELETE", "/scenarios/{name}")
async def delete_scenario(control: Control, request: Request) -> None:
    scenario = _requested(control, request)
    if not await control.live_scenarios.remove(scenario.id):
        raise ConflictError(
            f"The scenario {scenario.name} comes from the file {scenario.file}: only runtime scenarios can be deleted."
        )
    await control.store.clear_positions(scenario.id)
    await control.note_change(scenario.when.key)


@OPERATIONS("PUT", "/scenarios/{name}/state")
async def set_state(control: Control, request: Request) -> ScenarioState:
    document = await read_object(request)
    scenario = _requested(control, request, document.get("key"))
    check_names(document, ("key", "position"))
    key = as_text(document.get("key"), pointer("key"), max_length=MAX_KEY)
    if not key:
        raise mistake(pointer("key"), "expected an API key")
    position = as_count(document.get("position"), pointer("position"))
    await control.store.set_position(key, scenario.id, position)
    await control.note_change(key)
    return ScenarioState(**(await _position(control, key, position)).document(), scenario=scenario.name)


@OPERATIONS("GET", "/scenarios/{name}/thumbnail")
async def scenario_thumbnail(control: Control, request: Request) -> Response:
    scenario = _requested(control, request)
    thumbnail = await anyio.to_thread.run_sync(_thumbnail, control, scenario)
    return Response(thumbnail, media_type="image/jpeg")


def _thumbnail(control: Control, scenario: Scenario) -> bytes:
    for image in scenario.when.images:
        if (data := control.live_scenarios.library.picture(gallery_name(image))) is not None:
            return control.thumbnails.make(sha256(data).hexdigest(), data) or b""
    raise NotFoundError(f"The scenario {scenario.name} has no picture.")


def _requested(control: Control, request: Request, default_key: object = None) -> Scenario:
    """The scenario that a URL names. Without a key in the URL, it is the scenario that is bound to no key.

    If there is no such scenario, the key of the body, `default_key`, counts.
    """
    name, key = request.path_params["name"], request.query_params.get("key")
    by_name = control.live_scenarios.library.scenarios.by_name
    by_key = by_name.get(name, {})
    if key is None and None not in by_key and isinstance(default_key, str):
        key = default_key if default_key in by_key else None
    if key in by_key:
        return by_key[key]
    if key is None and by_key:
        keys = ", ".join(sorted(filter(None, by_key)))
        raise ConflictError(f"Each scenario named {name} is bound to a key: add ?key= with one of {keys}.")
    hint = suggest(name, by_name)
    close = f" {hint[0].upper()}{hint[1:]}" if hint.startswith("did") and not by_key else ""
    raise NotFoundError(f"There is no scenario {name[:80]}{' for this key' if by_key else ''}.{close}")


async def _position(control: Control, key: str, position: int) -> SequencePosition:
    account = await control.store.account(key)
    return SequencePosition(redacted(key), key_id(key), account.name if account else None, position)


async def scenario_view(control: Control, scenario: Scenario) -> ServedScenario:
    """A scenario as it is sent, with its state."""
    positions = await control.store.positions(scenario.id)
    return ServedScenario(
        **scenario_document(scenario),
        runtime=scenario.id in control.live_scenarios.runtime,
        file=scenario.file or None,
        line=scenario.line or None,
        pictures=[f"/images/{gallery_name(image)}" for image in scenario.when.images],
        positions=[await _position(control, key, position) for key, position in positions.items()],
    )


async def posted(body: Body, name: str | None = None) -> tuple[Posted, list[Part]]:
    """The document and the pictures of a request body. Raises FixturesError and MultipartError.

    `name` is that of the URL: a document without a name gets it, and may have the form in which a GET sends it.
    """
    form = await body.form("scenario", "image")
    if form is None:
        document, pictures = body.document(), list[Part]()
    elif part := form.first("scenario"):
        document, pictures = parse_document(part.data), [part for part in form if part.name == "image"]
    else:
        raise MultipartError("the part scenario is missing")
    if name is not None and isinstance(document, Mapping):
        document = {"scenario": name, **{key: value for key, value in document.items() if key not in SCENARIO_STATE}}
    return document, pictures


def parse_posted(control: Control, document: Posted, pictures: Sequence[Part]) -> RuntimeScenario:
    """The scenario, with the bytes of its pictures. A picture that was sent needs no name in the document.

    The file name of a picture is only compared with the names in the document. Raises FixturesError.
    """
    # Imported here because the models of fixture files take long to import.
    from mock_server.scenarios.scenario_reader import parse_scenario

    scenario = parse_scenario(document, vocabulary=control.vocabulary)
    library = control.live_scenarios.library
    ids = [f"runtime/{sha256(part.data).hexdigest()[:32]}" for part in pictures]
    data = {id: bytes(part.data) for part, id in zip(pictures, ids, strict=True)}
    by_filename = {part.filename: id for part, id in zip(pictures, ids, strict=True) if part.filename}
    images = dict.fromkeys(ids)
    for number, written in enumerate(scenario.when.images):
        image = by_filename.get(written) or _known_image(written, number, document, library)
        images[image] = None
        source = library.fixtures.images.get(image)
        if isinstance(source, bytes):
            # The picture came with another runtime scenario, which can be deleted before this one.
            data[image] = source
    when = replace(scenario.when, images=tuple(images))
    return RuntimeScenario(replace(scenario, when=when, steps=_with_bodies(scenario, document, library)), data)


def _with_bodies(scenario: Scenario, document: Posted, library: Library) -> tuple[Step, ...]:
    """The steps, with the bodies of files that the served scenarios use. The file system is not searched."""
    replies = [step.reply for one in library.fixtures.scenarios for step in one.steps if step.reply]
    known = {reply.body_file: reply.body for reply in replies if reply.body_file}
    steps: list[Step] = []
    for number, step in enumerate(scenario.steps):
        reply = step.reply
        if reply is not None and reply.body_file is not None:
            if reply.body_file not in known:
                is_list = isinstance(document, Mapping) and isinstance(document.get("then"), list)
                place = pointer("then", *([number] if is_list else []), "reply", "body_file")
                raise mistake(place, "the served fixtures have no such file", 'send its text as "body"')
            step = replace(step, reply=replace(reply, body=known[reply.body_file]))
        steps.append(step)
    return tuple(steps)


def _known_image(written: str, number: int, document: Posted, library: Library) -> str:
    """The id of a known picture by its path, or by its name under `/images/`. The file system is not searched."""
    known = library.fixtures.images
    if written in known:
        return written
    name = gallery_name(written)
    found = next((image for image in known if gallery_name(image) == name), None)
    if found is not None:
        return found
    is_list = isinstance(document, Mapping) and isinstance(document.get("when", {}).get("image"), list)
    place = pointer("when", "image", *([number] if is_list else []))
    hint = suggest(name, [gallery_name(image) for image in known]) or "send the picture as the part image"
    raise mistake(place, f'there is no picture "{written[:120]}"', hint)
