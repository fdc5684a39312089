"""Health, the clock, reset, trying a picture, and metrics."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from mock_server.admin.control import Control
from mock_server.admin.input_errors import PARAMETER, as_object, mistake, one_of, only_known, pointer
from mock_server.admin.match_service import Question
from mock_server.admin.operation import Answer, Operation, json_response, query_parameter, ref
from mock_server.admin.request_body import parse_json, read
from mock_server.core.model import Product
from mock_server.http.multipart import Form

TAG = "state"
_CLOCK = {"now": "2026-12-01T00:00:00.000Z", "frozen": True, "offset": None}
_HEALTH = {"status": "healthy", "version": "0.1.0", "uptimeInSeconds": 12, "scenarios": 24, "images": 20}
_FACTS = ("provider", "product", "key", "url", "filename", "language", "headers")
_MATCH = {
    "scenario": "california-sedan",
    "match": "perceptual",
    "outcome": "read",
    "account": None,
    "charged": 1,
    "forced": None,
    "detail": None,
    "delay": 0.0,
    "fault": None,
    "status": 200,
    "reply": {"result": "9DJC652"},
    "image": {
        "sha256": "0" * 64,
        "format": "JPEG",
        "width": 1280,
        "height": 960,
        "bytes": 91234,
        "blank": False,
        "sharpness": 412.5,
    },
    "pictures": [
        {"image": "images/california-sedan.jpg", "match": "perceptual", "distance": -7.1, "limit": -2.0}
    ],
    "nearMisses": [],
}


async def health(control: Control, request: Request) -> Response:
    return json_response(control.health())


async def get_clock(control: Control, request: Request) -> Response:
    return json_response(control.clock.get())


async def set_clock(control: Control, request: Request) -> Response:
    return json_response(await control.clock.set((await read(request)).json()))


async def release_clock(control: Control, request: Request) -> Response:
    return json_response(await control.clock.release())


async def reset(control: Control, request: Request) -> Response:
    only_known(request.query_params, ("key",), parameters=True)
    body = await read(request)
    # A key that is sent the other way must not be overlooked: everything would be reset.
    document = as_object(body.json()) if body.data else {}
    only_known(document, ("key",))
    place, key = (pointer("key"), document["key"]) if "key" in document else (f"{PARAMETER}key", None)
    key = request.query_params.get("key", key)
    if not isinstance(key, str | None) or key == "":
        raise mistake(place, "a key is wanted: leave it out to reset everything")
    await control.reset(key)
    return Response(status_code=204)


async def match(control: Control, request: Request) -> Response:
    body = await read(request)
    form = body.form("image", *_FACTS)
    if form is None:
        return json_response(await control.trial.match(_question(control, as_object(body.json()))))
    image = form.first("image")
    question = _question(control, _facts(form))
    if image is not None:
        question = replace(question, image=image.data, filename=question.filename or image.filename)
    return json_response(await control.trial.match(question))


async def metrics(control: Control, request: Request) -> Response:
    text, media_type = request.app.state.metrics()
    return Response(text, media_type=None, headers={"content-type": media_type})


def _facts(form: Form) -> dict[str, Any]:
    facts: dict[str, Any] = {part.name: part.text for part in form if part.name != "image"}
    if "headers" in facts:
        facts["headers"] = parse_json(facts["headers"].encode())
    return facts


def _question(control: Control, facts: Mapping[str, Any]) -> Question:
    only_known(facts, _FACTS)
    providers = list(control.trial.providers)
    headers = as_object(facts.get("headers", {}))
    for name, value in (*facts.items(), *headers.items()):
        if not isinstance(value, str) and name != "headers":
            raise mistake(pointer(name), "text is wanted")
    return Question(
        provider=one_of(facts.get("provider", providers[0]), providers, pointer("provider"), "provider"),
        product=Product(one_of(facts.get("product", "plate"), list(Product), pointer("product"), "product")),
        key=facts.get("key"),
        url=facts.get("url"),
        filename=facts.get("filename"),
        language=facts.get("language", "en"),
        headers={name.lower(): value for name, value in headers.items()},
    )


OPERATIONS = (
    Operation(
        "GET",
        "/health",
        health,
        "Whether the server lives",
        {200: Answer("It does.", ref("Health"), _HEALTH)},
        TAG,
        description="Open to everybody; also at `/healthz`.",
        open=True,
    ),
    Operation(
        "POST",
        "/match",
        match,
        "What would be answered to a picture, and why",
        {200: Answer("The answer. Nothing was spent, counted or recorded.", ref("Match"), _MATCH)},
        TAG,
        description="Without a key the question is that of an account without limits. Rate limits are not looked at.",
        takes={
            "multipart/form-data": {
                "schema": ref("MatchForm"),
                "encoding": {
                    "image": {"contentType": "image/*"},
                    "headers": {"contentType": "application/json"},
                },
            },
            "application/json": {
                "schema": ref("MatchFacts"),
                "example": {"provider": "carsxe", "url": "https://example.com/car.jpg"},
            },
        },
        fails=(400, 413),
    ),
    Operation(
        "POST",
        "/reset",
        reset,
        "Back to the files",
        {204: Answer("Done.")},
        TAG,
        description=(
            "Runtime scenarios and accounts go; accounts of files, counters, sequences, rate-limit windows, the "
            "journal and the clock are as at the start. With a key, only what is that key's; a key that has nothing, "
            "not even an account, is no mistake."
        ),
        parameters=(query_parameter("key", "Only what is this key's.", {"type": "string", "minLength": 1}),),
        takes={"application/json": {"schema": ref("ResetDocument"), "example": {"key": "demo-key"}}},
        body_required=False,
        fails=(400, 413),
    ),
    Operation("GET", "/clock", get_clock, "The clock", {200: Answer("Now.", ref("Clock"), _CLOCK)}, TAG),
    Operation(
        "PUT",
        "/clock",
        set_clock,
        "Freeze or advance the clock",
        {200: Answer("The clock, set.", ref("Clock"), _CLOCK)},
        TAG,
        description=(
            "Quotas, their periods and rate limits go by it. An advanced clock goes on ticking unless it is frozen."
        ),
        takes={
            "application/json": {
                "schema": ref("ClockDocument"),
                "examples": {
                    "freeze": {"value": {"freeze": "2026-12-01T00:00:00Z"}},
                    "advance": {"value": {"advance": "31d"}},
                },
            }
        },
        fails=(400, 413),
    ),
    Operation(
        "DELETE",
        "/clock",
        release_clock,
        "Release the clock",
        {200: Answer("The system's time again.", ref("Clock"), {**_CLOCK, "frozen": False, "offset": 0.0})},
        TAG,
    ),
    Operation(
        "GET",
        "/metrics",
        metrics,
        "Metrics for Prometheus",
        {200: Answer("Counters and histograms.", {"type": "string"}, media_type="text/plain")},
        TAG,
    ),
)
