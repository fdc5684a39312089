"""`/requests`: the journal."""

from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from mock_server.admin.control import Control
from mock_server.admin.input_errors import PARAMETER, as_object, mistake
from mock_server.admin.operation import (
    Answer,
    Operation,
    json_response,
    path_parameter,
    query_parameter,
    ref,
)
from mock_server.admin.request_body import read
from mock_server.admin.request_filter import ABSENT, FIELDS, FILTERS, RequestFilter
from mock_server.core.exchange import Exchange, Nearest, Picture
from mock_server.core.model import MatchKind, OutcomeName, Product

TAG = "requests"
_ID = path_parameter("id", "The request's id, as `X-Mock-Request-Id` has it.", "8f14e45fceea167a")
EXCHANGE = Exchange(
    id="8f14e45fceea167a",
    time=datetime(2026, 12, 1, 9, 30, 0, 125_000, UTC),
    provider="vehicore",
    product=Product.PLATE,
    key="…ey",
    key_id="8c1f6d2a90b3",
    account="demo",
    outcome=OutcomeName.READ,
    scenario="california-sedan",
    match=MatchKind.PERCEPTUAL,
    charged=1,
    status=200,
    milliseconds=3.2,
    method="POST",
    path="/api/ocr/plate",
    client="python-requests/2.32",
    filename="car.jpg",
    language="en",
    image=Picture("0" * 64, "JPEG", 1280, 960, 91234),
    reply={"result": "9DJC652"},
)
_REGION = (412, 300, 548, 344)
_UNMATCHED = replace(
    EXCHANGE,
    scenario=None,
    match=MatchKind.SYNTHESIZED,
    nearest=(Nearest("images/california-sedan.jpg", -1.2, -2.0, "other_text", _REGION),),
)
_LIST = {"requests": [EXCHANGE], "total": 1, "dropped": 0}
_MISSES = {
    "nearMisses": [
        {
            "request": _UNMATCHED,
            "scenarios": [
                {
                    "scenario": "california-sedan",
                    "distance": -1.2,
                    "limit": -2.0,
                    "failed": ["image"],
                    "region": [412, 300, 548, 344],
                    "reason": "other_text",
                }
            ],
        }
    ]
}


def _filter_schema(name: str) -> dict[str, Any]:
    if name in ("since", "until"):
        return {"type": "string", "format": "date-time"}
    kind = FIELDS.get(name, int)
    if kind is int:
        return {"type": "integer", "minimum": 0, "maximum": 999_999_999}
    return {"enum": [*kind, ABSENT]} if issubclass(kind, StrEnum) else {"type": "string"}


FILTER_SCHEMAS = {name: _filter_schema(name) for name in FILTERS}
_FILTERS = tuple(
    query_parameter(name, f"The field `{name}` of the exchange.", schema)
    for name, schema in FILTER_SCHEMAS.items()
)
_BY_DOCUMENT = {
    "application/json": {
        "schema": ref("RequestFilter"),
        "example": {"key": "demo-key", "outcome": "read", "since": "2026-12-01T00:00:00Z"},
    }
}


async def list_requests(control: Control, request: Request) -> Response:
    return json_response(await control.requests.find(_asked(control, request)))


async def clear_requests(control: Control, request: Request) -> Response:
    wanted = _asked(control, request)
    if wanted.limit is not None:
        raise mistake(f"{PARAMETER}limit", "a limit is for lists: name what is to be forgotten")
    return json_response({"deleted": await control.requests.clear(wanted)})


async def get_request(control: Control, request: Request) -> Response:
    return json_response(await control.requests.get(request.path_params["id"]))


async def request_thumbnail(control: Control, request: Request) -> Response:
    return Response(await control.requests.thumbnail(request.path_params["id"]), media_type="image/jpeg")


async def count_requests(control: Control, request: Request) -> Response:
    return json_response({"count": await control.requests.count(await _described(control, request))})


async def find_requests(control: Control, request: Request) -> Response:
    return json_response(await control.requests.find(await _described(control, request)))


async def unmatched_requests(control: Control, request: Request) -> Response:
    return json_response(await control.requests.find(_asked(control, request), unmatched=True))


async def near_misses(control: Control, request: Request) -> Response:
    return json_response(await control.requests.near_misses(_asked(control, request)))


def _asked(control: Control, request: Request) -> RequestFilter:
    parameters: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name in parameters:
            raise mistake(PARAMETER + name, f'the parameter "{name[:80]}" is given twice')
        parameters[name] = value
    return control.requests.filter(parameters, parameters=True)


async def _described(control: Control, request: Request) -> RequestFilter:
    body = await read(request)
    return control.requests.filter(as_object(body.json()) if body.data else {})


_FOUND = Answer("Oldest first; `total` counts all that are meant.", ref("RequestList"), _LIST)

OPERATIONS = (
    Operation(
        "GET",
        "/requests",
        list_requests,
        "The journal",
        {200: _FOUND},
        TAG,
        description="`dropped` tells how many exchanges went because the journal is bounded.",
        parameters=_FILTERS,
        fails=(400,),
    ),
    Operation(
        "DELETE",
        "/requests",
        clear_requests,
        "Forget requests: all, or those that are meant",
        {200: Answer("How many that were.", ref("Deleted"), {"deleted": 3})},
        TAG,
        parameters=tuple(one for one in _FILTERS if one["name"] != "limit"),
        fails=(400,),
    ),
    Operation(
        "POST",
        "/requests/count",
        count_requests,
        "How many requests are meant",
        {200: Answer("The number.", ref("Count"), {"count": 1})},
        TAG,
        takes=_BY_DOCUMENT,
        body_required=False,
        fails=(400, 413),
    ),
    Operation(
        "POST",
        "/requests/find",
        find_requests,
        "The requests that are meant",
        {200: _FOUND},
        TAG,
        takes=_BY_DOCUMENT,
        body_required=False,
        fails=(400, 413),
    ),
    Operation(
        "GET",
        "/requests/unmatched",
        unmatched_requests,
        "Requests that found no scenario",
        {
            200: Answer(
                "Oldest first.", ref("RequestList"), {"requests": [_UNMATCHED], "total": 1, "dropped": 0}
            )
        },
        TAG,
        parameters=_FILTERS,
        fails=(400,),
    ),
    Operation(
        "GET",
        "/requests/unmatched/near-misses",
        near_misses,
        "What came nearest to requests that found no scenario",
        {200: Answer("The three nearest scenarios of each, nearest first.", ref("NearMisses"), _MISSES)},
        TAG,
        description="Judged by the scenarios that are served now. Without a limit, the latest 50 requests are told.",
        parameters=_FILTERS,
        fails=(400,),
    ),
    Operation(
        "GET",
        "/requests/{id}",
        get_request,
        "One request",
        {200: Answer("The exchange.", ref("Exchange"), EXCHANGE)},
        TAG,
        parameters=(_ID,),
        fails=(404,),
    ),
    Operation(
        "GET",
        "/requests/{id}/thumbnail",
        request_thumbnail,
        "The picture of a request, small",
        {200: Answer("A JPEG.", {"type": "string", "format": "binary"}, media_type="image/jpeg")},
        TAG,
        parameters=(_ID,),
        fails=(404,),
    ),
)
