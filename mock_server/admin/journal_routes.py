"""`/requests`: the journal."""

from collections.abc import Mapping, Sequence
from typing import Any

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response

from mock_server.admin.control import Control
from mock_server.admin.models import DeletedRequests, NearMissList, RequestCount, RequestList
from mock_server.admin.operation import Operations, to_json
from mock_server.admin.request_body import read
from mock_server.admin.request_filter import RequestFilter, parse_filter
from mock_server.admin.validation import PARAMETER, as_object, mistake
from mock_server.client_models import NearMiss
from mock_server.core.journal import JournalEntry
from mock_server.core.matching import Scenarios
from mock_server.core.near_misses import near_misses as nearest_scenarios
from mock_server.errors import NotFoundError

OPERATIONS = Operations()

_MOST_NEAR_MISSES = 50
"""Requests for which near misses are computed if no limit is given."""
_MOST_ON_EVENT_LOOP = 50
"""A longer journal is filtered and written in a thread, because that would delay other requests."""


@OPERATIONS("GET", "/requests")
async def list_requests(control: Control, request: Request) -> bytes:
    return await _list(control, _query_filter(control, request))


@OPERATIONS("DELETE", "/requests")
async def clear_requests(control: Control, request: Request) -> DeletedRequests:
    filter = _query_filter(control, request)
    if filter.limit is not None:
        raise mistake(f"{PARAMETER}limit", "limit is for lists only")
    return DeletedRequests(await control.journal.clear(filter if filter.tests else None))


@OPERATIONS("POST", "/requests/count")
async def count_requests(control: Control, request: Request) -> RequestCount:
    filter = await _body_filter(control, request)
    return RequestCount(sum(map(filter, await control.journal.exchanges())))


@OPERATIONS("POST", "/requests/find")
async def find_requests(control: Control, request: Request) -> bytes:
    return await _list(control, await _body_filter(control, request))


@OPERATIONS("GET", "/requests/unmatched")
async def unmatched_requests(control: Control, request: Request) -> bytes:
    return await _list(control, _query_filter(control, request), only_unmatched=True)


@OPERATIONS("GET", "/requests/unmatched/near-misses")
async def near_misses(control: Control, request: Request) -> bytes:
    filter = _query_filter(control, request)
    limit = _MOST_NEAR_MISSES if filter.limit is None else filter.limit
    entries = [entry for entry in await control.journal.exchanges() if entry.query and filter(entry)]
    scenarios = control.live_scenarios.library.scenarios
    return await anyio.to_thread.run_sync(_near_misses_json, _latest(entries, limit), scenarios)


@OPERATIONS("GET", "/requests/{id}")
async def get_request(control: Control, request: Request) -> JournalEntry:
    return await _find(control, request.path_params["id"])


@OPERATIONS("GET", "/requests/{id}/thumbnail")
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
