"""The header `X-Mock-Detail`: what the mock knows and the provider's text does not say."""

from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from mock_server.core.account import AccountStatus
from mock_server.core.model import Product
from mock_server.http.reply import header_text
from mock_server.server import MockServer
from tests.conftest import MakeClient
from tests.support import FIXTURES, PATIENCE, carsxe, drawn, encoded, latest, new_key, picture, vehicore

Send = Callable[[httpx.Client], httpx.Response]
pins = pytest.mark.pins


def _damaged() -> bytes:
    png = drawn(size=(640, 480))
    return png[: len(png) // 2]


def _posted(path: str, **options: Any) -> Send:
    return lambda client: client.post(path, **options)


_FORM = {"X-API-Key": "demo-key"}
_CARSXE = {"key": "demo-key"}
_JSON = {"Content-Type": "application/json"}
_MULTIPART = {"Content-Type": "multipart/form-data; boundary=b"}

DETAILS: list[tuple[Send, str]] = [
    (_posted("/api/ocr/plate", headers=_FORM, json={}), "not multipart/form-data"),
    (_posted("/api/ocr/plate", headers=_FORM, files={"photo": ("a.jpg", b"x")}), "no part named image"),
    (
        _posted("/api/ocr/plate", headers=_FORM, files={"image": (None, b"x")}),
        "the part named image is a text field, not a file",
    ),
    (lambda client: vehicore(client, image=b""), "the file is empty"),
    (lambda client: vehicore(client, image=b"Dear all"), "the picture cannot be used: NotAnImageError"),
    (lambda client: vehicore(client, image=_damaged()), "the picture cannot be used: TruncatedImageError: PNG: "),
    (lambda client: vehicore(client, key="nobody"), "no account has this key"),
    (lambda client: vehicore(client, key=None), "the request has no key"),
    (
        lambda client: vehicore(client, key=None, headers={"Authorization": "Bearer demo-key"}),
        "the key is read from the header X-API-Key, not from the header authorization",
    ),
    (
        _posted("/api/ocr/plate?api_key=demo-key"),
        "the key is read from the header X-API-Key, not from the query parameter api_key",
    ),
    (
        lambda client: carsxe(client, key=None, headers={"X-API-Key": "demo-key"}),
        "the key is read from the query parameter key, not from the header x-api-key",
    ),
    (_posted("/v1/vinocr", json={"key": 7}), "the key in the body is not a string"),
    (
        _posted("/v1/vinocr", params=_CARSXE, content=b"\x0b\x02", headers={**_JSON, "Content-Encoding": "br"}),
        'invalid JSON; its Content-Encoding is "br"',
    ),
    (
        _posted("/api/ocr/plate", content=b"\x28\xb5", headers={**_FORM, **_MULTIPART, "Content-Encoding": "zstd"}),
        'the boundary of the Content-Type is not in the body; its Content-Encoding is "zstd"',
    ),
    (_posted("/api/ocr/passport", headers=_FORM), "the last part of the path is none of: plate, vin"),
    (lambda client: client.get("/platerecognition"), "GET is not served here; use POST"),
    (_posted("/v1/vinocr", params=_CARSXE, content=b"{", headers={"Content-Type": "application/json"}), "invalid JSON"),
    (
        _posted("/platerecognition", params=_CARSXE, json={"url": "x", "b\n": "y"}),
        r'no image_url in the body; it has "b\n", "url"',
    ),
    (
        lambda client: carsxe(client, reference="http://203.0.113.9/car.jpg"),
        "image URLs are not fetched; allow it with --fetch; the reading is made up from the URL",
    ),
    (lambda client: vehicore(client, "vin", encoded(Image.new("RGB", (320, 240), "gray"))), "the picture is blank"),
    (_posted("/v1/vin-ocr"), 'did you mean "/v1/vinocr"?'),
    (
        _posted("/platerecognitions", headers={"Host": "api.carsxe.com"}),
        'CarsXE does not serve this path; did you mean "/platerecognition"?',
    ),
    (
        lambda client: vehicore(client, headers={"Prefer": "scenario=nowhere"}),
        "The Prefer header asks for the scenario 'nowhere', which does not exist.",
    ),
]


@pins("mock-detail")
@pytest.mark.parametrize(("send", "detail"), DETAILS, ids=[detail for _, detail in DETAILS])
def test_the_detail_is_in_the_header_and_in_the_journal(
    mock: MockServer, http: httpx.Client, send: Send, detail: str
) -> None:
    """One line says what the provider's text does not say; the journal has the same text."""
    reply = send(http)
    entry = latest(mock)

    assert reply.headers["x-mock-request-id"] == entry.id
    assert reply.headers["x-mock-detail"].startswith(detail)
    assert header_text(entry.detail or "").decode() == reply.headers["x-mock-detail"]


@pytest.fixture(scope="module")
def strict() -> Iterator[MockServer]:
    """A server in strict mode."""
    with MockServer(FIXTURES, strict=True) as server:
        yield server


@pytest.mark.parametrize(
    ("path", "options", "detail"),
    [
        ("/vinocr", {"params": _CARSXE}, "the path is an alias, which strict mode refuses"),
        (
            "/v1/vinocr",
            {"params": _CARSXE, "json": {"upload_url": "x"}},
            "the field upload_url is an alias of image_url, which strict mode refuses",
        ),
        ("/v1/vinocr", {"json": {"key": "demo-key"}}, "the key in the body is an alias, which strict mode refuses"),
        (
            "/v1/vinocr",
            {"params": _CARSXE, "content": b"http://x/", "headers": {"Content-Type": "text/plain"}},
            "content type text/plain, not application/json",
        ),
        (
            "/platerecognition",
            {"params": _CARSXE, "json": {"image_url": b64encode(picture("car")).decode()}},
            "the plate endpoint documents a URL only",
        ),
    ],
)
def test_a_refused_alias(strict: MockServer, path: str, options: dict[str, Any], detail: str) -> None:
    """In strict mode the detail names the alias that was refused."""
    with httpx.Client(base_url=strict.url, timeout=PATIENCE) as client:
        reply = client.post(path, **options)

    assert (reply.headers["x-mock-detail"], latest(strict).detail) == (detail, detail)


def test_accounts(mock: MockServer, http: httpx.Client) -> None:
    """A refusal of an account says which account, and which of its limits."""
    inactive = new_key(mock, status=AccountStatus.INACTIVE)
    poor = new_key(mock, credits=1, quota=0)
    plate_only = new_key(mock, plans=frozenset({Product.PLATE}))
    slow = new_key(mock, rate_limit="1/hour")
    vehicore(http, key=poor)
    vehicore(http, key=slow)
    month = mock.app.clock.today().strftime("%Y-%m")
    details = [
        vehicore(http, key=inactive).headers["x-mock-detail"],
        vehicore(http, key=poor).headers["x-mock-detail"],
        carsxe(http, key=poor).headers["x-mock-detail"],
        carsxe(http, "vin", key=plate_only).headers["x-mock-detail"],
        vehicore(http, key=slow).headers["x-mock-detail"],
    ]

    assert details == [
        f"the account {inactive} is inactive",
        f"the account {poor} has used all 1 units of its credits for plate",
        f"the account {poor} has used all 0 units of its quota for plate in {month}",
        f"the plans of the account {plate_only} do not include vin",
        f"the account {slow} may make 1/hour requests",
    ]


def test_a_scenario_for_the_other_product(http: httpx.Client) -> None:
    """A reading that lacks the product says so; a success needs no detail."""
    reply = carsxe(http, "vin", f"{str(http.base_url).rstrip('/')}/images/car.jpg")

    assert (reply.status_code, reply.headers["x-mock-detail"]) == (404, "the reading of the scenario has no vin")
    assert "x-mock-detail" not in vehicore(http).headers


def test_it_is_switched_off_with_the_other_headers(serve: MakeClient, tmp_path: Path) -> None:
    """`--no-mock-headers` removes it from providers' replies and from unknown paths."""
    (tmp_path / "mock.yaml").write_text("mock_headers: false\n")
    client = serve(tmp_path)

    for reply in (vehicore(client, key="nobody"), client.get("/nowhere"), client.put("/api/ocr/plate")):
        assert not [name for name in reply.headers if "mock" in name]


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("plain text", "plain text"),
        ("two\r\nlines", r"two\r\nlines"),
        (
            "nul \0, escape \x1b, next line \x85, line separator \u2028",
            r"nul \x00, escape \x1b, next line \x85, line separator \u2028",
        ),
        ("é 漢 🚗 \udcff", r"\xe9 \u6f22 \U0001f697 \udcff"),
        (" spaces ", "spaces"),
        ("a" * 1000, "a" * 197 + "..."),
        ("🚗" * 199, (r"\U0001f697" * 199)[:200]),
    ],
)
def test_any_text_is_safe_in_a_header(text: str, header: str) -> None:
    """A header has one line of printable ASCII with at most 200 characters."""
    assert header_text(text).decode() == header
