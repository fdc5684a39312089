"""`/overrides` and `/chaos`: what happens to the next calls, before any scenario."""

import secrets
from collections.abc import Mapping
from typing import Any

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response

from mock_server.admin.control import Control
from mock_server.admin.models import ChaosView, OverrideList
from mock_server.admin.operation import Operations, json_response
from mock_server.admin.validation import check_names, read_object
from mock_server.client_models import ALWAYS
from mock_server.client_models import Override as OverrideView
from mock_server.core.overrides import Override
from mock_server.scenarios.scenario_writer import step_document

OPERATIONS = Operations()

_SCOPE = ("key", "provider", "product")
_FILTERS = ("id", *_SCOPE)


@OPERATIONS("GET", "/overrides")
async def list_overrides(control: Control, request: Request) -> OverrideList:
    found = [await _view(control, override) for override in _selected(control, request)]
    return OverrideList([view for view in found if view.remaining != 0])


@OPERATIONS("PUT", "/overrides")
async def put_override(control: Control, request: Request) -> Response:
    document = await read_object(request)
    # The document of a GET can be sent back.
    given = {name: value for name, value in document.items() if name not in ("id", "remaining")}
    override = await anyio.to_thread.run_sync(_parse, control, given)
    async with control.coordination.changing():
        others = control.pipeline.overrides.all
        used_up = [one for one in others if await one.remaining(control.store) == 0]
        replaced = [one for one in others if one.scope == override.scope]
        await control.remove_overrides(lambda one: one in used_up or one in replaced)
        control.pipeline.overrides.all = (*control.pipeline.overrides.all, override)
    await control.note_change(override.scenario.when.key)
    is_new = all(one in used_up for one in replaced)
    return json_response(await _view(control, override), 201 if is_new else 200)


@OPERATIONS("DELETE", "/overrides")
async def delete_overrides(control: Control, request: Request) -> None:
    selected = _selected(control, request)
    async with control.coordination.changing():
        await control.remove_overrides(lambda one: one in selected)
    for override in selected:
        await control.note_change(override.scenario.when.key)


@OPERATIONS("GET", "/chaos")
async def get_chaos(control: Control, request: Request) -> ChaosView:
    return _chaos(control)


@OPERATIONS("PUT", "/chaos")
async def resume_chaos(control: Control, request: Request) -> ChaosView:
    return await _set_chaos(control, is_paused=False)


@OPERATIONS("DELETE", "/chaos")
async def pause_chaos(control: Control, request: Request) -> ChaosView:
    return await _set_chaos(control, is_paused=True)


def _selected(control: Control, request: Request) -> list[Override]:
    """The overrides that have the id and the scope of the query parameters."""
    check_names(request.query_params, _FILTERS, parameters=True)
    wanted = request.query_params
    return [
        override
        for override in control.pipeline.overrides.all
        if all(_facts(override)[name] == wanted[name] for name in wanted)
    ]


def _facts(override: Override) -> Mapping[str, Any]:
    return {"id": override.id, **dict(zip(_SCOPE, override.scope, strict=True))}


def _parse(control: Control, document: Mapping[str, object]) -> Override:
    # Imported here because the models of fixture files take long to import.
    from mock_server.scenarios.scenario_reader import parse_override

    return Override(secrets.token_hex(8), parse_override(document, control.vocabulary))


async def _view(control: Control, override: Override) -> OverrideView:
    step, remaining = override.step, await override.remaining(control.store)
    times = ALWAYS if step.times is None else step.times
    return OverrideView(
        **_facts(override),
        **{**step_document(step), "times": times},
        remaining=ALWAYS if remaining is None else remaining,
    )


async def _set_chaos(control: Control, *, is_paused: bool) -> ChaosView:
    async with control.coordination.changing():
        control.pipeline.overrides.is_chaos_paused = is_paused
    return _chaos(control)


def _chaos(control: Control) -> ChaosView:
    chaos = control.live_scenarios.library.fixtures.defaults.chaos
    # JSON needs plain texts as names.
    return ChaosView({str(name): chance for name, chance in chaos.items()}, control.pipeline.overrides.is_chaos_paused)
