"""Behaviour of every provider: hosts, forcing, unknown pictures, connections, redacted keys."""

import asyncio
import json
import logging
import threading
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from PIL import Image

from mock_server.core.clock import Clock
from mock_server.core.model import Outcome, OutcomeName, Product, ReadRequest, Usage
from mock_server.core.reading import PlateReading, Reading
from mock_server.providers import registry
from mock_server.providers.provider import Provider, Refusal
from mock_server.providers.registry import own_hosts
from mock_server.server import MockServer
from tests.conftest import MakeClient
from tests.providers.acme import Acme
from tests.support import (
    FIXTURES,
    PATIENCE,
    call,
    carsxe,
    drawn,
    encoded,
    gallery,
    latest,
    line_to,
    new_key,
    picture,
    request_to,
    vehicore,
)

pins = pytest.mark.pins

PROVIDERS: tuple[Provider, ...] = (*registry.PROVIDERS, Acme())
"""The providers of the mock, and an invented one."""

every_provider = pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: provider.name)
UPLOADS = [provider for provider in PROVIDERS if provider.example_call(Product.PLATE, "k", "").upload]
every_upload = pytest.mark.parametrize("provider", UPLOADS, ids=lambda provider: provider.name)
REFERENCES = [provider for provider in PROVIDERS if provider not in UPLOADS]
every_reference = pytest.mark.parametrize("provider", REFERENCES, ids=lambda provider: provider.name)
every_product = pytest.mark.parametrize("product", ["plate", "vin"])


@pytest.fixture(scope="module", autouse=True)
def every_provider_is_served() -> Iterator[None]:
    """The invented provider is wired by one line."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "PROVIDERS", PROVIDERS)
        yield


@pytest.fixture(scope="module")
def mock(every_provider_is_served: None) -> Iterator[MockServer]:
    """A server of these providers."""
    with MockServer(FIXTURES) as server:
        yield server


def _status(provider: Provider, name: OutcomeName) -> int:
    """The status with which a provider answers an outcome."""
    outcome = Outcome(name, reading=Reading((PlateReading("ABC123"),)), usage=Usage(1, 1), retry_after=1)
    return provider.render(outcome, ReadRequest(provider.name, Product.PLATE, "key")).status


def _bytes(request: httpx.Request) -> bytes:
    """A request as it is sent."""
    lines = [f"{name}: {text}" for name, text in request.headers.items()]
    head = "\r\n".join([f"{request.method} {request.url.raw_path.decode()} HTTP/1.1", *lines, "", ""])
    return head.encode() + request.read()


async def _all_at_once(url: str, request: bytes, *, connections: int, each: int) -> list[int]:
    """The statuses of `each` requests on each of `connections` connections, which start at the same time."""
    parts = urlsplit(url)
    start = asyncio.Event()

    async def ask() -> list[int]:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        await start.wait()
        statuses = []
        for _ in range(each):
            writer.write(request)
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            await reader.readexactly(int(head.partition("content-length: ")[2].partition("\r\n")[0]))
            statuses.append(int(head.split()[1]))
        writer.close()
        return statuses

    asking = [asyncio.create_task(ask()) for _ in range(connections)]
    await asyncio.sleep(0)
    start.set()
    return [status for statuses in await asyncio.gather(*asking) for status in statuses]


@pins("mock-atomic-charge")
@every_provider
def test_a_thousand_concurrent_requests_on_a_hundred_units(
    mock: MockServer, http: httpx.Client, provider: Provider
) -> None:
    """Of 1,000 concurrent requests on a key with 100 units exactly 100 succeed."""
    key = new_key(mock, credits=100, quota=100)
    request = _bytes(request_to(http, provider, key=key))
    statuses = asyncio.run(_all_at_once(mock.url, request, connections=200, each=5))
    read, refused = (_status(provider, name) for name in (OutcomeName.READ, OutcomeName.OUT_OF_CREDITS))

    assert (statuses.count(read), statuses.count(refused)) == (100, 900)


@pins("mock-unlimited")
@every_provider
def test_unlimited_is_the_default(mock: MockServer, http: httpx.Client, provider: Provider) -> None:
    """An account without credits and quota is never exhausted."""
    key = new_key(mock)
    statuses = {call(http, provider, key=key).status_code for _ in range(20)}

    assert statuses == {_status(provider, OutcomeName.READ)}


def _foreign_paths(provider: Provider) -> Iterator[tuple[str, str]]:
    """The provider's hosts, each with a path of every other provider and of the mock itself."""
    others = [other.example_call(product, "k", "").path for other in PROVIDERS for product in other.products]
    own = {provider.example_call(product, "k", "").path for product in provider.products}
    for host in provider.hosts:
        yield from ((host, path) for path in others if path not in own)
        yield from ((name, "/healthz") for name in (host, f"{host}:443", f"{host.title()}."))
        yield host, "/__admin/health"


@every_provider
@pins("mock-host-routing")
def test_a_provider_s_own_host_shows_that_provider_only(http: httpx.Client, provider: Provider) -> None:
    """Under a provider's real host name only that provider answers, with its own 404."""
    expected = provider.refuse(Refusal.NO_SUCH_PATH)
    for host, path in _foreign_paths(provider):
        reply = http.get(path, headers={"Host": host})

        assert (reply.status_code, reply.content) == (404, expected.body)


@pytest.mark.parametrize("host", ["localhost", "anything.test:8080", *(f"{host}.evil.test" for host in own_hosts())])
def test_other_hosts_show_the_mock_s_own_paths(http: httpx.Client, host: str) -> None:
    """A host name that only starts with a provider's host name is not the provider's."""
    assert http.get("/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["127.0.0.1:1", "localhost", "mock.internal", "192.0.2.7:8080", ""])
def test_any_other_host_shows_every_provider(http: httpx.Client, host: str) -> None:
    """Under any other name every provider answers at its real paths."""
    for provider in PROVIDERS:
        status = call(http, provider, headers={"Host": host}).status_code

        assert status == _status(provider, OutcomeName.READ)


@pins("mock-paths")
@every_provider
@every_product
def test_paths_are_exact(http: httpx.Client, provider: Provider, product: str) -> None:
    """A path is exact up to percent-encoding: no further slash, no other case."""
    path = provider.example_call(Product(product), "demo-key", "").path
    request = request_to(http, provider, product)
    statuses = {}
    for other in (f"{path}/", f"{path}//", f"/{path}", path.upper(), f"/%{ord(path[1]):x}{path[2:]}"):
        request.url = httpx.URL(str(http.base_url).rstrip("/") + other, params=request.url.params)
        statuses[other] = http.send(request).status_code

    assert list(statuses.values()) == [404, 404, 404, 404, _status(provider, OutcomeName.READ)]


@every_provider
@pytest.mark.parametrize(
    ("preference", "outcome"),
    [
        pytest.param("outcome=nothing_found", "nothing_found", marks=pins("mock-prefer-outcome"), id="outcome"),
        pytest.param("code=500", "service_error", marks=pins("mock-prefer-code"), id="code"),
        pytest.param("scenario=no-plate", "nothing_found", marks=pins("mock-prefer-scenario"), id="scenario"),
        pytest.param('outcome="rate_limited"', "rate_limited", id="quoted"),
        pytest.param("respond-async, Outcome=rate_limited", "rate_limited", id="list"),
        pytest.param("wait=10; x=1, outcome = rate_limited; y", "rate_limited", id="parameters"),
        pytest.param('foo="a, outcome=read", outcome=rate_limited', "rate_limited", id="comma in quotes"),
        pytest.param("handling=lenient", "read", id="not ours"),
        pytest.param("", "read", id="empty"),
    ],
)
def test_prefer(mock: MockServer, http: httpx.Client, provider: Provider, preference: str, outcome: str) -> None:
    """`Prefer` (RFC 7240) forces an outcome in all its forms; other preferences are ignored."""
    call(http, provider, headers={"Prefer": preference})

    assert latest(mock).outcome == outcome


@pins("mock-prefer-repeated")
def test_prefer_may_be_repeated(mock: MockServer, http: httpx.Client) -> None:
    """Several `Prefer` headers are one list."""
    headers = [("Prefer", "respond-async"), ("Prefer", "outcome=service_error"), ("X-API-Key", "demo-key")]
    reply = http.post("/api/ocr/plate", headers=headers, files={"image": picture("car")})

    assert reply.status_code == 500


@pins("mock-prefer-unknown")
@every_provider
@pytest.mark.parametrize(
    ("preference", "said"),
    [
        ("outcome=nothing_fuond", "'nothing_found'"),
        ("scenario=two-car", "'two-cars'"),
        ("scenario=nowhere", "'nowhere'"),
        ("code=418", "'418'"),
        ("code=abc", "'abc'"),
    ],
)
def test_unknown_preferences_are_told(http: httpx.Client, provider: Provider, preference: str, said: str) -> None:
    """A scenario, outcome or status that does not exist is 501 with its name, and with the closest known name."""
    reply = call(http, provider, headers={"Prefer": preference})

    assert (reply.status_code, reply.headers["content-type"]) == (501, "application/problem+json")
    assert said in reply.json()["detail"]


@pins("mock-token-filename")
@pytest.mark.parametrize(
    ("filename", "outcome"),
    [
        ("mock-nothing_found.jpg", "nothing_found"),
        ("holiday-MOCK-Service_Error-2.jpg", "service_error"),
        ("mock-two-cars.png", "read"),
        ("C:\\photos\\mock-rate_limited.jpg", "rate_limited"),
        ("mock-nothing-special.jpg", "read"),
        ("mock-.jpg", "read"),
        ("hammock-read.jpg", "read"),
    ],
)
@every_upload
def test_tokens_in_file_names(
    mock: MockServer, http: httpx.Client, provider: Provider, filename: str, outcome: str
) -> None:
    """`mock-<outcome>` or `mock-<scenario>` in the upload's file name forces it; other names do nothing."""
    call(http, provider, filename=filename)

    assert latest(mock).outcome == outcome


@pins("mock-token-url")
@pytest.mark.parametrize(
    ("url", "outcome"),
    [
        ("https://example.test/mock-nothing_found.jpg", "nothing_found"),
        ("https://example.test/a/mock-service_error/b.jpg", "service_error"),
        ("https://example.test/mock-two-cars.jpg", "read"),
        ("https://example.test/mock-read.jpg", "read"),
        ("https://example.test/mock-something.jpg", "read"),
    ],
)
@every_reference
def test_tokens_in_urls(mock: MockServer, http: httpx.Client, provider: Provider, url: str, outcome: str) -> None:
    """The same in an image URL, which is not fetched."""
    call(http, provider, url=url)

    assert latest(mock).outcome == outcome


@pins("mock-forcing-off")
def test_forcing_can_be_switched_off(serve: MakeClient) -> None:
    """With forcing off, headers, file names and URLs force nothing."""
    client = serve(forcing=False)

    assert vehicore(client, headers={"Prefer": "outcome=service_error"}).json() == {"result": "9DJC652"}
    assert vehicore(client, headers={"Prefer": "outcome=nonsense"}).status_code == 200
    assert vehicore(client, filename="mock-service_error.jpg").status_code == 200
    assert carsxe(client, reference="https://example.test/mock-service_error.jpg").status_code == 200


@every_provider
def test_a_forced_refusal_costs_nothing(mock: MockServer, http: httpx.Client, provider: Provider) -> None:
    """Forced outcomes use the same accounts: only a forced reading is charged."""
    key = new_key(mock, credits=1, quota=1)
    for outcome in ("rate_limited", "service_error", "out_of_credits", "unknown_key", "invalid_image"):
        assert call(http, provider, key=key, headers={"Prefer": f"outcome={outcome}"}).status_code >= 400

    assert call(http, provider, key=key).status_code == _status(provider, OutcomeName.READ)


@pins("mock-unmatched-synthesize")
@every_product
def test_synthesized(serve: MakeClient, http: httpx.Client, product: str) -> None:
    """A picture without a scenario has the same believable reading in every server."""
    image = drawn("nobody knows me")
    first = vehicore(http, product, image)
    again = vehicore(serve(), product, image)
    other = vehicore(http, product, drawn("nor me"))

    assert first.headers["x-mock-match"] == "synthesized"
    assert first.json() == again.json()
    assert first.json()["result"]
    assert first.json() != other.json()


@pins("mock-blank")
def test_a_blank_picture_finds_nothing(http: httpx.Client) -> None:
    """On a blank picture nothing is found."""
    assert vehicore(http, image=encoded(Image.new("RGB", (300, 200), "white"))).json() == {"result": ""}


@pins("mock-prefer-code", "mock-prefer-outcome")
@pytest.mark.parametrize("preference", ["code=200", "outcome=read"])
@pytest.mark.parametrize("product", ["plate", "vin"])
def test_a_reading_that_is_asked_for_is_made_up(http: httpx.Client, product: str, preference: str) -> None:
    """A client that forces a 200 gets a reading, also for a blank picture and for a picture of the other product."""
    blank, other = (encoded(Image.new("RGB", (300, 200), "white")), picture({"plate": "vin", "vin": "car"}[product]))
    prefer = {"Prefer": preference}
    for image in (blank, other):
        first = vehicore(http, product, image, headers=prefer)
        second = carsxe(http, product, reference=_inline(image), headers=prefer)

        assert [first.status_code, second.status_code] == [200, 200]
        assert first.json()["result"]
        assert second.json()["results" if product == "plate" else "vin"]


@pins("mock-unmatched-nothing-found")
def test_unmatched_nothing_found(serve: MakeClient) -> None:
    """With `nothing_found`, nothing is found on an unknown picture."""
    client = serve(unmatched="nothing_found")

    assert vehicore(client, image=drawn()).json() == {"result": ""}
    assert vehicore(client).json() == {"result": "9DJC652"}


@pins("mock-unmatched-error")
def test_unmatched_error(serve: MakeClient) -> None:
    """With `error`, an unknown picture is a 501 problem with the nearest pictures."""
    client = serve(unmatched="error")
    reply = vehicore(client, image=drawn())
    body = reply.json()

    assert (reply.status_code, reply.headers["content-type"]) == (501, "application/problem+json")
    assert body["title"] == "No scenario matches"
    assert all({"image", "distance", "limit"} <= near.keys() for near in body["nearest"])
    assert vehicore(client).status_code == 200


@pins("mock-headers")
@every_provider
def test_mock_headers(serve: MakeClient, http: httpx.Client, provider: Provider) -> None:
    """Every reply, also an error, has the mock's headers, unless they are switched off."""
    quiet = serve(mock_headers=False)
    read, refused = call(http, provider), call(http, provider, key="nobody")

    assert (read.headers["x-mock-scenario"], read.headers["x-mock-match"]) == ("car", "sha256")
    assert (refused.headers["x-mock-scenario"], refused.headers["x-mock-match"]) == ("-", "none")
    assert len({reply.headers["x-mock-request-id"] for reply in (read, refused)}) == 2
    assert not [
        name
        for reply in (call(quiet, provider), call(quiet, provider, key="nobody"))
        for name in reply.headers
        if "mock" in name
    ]


@pins("mock-charge-configured", "mock-variants-configured")
def test_charge_and_variants_in_mock_yaml(serve: MakeClient, tmp_path: Path, clock: Clock) -> None:
    """`mock.yaml` sets which outcomes cost a unit, and the default variant of an outcome."""
    (tmp_path / "mock.yaml").write_text(
        "accounts: [{name: two, key: two-units, credits: 2, quota: 2}]\n"
        "unmatched: nothing_found\n"
        "charge: {vehicore: [nothing_found, invalid_image], carsxe: []}\n"
        "vehicore: {nothing_found: validation_error}\n"
        "carsxe: {nothing_found: empty_results, out_of_credits: tier_message}\n"
    )
    client = serve(tmp_path, clock=clock)
    key = "two-units"
    charged = [vehicore(client, image=drawn(), key=key) for _ in range(3)]
    free = [carsxe(client, reference=_inline(drawn()), key=key) for _ in range(3)]
    exhausted, missed = (
        carsxe(client, reference=_inline(drawn()), key=key, headers={"Prefer": preference})
        for preference in ("outcome=out_of_credits", "code=404")
    )

    assert [reply.status_code for reply in charged] == [400, 400, 402]
    assert [(reply.status_code, reply.json()["results"]) for reply in free] == [(200, [])] * 3
    assert (missed.status_code, missed.json()["message"]) == (404, "No plates detected in image")
    assert exhausted.json()["message"] == (
        "API limit exceeded for plate_image_recognition (1/2026). Subscription tier: standard. "
        "Current usage: 2, Limit: 2."
    )


@pins("mock-charge-configured")
@pytest.mark.parametrize("cause", ["scenario", "Prefer", "chaos", "override", "picture"])
def test_a_configured_charge_holds_whatever_the_cause(
    cause: str, serve: MakeClient, tmp_path: Path, clock: Clock
) -> None:
    """`charge` names outcomes, so a unit is spent whatever led to one of them."""
    outcome, status = ("invalid_image", 400) if cause == "picture" else ("service_error", 500)
    (tmp_path / "mock.yaml").write_text(
        "accounts: [{name: one, key: one-unit, credits: 1}]\n"
        f"charge: [{outcome}]\n" + ("chaos: {service_error: 100%}\n" if cause == "chaos" else "")
    )
    (tmp_path / "scenarios").mkdir()
    if cause == "scenario":
        (tmp_path / "scenarios" / "down.yaml").write_text("scenario: down\nthen: service_error\n")
    client = serve(tmp_path, clock=clock)
    if cause == "override":
        client.put("/__admin/overrides", json={"outcome": "service_error", "times": "always"})
    headers = {"Prefer": "outcome=service_error"} if cause == "Prefer" else {}
    image = b"no picture" if cause == "picture" else drawn()

    replies = [vehicore(client, key="one-unit", image=image, headers=headers) for _ in range(2)]

    assert [reply.status_code for reply in replies] == [status, 402]


def _inline(image: bytes) -> str:
    return b64encode(image).decode()


@pins("mock-texts-as-written")
@pytest.mark.parametrize(
    "text", ["007", "NO", "1E10", "12:30", "0123", "null", "~", "0x1F", "1_000", ".5", "2026-01-01"]
)
def test_texts_come_back_as_written(serve: MakeClient, tmp_path: Path, text: str) -> None:
    """Texts that YAML reads as numbers, times or null are plates like any other."""
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "car.png").write_bytes(drawn())
    (tmp_path / "scenarios" / "trap.yaml").write_text(
        f"scenario: trap\nwhen: {{image: ../car.png}}\nreading:\n  plate: {text}\n"
    )
    client = serve(tmp_path)

    assert vehicore(client, image=drawn()).json() == {"result": text}
    assert carsxe(client, reference=_inline(drawn())).json()["results"][0]["plate"] == text.lower()


@pins("mock-keep-alive")
def test_one_connection_serves_many_requests(mock: MockServer) -> None:
    """After any reply, also an error, the same connection serves the next request."""
    body = json.dumps({"image_url": f"{mock.url}/images/vin.jpg"}).encode()

    def request(method: str, target: str, content: bytes) -> bytes:
        head = f"{method} {target} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        return f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content

    steps = [
        ("POST", "/v1/vinocr?key=demo-key", body, 200),
        ("POST", "/v1/vinocr?key=nobody", body, 404),
        ("POST", "/v1/vinocr?key=demo-key", b"{", 400),
        ("GET", "/v1/vinocr", b"", 405),
        ("HEAD", "/platerecognition", b"", 405),
        ("OPTIONS", "/api/ocr/plate", b"", 405),
        ("PUT", "/api/ocr/vin", body, 405),
        ("POST", "/api/ocr/passport", body, 400),
        ("POST", "/nowhere", body, 404),
        ("POST", "/v1/vinocr?key=demo-key", body, 200),
    ]
    with line_to(mock.url) as line:
        for method, target, content, status in steps:
            assert line.ask(request(method, target, content), method=method).status == status


@pins("mock-chunked")
def test_chunked_bodies(mock: MockServer) -> None:
    """A body may come in chunks, without a declared length."""
    body = json.dumps({"image_url": f"{mock.url}/images/vin.jpg"}).encode()
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(body[at : at + 7]), body[at : at + 7]) for at in range(0, len(body), 7))
    head = b"POST /v1/vinocr?key=demo-key HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    with line_to(mock.url) as line:
        reply = line.ask(head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n")

    assert reply.json()["vin"] == "JHLRD77874C026456"


@pytest.mark.parametrize(
    "boundary", ["6f1c5d0e2b8a4f7c9d3e", "----WebKitFormBoundaryAbC123", "=_(x)?", "0a1b-2c3d'+_,./:=?"]
)
def test_multipart_bytes(mock: MockServer, boundary: str) -> None:
    """Forms of Go, OkHttp and browsers are read, with the parts in any order."""
    image = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="image"; filename="plate.jpg"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    ).encode() + picture("car")
    language = (
        f'\r\n--{boundary}\r\nContent-Disposition: form-data; name="userLanguage"\r\nContent-Length: 2\r\n\r\nen\r\n'
        f"--{boundary}--\r\n"
    ).encode()
    body = image + language
    head = (
        f"POST /api/ocr/plate HTTP/1.1\r\nHost: x\r\nX-Api-Key: demo-key\r\n"
        f'Content-Type: multipart/form-data; boundary="{boundary}"\r\nContent-Length: {len(body)}\r\n\r\n'
    )
    with line_to(mock.url) as line:
        assert line.ask(head.encode() + body).json() == {"result": "9DJC652"}


@pins("mock-slow-uploads")
def test_a_slow_upload_holds_up_nobody(mock: MockServer, http: httpx.Client) -> None:
    """While one client has sent half of its body, others are answered."""
    body = json.dumps({"image_url": f"{mock.url}/images/vin.jpg"}).encode()
    head = b"POST /v1/vinocr?key=demo-key HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    head += b"Content-Length: %d\r\n\r\n" % len(body)
    with line_to(mock.url) as line:
        line.send(head + body[:10])

        assert carsxe(http, "vin").status_code == 200

        line.send(body[10:])

        assert line.reply().status == 200


@pins("mock-redaction")
def test_keys_are_never_logged_or_kept(mock: MockServer, http: httpx.Client, caplog: pytest.LogCaptureFixture) -> None:
    """No key appears in a log line, in the journal or in a reply, wherever the client sends it."""
    key = "sk-live-0123456789abcdef"
    with caplog.at_level(logging.DEBUG, logger="mock_server"), caplog.at_level(logging.DEBUG, logger="uvicorn"):
        replies = [
            vehicore(http, key=key),
            carsxe(http, key=key),
            carsxe(http, key=key, headers={"Prefer": f"scenario={key}"}),
            carsxe(http, reference=f"https://user:{key}@example.test/a.jpg?key={key}"),
            http.post("/platerecognition", json={"key": key, "image": gallery(http, "car")}),
            http.get(f"/nowhere?key={key}"),
        ]
    exchanges = asyncio.run(mock.app.journal.exchanges())[-6:]
    ours = [record for record in caplog.records if not record.name.startswith(("httpx", "httpcore"))]

    assert key not in "".join(reply.text for reply in replies)
    assert key not in repr([record.getMessage() for record in ours])
    assert key not in repr([(e.key, e.url, e.path, e.detail, e.notes, e.aliases, e.reply) for e in exchanges])


@pins("mock-unseen-concurrency")
def test_unseen_pictures_at_once(http: httpx.Client) -> None:
    """Each of many unknown pictures sent at the same time gets its own reply."""
    images = [drawn(f"car {number}") for number in range(12)]
    alone = [vehicore(http, image=image).json() for image in images]
    barrier = threading.Barrier(6)

    def ask(image: bytes) -> object:
        barrier.wait(PATIENCE)
        return vehicore(http, image=image).json()

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(ask, images)) == alone


def test_the_fixtures_of_these_tests_are_clean() -> None:
    """No two pictures of the fixtures look alike."""
    with MockServer(FIXTURES) as server:
        index = server.app.pipeline.library.index

        assert not index.collisions()
        assert not index.too_small()


@pins("mock-upright-boxes")
def test_boxes_of_turned_photos(http: httpx.Client) -> None:
    """The box in the reply to a photo with an EXIF orientation is that of the upright photo."""
    with Image.open(BytesIO(picture("car"))) as car:
        exif = Image.Exif()
        exif[0x0112] = 6  # to be turned by a quarter, clockwise
        stored = encoded(car.transpose(Image.Transpose.ROTATE_90), "PNG", exif=exif)
    replies = [carsxe(http, reference=_inline(image)).json() for image in (picture("car"), stored)]
    upright, turned = (reply["results"][0]["box"] for reply in replies)

    assert upright == turned
