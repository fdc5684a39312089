"""`/scenarios`: what is being served, and what is added to it at run time."""

from collections.abc import Mapping
from typing import Any

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response

from mock_server.admin.control import Control
from mock_server.admin.operation import Answer, Operation, json_response, location, path_parameter, ref
from mock_server.admin.request_body import Body, parse_document, read
from mock_server.admin.scenario_service import SentPicture
from mock_server.errors import MultipartError

TAG = "scenarios"
_NAME = path_parameter("name", "The scenario's name.", "california-sedan")
_DOCUMENT = {
    "scenario": "out-of-order",
    "when": {"key": "demo-key", "product": "plate"},
    "then": [{"outcome": "service_error", "times": 2}, {"outcome": "read"}],
    "reading": {"plate": "7XYZ123"},
}
_EXAMPLE = {
    "scenario": "out-of-order",
    "description": "",
    "priority": 5,
    "when": {"key": "demo-key", "product": "plate"},
    "reading": {"plate": {"text": "7XYZ123", "region_score": 0.9, "score": 0.9, "dscore": 0.9}},
    "then": [{"outcome": "service_error", "times": 2}, {"outcome": "read"}],
    "repeat": "last",
    "runtime": True,
    "file": None,
    "line": None,
    "pictures": [],
    "positions": [],
}
_TAKES: Mapping[str, Mapping[str, Any]] = {
    "application/json": {"schema": ref("ScenarioDocument"), "example": _DOCUMENT},
    "application/yaml": {
        "schema": {"type": "string", "description": "The document as in a fixture file."},
        "example": "scenario: out-of-order\nwhen: {key: demo-key}\nthen: {outcome: service_error}\n",
    },
    "multipart/form-data": {
        "schema": {
            "type": "object",
            "required": ["scenario"],
            "additionalProperties": False,
            "properties": {
                "scenario": {"type": "string", "description": "The document, in JSON or YAML."},
                "image": {
                    "type": "string",
                    "format": "binary",
                    "description": "The picture that the scenario knows; may be given several times.",
                },
            },
        },
        "encoding": {
            "scenario": {"contentType": "application/json, application/yaml"},
            "image": {"contentType": "image/*"},
        },
    },
}
_HOW = (
    "`when.image` names a picture that is served already; any other picture is sent as the part `image`. Files of the "
    "server's machine cannot be named. A runtime scenario wins over a file's at equal priority and specificity."
)


async def list_scenarios(control: Control, request: Request) -> Response:
    return json_response({"scenarios": await control.scenarios.all()})


async def add_scenario(control: Control, request: Request) -> Response:
    document, pictures = _sent(await read(request))
    scenario = await control.scenarios.add(document, pictures)
    return json_response(scenario, 201, location(request, f"/scenarios/{scenario['scenario']}"))


async def get_scenario(control: Control, request: Request) -> Response:
    return json_response(await control.scenarios.get(request.path_params["name"]))


async def put_scenario(control: Control, request: Request) -> Response:
    document, pictures = _sent(await read(request))
    scenario, new = await control.scenarios.put(request.path_params["name"], document, pictures)
    return json_response(scenario, 201 if new else 200)


async def delete_scenario(control: Control, request: Request) -> Response:
    await control.scenarios.remove(request.path_params["name"])
    return Response(status_code=204)


async def set_state(control: Control, request: Request) -> Response:
    document = (await read(request)).json()
    return json_response(await control.scenarios.set_state(request.path_params["name"], document))


async def scenario_thumbnail(control: Control, request: Request) -> Response:
    digest, picture = await anyio.to_thread.run_sync(control.scenarios.picture, request.path_params["name"])
    made = await anyio.to_thread.run_sync(control.thumbnails.make, digest, picture)
    return Response(made or b"", media_type="image/jpeg")


def _sent(body: Body) -> tuple[Mapping[str, Any] | str, list[SentPicture]]:
    form = body.form("scenario", "image")
    if form is None:
        return body.document(), []
    document = form.first("scenario")
    if document is None:
        raise MultipartError("the part scenario is missing")
    pictures = [SentPicture(bytes(part.data), part.filename) for part in form if part.name == "image"]
    return parse_document(document.data), pictures


OPERATIONS = (
    Operation(
        "GET",
        "/scenarios",
        list_scenarios,
        "All scenarios",
        {200: Answer("Runtime scenarios first.", ref("ScenarioList"), {"scenarios": [_EXAMPLE]})},
        TAG,
    ),
    Operation(
        "POST",
        "/scenarios",
        add_scenario,
        "Add a runtime scenario",
        {
            201: Answer(
                "The new scenario.",
                ref("Scenario"),
                _EXAMPLE,
                headers={"Location": {"description": "Its address.", "schema": {"type": "string"}}},
            )
        },
        TAG,
        description=_HOW,
        takes=_TAKES,
        fails=(400, 409, 413),
    ),
    Operation(
        "GET",
        "/scenarios/{name}",
        get_scenario,
        "One scenario",
        {200: Answer("The scenario.", ref("Scenario"), _EXAMPLE)},
        TAG,
        parameters=(_NAME,),
        fails=(404,),
    ),
    Operation(
        "PUT",
        "/scenarios/{name}",
        put_scenario,
        "Add or replace a runtime scenario",
        {
            200: Answer(
                "The scenario, replaced; every key begins its sequence anew.", ref("Scenario"), _EXAMPLE
            ),
            201: Answer(
                "The scenario, new; it hides one of a file that has its name.", ref("Scenario"), _EXAMPLE
            ),
        },
        TAG,
        description=_HOW,
        parameters=(_NAME,),
        takes=_TAKES,
        fails=(400, 413),
    ),
    Operation(
        "DELETE",
        "/scenarios/{name}",
        delete_scenario,
        "Delete a runtime scenario",
        {204: Answer("It is gone; one of a file that it hid is back.")},
        TAG,
        parameters=(_NAME,),
        fails=(404, 409),
    ),
    Operation(
        "PUT",
        "/scenarios/{name}/state",
        set_state,
        "Set a key's place in a scenario's sequence",
        {
            200: Answer(
                "Where the key stands now.",
                ref("ScenarioState"),
                {"scenario": "out-of-order", "key": "…ey", "key_id": "8c1f6d2a90b3", "position": 2},
            )
        },
        TAG,
        parameters=(_NAME,),
        takes={
            "application/json": {
                "schema": ref("ScenarioStateDocument"),
                "example": {"key": "demo-key", "position": 2},
            }
        },
        fails=(400, 404, 413),
    ),
    Operation(
        "GET",
        "/scenarios/{name}/thumbnail",
        scenario_thumbnail,
        "A scenario's picture, small",
        {200: Answer("A JPEG.", {"type": "string", "format": "binary"}, media_type="image/jpeg")},
        TAG,
        parameters=(_NAME,),
        fails=(404,),
    ),
)
