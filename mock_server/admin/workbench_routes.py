"""What the dashboard needs besides: what there is to choose from, the box of a text, scenarios made of requests."""

from collections.abc import Mapping
from dataclasses import asdict
from itertools import islice
from typing import Any
from urllib.parse import unquote, urlsplit

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mock_server.admin.control import Control
from mock_server.admin.error_handlers import described
from mock_server.admin.file_saving import LINE_LENGTH, delete_file, save_to_files
from mock_server.admin.journal_routes import find_entry
from mock_server.admin.models import (
    CallView,
    ChaosView,
    CheckedScenario,
    ProposedBox,
    ProviderView,
    ServedScenario,
    UploadList,
    Workbench,
)
from mock_server.admin.operation import Operations
from mock_server.admin.scenario_routes import add_runtime, created_scenario, named_document, parse_posted, posted
from mock_server.admin.validation import MAX_TEXT, as_choice, check_names, mistake, read, read_object
from mock_server.core.exchange import region_of
from mock_server.core.journal import JournalEntry
from mock_server.core.model import Fault, MatchKind, OutcomeName
from mock_server.errors import FixturesError, MultipartError, NotFoundError
from mock_server.http.multipart import Part
from mock_server.http.reply import media_type_of
from mock_server.providers.provider import Provider
from mock_server.providers.uploads import beginning
from mock_server.scenarios.fixture_export import yaml_text
from mock_server.scenarios.source import pointer

OPERATIONS = Operations()

_MOST_IMAGES = 2_000
_SAVES = ("runtime", "files")
_SCENARIO_FIELDS = ("scenario", "description", "priority", "when", "reading", "then", "repeat")
_ISOLATED = {"content-security-policy": "sandbox; default-src 'none'"}
"""A picture that a client sent may be anything, so it is never run as a page."""


@OPERATIONS("GET", "/workbench")
async def workbench(control: Control, request: Request) -> Workbench:
    gallery = control.live_scenarios.library.gallery
    return Workbench(
        providers=[_provider_view(provider) for provider in control.providers.values()],
        outcomes=list(OutcomeName),
        faults=list(Fault),
        matches=list(MatchKind),
        images=list(islice(gallery, _MOST_IMAGES)),
        keptUploads=control.uploads.max_count,
        edit=control.editable is not None,
        report=any(isinstance(route, Route) and route.path == "/report" for route in request.app.routes),
    )


@OPERATIONS("GET", "/uploads")
async def list_uploads(control: Control, request: Request) -> UploadList:
    if not len(control.uploads):
        return UploadList(())
    entries = await control.journal.exchanges()
    return UploadList([entry.id for entry in entries if control.uploads.find(entry) is not None])


def _provider_view(provider: Provider) -> ProviderView:
    examples = {product.value: provider.example_call(product, "{key}", "{url}") for product in provider.products}
    calls = {product: CallView(**asdict(example)) for product, example in examples.items()}
    return ProviderView(provider.name, provider.title, calls)


@OPERATIONS("GET", "/chaos")
async def get_chaos(control: Control, request: Request) -> ChaosView:
    return _chaos(control)


@OPERATIONS("PUT", "/chaos")
async def resume_chaos(control: Control, request: Request) -> ChaosView:
    return await _set_chaos(control, is_paused=False)


@OPERATIONS("DELETE", "/chaos")
async def pause_chaos(control: Control, request: Request) -> ChaosView:
    return await _set_chaos(control, is_paused=True)


async def _set_chaos(control: Control, *, is_paused: bool) -> ChaosView:
    async with control.coordination.changing():
        control.pipeline.overrides.is_chaos_paused = is_paused
    return _chaos(control)


def _chaos(control: Control) -> ChaosView:
    chaos = control.live_scenarios.library.fixtures.defaults.chaos
    # JSON needs plain texts as names.
    return ChaosView({str(name): chance for name, chance in chaos.items()}, control.pipeline.overrides.is_chaos_paused)


@OPERATIONS("POST", "/box")
async def propose_box(control: Control, request: Request) -> ProposedBox:
    form = await (await read(request)).form("image", "text")
    image = form.first("image") if form is not None else None
    if form is None or image is None:
        raise MultipartError("the part image is missing")
    text = form.first("text")
    characters = sum(map(str.isalnum, beginning(text, MAX_TEXT))) if text else 0
    # Imported here because the libraries for pictures take long to import.
    from mock_server.imaging import box_proposal

    def propose() -> ProposedBox:
        return ProposedBox(region_of(box_proposal.propose_box(image.data, characters=characters or None)))

    return await anyio.to_thread.run_sync(propose)


@OPERATIONS("POST", "/scenarios/validate")
async def validate_scenario(control: Control, request: Request) -> CheckedScenario:
    document, pictures = await posted(await read(request))
    if isinstance(document, Mapping):
        document, pictures = _with_any_picture(document, pictures)
    try:
        await anyio.to_thread.run_sync(parse_posted, control, document, pictures)
    except FixturesError as error:
        return CheckedScenario([described(one) for one in error.mistakes if not one.warning], None)
    return CheckedScenario([], yaml_text(document, width=LINE_LENGTH) if isinstance(document, Mapping) else document)


def _with_any_picture(document: Mapping[str, Any], pictures: list[Part]) -> tuple[Mapping[str, Any], list[Part]]:
    """A picture that is not sent yet counts as sent: only the document is checked."""
    when = document.get("when")
    written = when.get("image") if isinstance(when, Mapping) else None
    names = [written] if isinstance(written, str) else written if isinstance(written, list) else []
    more = [Part("image", memoryview(name.encode()), name) for name in names if isinstance(name, str)]
    return document, [*pictures, *more]


@OPERATIONS("GET", "/requests/{id}/image")
async def request_image(control: Control, request: Request) -> Response:
    entry = await find_entry(control, request.path_params["id"])
    upload = control.uploads.find(entry)
    if upload is None:
        raise NotFoundError(f"The upload of request {entry.id} is not kept; {_how_to_keep(control)}")
    media_type = media_type_of(entry.image.format) if entry.image else "application/octet-stream"
    return Response(bytes(upload), media_type=media_type, headers=_ISOLATED)


def _how_to_keep(control: Control) -> str:
    if not control.uploads.max_count:
        return "start the server with --keep-uploads 16."
    return f"the latest {control.uploads.max_count} uploads are (--keep-uploads)."


@OPERATIONS("POST", "/requests/{id}/scenario")
async def make_scenario(control: Control, request: Request) -> Response:
    entry = await find_entry(control, request.path_params["id"])
    given = await read_object(request)
    check_names(given, (*_SCENARIO_FIELDS, "save", "replace"))
    save = as_choice(given.get("save", "runtime"), _SAVES, pointer("save"), "way to save")
    is_replacing = given.get("replace", False)
    if not isinstance(is_replacing, bool):
        raise mistake(pointer("replace"), "expected true or false")
    document, pictures = _of_exchange(control, entry, given)
    if save == "files":
        return created_scenario(request, await save_to_files(control, document, pictures, is_replacing=is_replacing))
    return created_scenario(request, await add_runtime(control, document, pictures, is_replacing=is_replacing))


@OPERATIONS("PUT", "/scenarios/{name}/file")
async def save_scenario_file(control: Control, request: Request) -> ServedScenario:
    name = request.path_params["name"]
    document, pictures = await posted(await read(request))
    if isinstance(document, Mapping):
        document = named_document(document, name)
        if document["scenario"] != name:
            raise mistake(pointer("scenario"), "the name differs from the name in the URL")
    return await save_to_files(control, document, pictures, is_replacing=True)


@OPERATIONS("DELETE", "/scenarios/{name}/file")
async def delete_scenario_file(control: Control, request: Request) -> None:
    name = request.path_params["name"]
    scenario = next((one for one in control.live_scenarios.files.scenarios if one.name == name), None)
    if scenario is None:
        raise NotFoundError(f"No fixture file has a scenario {name[:80]}.")
    await delete_file(control, scenario)


def _of_exchange(control: Control, entry: JournalEntry, given: Mapping[str, Any]) -> tuple[dict[str, Any], list[Part]]:
    """The document of a scenario that answers requests such as this one, and its picture."""
    document = {name: given[name] for name in _SCENARIO_FIELDS if name in given}
    conditions = given.get("when", {})
    if not isinstance(conditions, Mapping):
        raise mistake(pointer("when"), "expected a mapping")
    upload = control.uploads.find(entry)
    pictures: list[Part] = []
    if "image" in conditions:
        when: dict[str, Any] = {}
    elif upload is not None:
        filename = f"{given.get('scenario')}{_suffix(entry)}"
        pictures = [Part("image", memoryview(upload), filename)]
        when = {"image": filename}
    elif entry.url is not None:
        when = _of_url(control, entry.url)
    else:
        raise NotFoundError(f"The upload of request {entry.id} is not kept; {_how_to_keep(control)}")
    return {**document, "when": {**when, **conditions}}, pictures


def _suffix(entry: JournalEntry) -> str:
    format = entry.image.format.lower() if entry.image else "jpg"
    return {"jpeg": ".jpg", "mpo": ".jpg", "tiff": ".tif", "heif": ".heic"}.get(format, f".{format}")


def _of_url(control: Control, url: str) -> dict[str, Any]:
    """The condition for an image URL: the picture of the gallery that it leads to, or the URL with any query."""
    name = unquote(urlsplit(url).path.partition("/images/")[2])
    if name in control.live_scenarios.library.gallery:
        return {"image": name}
    return {"url": f"{url}*"}
