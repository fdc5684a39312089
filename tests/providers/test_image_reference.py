"""Pictures in a CarsXE request: a URL of the gallery, base64, a `data:` URL, or a URL that a scenario matches."""

import base64
import socket
import textwrap
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from PIL import Image

from mock_server.server import MockServer
from tests.conftest import MakeClient
from tests.support import carsxe, encoded, gallery, latest, picture

pins = pytest.mark.pins

VIN = "JHLRD77874C026456"
Wrap = Callable[[bytes], str]


def _standard(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _url_safe(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode()


@pytest.mark.parametrize(
    "wrap",
    [
        pytest.param(_standard, marks=pins("carsxe-base64"), id="base64"),
        pytest.param(lambda data: _standard(data).rstrip("="), id="no padding"),
        pytest.param(_url_safe, id="url-safe"),
        pytest.param(lambda data: _url_safe(data).rstrip("="), id="url-safe, no padding"),
        pytest.param(lambda data: "\n".join(textwrap.wrap(_standard(data), 76)), id="lines"),
        pytest.param(lambda data: "\r\n".join(textwrap.wrap(_standard(data), 64)) + "\r\n", id="crlf"),
        pytest.param(lambda data: f"  {_standard(data)}\n", id="blanks around"),
        pytest.param(
            lambda data: "data:image/jpeg;base64," + _standard(data), marks=pins("carsxe-data-url"), id="data"
        ),
        pytest.param(lambda data: "DATA:image/jpeg;name=a.jpg;BASE64," + _standard(data), id="data upper"),
        pytest.param(lambda data: "data:;base64," + _url_safe(data), id="data without type"),
        pytest.param(lambda data: "data:text/plain;base64, " + _standard(data), id="data of a wrong type"),
        pytest.param(lambda data: "data:image/jpeg;base64," + quote(_standard(data), safe=""), id="data quoted"),
        pytest.param(lambda data: "data:image/jpeg; base64," + _standard(data), id="data with a space"),
        pytest.param(lambda data: "data:image/jpeg; name=a.jpg ;base64," + _standard(data), id="data with spaces"),
        pytest.param(lambda data: "data:image/jpeg," + quote(data), id="data percent"),
        pytest.param(lambda data: "data:," + "".join(f"%{byte:02X}" for byte in data), id="data all percent"),
    ],
)
def test_inline_pictures(http: httpx.Client, wrap: Wrap) -> None:
    """Every usual encoding of a picture in JSON is read, with all lengths of padding."""
    # Bytes after the end of a JPEG change only its length.
    for tail in (b"", b"\0", b"\0\0"):
        reply = carsxe(http, "vin", wrap(picture("vin") + tail))

        assert reply.json().get("vin") == VIN


@pins("carsxe-gallery")
@pytest.mark.parametrize(
    "url",
    [
        "{mock}/images/vin.jpg",
        "http://localhost:1/images/vin.jpg",
        "http://127.0.0.1/images/vin.jpg",
        "http://[::1]:9/images/vin.jpg",
        "https://api.carsxe.com/images/vin.jpg",
        "https://eu-api.carsxe.com/images/vin.jpg?size=large#top",
        "https://API.CARSXE.COM/images/vin.jpg",
        "https://vehicore-api.dev-stage.fyi/images/vin.jpg",
        "https://api.vehicore.pro/images/vin.jpg",
        "  https://api.carsxe.com/images/v%69n.jpg  ",
    ],
)
def test_the_gallery_on_any_host_of_the_mock(http: httpx.Client, url: str) -> None:
    """A picture of the mock's own gallery is found by a URL on any of its hosts, without a connection."""
    reply = carsxe(http, "vin", url.format(mock=str(http.base_url).rstrip("/")))

    assert reply.json().get("vin") == VIN


@pins("carsxe-gallery")
def test_the_gallery_on_the_host_of_the_request(http: httpx.Client) -> None:
    """The host name in the request is one of the mock's own."""
    reply = carsxe(http, "vin", "http://mock.internal:8080/images/vin.jpg", headers={"Host": "mock.internal:8080"})

    assert reply.json().get("vin") == VIN


@pytest.mark.parametrize("name", ["nothing.jpg", "../mock.yaml", "..%2fmock.yaml", "vin.jpg/", "", "images/vin.jpg"])
def test_what_is_not_in_the_gallery(http: httpx.Client, name: str) -> None:
    """A name that is not in the gallery is not found, and no file is read."""
    assert carsxe(http, "vin", f"https://api.carsxe.com/images/{name}").status_code == 400
    assert http.get(f"/images/{name}").status_code == 404


def test_the_gallery_serves_its_pictures(http: httpx.Client) -> None:
    """A picture of the gallery is served with its type, on a provider's own host as well."""
    for headers in ({}, {"Host": "api.carsxe.com"}):
        reply = http.get("/images/vin.jpg", headers=headers)

        assert (reply.status_code, reply.headers["content-type"]) == (200, "image/jpeg")
        assert reply.content == picture("vin")


@pins("mock-no-outbound")
def test_no_outbound_connection(mock: MockServer, http: httpx.Client) -> None:
    """Other URLs are not fetched: no connection is opened, and the journal says so."""
    with socket.create_server(("127.0.0.1", 0)) as outside:
        outside.settimeout(0.05)
        port = outside.getsockname()[1]
        for url in (f"http://127.0.0.1:{port}/vin.jpg", f"http://localhost:{port}/a/images/vin.jpg"):
            assert carsxe(http, "vin", url).headers["x-mock-match"] == "synthesized"
            assert "not fetched" in (latest(mock).detail or "")

        with pytest.raises(TimeoutError):
            outside.accept()


@pins("carsxe-when-url")
def test_a_scenario_knows_a_url(serve: MakeClient, tmp_path: Path) -> None:
    """`when.url` matches a URL that is not fetched."""
    scenarios = tmp_path / "scenarios"
    scenarios.mkdir()
    (scenarios / "url.yaml").write_text(
        "scenario: known-url\n"
        "when: {url: 'https://cdn.example.test/*/plate-?.jpg'}\n"
        "reading: {plate: 7XYZ123, vin: JHLRD77874C026456}\n"
    )
    client = serve(tmp_path)
    known = carsxe(client, "plate", " https://cdn.example.test/2026/plate-1.jpg")
    unknown = carsxe(client, "plate", "https://cdn.example.test/2026/plate-12.jpg")

    assert known.json()["results"][0]["plate"] == "7xyz123"
    assert (known.headers["x-mock-scenario"], known.headers["x-mock-match"]) == ("known-url", "url")
    assert (unknown.headers["x-mock-scenario"], unknown.headers["x-mock-match"]) == ("-", "synthesized")


@pins("carsxe-boxes-mapped")
def test_boxes_are_in_the_pixels_that_were_sent(http: httpx.Client) -> None:
    """A picture at three quarters of the size has three quarters of the coordinates, for plate and vehicle."""
    with Image.open(BytesIO(picture("car"))) as full:
        size = full.width * 3 // 4, full.height * 3 // 4
        smaller = encoded(full.resize(size, Image.Resampling.LANCZOS), "JPEG", quality=90)
    reply = carsxe(http, "plate", _standard(smaller))
    result = reply.json()["results"][0]

    assert reply.headers["x-mock-match"] == "perceptual"
    for box, known in ((result["box"], (436, 402, 524, 423)), (result["vehicle"]["box"], (156, 172, 804, 637))):
        seen = [box[side] for side in ("xmin", "ymin", "xmax", "ymax")]

        assert seen == pytest.approx([side * 3 / 4 for side in known], abs=2)


def test_gallery_and_bytes_are_the_same_picture(http: httpx.Client) -> None:
    """A picture by URL and its bytes get the same reply."""
    by_url = carsxe(http, "plate", gallery(http, "car"))
    inline = carsxe(http, "plate", _standard(picture("car")))

    assert by_url.json() == inline.json()
