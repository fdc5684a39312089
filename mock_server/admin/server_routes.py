"""Health, reset, the clock and metrics."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from mock_server.admin.control import Control, Health
from mock_server.admin.error_handlers import fixture_mistakes
from mock_server.admin.models import ClockView, Reloaded
from mock_server.admin.operation import Operations
from mock_server.admin.validation import END_OF_TIME, PARAMETER, as_duration, as_time, check_names, mistake, read_object
from mock_server.errors import FixturesError
from mock_server.scenarios.source import pointer

OPERATIONS = Operations()


@OPERATIONS("GET", "/health", is_open=True)
async def health(control: Control, request: Request) -> Health:
    return control.health()


@OPERATIONS("POST", "/reset")
async def reset(control: Control, request: Request) -> None:
    check_names(request.query_params, ("key",), parameters=True)
    document = await read_object(request, is_optional=True)
    # A document with a wrong name is refused: without its key, the call would reset everything.
    check_names(document, ("key",))
    place, key = (pointer("key"), document["key"]) if "key" in document else (f"{PARAMETER}key", None)
    key = request.query_params.get("key", key)
    if not isinstance(key, str | None) or key == "":
        raise mistake(place, "expected an API key", "to reset everything, leave it out")
    await (control.reset_all() if key is None else control.reset_key(key))


@OPERATIONS("POST", "/reload")
async def reload(control: Control, request: Request) -> Reloaded | Response:
    try:
        fixtures = await control.hot_reload.reload(is_fresh=True)
    except FixturesError as error:
        return fixture_mistakes(error)
    await control.note_change()
    return Reloaded(len(fixtures.scenarios), len(fixtures.images), len(fixtures.accounts))


@OPERATIONS("GET", "/clock")
async def get_clock(control: Control, request: Request) -> ClockView:
    return _clock(control)


@OPERATIONS("PUT", "/clock")
async def set_clock(control: Control, request: Request) -> ClockView:
    document = await read_object(request)
    check_names(document, ("freeze", "advance"))
    if len(document) != 1:
        raise mistake("", 'expected either "freeze" or "advance"')
    async with control.coordination.changing():
        _set_clock(control, document)
    return _clock(control)


@OPERATIONS("DELETE", "/clock")
async def release_clock(control: Control, request: Request) -> ClockView:
    async with control.coordination.changing():
        control.clock.release()
    return _clock(control)


@OPERATIONS("GET", "/metrics")
async def metrics(control: Control, request: Request) -> Response:
    text, media_type = control.metrics.text()
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
