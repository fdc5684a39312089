"""Pictures, requests and keys that many tests use."""

import asyncio
import base64
import itertools
import json
import os
import random
import shutil
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPResponse
from importlib.metadata import entry_points
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from PIL import Image, ImageDraw

from mock_server.core.account import Account, Quota
from mock_server.core.journal import JournalEntry
from mock_server.core.model import Product
from mock_server.providers.provider import Provider
from mock_server.server import MockServer

FIXTURES = Path(__file__).parent / "fixtures"
PATIENCE = 120
"""Seconds to wait for what must happen. They pass only if it does not: a busy machine must never fail a test."""
CARSXE_PATHS = {"plate": "/platerecognition", "vin": "/v1/vinocr"}

_numbers = itertools.count(1)


def tool(name: str) -> str:
    """Where a program is. The test is skipped without it, unless CI says that it has installed it."""
    path = shutil.which(name)
    if path is None and name in os.environ.get("EXPECTED_PROGRAMS", "").split():
        pytest.fail(f"{name} is missing, although CI has installed it")
    if path is None:
        pytest.skip(f"{name} is not installed here")
    return path


def jars(*patterns: str, package: str) -> list[Path]:
    """The Java libraries of a Debian package. The test is skipped without them, unless CI says that it has them."""
    found = [path for pattern in patterns for path in sorted(Path("/usr/share/java").glob(pattern))]
    if not found and package in os.environ.get("EXPECTED_PROGRAMS", "").split():
        pytest.fail(f"{package} is missing, although CI has installed it")
    if not found:
        pytest.skip(f"{package} is not installed here")
    return found


def picture(name: str) -> bytes:
    """A picture of the tests' fixtures."""
    return (FIXTURES / "images" / f"{name}.jpg").read_bytes()


def drawn(text: str = "unknown", size: tuple[int, int] = (320, 240), format: str = "PNG") -> bytes:
    """A picture that no scenario knows."""
    image = Image.new("RGB", size, "steelblue")
    ImageDraw.Draw(image).text((size[0] // 10, size[1] // 3), text, fill="white", font_size=size[1] // 5)
    return encoded(image, format)


def encoded(image: Image.Image, format: str = "PNG", **options: Any) -> bytes:
    """An image as a file of a format."""
    out = BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def vehicore(
    client: httpx.Client,
    product: str = "plate",
    image: bytes | None = None,
    *,
    key: str | None = "demo-key",
    filename: str = "photo.jpg",
    headers: Mapping[str, str] | None = None,
) -> httpx.Response:
    """A complete VehiCore call; without an image, the one that the product's scenario knows."""
    image = picture({"plate": "car", "vin": "vin"}[product]) if image is None else image
    sent = {**({} if key is None else {"X-API-Key": key}), **(headers or {})}
    return client.post(f"/api/ocr/{product}", files={"image": (filename, image)}, headers=sent)


def carsxe(
    client: httpx.Client,
    product: str = "plate",
    reference: str | None = None,
    *,
    key: str | None = "demo-key",
    headers: Mapping[str, str] | None = None,
) -> httpx.Response:
    """A complete CarsXE call; without a reference, the picture of the gallery that the product's scenario knows."""
    reference = reference or gallery(client, {"plate": "car", "vin": "vin"}[product])
    query = {} if key is None else {"key": key}
    return client.post(CARSXE_PATHS[product], params=query, json={"image_url": reference}, headers=headers)


def request_to(
    client: httpx.Client,
    provider: Provider,
    product: str = "plate",
    image: bytes | None = None,
    *,
    key: str = "demo-key",
    filename: str = "photo.jpg",
    url: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> httpx.Request:
    """A provider's example call; without `image` and `url`, with the picture that the product's scenario knows.

    The picture is uploaded, or goes into the body as its URL, or as a `data:` URL where only `image` is given.
    """
    known = {"plate": "car", "vin": "vin"}[product]
    if url is None:
        encoded_image = base64.b64encode(image or b"").decode()
        url = gallery(client, known) if image is None else f"data:image/jpeg;base64,{encoded_image}"
    example = provider.example_call(Product(product), key, url)
    data = picture(known) if image is None else image
    return client.build_request(
        "POST",
        example.path,
        params=example.query,
        headers={**example.headers, **(headers or {})},
        json=example.json,
        files={example.upload: (filename, data)} if example.upload else None,
    )


def call(client: httpx.Client, provider: Provider, product: str = "plate", **options: Any) -> httpx.Response:
    """Send `request_to`."""
    return client.send(request_to(client, provider, product, **options))


def gallery(client: httpx.Client, name: str) -> str:
    """The URL of a picture in the gallery of a client's server."""
    return f"{str(client.base_url).rstrip('/')}/images/{name}.jpg"


def new_key(server: MockServer, key: str | None = None, **account: Any) -> str:
    """A key that no other test uses; `credits` and `quota` may be one number for both products.

    `key`: for a test of chance, which depends on the key.
    """
    key = key or f"test-key-{next(_numbers)}"
    if isinstance(account.get("credits"), int):
        account["credits"] = dict.fromkeys(Product, account["credits"])
    if isinstance(account.get("quota"), int):
        account["quota"] = {product: Quota(account["quota"]) for product in Product}
    created = server.app.accounts.create(Account(name=key, key=key, **account))

    assert asyncio.run(created), f"{key} exists already"
    return key


@dataclass(frozen=True)
class Received:
    """A reply as it came over a socket."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Line:
    """A connection on which bytes are sent just as they are."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock

    def ask(self, request: bytes, *, method: str = "POST") -> Received:
        """Send a whole request and read its reply."""
        self.send(request)
        return self.reply(method=method)

    def send(self, data: bytes) -> None:
        """Send bytes, without waiting for a reply."""
        self._socket.sendall(data)

    def reply(self, *, method: str = "POST") -> Received:
        """Read one reply, no more."""
        response = HTTPResponse(self._socket, method=method)
        response.begin()
        body = response.read()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Received(response.status, headers, body)


@contextmanager
def line_to(url: str) -> Iterator[Line]:
    """A connection to the server at `url`."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=PATIENCE) as sock:
        yield Line(sock)


def free_port() -> int:
    """A port that no outgoing connection takes before or between uses: systems take those from 32768 upwards."""
    for port in random.sample(range(20_000, 32_768), 100):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise RuntimeError("no free port")


def latest(server: MockServer) -> JournalEntry:
    """The last exchange in a server's journal."""
    return asyncio.run(server.app.journal.exchanges())[-1]


def plugin_to_load() -> list[str]:
    """The pytest plugin's module, where pytest does not find it by itself: in a checkout that is not installed."""
    installed = any(point.name == "vehicle_ocr_mock" for point in entry_points(group="pytest11"))
    return [] if installed else ["mock_server.pytest_plugin"]


def without_coverage() -> dict[str, str]:
    """The environment for a child that may write nowhere, or whose imports count: coverage writes, and imports."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}


def eventually(holds: Callable[[], bool]) -> bool:
    """Whether a condition becomes true within a bounded time."""
    until = time.monotonic() + PATIENCE
    while not (does_hold := holds()) and time.monotonic() < until:
        time.sleep(0.02)
    return does_hold
