"""CarsXE recognition as documented: one case for each row of the contract."""

import base64
import codecs
import gzip
import json
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from mock_server.core.account import Quota, QuotaPeriod
from mock_server.core.clock import Clock
from mock_server.core.model import Product
from mock_server.server import MockServer
from tests.conftest import MakeClient
from tests.support import CARSXE_PATHS, FIXTURES, PATIENCE, carsxe, drawn, gallery, latest, new_key, vehicore

pins = pytest.mark.pins

MONTH = 31 * 86_400
NOT_FOUND = "User with this API key was not found or the API key is disabled"
INACTIVE = (
    "User with this API key is not active. To activate update your billing on https://carsxe.com/dashboard/billing"
)
BLOCKED = "This API key has been blocked, please contact support if you believe this is an error."
NO_PLAN = (
    "This API is not available for your current subscription tier. "
    "Visit https://carsxe.com/pricing to review upgrade options."
)
INVALID = "Invalid image data format. Must be a valid URL or base64 encoded string."


def failure(message: str) -> dict[str, object]:
    """The body of an error."""
    return {"success": False, "message": message}


def exhausted(current: int, limit: int) -> dict[str, object]:
    """The body of a 429."""
    usage = {"current": current, "limit": limit, "remaining": max(limit - current, 0)}
    return {**failure("API usage limit exceeded"), "usage": usage}


@pins("carsxe-first-candidate")
@pins("carsxe-plate-200", "carsxe-plate-lower-case", "carsxe-processing-time", "carsxe-plate-boxes")
def test_plate(http: httpx.Client) -> None:
    """A plate is in lower case, with the boxes, region, candidates and vehicle of the fixture."""
    reply = carsxe(http, "plate")
    body = reply.json()

    assert reply.status_code == 200
    assert body.pop("processing_time") == pytest.approx(110, abs=70)
    assert body.pop("filename").endswith(".jpg")
    assert body == {
        "success": True,
        "message": "",
        "results": [
            {
                "plate": "9djc652",
                "box": {"xmin": 436, "ymin": 402, "xmax": 524, "ymax": 423},
                "region": {"code": "us-ca", "score": 0.849},
                "score": 0.902,
                "dscore": 0.861,
                "candidates": [{"plate": "9djc652", "score": 0.902}, {"plate": "9ojc652", "score": 0.742}],
                "vehicle": {
                    "type": "Sedan",
                    "score": 0.783,
                    "box": {"xmin": 156, "ymin": 172, "xmax": 804, "ymax": 637},
                },
            }
        ],
        "camera_id": None,
    }


@pins("carsxe-plate-several")
def test_several_plates(http: httpx.Client) -> None:
    """Several plates in one photo are several results, each with its vehicle."""
    results = carsxe(http, "plate", gallery(http, "two-cars")).json()["results"]

    assert [(result["plate"], result["vehicle"]["type"]) for result in results] == [
        ("6hkd804", "Sedan"),
        ("8trv319", "SUV"),
    ]


@pins("carsxe-vin-200", "carsxe-vin-candidate-box")
def test_vin(http: httpx.Client) -> None:
    """A VIN has its box, its confidence and candidates; each candidate has a box."""
    box = {"xmin": 130, "ymin": 244, "xmax": 763, "ymax": 306}
    reply = carsxe(http, "vin")

    assert reply.status_code == 200
    assert reply.json() == {
        "success": True,
        "vin": "JHLRD77874C026456",
        "box": box,
        "confidence": 0.983,
        "candidates": [
            {"vin": "JHLRD77874C026456", "confidence": 0.983, "box": box},
            {"vin": "JHLRD77874C0264S6", "confidence": 0.411, "box": box},
        ],
    }


@pytest.mark.parametrize(
    ("product", "key", "status", "message"),
    [
        pytest.param("plate", None, 401, "Missing API key", marks=pins("carsxe-plate-missing-key"), id="plate none"),
        pytest.param("plate", "", 401, "Missing API key", id="plate empty"),
        pytest.param("vin", None, 400, "Missing API key", marks=pins("carsxe-vin-missing-key"), id="vin none"),
        pytest.param("vin", "", 400, "Missing API key", id="vin empty"),
        pytest.param("plate", "nobody", 401, NOT_FOUND, marks=pins("carsxe-plate-unknown-key"), id="plate unknown"),
        pytest.param("plate", "disabled-key", 401, NOT_FOUND, id="plate disabled"),
        pytest.param("vin", "nobody", 404, NOT_FOUND, marks=pins("carsxe-vin-unknown-key"), id="vin unknown"),
        pytest.param("vin", "disabled-key", 404, NOT_FOUND, id="vin disabled"),
        pytest.param("plate", "inactive-key", 401, INACTIVE, marks=pins("carsxe-inactive"), id="plate inactive"),
        pytest.param("vin", "inactive-key", 401, INACTIVE, id="vin inactive"),
        pytest.param("plate", "blocked-key", 403, BLOCKED, marks=pins("carsxe-blocked"), id="plate blocked"),
        pytest.param("vin", "blocked-key", 403, BLOCKED, id="vin blocked"),
        pytest.param("plate", "basic-plan-key", 403, NO_PLAN, marks=pins("carsxe-plan"), id="plate plan"),
        pytest.param("vin", "basic-plan-key", 403, NO_PLAN, id="vin plan"),
    ],
)
def test_keys(http: httpx.Client, product: str, key: str | None, status: int, message: str) -> None:
    """Each state of a key has its own status and message; the two endpoints differ in two of them."""
    reply = carsxe(http, product, key=key)

    assert (reply.status_code, reply.json()) == (status, failure(message))


@pins("carsxe-key-in-query")
def test_a_key_in_a_header_is_no_key(http: httpx.Client) -> None:
    """The key is read from the query."""
    reply = carsxe(http, key=None, headers={"X-API-Key": "demo-key", "Authorization": "Bearer demo-key"})

    assert (reply.status_code, reply.json()) == (401, failure("Missing API key"))


@pins("carsxe-source-ignored")
def test_source_and_other_parameters_are_ignored(http: httpx.Client) -> None:
    """`source` and a hundred unknown parameters do not change the reply."""
    query = {"key": "demo-key", "source": "pip", **{f"p{n}": "x" for n in range(150)}}
    reply = http.post("/v1/vinocr", params=query, json={"image_url": gallery(http, "vin")})

    assert reply.json()["vin"] == "JHLRD77874C026456"


MISSING = {"plate": "Missing upload URL", "vin": "Missing image data"}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({}, marks=pins("carsxe-plate-missing-image", "carsxe-vin-missing-image"), id="empty object"),
        pytest.param({"image_url": ""}, id="empty text"),
        pytest.param({"image_url": None}, id="null"),
        pytest.param({"photo": "https://example.test/a.jpg"}, marks=pins("carsxe-unknown-field"), id="other field"),
        pytest.param([], marks=pins("carsxe-json-no-object"), id="list"),
        pytest.param("https://example.test/a.jpg", id="string"),
        pytest.param(None, id="json null"),
        pytest.param(7, id="number"),
    ],
)
@pytest.mark.parametrize("product", ["plate", "vin"])
def test_no_image_named(http: httpx.Client, product: str, body: object) -> None:
    """A body without an image is 400 with the endpoint's own message."""
    reply = http.post(CARSXE_PATHS[product], params={"key": "demo-key"}, json=body)

    assert (reply.status_code, reply.json()) == (400, failure(MISSING[product]))


ENCODINGS: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "UTF-8 with a byte-order mark": (lambda text: codecs.BOM_UTF8 + text, ""),
    "UTF-16": (lambda text: text.decode().encode("utf-16"), ""),
    "UTF-16 without a byte-order mark": (lambda text: text.decode().encode("utf-16-be"), ""),
    "gzip": (gzip.compress, "gzip"),
    "gzip in upper case": (gzip.compress, "GZIP"),
    "gzip of gzip": (lambda body: gzip.compress(gzip.compress(body)), "gzip, gzip"),
    "gzip of deflate": (lambda body: gzip.compress(zlib.compress(body)), "deflate, gzip"),
    "deflate": (zlib.compress, "deflate"),
    "deflate without the header of zlib": (lambda text: zlib.compress(text, wbits=-15), "deflate"),
    "not compressed as declared": (bytes, "deflate"),
    "identity": (bytes, "identity"),
}


@pytest.mark.parametrize(("encode", "encoding"), ENCODINGS.values(), ids=ENCODINGS)
def test_encodings_of_the_body(http: httpx.Client, encode: Callable[[bytes], bytes], encoding: str) -> None:
    """JSON with a byte-order mark, in UTF-16, or compressed as Content-Encoding says, is read."""
    body = encode(json.dumps({"image_url": gallery(http, "vin")}).encode())
    headers = {"Content-Type": "application/json", **({"Content-Encoding": encoding} if encoding else {})}
    reply = http.post("/v1/vinocr", params={"key": "demo-key"}, content=body, headers=headers)

    assert reply.json().get("vin") == "JHLRD77874C026456"


def test_plain_text_with_a_byte_order_mark(http: httpx.Client) -> None:
    """A byte-order mark before plain text, or before JSON as plain text, is ignored."""
    url = gallery(http, "vin")
    for text in (url, json.dumps({"image_url": url})):
        content, headers = codecs.BOM_UTF8 + text.encode(), {"Content-Type": "text/plain"}
        reply = http.post("/v1/vinocr", params={"key": "demo-key"}, content=content, headers=headers)

        assert reply.json().get("vin") == "JHLRD77874C026456"


def test_a_compressed_body_is_limited_by_its_content(mock: MockServer, http: httpx.Client) -> None:
    """A small body with much content is too large; a body that is not what it declares is invalid."""
    bomb, broken = gzip.compress(b'{"image_url": "' + bytes(50_000_000)), b'{"image_url": "x"'
    details = []
    for body in (bomb, broken):
        headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
        reply = http.post("/v1/vinocr", params={"key": "demo-key"}, content=body, headers=headers)
        details.append(latest(mock).detail)

        assert reply.status_code == 400

    assert details == ["body too large", 'invalid JSON; its Content-Encoding is "gzip"']


def test_long_keys_and_urls(mock: MockServer, http: httpx.Client) -> None:
    """A very long key is unknown, a very long URL is invalid, and the journal stores neither."""
    url = "https://example.test/" + "a" * 1_000_000
    by_query = carsxe(http, key="k" * 10_000)
    in_body = http.post("/platerecognition", json={"image": gallery(http, "car"), "key": "k" * 1_000_000})
    stored = latest(mock)
    by_url = carsxe(http, reference=url)

    assert [by_query.status_code, in_body.status_code, by_url.status_code] == [401, 401, 400]
    assert latest(mock).detail == "the URL is longer than 16384 characters"
    assert len(repr(stored)) + len(repr(latest(mock))) < 10_000


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        pytest.param(b"", "application/json", id="no body"),
        pytest.param(b'{"image_url": ', "application/json", marks=pins("carsxe-invalid-json"), id="cut"),
        pytest.param(b"\xff\xfe\x00", "application/json", id="no utf-8"),
        pytest.param(b"[" * 100_000, "application/json", id="deep"),
        pytest.param(b"image_url=https%3A%2F%2Fx.test%2Fa.jpg", "application/x-www-form-urlencoded", id="form"),
        pytest.param(b'{"image_url": "https://x.test/a.jpg"}', "multipart/form-data; boundary=x", id="wrong type"),
    ],
)
@pytest.mark.parametrize("product", ["plate", "vin"])
def test_unreadable_bodies(http: httpx.Client, product: str, content: bytes, content_type: str) -> None:
    """A body that is not JSON, or not declared as JSON, is a body without an image."""
    reply = http.post(
        CARSXE_PATHS[product], params={"key": "demo-key"}, content=content, headers={"Content-Type": content_type}
    )

    assert (reply.status_code, reply.json()) == (400, failure(MISSING[product]))


@pytest.fixture(scope="module")
def fetching() -> Iterator[httpx.Client]:
    """A client of a server that fetches from this machine, where nothing listens on port 9."""
    with MockServer(FIXTURES, fetch="local") as server, httpx.Client(base_url=server.url, timeout=PATIENCE) as client:
        yield client


@pytest.mark.parametrize(
    "reference",
    [
        pytest.param("no url", marks=pins("carsxe-invalid-image"), id="words"),
        pytest.param("ftp://example.test/a.jpg", id="other scheme"),
        pytest.param("file:///etc/passwd", id="file"),
        pytest.param("http://", id="no host"),
        pytest.param("http://127.0.0.1:9/a.jpg", marks=pins("carsxe-not-reachable"), id="not reachable"),
        pytest.param("AAAA", id="base64 of no image"),
        pytest.param("data:,%zz", id="malformed escape"),
        pytest.param("   ", id="blank"),
        pytest.param(7, id="number"),
        pytest.param(["https://example.test/a.jpg"], id="list"),
        pytest.param({"url": "https://example.test/a.jpg"}, id="object"),
        pytest.param(True, id="true"),
    ],
)
@pytest.mark.parametrize("product", ["plate", "vin"])
def test_invalid_image_data(fetching: httpx.Client, product: str, reference: object) -> None:
    """A value that is not a picture is 400 with the same message on both endpoints."""
    reply = fetching.post(CARSXE_PATHS[product], params={"key": "demo-key"}, json={"image_url": reference})

    assert (reply.status_code, reply.json()) == (400, failure(INVALID))


@pins("carsxe-too-large")
@pytest.mark.parametrize("product", ["plate", "vin"])
def test_too_large(serve: MakeClient, product: str) -> None:
    """A body over the limit is invalid image data."""
    client = serve(max_body=50_000)
    reply = carsxe(client, product, "A" * 60_000)

    assert (reply.status_code, reply.json()) == (400, failure(INVALID))


@pytest.mark.parametrize(
    ("product", "image", "status", "message"),
    [
        pytest.param(
            "plate", "vin", 404, "No plates detected in image", marks=pins("carsxe-plate-nothing"), id="no plate"
        ),
        pytest.param("plate", "no-plate", 404, "No plates detected in image", id="nothing found"),
        pytest.param("plate", "no-text", 404, "No plates detected in image", id="plate no text"),
        pytest.param(
            "vin",
            "label",
            404,
            "No valid VIN candidates found in the image",
            marks=pins("carsxe-vin-no-candidates"),
            id="text but no vin",
        ),
        pytest.param("vin", "car", 404, "No valid VIN candidates found in the image", id="a plate only"),
        pytest.param("vin", "no-plate", 404, "No valid VIN candidates found in the image", id="vin nothing found"),
        pytest.param(
            "vin", "no-text", 400, "No text detected in the image", marks=pins("carsxe-vin-no-text"), id="no text"
        ),
    ],
)
def test_nothing_found(http: httpx.Client, product: str, image: str, status: int, message: str) -> None:
    """Nothing found is an error; for VINs the status depends on whether there is any text."""
    reply = carsxe(http, product, gallery(http, image))

    assert (reply.status_code, reply.json()) == (status, failure(message))


@pins("carsxe-empty-results")
def test_empty_and_missing_results(http: httpx.Client) -> None:
    """A scenario can answer 200 with an empty list, and 200 without `results`."""
    empty = carsxe(http, headers={"X-Scenario": "empty-results"})
    missing = carsxe(http, headers={"X-Scenario": "missing-results"})

    assert (empty.status_code, empty.json()["success"], empty.json()["results"]) == (200, True, [])
    assert (missing.status_code, missing.json()["success"]) == (200, True)
    assert "results" not in missing.json()


@pins("carsxe-405")
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", ["/platerecognition", "/v1/vinocr", "/vinocr"])
def test_other_methods(http: httpx.Client, method: str, path: str) -> None:
    """Another method is 405 in the envelope, with the allowed method."""
    reply = http.request(method, path, params={"key": "demo-key"})

    assert (reply.status_code, reply.headers["allow"]) == (405, "POST")
    if method != "HEAD":
        assert reply.json() == failure("Method not allowed")


@pytest.mark.parametrize(
    ("outcome", "status", "message"),
    [
        pytest.param(
            "service_error", 500, "Could not get information at this time", marks=pins("carsxe-500"), id="500"
        ),
        pytest.param("upstream_unreachable", 502, "Could not fetch data", marks=pins("carsxe-502"), id="502"),
        pytest.param(
            "upstream_down", 503, "Cannot access the internet at this time", marks=pins("carsxe-503"), id="503"
        ),
        pytest.param(
            "upstream_timeout", 504, "Request timed out. Please try again.", marks=pins("carsxe-504"), id="504"
        ),
    ],
)
@pytest.mark.parametrize("product", ["plate", "vin"])
def test_upstream_trouble(http: httpx.Client, product: str, outcome: str, status: int, message: str) -> None:
    """Each upstream error has its own status and message."""
    reply = carsxe(http, product, headers={"Prefer": f"outcome={outcome}"})

    assert (reply.status_code, reply.json()) == (status, failure(message))


@pins("carsxe-429-usage", "carsxe-quota-by-api")
def test_quota(serve: MakeClient, clock: Clock) -> None:
    """When the volume of one API is used up, it answers 429 with `usage`; the other API still works."""
    client = serve(clock=clock)

    assert carsxe(client, "plate", key="no-credits").status_code == 429
    assert carsxe(client, "plate", key="no-credits").json() == exhausted(1000, 1000)
    assert carsxe(client, "vin", key="no-credits").json() == exhausted(500, 500)
    assert carsxe(client, "vin", key="metered-key").status_code == 200


@pins("carsxe-quota-month")
def test_quota_comes_back_with_the_month(serve: MakeClient, clock: Clock) -> None:
    """A used-up quota is refused until the end of the month, and is full again in the next month."""
    client = serve(clock=clock)

    assert carsxe(client, key="no-credits").status_code == 429

    clock.advance(MONTH - 1)

    assert carsxe(client, key="no-credits").status_code == 429

    clock.advance(1)

    assert carsxe(client, key="no-credits").status_code == 200


def _with_quota(limit: int, used: int = 0) -> dict[Product, Quota]:
    return {product: Quota(limit, used) for product in Product}


@pins("carsxe-quota-trial")
def test_a_trial_never_resets(clock: Clock) -> None:
    """The volume of a trial is not renewed in the next month."""
    with MockServer(clock=clock) as server, httpx.Client(base_url=server.url, timeout=PATIENCE) as client:
        key = new_key(server, quota=_with_quota(1), quota_period=QuotaPeriod.NEVER)
        statuses = []
        for _ in range(3):
            statuses.append(carsxe(client, "vin", gallery(client, "vin-plate"), key=key).status_code)
            clock.advance(MONTH)

    assert statuses == [200, 429, 429]


@pins("carsxe-overage")
def test_overage(mock: MockServer, http: httpx.Client) -> None:
    """With overage billing, requests over the quota succeed."""
    key = new_key(mock, quota=2, overage=True)
    statuses = [carsxe(http, key=key).status_code for _ in range(5)]

    assert statuses == [200] * 5


@pins("carsxe-charge-success", "carsxe-charge-400", "carsxe-charge-404", "carsxe-charge-5xx", "carsxe-charge-empty")
def test_what_counts(mock: MockServer, http: httpx.Client) -> None:
    """A successful call costs a unit, also with empty results; 400, 404, other refusals and 5xx cost nothing."""
    key = new_key(mock, quota=3)
    free = [
        carsxe(http, "vin", "no url", key=key),
        carsxe(http, "vin", gallery(http, "no-text"), key=key),
        carsxe(http, "vin", gallery(http, "label"), key=key),
        carsxe(http, "vin", gallery(http, "car"), key=key),
        carsxe(http, "vin", key=key, headers={"Prefer": "outcome=service_error"}),
        carsxe(http, "vin", key=key, headers={"Prefer": "outcome=upstream_timeout"}),
    ]
    counted = [
        carsxe(http, "vin", key=key, headers={"X-Scenario": "empty-results"}),
        carsxe(http, "vin", key=key),
        carsxe(http, "vin", key=key, headers={"X-Scenario": "missing-results"}),
    ]
    last = carsxe(http, "vin", key=key)

    assert [reply.status_code for reply in free] == [400, 400, 404, 404, 500, 504]
    assert [reply.status_code for reply in counted] == [200, 200, 200]
    assert (last.status_code, last.json()) == (429, exhausted(3, 3))


def test_a_404_counts_if_the_fixtures_say_so(serve: MakeClient, tmp_path: Path) -> None:
    """With `charge` in `mock.yaml`, a 404 of either endpoint costs a unit."""
    (tmp_path / "mock.yaml").write_text(
        "unmatched: nothing_found\n"
        "charge: {carsxe: [read, nothing_found]}\n"
        "accounts: [{key: k, quota: {plate: 1, vin: 1}}]\n"
    )
    client = serve(tmp_path)
    picture_url = "data:image/png;base64," + base64.b64encode(drawn()).decode()
    statuses = [carsxe(client, product, picture_url, key="k").status_code for product in ("plate", "vin") * 2]

    assert statuses == [404, 404, 429, 429]


@pins("carsxe-tier-message")
def test_the_other_quota_text(http: httpx.Client) -> None:
    """The second documented text of a 429 names the API, the month, the tier and the counts."""
    reply = carsxe(http, "plate", key="metered-key", headers={"X-Scenario": "tier-message"})
    body = reply.json()
    message = body["message"]

    assert reply.status_code == 429
    assert message.startswith("API limit exceeded for plate_image_recognition (")
    assert message.endswith("). Subscription tier: standard. Current usage: 1000, Limit: 1000.")
    assert body["usage"] == {"current": 1000, "limit": 1000, "remaining": 0}


@pins("carsxe-rate-limit")
def test_aggressive_traffic(serve: MakeClient, clock: Clock) -> None:
    """Over an account's rate limit the reply is a 429 with `usage`, or a 503 if a scenario says so."""
    client = serve(clock=clock)
    replies = [carsxe(client, key="slow-key") for _ in range(3)]

    assert [reply.status_code for reply in replies] == [200, 200, 429]
    assert replies[2].json() == exhausted(9, 100)

    upstream = carsxe(client, headers={"X-Scenario": "upstream"})

    assert upstream.status_code == 503


@pins("carsxe-no-limit-headers")
@pytest.mark.parametrize("key", ["demo-key", "no-credits"])
def test_no_headers_about_limits(http: httpx.Client, key: str) -> None:
    """No reply has Retry-After or a rate-limit header."""
    for headers in ({}, {"Prefer": "outcome=rate_limited"}):
        names = " ".join(carsxe(http, key=key, headers=headers).headers).lower()

        assert "retry" not in names
        assert "limit" not in names


@pins("carsxe-order")
def test_order_of_checks(serve: MakeClient, clock: Clock) -> None:
    """Method, then key, then rate, then the request, then the quota, and recognition last."""
    client = serve(clock=clock)

    assert client.get("/platerecognition").status_code == 405
    assert carsxe(client, reference="no url", key="nobody").status_code == 401
    assert [carsxe(client, reference="no url", key="slow-key").status_code for _ in range(3)] == [400, 400, 429]
    assert carsxe(client, reference="no url", key="no-credits").status_code == 400
    assert carsxe(client, key="no-credits").status_code == 429


@pins("carsxe-eu-host")
@pytest.mark.parametrize("host", ["api.carsxe.com", "eu-api.carsxe.com"])
def test_both_hosts(http: httpx.Client, host: str) -> None:
    """Both hosts serve both endpoints; other paths are 404 in the envelope."""
    query, headers = {"key": "demo-key"}, {"Host": host}
    for product, name in (("plate", "car"), ("vin", "vin")):
        body = {"image_url": f"https://{host}/images/{name}.jpg"}

        assert http.post(CARSXE_PATHS[product], params=query, json=body, headers=headers).status_code == 200

    other = http.get("/specs", params=query, headers=headers)

    assert (other.status_code, other.json()) == (404, failure("Not found"))


def test_the_key_of_one_provider_works_at_the_other(mock: MockServer, http: httpx.Client) -> None:
    """Both providers share the accounts; credits and quotas are counted separately."""
    key = new_key(mock, credits=1, quota=1)

    assert vehicore(http, key=key).status_code == 200
    assert carsxe(http, key=key).status_code == 200
    assert vehicore(http, key=key).status_code == 402
    assert carsxe(http, key=key).status_code == 429
