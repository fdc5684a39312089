"""`/requests`: the journal, and its filters."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import NoneType, UnionType
from typing import Any, get_args, get_type_hints

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response

from mock_server.admin.control import Control
from mock_server.admin.models import DeletedRequests, NearMissList, RequestCount, RequestList
from mock_server.admin.operation import Operations
from mock_server.admin.validation import (
    PARAMETER,
    as_choice,
    as_count,
    as_text,
    as_time,
    check_names,
    mistake,
    read_object,
)
from mock_server.client_models import NearMiss
from mock_server.core.exchange import NO_PROVIDER, Exchange, Picture, document_json
from mock_server.core.journal import JournalEntry
from mock_server.core.near_misses import near_misses as nearest_scenarios
from mock_server.core.redaction import key_id
from mock_server.core.scenario import Scenario
from mock_server.errors import NotFoundError
from mock_server.scenarios.source import pointer

OPERATIONS = Operations()

_NEAR_MISSES, _MOST_NEAR_MISSES = 50, 200
"""Requests for which near misses are computed if no limit is given, and at most, as `openapi.yaml` says.

Each is compared with every scenario: with 10,000 scenarios that takes 50 ms.
"""
ABSENT = "-"
"""Stands for a field that is null, as in the header `X-Mock-Scenario: -`."""

Kind = type | list[str]
"""The type of a field, or the texts that it is limited to."""


def _fields(model: type, *kinds: type) -> dict[str, Kind]:
    """The fields of a dataclass that have one of some types, with that type or the texts that they are limited to."""
    fields: dict[str, Kind] = {}
    for name, hint in get_type_hints(model, include_extras=True).items():
        marks = getattr(hint, "__metadata__", ())
        plain = hint.__origin__ if marks else hint
        types = set(get_args(plain) if isinstance(plain, UnionType) else [plain]) - {NoneType}
        if types <= set(kinds):
            fields[name] = list(marks[0].choices) if marks else types.pop()
    return fields


FIELDS: Mapping[str, Kind] = {**_fields(Exchange, str, int), **_fields(Picture, str)}
"""The fields that a filter compares, with their types. `key` is compared by its hash."""
FILTERS = (*FIELDS, "since", "until", "limit")
PAGING = ("search", "parts", "after", "before")
"""Parameters of a list that is shown page by page."""
_SEARCHED = tuple(name for name, kind in FIELDS.items() if kind is not int)

Test = Callable[[Exchange], bool]


@dataclass(frozen=True, slots=True)
class RequestFilter:
    """The tests that an exchange must pass, and the maximum length of a list."""

    tests: Sequence[Test] = ()
    limit: int | None = None

    def __call__(self, exchange: Exchange) -> bool:
        return all(test(exchange) for test in self.tests)


@dataclass(frozen=True, slots=True)
class Page:
    """A part of the journal: the requests after one, or before one, by their ids.

    An id that the journal does not have any more is no limit.
    """

    after: str | None = None
    before: str | None = None

    def of(self, entries: Sequence[JournalEntry]) -> tuple[Sequence[JournalEntry], bool]:
        """The entries of this part, and whether they begin after the request `after`."""
        start, end = _place(entries, self.after), _place(entries, self.before)
        return entries[0 if start is None else start + 1 : end], start is not None


def _place(entries: Sequence[JournalEntry], id: str | None) -> int | None:
    # The place is near the end: a page asks for what is new.
    places = range(len(entries) - 1, -1, -1) if id else ()
    return next((number for number in places if entries[number].id == id), None)


@OPERATIONS("GET", "/requests")
async def list_requests(control: Control, request: Request) -> bytes:
    filter = _query_filter(control, request, PAGING)
    page = Page(request.query_params.get("after"), request.query_params.get("before"))
    return await _list(control, filter, page)


@OPERATIONS("DELETE", "/requests")
async def clear_requests(control: Control, request: Request) -> DeletedRequests:
    filter = _query_filter(control, request)
    if filter.limit is not None:
        raise mistake(f"{PARAMETER}limit", "limit is for lists only")
    return DeletedRequests(await control.clear_journal(filter if filter.tests else None))


@OPERATIONS("POST", "/requests/count")
async def count_requests(control: Control, request: Request) -> RequestCount:
    filter, exchanges = await _body_filter(control, request), await control.journal.exchanges()
    return RequestCount(await anyio.to_thread.run_sync(lambda: sum(map(filter, exchanges))))


@OPERATIONS("POST", "/requests/find")
async def find_requests(control: Control, request: Request) -> bytes:
    return await _list(control, await _body_filter(control, request))


@OPERATIONS("GET", "/requests/unmatched")
async def unmatched_requests(control: Control, request: Request) -> bytes:
    return await _list(control, _query_filter(control, request), only_unmatched=True)


@OPERATIONS("GET", "/requests/unmatched/near-misses")
async def near_misses(control: Control, request: Request) -> bytes:
    filter = _query_filter(control, request)
    limit = _NEAR_MISSES if filter.limit is None else filter.limit
    if limit > _MOST_NEAR_MISSES:
        raise mistake(f"{PARAMETER}limit", f"near misses are computed for {_MOST_NEAR_MISSES} requests at most")
    entries = [entry for entry in await control.journal.exchanges() if entry.query and filter(entry)]
    scenarios = control.live_scenarios.library.scenarios.in_order()
    return await anyio.to_thread.run_sync(_near_misses_json, _latest(entries, limit), scenarios)


@OPERATIONS("GET", "/requests/{id}")
async def get_request(control: Control, request: Request) -> JournalEntry:
    return await find_entry(control, request.path_params["id"])


@OPERATIONS("GET", "/requests/{id}/thumbnail")
async def request_thumbnail(control: Control, request: Request) -> Response:
    entry = await find_entry(control, request.path_params["id"])
    if entry.image is None:
        raise NotFoundError(f"Request {entry.id} has no picture that can be read.")
    thumbnail = await control.thumbnails.find(entry.image.sha256)
    if thumbnail is None:
        raise NotFoundError(f"The thumbnail of request {entry.id} is no longer stored.")
    return Response(thumbnail, media_type="image/jpeg")


def _query_filter(control: Control, request: Request, paging: Sequence[str] = ()) -> RequestFilter:
    parameters: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name in parameters:
            raise mistake(PARAMETER + name, f'the parameter "{name[:80]}" is given twice')
        parameters[name] = value
    search, parts = parameters.get("search", ""), parameters.get("parts", "false")
    is_partial = as_choice(parts, ("true", "false"), f"{PARAMETER}parts", "truth value") == "true" if paging else False
    filters = {name: value for name, value in parameters.items() if name not in paging}
    parsed = _parse_filter(filters, control.providers, parameters=True, is_partial=is_partial)
    words = as_text(search, f"{PARAMETER}search").casefold().split() if paging else []
    return RequestFilter([*parsed.tests, *map(_contains, words)], parsed.limit)


def _contains(word: str) -> Test:
    """Whether one of the texts of an exchange contains a word; `word` is in lower case."""
    return lambda exchange: any(word in str(exchange.value(name) or "").casefold() for name in _SEARCHED)


async def _body_filter(control: Control, request: Request) -> RequestFilter:
    return _parse_filter(await read_object(request, is_optional=True), control.providers)


async def find_entry(control: Control, id: str) -> JournalEntry:
    """The entry of a request. Raises NotFoundError."""
    for entry in await control.journal.exchanges():
        if entry.id == id:
            return entry
    raise NotFoundError(f"The journal has no request {id[:40]}.")


async def _list(
    control: Control, filter: RequestFilter, page: Page | None = None, *, only_unmatched: bool = False
) -> bytes:
    entries, is_continued = (page or Page()).of(await control.journal.exchanges())
    dropped = await control.journal.dropped()

    def found() -> bytes:
        selected = [entry for entry in entries if filter(entry) and (entry.query or not only_unmatched)]
        latest = selected if filter.limit is None else _latest(selected, filter.limit)
        return document_json(RequestList(latest, len(selected), dropped, is_continued))

    # A long list would delay other requests.
    return await anyio.to_thread.run_sync(found)


def _near_misses_json(entries: Sequence[JournalEntry], scenarios: Sequence[Scenario]) -> bytes:
    found = [NearMiss(entry, tuple(nearest_scenarios(entry.query, scenarios))) for entry in entries if entry.query]
    return document_json(NearMissList(found))


def _latest(entries: Sequence[JournalEntry], limit: int) -> Sequence[JournalEntry]:
    return entries[max(len(entries) - limit, 0) :]


def _parse_filter(
    filters: Mapping[str, Any], providers: Collection[str], *, parameters: bool = False, is_partial: bool = False
) -> RequestFilter:
    """The filter of a document, or of query parameters. Raises FixturesError for unknown names and wrong values.

    `is_partial`: a part of a text is enough, in upper or lower case, where a field is not limited to some texts.
    """
    check_names(filters, FILTERS, parameters=parameters)
    tests: list[Test] = []
    limit = None
    for name, value in filters.items():
        place = PARAMETER + name if parameters else pointer(name)
        if name == "limit":
            limit = as_count(value, place)
        elif is_partial and FIELDS.get(name) is str and name not in ("key", "provider") and value != ABSENT:
            tests.append(_part(name, as_text(value, place).casefold()))
        else:
            tests.append(_test(name, value, place, providers))
    return RequestFilter(tests, limit)


def _part(name: str, part: str) -> Test:
    return lambda exchange: part in str(exchange.value(name) or "").casefold()


def _test(name: str, value: Any, place: str, providers: Collection[str]) -> Test:
    if name in ("since", "until"):
        bound = datetime.fromtimestamp(as_time(value, place), UTC)
        return lambda exchange: (exchange.time >= bound) is (name == "since")
    expected = _expected(name, value, place, providers)
    if name == "key":
        name, expected = "key_id", None if expected is None else key_id(expected)
    return lambda exchange: exchange.value(name) == expected


def _expected(name: str, value: Any, place: str, providers: Collection[str]) -> Any:
    kind = FIELDS[name]
    if kind is int:
        return as_count(value, place)
    if name == "provider":
        return as_choice(value, [*providers, NO_PROVIDER], place, name)
    if value is None or value == ABSENT:
        return None
    return as_choice(value, kind, place, name) if isinstance(kind, list) else as_text(value, place)
