"""Health, reset, the clock and metrics."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from mock_server.admin.control import Control, FixturesHealth, Health
from mock_server.admin.error_handlers import fixture_mistakes
from mock_server.admin.models import ClockView, Reloaded
from mock_server.admin.operation import TEXT, Answer, Operations, json_object
from mock_server.admin.request_body import read
from mock_server.admin.validation import (
    END_OF_TIME,
    PARAMETER,
    as_duration,
    as_object,
    as_time,
    check_names,
    mistake,
    pointer,
)
from mock_server.errors import FixturesError

OPERATIONS = Operations("server")

_KEY = {**TEXT, "minLength": 1, "description": "Reset only this API key."}
_FREEZE = {
    "oneOf": [{**TEXT, "format": "date-time"}, {"const": True}],
    "description": "A time, or true for the current one.",
}
_ADVANCE = {
    **TEXT,
    "pattern": "^-?[0-9]{1,4}(d|h|m|s|ms)$",
    "description": 'A duration such as "31d" or "1h30m"; a negative one goes back.',
}
_CLOCK_BODY = {
    "application/json": {
        "schema": {
            "oneOf": [json_object({"freeze": _FREEZE}, "freeze"), json_object({"advance": _ADVANCE}, "advance")]
        },
        "examples": {"freeze": {"value": {"freeze": "2026-12-01T00:00:00Z"}}, "advance": {"value": {"advance": "31d"}}},
    }
}
_FROZEN = ClockView(datetime(2026, 12, 1, tzinfo=UTC), frozen=True, offset=None)
_RELEASED = ClockView(datetime(2026, 12, 1, tzinfo=UTC), frozen=False, offset=0.0)


@OPERATIONS(
    "GET",
    "/health",
    "Health check",
    Answer("The server is up.", Health("healthy", "0.1.0", 12, 24, 20, FixturesHealth(ok=True))),
    description="Needs no token. The same is at `/healthz`.",
    open=True,
)
async def health(control: Control, request: Request) -> Health:
    return control.health()


@OPERATIONS(
    "POST",
    "/reset",
    "Reset to the fixture files",
    Answer("Done.", status=204),
    description=(
        "Deletes the runtime scenarios and accounts and the journal, and resets the accounts of fixture files, all "
        "counters, sequences and rate limits, and the clock. With a key, only what belongs to that key; a key that "
        "has nothing, not even an account, is no error."
    ),
    query={"key": _KEY},
    body={"application/json": {"schema": json_object({"key": _KEY}), "example": {"key": "demo-key"}}},
    is_body_required=False,
    errors=(400, 413),
)
async def reset(control: Control, request: Request) -> None:
    check_names(request.query_params, ("key",), parameters=True)
    body = await read(request)
    document = as_object(body.json()) if body.data else {}
    # A document with a wrong name is refused: without its key, the call would reset everything.
    check_names(document, ("key",))
    place, key = (pointer("key"), document["key"]) if "key" in document else (f"{PARAMETER}key", None)
    key = request.query_params.get("key", key)
    if not isinstance(key, str | None) or key == "":
        raise mistake(place, "expected an API key", "to reset everything, leave it out")
    await (control.reset_all() if key is None else control.reset_key(key))


@OPERATIONS(
    "POST",
    "/reload",
    "Read the fixture files now",
    Answer("The fixtures that are served.", Reloaded(24, 20, 8)),
    description="With mistakes in the files, the last good set is served. SIGHUP does the same.",
    errors=(400,),
)
async def reload(control: Control, request: Request) -> Reloaded | Response:
    try:
        fixtures = await control.hot_reload.reload()
    except FixturesError as error:
        return fixture_mistakes(error)
    return Reloaded(len(fixtures.scenarios), len(fixtures.images), len(fixtures.accounts))


@OPERATIONS("GET", "/clock", "Get the clock", Answer("The time by the mock's clock.", _FROZEN))
async def get_clock(control: Control, request: Request) -> ClockView:
    return _clock(control)


@OPERATIONS(
    "PUT",
    "/clock",
    "Freeze or advance the clock",
    Answer("The clock after the change.", _FROZEN),
    description=(
        "Quotas, rate limits and the journal use this clock. A clock that was advanced goes on, unless it is frozen."
    ),
    body=_CLOCK_BODY,
    errors=(400, 413),
)
async def set_clock(control: Control, request: Request) -> ClockView:
    document = as_object((await read(request)).json())
    check_names(document, ("freeze", "advance"))
    if len(document) != 1:
        raise mistake("", 'expected either "freeze" or "advance"')
    async with control.coordination.changing():
        _set_clock(control, document)
    return _clock(control)


@OPERATIONS("DELETE", "/clock", "Use the system's time again", Answer("The clock after the change.", _RELEASED))
async def release_clock(control: Control, request: Request) -> ClockView:
    async with control.coordination.changing():
        control.clock.release()
    return _clock(control)


@OPERATIONS(
    "GET", "/metrics", "Get metrics for Prometheus", Answer("Counters and histograms.", media_type="text/plain")
)
async def metrics(control: Control, request: Request) -> Response:
    text, media_type = request.app.state.metrics()
    return Response(text, media_type=None, headers={"content-type": media_type})


def _clock(control: Control) -> ClockView:
    state = control.clock.state
    offset = None if state.frozen is not None else round(state.offset, 3)
    return ClockView(datetime.fromtimestamp(control.clock.now(), UTC), state.frozen is not None, offset)


def _set_clock(control: Control, document: Mapping[str, Any]) -> None:
    if "freeze" in document:
        value = document["freeze"]
        control.clock.freeze(None if value is True else as_time(value, pointer("freeze")))
        return
    seconds = as_duration(document["advance"], pointer("advance"))
    if not 0 <= control.clock.now() + seconds < END_OF_TIME:
        raise mistake(pointer("advance"), "expected a time from 1970 to 9998")
    control.clock.advance(seconds)
