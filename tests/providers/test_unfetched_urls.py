"""Image URLs that may not be fetched: unknown pictures, or the documented 400."""

from typing import Any

import httpx
import pytest

from mock_server.server import MockServer
from tests.conftest import MakeClient
from tests.support import carsxe, latest

pins = pytest.mark.pins

DOCUMENTED = "https://api.carsxe.com/img/apis/plate_recognition.JPG"
INVALID = "Invalid image data format. Must be a valid URL or base64 encoded string."


@pins("carsxe-unfetched-url")
@pytest.mark.parametrize("product", ["plate", "vin"])
@pytest.mark.parametrize("url", [DOCUMENTED, "http://203.0.113.9:8000/a.jpg?x=1#y", "https://bücher.example/ä b.jpg"])
def test_it_is_an_unknown_picture(mock: MockServer, http: httpx.Client, product: str, url: str) -> None:
    """The first call of a developer without a network succeeds; the header says where the reading comes from."""
    url = url.replace(" ", "%20")
    reply, again = carsxe(http, product, url), carsxe(http, product, url)
    other = carsxe(http, product, url + "2")

    assert (reply.status_code, reply.headers["x-mock-match"]) == (200, "synthesized")
    assert reply.headers["x-mock-detail"] == (
        "image URLs are not fetched; allow it with --fetch; the reading is made up from the URL"
    )
    assert reply.content == again.content
    assert _text(reply) != _text(other)
    assert latest(mock).query is not None


def _text(reply: httpx.Response) -> str:
    document = reply.json()
    return str(document["vin"] if "vin" in document else document["results"][0]["plate"])


@pytest.mark.parametrize(
    ("settings", "status", "detail"),
    [
        ({}, 200, "the reading is made up from the URL"),
        ({"unmatched": "nothing_found"}, 404, "no scenario matches the picture"),
        ({"unmatched": "error"}, 501, "no scenario matches the picture"),
        ({"fetch": "*.pictures.example"}, 200, "is not a host that --fetch allows; the reading is made up"),
        ({"strict": True}, 400, "image URLs are not fetched"),
        ({"unmatched_url": "refuse"}, 400, "image URLs are not fetched"),
        ({"unmatched_url": "refuse", "unmatched": "nothing_found"}, 400, "image URLs are not fetched"),
    ],
    ids=str,
)
def test_settings(serve: MakeClient, settings: dict[str, Any], status: int, detail: str) -> None:
    """It follows `unmatched`; strict mode and `unmatched_url: refuse` give the documented 400."""
    reply = carsxe(serve(**settings), "plate", DOCUMENTED)

    assert reply.status_code == status
    assert detail in reply.headers["x-mock-detail"]
    if status == 400:
        assert reply.json() == {"success": False, "message": INVALID}


@pytest.mark.parametrize(
    "url", ["http://", "http://[::1", "http://a:99999/b.jpg", "ftp://example.test/a.jpg", "//example.test/a.jpg"]
)
def test_a_malformed_url_is_a_mistake(http: httpx.Client, url: str) -> None:
    """A text that names no host, or no port that exists, is no picture. Fetching would not help."""
    reply = carsxe(http, "plate", url)

    assert reply.status_code == 400
    assert "--fetch" not in reply.headers["x-mock-detail"]


def test_a_picture_that_the_gallery_lacks_is_a_mistake(http: httpx.Client) -> None:
    """The mock knows its own gallery, so the picture is not unknown but missing."""
    reply = carsxe(http, "plate", f"{http.base_url}/images/nothing.jpg")

    assert (reply.status_code, reply.headers["x-mock-detail"]) == (400, "the gallery has no picture nothing.jpg")


def test_a_fetch_that_fails_is_a_mistake(serve: MakeClient) -> None:
    """A URL that may be fetched, and leads to nothing, is the documented 400."""
    client = serve(fetch="local")
    reply = carsxe(client, "plate", f"{client.base_url}/nowhere.jpg")

    assert (reply.status_code, reply.json()["message"]) == (400, INVALID)
