"""`/requests`: the journal."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import anyio.to_thread
import orjson
from starlette.requests import Request
from starlette.responses import Response

from mock_server.admin.control import Control
from mock_server.admin.models import DeletedRequests, NearMissList, RequestCount, RequestList
from mock_server.admin.operation import COUNT, TEXT, Answer, Operations, Schema, json_body, ref, to_json
from mock_server.admin.request_body import read
from mock_server.admin.request_filter import ABSENT, FIELDS, FILTERS, RequestFilter, parse_filter
from mock_server.admin.validation import PARAMETER, as_object, mistake
from mock_server.client_models import NearMiss
from mock_server.core.exchange import Exchange, Nearest, Picture, ScenarioMiss
from mock_server.core.journal import JournalEntry
from mock_server.core.matching import Scenarios
from mock_server.core.model import MatchKind, Outcome, OutcomeName, PlateReading, Product, Reading, ReadRequest
from mock_server.core.near_misses import near_misses as nearest_scenarios
from mock_server.errors import NotFoundError
from mock_server.providers.registry import PROVIDERS

OPERATIONS = Operations("requests")

_MOST_NEAR_MISSES = 50
"""Requests for which near misses are computed if no limit is given."""
_MOST_ON_EVENT_LOOP = 50
"""A longer journal is filtered and written in a thread, because that would delay other requests."""

_PROVIDER = PROVIDERS[0]
_READ = Outcome(OutcomeName.READ, Reading((PlateReading("9DJC652"),)))
_REPLY = _PROVIDER.render(_READ, ReadRequest(_PROVIDER.name, Product.PLATE, "demo-key", filename="car.jpg"))
_EXAMPLE = Exchange(
    id="8f14e45fceea167a",
    time=datetime(2026, 12, 1, 9, 30, 0, 125_000, UTC),
    provider=_PROVIDER.name,
    product=Product.PLATE,
    key="…ey",
    key_id="41bf473b0497",
    account="demo",
    outcome=OutcomeName.READ,
    scenario="california-sedan",
    match=MatchKind.PERCEPTUAL,
    charged=1,
    status=200,
    milliseconds=3.2,
    method="POST",
    path=_PROVIDER.example_call(Product.PLATE, "demo-key", "").path,
    client="python-requests/2.32",
    filename="car.jpg",
    language="en",
    image=Picture("0" * 64, "JPEG", 1280, 960, 91234),
    reply=orjson.loads(_REPLY.body),
)
_NEAREST = Nearest("images/california-sedan.jpg", -1.2, -2.0, "other_text", (412, 300, 548, 344))
_UNMATCHED = replace(_EXAMPLE, scenario=None, match=MatchKind.SYNTHESIZED, nearest=(_NEAREST,))
_NEAR_MISS = ScenarioMiss(
    "california-sedan", ("image",), _NEAREST.distance, _NEAREST.limit, _NEAREST.region, _NEAREST.reason
)


def _filter_schema(name: str) -> Schema:
    kind = FIELDS.get(name)
    described = {"description": f"Only requests with this `{name}`; `{ABSENT}` for requests without."}
    match name:
        case "provider":
            return ref("ProviderFilter")
        case "key":
            return {**TEXT, "description": f"The full API key; `{ABSENT}` for requests without a key."}
        case "since" | "until":
            bound = "At this time or later" if name == "since" else "Before this time"
            return {**TEXT, "format": "date-time", "description": f"{bound}: ISO 8601, or Unix seconds."}
        case "limit":
            return {**COUNT, "description": "Only the latest requests, at most this many."}
    if kind is int:
        return {**COUNT, "description": f"Only requests with this `{name}`."}
    return {"enum": [*kind, ABSENT], **described} if kind and issubclass(kind, StrEnum) else {**TEXT, **described}


FILTER_SCHEMAS = {name: _filter_schema(name) for name in FILTERS}
"""JSON Schemas of the filters, by name. That of `provider` is a reference."""

_FILTER_BODY = json_body(ref("RequestFilter"), {"key": "demo-key", "outcome": "read", "since": "2026-12-01T00:00:00Z"})


@OPERATIONS(
    "GET",
    "/requests",
    "List requests",
    Answer("The requests that match the filter, oldest first.", RequestList((_EXAMPLE,), 1, 0)),
    query=FILTER_SCHEMAS,
    errors=(400,),
)
async def list_requests(control: Control, request: Request) -> bytes:
    return await _list(control, _query_filter(control, request))


@OPERATIONS(
    "DELETE",
    "/requests",
    "Delete requests (all, or those matching the filter)",
    Answer("Number of deleted requests.", DeletedRequests(3)),
    query={name: schema for name, schema in FILTER_SCHEMAS.items() if name != "limit"},
    errors=(400,),
)
async def clear_requests(control: Control, request: Request) -> DeletedRequests:
    filter = _query_filter(control, request)
    if filter.limit is not None:
        raise mistake(f"{PARAMETER}limit", "limit is for lists only")
    return DeletedRequests(await control.journal.clear(filter if filter.tests else None))


@OPERATIONS(
    "POST",
    "/requests/count",
    "Count requests",
    Answer("Number of requests that match the filter.", RequestCount(1)),
    body=_FILTER_BODY,
    is_body_required=False,
    errors=(400, 413),
)
async def count_requests(control: Control, request: Request) -> RequestCount:
    filter = await _body_filter(control, request)
    return RequestCount(sum(map(filter, await control.journal.exchanges())))


@OPERATIONS(
    "POST",
    "/requests/find",
    "Find requests",
    Answer("The requests that match the filter, oldest first.", RequestList((_EXAMPLE,), 1, 0)),
    body=_FILTER_BODY,
    is_body_required=False,
    errors=(400, 413),
)
async def find_requests(control: Control, request: Request) -> bytes:
    return await _list(control, await _body_filter(control, request))


@OPERATIONS(
    "GET",
    "/requests/unmatched",
    "List requests that no scenario matched",
    Answer("The requests, oldest first.", RequestList((_UNMATCHED,), 1, 0)),
    query=FILTER_SCHEMAS,
    errors=(400,),
)
async def unmatched_requests(control: Control, request: Request) -> bytes:
    return await _list(control, _query_filter(control, request), only_unmatched=True)


@OPERATIONS(
    "GET",
    "/requests/unmatched/near-misses",
    "List the nearest scenarios of requests that no scenario matched",
    Answer("Up to three scenarios for each request.", NearMissList((NearMiss(_UNMATCHED, (_NEAR_MISS,)),))),
    description=(
        "The requests are compared with the current scenarios. Without a limit, only the latest "
        f"{_MOST_NEAR_MISSES} requests are."
    ),
    query=FILTER_SCHEMAS,
    errors=(400,),
)
async def near_misses(control: Control, request: Request) -> bytes:
    filter = _query_filter(control, request)
    limit = _MOST_NEAR_MISSES if filter.limit is None else filter.limit
    entries = [entry for entry in await control.journal.exchanges() if entry.query and filter(entry)]
    scenarios = control.live_scenarios.library.scenarios
    return await anyio.to_thread.run_sync(_near_misses_json, _latest(entries, limit), scenarios)


@OPERATIONS("GET", "/requests/{id}", "Get a request", Answer("The request and its reply.", _EXAMPLE), errors=(404,))
async def get_request(control: Control, request: Request) -> JournalEntry:
    return await _find(control, request.path_params["id"])


@OPERATIONS(
    "GET",
    "/requests/{id}/thumbnail",
    "Get a thumbnail of a request's picture",
    Answer("A JPEG image.", media_type="image/jpeg"),
    errors=(404,),
)
async def request_thumbnail(control: Control, request: Request) -> Response:
    entry = await _find(control, request.path_params["id"])
    if entry.image is None:
        raise NotFoundError(f"Request {entry.id} has no picture that can be read.")
    thumbnail = await control.thumbnails.find(entry.image.sha256)
    if thumbnail is None:
        raise NotFoundError(f"The thumbnail of request {entry.id} is no longer stored.")
    return Response(thumbnail, media_type="image/jpeg")


def _query_filter(control: Control, request: Request) -> RequestFilter:
    parameters: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name in parameters:
            raise mistake(PARAMETER + name, f'the parameter "{name[:80]}" is given twice')
        parameters[name] = value
    return parse_filter(parameters, control.providers, parameters=True)


async def _body_filter(control: Control, request: Request) -> RequestFilter:
    body = await read(request)
    document: Mapping[str, Any] = as_object(body.json()) if body.data else {}
    return parse_filter(document, control.providers)


async def _find(control: Control, id: str) -> JournalEntry:
    for entry in await control.journal.exchanges():
        if entry.id == id:
            return entry
    raise NotFoundError(f"The journal has no request {id[:40]}.")


async def _list(control: Control, filter: RequestFilter, *, only_unmatched: bool = False) -> bytes:
    entries = await control.journal.exchanges()
    dropped = await control.journal.dropped()
    if len(entries) <= _MOST_ON_EVENT_LOOP:
        return _list_json(entries, filter, dropped, only_unmatched)
    return await anyio.to_thread.run_sync(_list_json, entries, filter, dropped, only_unmatched)


def _list_json(entries: Sequence[JournalEntry], filter: RequestFilter, dropped: int, only_unmatched: bool) -> bytes:
    selected = [entry for entry in entries if filter(entry) and (entry.query or not only_unmatched)]
    latest = selected if filter.limit is None else _latest(selected, filter.limit)
    return to_json(RequestList(latest, len(selected), dropped))


def _near_misses_json(entries: Sequence[JournalEntry], scenarios: Scenarios) -> bytes:
    found = [NearMiss(entry, tuple(nearest_scenarios(entry.query, scenarios))) for entry in entries if entry.query]
    return to_json(NearMissList(found))


def _latest(entries: Sequence[JournalEntry], limit: int) -> Sequence[JournalEntry]:
    return entries[max(len(entries) - limit, 0) :]
