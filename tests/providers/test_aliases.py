"""Undocumented forms that published CarsXE clients send: accepted and noted, refused in strict mode."""

from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from mock_server.server import MockServer
from tests.support import FIXTURES, PATIENCE, gallery, latest, new_key, picture, vehicore

pins = pytest.mark.pins


@pytest.fixture(scope="module")
def strict() -> Iterator[httpx.Client]:
    """A client of a server in strict mode."""
    with MockServer(FIXTURES, strict=True) as server, httpx.Client(base_url=server.url, timeout=PATIENCE) as client:
        yield client


KEY = {"key": "demo-key"}
NO_URL = "Missing upload URL"
NO_DATA = "Missing image data"
CASES = [
    # path, query, how the body is sent (IMAGE is replaced with the picture's URL), the reply in strict mode
    pytest.param(
        "/platerecognition",
        KEY,
        {"json": {"upload_url": "IMAGE"}},
        (400, NO_URL),
        marks=pins("carsxe-upload-url"),
        id="1",
    ),
    pytest.param("/v1/vinocr", KEY, {"json": {"upload_url": "IMAGE"}}, (400, NO_DATA), id="2"),
    pytest.param(
        "/platerecognition", KEY, {"json": {"image": "IMAGE"}}, (400, NO_URL), marks=pins("carsxe-image-field"), id="3"
    ),
    pytest.param("/v1/vinocr", KEY, {"json": {"image": "IMAGE"}}, (400, NO_DATA), id="4"),
    pytest.param(
        "/v1/vinocr",
        KEY,
        {"json": {"imageUrl": "IMAGE"}},
        (400, NO_DATA),
        marks=pins("carsxe-camel-case-field"),
        id="imageUrl",
    ),
    pytest.param("/platerecognition", KEY, {"json": {"imageUrl": "IMAGE"}}, (400, NO_URL), id="imageUrl plate"),
    pytest.param(
        "/platerecognition",
        {},
        {"json": {"key": "demo-key", "image": "IMAGE"}},
        (401, "Missing API key"),
        marks=pins("carsxe-key-in-body"),
        id="5",
    ),
    pytest.param(
        "/vin-ocr", KEY, {"json": {"image_url": "IMAGE"}}, (404, "Not found"), marks=pins("carsxe-vin-ocr-path"), id="6"
    ),
    pytest.param(
        "/vinocr", KEY, {"json": {"image_url": "IMAGE"}}, (404, "Not found"), marks=pins("carsxe-vinocr-path"), id="7"
    ),
    pytest.param(
        "/vinocr",
        KEY,
        {"content": "IMAGE", "headers": {"Content-Type": "text/plain"}},
        (404, "Not found"),
        marks=pins("carsxe-text-plain"),
        id="8",
    ),
    pytest.param(
        "/platerecognition",
        KEY,
        {"content": " IMAGE\n", "headers": {"Content-Type": "text/plain; charset=utf-8"}},
        (400, NO_URL),
        id="9",
    ),
    pytest.param("/v1/vinocr", KEY, {"content": "IMAGE"}, (400, NO_DATA), id="10"),
    pytest.param(
        "/v1/vinocr",
        KEY,
        {"content": '{"image_url": "IMAGE"}', "headers": {"Content-Type": "text/plain;charset=UTF-8"}},
        (400, NO_DATA),
        id="11",
    ),
]


def _sent(kwargs: dict[str, Any], image: str) -> dict[str, Any]:
    if "json" in kwargs:
        return {"json": {name: text.replace("IMAGE", image) for name, text in kwargs["json"].items()}}
    return {**kwargs, "content": kwargs["content"].replace("IMAGE", image)}


@pytest.mark.parametrize(("path", "query", "kwargs", "strictly"), CASES)
def test_aliases_are_accepted_and_noted(
    mock: MockServer,
    http: httpx.Client,
    path: str,
    query: dict[str, str],
    kwargs: dict[str, Any],
    strictly: tuple[int, str],
) -> None:
    """An alias gives the same reply as the documented form, and the journal names the alias."""
    plate = path == "/platerecognition"
    reply = http.post(path, params=query, **_sent(kwargs, gallery(http, "car" if plate else "vin")))
    body = reply.json()

    assert (body["results"][0]["plate"] if plate else body["vin"]) == ("9djc652" if plate else "JHLRD77874C026456")
    assert latest(mock).aliases


@pins("carsxe-strict")
@pytest.mark.parametrize(("path", "query", "kwargs", "strictly"), CASES)
def test_strict_mode_refuses_them(
    strict: httpx.Client, path: str, query: dict[str, str], kwargs: dict[str, Any], strictly: tuple[int, str]
) -> None:
    """Strict mode answers as the documented API would."""
    image = gallery(strict, "car" if path == "/platerecognition" else "vin")
    reply = strict.post(path, params=query, **_sent(kwargs, image))

    assert (reply.status_code, reply.json()) == (strictly[0], {"success": False, "message": strictly[1]})


def test_strict_mode_serves_the_documented_form(strict: httpx.Client) -> None:
    """The documented form works the same with and without strict mode."""
    body = {"image_url": gallery(strict, "vin")}

    assert strict.post("/v1/vinocr", params=KEY, json=body).status_code == 200
    assert strict.post("/platerecognition", params=KEY, json=body).status_code == 404
    assert vehicore(strict).json() == {"result": "9DJC652"}


def test_the_documented_form_is_no_alias(mock: MockServer, http: httpx.Client) -> None:
    """The journal notes no alias for the documented form."""
    http.post("/v1/vinocr", params=KEY, json={"image_url": gallery(http, "vin")})

    assert latest(mock).aliases == ()


def test_the_documented_field_wins(http: httpx.Client) -> None:
    """If several fields are given, `image_url` is used; an empty field is ignored."""
    good, bad = gallery(http, "vin"), "nonsense"
    for body in (
        {"image": bad, "upload_url": bad, "image_url": good},
        {"image_url": "", "upload_url": good},
        {"image_url": None, "image": good},
    ):
        assert http.post("/v1/vinocr", params=KEY, json=body).status_code == 200


def test_the_key_of_the_query_wins(mock: MockServer, http: httpx.Client) -> None:
    """A key in the body is used only if the query has none."""
    key = new_key(mock)
    body = {"key": key, "image_url": gallery(http, "vin")}

    assert http.post("/v1/vinocr", params={"key": "nobody"}, json=body).status_code == 404
    assert http.post("/v1/vinocr", params={"key": ""}, json=body).status_code == 200


@pytest.mark.parametrize("key", [7, None, ["demo-key"], ""])
def test_a_key_in_the_body_that_is_no_text_is_no_key(http: httpx.Client, key: object) -> None:
    """A key in the body must be a text."""
    reply = http.post("/v1/vinocr", json={"key": key, "image_url": gallery(http, "vin")})

    assert (reply.status_code, reply.json()["message"]) == (400, "Missing API key")


def test_source_is_kept_for_the_journal(mock: MockServer, http: httpx.Client) -> None:
    """The journal has the `source` parameter of a client library."""
    http.post("/v1/vinocr", params={**KEY, "source": "npm"}, json={"image_url": gallery(http, "vin")})

    assert latest(mock).source == "npm"


@pins("carsxe-plate-base64")
def test_base64_on_the_plate_endpoint(http: httpx.Client, strict: httpx.Client) -> None:
    """The plate endpoint documents a URL only; base64 is accepted there, and refused in strict mode."""
    body = {"image_url": b64encode(picture("car")).decode()}

    assert http.post("/platerecognition", params=KEY, json=body).json()["results"][0]["plate"] == "9djc652"
    assert strict.post("/platerecognition", params=KEY, json=body).status_code == 400
