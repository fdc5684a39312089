"""Fields that a scenario leaves out of a reply or adds to it: `none` in readings, `omit` and `add` in steps."""

from typing import Any

import httpx
import orjson
import pytest

from mock_server.errors import RefusedError
from mock_server.server import MockServer
from tests.support import call, carsxe, new_key, vehicore

pins = pytest.mark.pins

BOX = [436, 402, 524, 423]
PLATE: dict[str, Any] = {
    "text": "9DJC652",
    "region": "us-ca",
    "region_score": 0.849,
    "score": 0.902,
    "dscore": 0.861,
    "box": BOX,
    "vehicle": {"type": "Sedan", "score": 0.783, "box": [156, 172, 804, 637]},
    "candidates": [{"text": "9DJC652", "score": 0.902}, {"text": "9OJC652", "score": 0.742}],
}
VIN: dict[str, Any] = {
    "text": "JHLRD77874C026456",
    "confidence": 0.983,
    "box": [130, 244, 763, 306],
    "candidates": [{"text": "JHLRD77874C026456", "confidence": 0.983, "box": [130, 244, 763, 306]}],
}


def answered(
    mock: MockServer, http: httpx.Client, product: str, reading: dict[str, Any], step: dict[str, Any] | None = None
) -> httpx.Response:
    """CarsXE's reply to a picture with this reading."""
    key = new_key(mock)
    mock.add_scenario({"scenario": "fields", "when": {"key": key}, "reading": reading, "then": step or "read"})
    return carsxe(http, product, key=key)


def fields(value: Any, path: str = "") -> set[str]:
    """The paths of all fields of a JSON document; lists are passed through."""
    if isinstance(value, list):
        return set().union(*(fields(item, path) for item in value))
    if not isinstance(value, dict):
        return set()
    found = {f"{path}.{name}".strip("."): item for name, item in value.items()}
    return set(found).union(*(fields(item, name) for name, item in found.items()))


NONE_IN_A_PLATE = [
    ({"text": "none"}, "plate"),
    ({"region": "none"}, "region region.code region.score"),
    ({"region_score": "none"}, "region.score"),
    ({"score": "none"}, "score"),
    ({"dscore": "none"}, "dscore"),
    ({"box": "none"}, "box box.xmin box.ymin box.xmax box.ymax"),
    ({"candidates": "none"}, "candidates candidates.plate candidates.score"),
    ({"candidates": [{"text": "9DJC652", "score": "none"}]}, "candidates.score"),
    ({"candidates": [{"text": "none", "score": 0.9}], "text": "none"}, "plate candidates.plate"),
    ({"vehicle": {**PLATE["vehicle"], "type": "none"}}, "vehicle.type"),
    ({"vehicle": {**PLATE["vehicle"], "score": "none"}}, "vehicle.score"),
    ({"vehicle": {"type": "none", "score": "none", "box": "none"}},
     "vehicle.type vehicle.score vehicle.box vehicle.box.xmin vehicle.box.ymin vehicle.box.xmax vehicle.box.ymax"),
]  # fmt: skip


@pins("carsxe-optional-fields")
@pytest.mark.parametrize(("given", "missing"), NONE_IN_A_PLATE, ids=str)
def test_none_in_a_plate(mock: MockServer, http: httpx.Client, given: dict[str, Any], missing: str) -> None:
    """A field of the reading that is `none` is missing in the reply; all others stay."""
    full = answered(mock, http, "plate", {"plate": PLATE}).json()
    reply = answered(mock, http, "plate", {"plate": {**PLATE, **given}}).json()

    assert fields(full) - fields(reply) == {f"results.{name}" for name in missing.split()}
    assert fields(reply) <= fields(full)


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({"text": "none"}, "vin"),
        ({"confidence": "none"}, "confidence"),
        ({"box": "none"}, "box box.xmin box.ymin box.xmax box.ymax"),
        ({"candidates": "none"},
         "candidates candidates.vin candidates.confidence candidates.box candidates.box.xmin candidates.box.ymin "
         "candidates.box.xmax candidates.box.ymax"),
        ({"candidates": [{"text": "JHLRD77874C026456", "confidence": "none", "box": BOX}]}, "candidates.confidence"),
        ({"candidates": [{"text": "JHLRD77874C026456", "score": "none", "box": BOX}]}, "candidates.confidence"),
        ({"candidates": [{"text": "none", "confidence": 0.4}], "text": "none"}, "vin candidates.vin"),
        ({"candidates": [{"text": "JHLRD77874C026456", "box": "none"}]},
         "candidates.box candidates.box.xmin candidates.box.ymin candidates.box.xmax candidates.box.ymax"),
    ],
    ids=str,
)  # fmt: skip
def test_none_in_a_vin(mock: MockServer, http: httpx.Client, given: dict[str, Any], missing: str) -> None:
    """The same holds for a VIN and its candidates."""
    full = answered(mock, http, "vin", {"vin": VIN}).json()
    reply = answered(mock, http, "vin", {"vin": {**VIN, **given}}).json()

    assert fields(full) - fields(reply) == set(missing.split())
    assert fields(reply) <= fields(full)


@pytest.mark.parametrize("product", ["plate", "vin"])
def test_none_as_the_only_field(mock: MockServer, http: httpx.Client, product: str) -> None:
    """VehiCore's reply has one field; without it, it is an empty object."""
    key = new_key(mock)
    reading = {"plate": "none", "vin": "none"}
    mock.add_scenario({"scenario": "none", "when": {"key": key}, "reading": reading})

    assert vehicore(http, product, key=key).content == b"{}"


def test_a_text_none_in_capitals_is_text(mock: MockServer, http: httpx.Client) -> None:
    """Only `none` as it is documented leaves a field out."""
    assert answered(mock, http, "plate", {"plate": "NONE"}).json()["results"][0]["plate"] == "none"


@pytest.mark.parametrize("place", ["region", "score", "box", "candidates", "vehicle"])
def test_null_is_refused(mock: MockServer, place: str) -> None:
    """A null in a reading is a mistake that names the word for it."""
    with pytest.raises(RefusedError, match='"none" leaves the field out of the reply') as caught:
        mock.add_scenario({"scenario": "null", "reading": {"plate": {"text": "X", place: None}}})

    assert [error["pointer"] for error in caught.value.errors] == [f"/reading/plate/{place}"]


EDITS: list[tuple[dict[str, Any], str, str]] = [
    ({"omit": "filename"}, "filename", ""),
    ({"omit": ["results.box.ymax", "results.vehicle.box.xmin"]},
     "results.box.ymax results.vehicle.box.xmin", ""),
    ({"omit": ["results.candidates.score"]}, "results.candidates.score", ""),
    ({"omit": ["no.such.field", "results.plate.deeper", "success.x"]}, "", ""),
    ({"add": {"request_id": "abc"}}, "", "request_id"),
    ({"add": {"results.color": "red"}}, "", "results.color"),
    ({"add": {"results.candidates.box": {"xmin": 1}}}, "", "results.candidates.box results.candidates.box.xmin"),
    ({"add": {"results": {"orientation": [{"name": "Rear"}]}}}, "",
     "results.orientation results.orientation.name"),
    ({"add": {"trace.id": 7, "trace.span": 8}}, "", "trace trace.id trace.span"),
    ({"add": {"trace": {"id": 7}, "trace.tags": []}}, "", "trace trace.id trace.tags"),
    ({"add": {"message": "other", "results.plate": "x", "results.box.xmin": 1, "success.x": 1}}, "", ""),
    ({"omit": ["camera_id"], "add": {"camera_id.serial": 12}}, "", "camera_id.serial"),
]  # fmt: skip


@pytest.mark.parametrize(("step", "missing", "new"), EDITS, ids=str)
def test_omit_and_add(mock: MockServer, http: httpx.Client, step: dict[str, Any], missing: str, new: str) -> None:
    """`omit` and `add` reach any depth, in every item of a list; what exists is never overwritten."""
    full = answered(mock, http, "plate", {"plates": [PLATE, PLATE]}).json()
    reply = answered(mock, http, "plate", {"plates": [PLATE, PLATE]}, step).json()

    assert fields(full) - fields(reply) == set(missing.split())
    assert fields(reply) - fields(full) == set(new.split())
    assert [each["plate"] for each in reply["results"]] == [each["plate"] for each in full["results"]]


def test_values_of_added_fields(mock: MockServer, http: httpx.Client) -> None:
    """Values keep their JSON types: nested, null, numbers and texts that look like numbers."""
    value: dict[str, Any] = {"a": [1, 2.50, "3", True, None, {"b": {}}], "c": None}
    reply = answered(mock, http, "plate", {"plate": PLATE}, {"add": {"extra": value}}).json()

    assert orjson.dumps(reply["extra"]) == orjson.dumps(value)


def test_the_rest_of_the_bytes_stays(mock: MockServer, http: httpx.Client) -> None:
    """The order of fields and the form of numbers do not change."""
    reading = {"plate": PLATE}
    full = answered(mock, http, "plate", reading).content
    edited = answered(mock, http, "plate", reading, {"omit": "camera_id", "add": {"request_id": 1}}).content

    assert edited == full.replace(b'"camera_id":null,', b"")[:-1] + b',"request_id":1}'


@pytest.mark.parametrize("step", [{"outcome": "service_error"}, {"outcome": "nothing_found"}], ids=str)
def test_errors_are_edited_too(mock: MockServer, http: httpx.Client, step: dict[str, Any]) -> None:
    """An error reply lacks fields and gains fields like any other; its status stays."""
    plain = answered(mock, http, "plate", {}, step)
    reply = answered(mock, http, "plate", {}, {**step, "omit": ["message"], "add": {"error.code": 7}})

    assert reply.status_code == plain.status_code
    assert reply.json() == {"success": False, "error": {"code": 7}}


def test_every_provider(mock: MockServer, http: httpx.Client) -> None:
    """A step changes the reply of each provider, whose fields the mock's core does not know."""
    key = new_key(mock)
    step = {"omit": ["result", "results"], "add": {"request_id": "abc"}}
    mock.add_scenario({"scenario": "edited", "when": {"key": key}, "reading": {"plate": "X"}, "then": step})
    for provider in mock.app.control.providers.values():
        reply = call(http, provider, key=key).json()

        assert reply["request_id"] == "abc"
        assert not {"result", "results"} & reply.keys()
