"""Image URLs that the mock is allowed to fetch, through a running server."""

import asyncio
import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from mock_server.server import MockServer
from tests.support import PATIENCE

from .test_request_shapes import IMAGES

NOT_FETCHED = "Invalid image data format. Must be a valid URL or base64 encoded string."


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture(scope="module")
def pictures() -> Iterator[str]:
    """A picture host on this machine; its URL."""
    handler = functools.partial(_Quiet, directory=str(IMAGES))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join(PATIENCE)


def plate_of(mock: MockServer, url: str) -> requests.Response:
    """What CarsXE's endpoint says of a picture at `url`."""
    return requests.post(f"{mock.url}/platerecognition?key=demo-key", json={"image_url": url}, timeout=PATIENCE)


def test_an_allowed_picture_is_read(fixtures: Path, pictures: str) -> None:
    """With `--fetch local` a picture on this machine is fetched, recognised, and noted in the journal."""
    with MockServer(fixtures, fetch="local") as mock:
        reply = plate_of(mock, f"{pictures}/california-sedan.jpg")
        exchange = asyncio.run(mock.app.journal.exchanges())[0]

    size = (IMAGES / "california-sedan.jpg").stat().st_size
    assert reply.json()["results"][0]["plate"] == "9djc652"
    assert f"fetched {size} bytes from 127.0.0.1" in exchange.notes


@pytest.mark.parametrize(
    ("fetch", "url"),
    [
        ("off", "{pictures}/california-sedan.jpg"),
        ("any", "{pictures}/california-sedan.jpg"),
        ("*.example", "{pictures}/california-sedan.jpg"),
        ("local", "{pictures}/missing.jpg"),
        ("any", "http://169.254.169.254/latest/meta-data/"),
        ("any", "file:///etc/passwd"),
    ],
)
def test_a_refused_picture_gets_the_providers_own_error(fixtures: Path, pictures: str, fetch: str, url: str) -> None:
    """The client hears what the provider says of a URL that cannot be read, and no word about the mock's network."""
    with MockServer(fixtures, fetch=fetch, unmatched_url="refuse") as mock:
        reply = plate_of(mock, url.format(pictures=pictures))

    assert (reply.status_code, reply.json()) == (400, {"success": False, "message": NOT_FETCHED})
