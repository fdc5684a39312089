"""`/report`: what the tests have exercised, and how the client behaved."""

from collections.abc import Callable, Mapping

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response

from mock_server.admin.control import Control
from mock_server.admin.operation import Operations
from mock_server.admin.validation import MAX_KEY, PARAMETER, as_choice, as_text, check_names, mistake
from mock_server.core.exchange import document_json
from mock_server.core.redaction import key_id
from mock_server.core.serialization import to_json
from mock_server.report.building import build
from mock_server.report.counted import Counted, needs_of
from mock_server.report.document import Report
from mock_server.report.junit import junit
from mock_server.report.output import html_page, markdown

OPERATIONS = Operations()

COUNTS = "counts"
"""The format from which the reports of several mocks are merged. It is no promise."""

_COUNTS_TYPE = "application/vnd.vehicle-ocr-mock.counts+json"

_FORMATS: Mapping[str, tuple[str, Callable[[Report], str | bytes]]] = {
    "json": ("application/json", document_json),
    "html": ("text/html; charset=utf-8", html_page),
    "markdown": ("text/markdown; charset=utf-8", markdown),
    "junit": ("application/xml", junit),
}
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"


@OPERATIONS("GET", "/report")
async def get_report(control: Control, request: Request) -> Response:
    check_names(request.query_params, ("format", "final"), parameters=True)
    format = request.query_params.get("format", "json")
    as_choice(format, [*_FORMATS, COUNTS], f"{PARAMETER}format", "format")
    final = request.query_params.get("final", "false")
    as_choice(final, ("true", "false"), f"{PARAMETER}final", "truth value")
    counted = await _counted(control)
    if format == COUNTS:
        return Response(await anyio.to_thread.run_sync(to_json, counted), media_type=_COUNTS_TYPE)
    media_type, write = _FORMATS[format]
    providers = list(control.providers.values())

    def content() -> str | bytes:
        return write(build([counted], providers, is_over=final == "true"))

    return Response(
        await anyio.to_thread.run_sync(content),
        headers={"content-type": media_type, "content-security-policy": _POLICY},
    )


@OPERATIONS("DELETE", "/report")
async def clear_report(control: Control, request: Request) -> None:
    check_names(request.query_params, ("key",), parameters=True)
    key = request.query_params.get("key")
    if key is None:
        await control.rehearsal.clear(control.clock.now())
        return
    if not as_text(key, f"{PARAMETER}key", max_length=MAX_KEY):
        raise mistake(f"{PARAMETER}key", "expected an API key", "to forget everything, leave it out")
    await control.rehearsal.clear(control.clock.now(), key_id(key))


async def _counted(control: Control) -> Counted:
    library = control.live_scenarios.library
    needs = needs_of(
        control.providers.values(),
        await control.store.accounts(),
        library,
        pays_per_call=control.pipeline.policy.pay_per_call,
    )
    return Counted(
        await control.rehearsal.tally(),
        control.clock.now(),
        tuple(dict.fromkeys(scenario.name for scenario in library.scenarios.in_order())),
        tuple(needs),
        control.rules_off,
    )
