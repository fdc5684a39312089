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
from mock_server.admin.journal_routes import find_entry
from mock_server.admin.models import CallView, ProposedBox, ProviderView, UploadList, Workbench
from mock_server.admin.operation import Operations
from mock_server.admin.scenario_file_routes import save_to_files
from mock_server.admin.scenario_routes import add_runtime, created_scenario
from mock_server.admin.validation import MAX_TEXT, as_choice, check_names, mistake, read, read_object
from mock_server.core.exchange import region_of
from mock_server.core.journal import JournalEntry
from mock_server.core.model import Fault, MatchKind, OutcomeName
from mock_server.errors import MultipartError, NotFoundError
from mock_server.http.multipart import Part
from mock_server.http.reply import media_type_of
from mock_server.providers.provider import Provider
from mock_server.providers.uploads import beginning
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
