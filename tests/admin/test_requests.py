"""The journal: its fields, its filters, near misses, and that it has no key."""

import asyncio
import hashlib
import json
from io import BytesIO
from typing import Any

import httpx
import pytest
from PIL import Image

from mock_server import MockServer, VerificationError
from mock_server.core.serialization import to_json
from tests.support import FIXTURES, PATIENCE, carsxe, drawn, encoded, picture, vehicore


@pytest.fixture
def key(mock: MockServer) -> str:
    """The key of a new account, after a reset."""
    mock.reset()
    return mock.create_account(credits={"plate": 3}).key


def test_the_fields_of_a_request(http: httpx.Client, admin: httpx.Client, key: str) -> None:
    """The journal has every field, but no key."""
    key = admin.post("/accounts", json={"name": "teller"}).json()["key"]
    reply = vehicore(http, key=key, filename="mine.jpg", headers={"User-Agent": "a-client/1.0"})
    exchange = admin.get(f"/requests/{reply.headers['X-Mock-Request-Id']}").json()

    assert exchange.pop("milliseconds") > 0
    assert len(exchange.pop("key_id")) == 12
    headers = exchange.pop("headers")
    assert (headers["user-agent"], headers["x-api-key"]) == ("a-client/1.0", "…")
    assert exchange.pop("time").endswith("Z")
    assert exchange.pop("image") == {
        "sha256": hashlib.sha256(picture("car")).hexdigest(),
        "format": "JPEG",
        "width": 960,
        "height": 720,
        "bytes": len(picture("car")),
    }
    assert exchange == {
        "id": reply.headers["X-Mock-Request-Id"],
        "provider": "vehicore",
        "product": "plate",
        "key": f"…{key[-2:]}",
        "account": "teller",
        "outcome": "read",
        "variant": None,
        "scenario": "car",
        "match": "sha256",
        "charged": 1,
        "status": 200,
        "delay": 0.0,
        "fault": None,
        "forced": None,
        "text": "9DJC652",
        "detail": None,
        "method": "POST",
        "path": "/api/ocr/plate",
        "client": "a-client/1.0",
        "source": None,
        "aliases": [],
        "notes": [],
        "filename": "mine.jpg",
        "url": None,
        "language": "en",
        "fields": [],
        "nearest": [],
        "losers": [],
        "reply": {"result": "9DJC652"},
    }


def test_aliases_and_source_are_recorded(http: httpx.Client, mock: MockServer, key: str) -> None:
    """The journal has the undocumented forms that an official client uses."""
    image = f"{mock.url}/images/vin.jpg"
    http.post("/vinocr", params={"key": key, "source": "npm"}, json={"image": image})
    exchange = mock.requests(key=key)[0]

    assert (exchange.source, exchange.aliases) == ("npm", ("path /vinocr", "field image"))


def test_headers_have_no_secrets(http: httpx.Client, mock: MockServer, key: str) -> None:
    """Secrets and the key are hidden in headers; long values are cut."""
    secrets = {"Authorization": "Bearer abc", "Cookie": "a=b", "X-Copy": f"key {key}", "X-Long": "x" * 2000}
    vehicore(http, key=key, headers={**secrets, "X-Other": "seen"})
    headers = mock.requests(key=key)[0].headers

    assert [headers[name.lower()] for name in secrets] == ["…", "…", "…", "x" * 512]
    assert headers["x-other"] == "seen"


def test_further_fields_are_recorded(http: httpx.Client, mock: MockServer, key: str) -> None:
    """The names of fields that a provider does not have are in the journal, without their values."""
    files: list[tuple[str, tuple[str | None, bytes]]] = [
        ("image", ("car.jpg", picture("car"))),
        ("webhook", (None, b"a-value")),
        ("userLanguage", (None, b"de")),
    ]
    http.post("/api/ocr/plate", headers={"X-API-Key": key}, files=files)
    http.post("/platerecognition", params={"key": key}, json={"image_url": "x", "color": True})
    uploaded, posted = mock.requests(key=key)

    assert (uploaded.fields, uploaded.language, posted.fields) == (("webhook",), "de", ("color",))


def test_keys_are_nowhere(http: httpx.Client, admin: httpx.Client, mock: MockServer) -> None:
    """Neither a known nor an unknown key is in a list, a near miss or a metric."""
    secret = "a-very-secret-key"
    vehicore(http, key=secret)
    carsxe(http, key=secret)
    known = mock.create_account().key
    vehicore(http, key=known, image=drawn("unknown"))
    texts = [admin.get(path).text for path in ("/requests", "/requests/unmatched/near-misses", "/metrics")]

    assert not [text for text in texts if secret in text or known in text]


def test_urls_lose_their_secrets(http: httpx.Client, mock: MockServer, key: str) -> None:
    """Signed URLs are recorded without query and credentials."""
    carsxe(http, key=key, reference="https://user:pw@bucket.example/a.jpg?X-Signature=abc")

    assert mock.requests(key=key)[0].url == "https://bucket.example/a.jpg"


_FILTERS: list[tuple[dict[str, Any], int]] = [
    ({}, 4),
    ({"provider": "vehicore"}, 3),
    ({"provider": "carsxe"}, 1),
    ({"product": "vin"}, 1),
    ({"outcome": "read"}, 3),
    ({"outcome": "service_error"}, 1),
    ({"scenario": "car"}, 2),
    ({"scenario": None}, 2),
    ({"scenario": "-"}, 2),
    ({"match": "sha256"}, 2),
    ({"match": "synthesized"}, 1),
    ({"status": 200}, 3),
    ({"charged": 1}, 3),
    ({"charged": "1"}, 3),
    ({"filename": "other.png"}, 1),
    ({"forced": "prefer outcome=service_error"}, 1),
    ({"format": "PNG"}, 1),
    ({"text": "9DJC652"}, 2),
    ({"language": "en"}, 4),
    ({"path": "/platerecognition"}, 1),
    ({"method": "POST"}, 4),
    ({"fault": None}, 4),
    ({"since": "2000-01-01"}, 4),
    ({"since": 0}, 4),
    ({"since": "2999-01-01T00:00:00+02:00"}, 0),
    ({"until": "2999-01-01T00:00:00Z"}, 4),
    ({"provider": "vehicore", "outcome": "read"}, 2),
]


@pytest.fixture(scope="module")
def key_of_four(mock: MockServer) -> str:
    """A key with four different requests."""
    mock.reset()
    key = mock.create_account().key
    with httpx.Client(base_url=mock.url, timeout=PATIENCE) as client:
        vehicore(client, key=key)
        vehicore(client, key=key, filename="other.png", image=drawn("other"))
        vehicore(client, "vin", key=key, headers={"Prefer": "outcome=service_error"})
        carsxe(client, key=key)
    return key


@pytest.mark.parametrize(("filters", "count"), _FILTERS, ids=str)
def test_every_filter(filters: dict[str, Any], count: int, mock: MockServer, key_of_four: str) -> None:
    """Counting, finding and listing give the same number."""
    wanted = {"key": key_of_four, **filters}
    parameters = {name: "-" if value is None else str(value) for name, value in wanted.items()}
    base = f"{mock.url}/__admin/requests"

    assert httpx.post(f"{base}/count", json=wanted, timeout=PATIENCE).json() == {"count": count}
    assert httpx.post(f"{base}/find", json=wanted, timeout=PATIENCE).json()["total"] == count
    assert httpx.get(base, params=parameters, timeout=PATIENCE).json()["total"] == count


def test_a_limit_keeps_the_latest(mock: MockServer, key_of_four: str) -> None:
    """A list is in the order of time. A limit removes the oldest requests; the total counts them."""
    listed = httpx.get(f"{mock.url}/__admin/requests", params={"key": key_of_four, "limit": 1}, timeout=PATIENCE).json()

    assert [one["provider"] for one in listed["requests"]] == ["carsxe"]
    assert listed["total"] == 4


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("outcome", "raed", 'did you mean "read"?'),
        ("provider", "vehicor", 'did you mean "vehicore"?'),
        ("match", "perceptul", 'did you mean "perceptual"?'),
        ("outcom", "read", 'did you mean "outcome"?'),
    ],
)
def test_a_misspelt_filter_is_refused(name: str, value: str, hint: str, admin: httpx.Client) -> None:
    """A value that cannot occur is a mistake; the answer is not 0."""
    assert admin.post("/requests/count", json={name: value}).json()["errors"][0]["hint"] == hint


def test_delete_takes_filters(http: httpx.Client, admin: httpx.Client, mock: MockServer) -> None:
    """DELETE takes the same filters as GET."""
    mock.reset()
    keys = [mock.create_account().key for _ in range(2)]
    for key in (*keys, *keys):
        vehicore(http, key=key)

    assert admin.delete("/requests", params={"key": keys[0]}).json() == {"deleted": 2}
    assert [mock.count(key=key) for key in keys] == [0, 2]
    assert admin.delete("/requests").json() == {"deleted": 2}


def test_thumbnails_are_small_jpegs(http: httpx.Client, admin: httpx.Client) -> None:
    """A thumbnail is a JPEG of at most 128 pixels. Requests with the same picture share it."""
    sent = drawn("thumb", size=(1600, 400))
    ids = [vehicore(http, image=sent).headers["X-Mock-Request-Id"] for _ in range(2)]
    thumbnails = [admin.get(f"/requests/{id}/thumbnail") for id in ids]
    image = Image.open(BytesIO(thumbnails[0].content))

    assert thumbnails[0].headers["content-type"] == "image/jpeg"
    assert (image.format, image.size) == ("JPEG", (128, 32))
    assert thumbnails[0].content == thumbnails[1].content


def test_requests_without_a_picture_have_no_thumbnail(http: httpx.Client, admin: httpx.Client) -> None:
    """The request of an unreadable picture has none."""
    id = vehicore(http, image=b"no picture").headers["X-Mock-Request-Id"]

    assert admin.get(f"/requests/{id}/thumbnail").status_code == 404


def test_the_journal_is_bounded(http: httpx.Client) -> None:
    """The oldest requests are dropped and counted."""
    with MockServer(FIXTURES, journal_size=5) as small, httpx.Client(base_url=small.url, timeout=PATIENCE) as client:
        ids = [vehicore(client).headers["X-Mock-Request-Id"] for _ in range(8)]
        listed = client.get("/__admin/requests").json()

    assert [one["id"] for one in listed["requests"]] == ids[3:]
    assert (listed["total"], listed["dropped"]) == (5, 3)


def test_unmatched_requests(http: httpx.Client, mock: MockServer, admin: httpx.Client) -> None:
    """They are those for which scenarios were searched: not refused accounts, broken pictures or forced outcomes."""
    key = mock.create_account(credits={"plate": 1, "vin": 0}).key
    vehicore(http, key=key, image=drawn("unknown"))
    vehicore(http, key=key)
    vehicore(http, key=key, image=b"broken")
    vehicore(http, key="of-nobody")
    vehicore(http, "vin", key=key, image=drawn("too poor"))
    carsxe(http, key=key, reference="https://nowhere.example/a.jpg")

    unmatched = [(one.product, one.provider, one.status) for one in mock.unmatched() if one.account]
    assert unmatched == [("plate", "vehicore", 200), ("plate", "carsxe", 200)]


def test_near_misses_have_the_distance_and_the_region(http: httpx.Client, mock: MockServer, key: str) -> None:
    """If only the plate differs, the distance is above the limit and the region is the plate."""
    image = Image.open(BytesIO(picture("car"))).convert("RGB")
    image.paste((240, 240, 240), (436, 402, 524, 423))
    vehicore(http, key=key, image=encoded(image, "PNG"))
    nearest = mock.near_misses(key=key)[0].scenarios[0]

    assert (nearest.scenario, nearest.failed, nearest.reason) == ("car", ("image",), "other_text")
    assert nearest.distance is not None
    assert nearest.limit is not None
    assert nearest.distance > nearest.limit
    assert nearest.region is not None
    left, top, right, bottom = nearest.region
    assert 416 <= left < right <= 544
    assert 382 <= top < bottom <= 443


def test_near_misses_have_the_failed_conditions(http: httpx.Client, mock: MockServer, key: str) -> None:
    """A scenario whose picture was sent for another product is first."""
    document = {"scenario": "for-vins", "when": {"image": picture("car"), "product": "vin", "language": "de"}}
    with MockServer(FIXTURES, unmatched="nothing_found") as other:
        other.add_scenario(document)
        other.add_scenario({"scenario": "car", "when": {"filename": "no*"}}, replace=True)
        key = other.create_account().key
        with httpx.Client(base_url=other.url, timeout=PATIENCE) as client:
            vehicore(client, key=key)
        misses = other.near_misses(key=key)[0].scenarios

    assert (misses[0].scenario, misses[0].failed) == ("for-vins", ("product", "language"))
    assert len(misses) == 3


def test_an_error_for_unmatched_pictures_is_recorded_as_unmatched() -> None:
    """If unmatched pictures are errors, they are in the list too."""
    with (
        MockServer(FIXTURES, unmatched="error") as strict,
        httpx.Client(base_url=strict.url, timeout=PATIENCE) as client,
    ):
        status = vehicore(client, image=drawn("unknown")).status_code
        unmatched = strict.unmatched()

    assert (status, [one.status for one in unmatched], unmatched[0].outcome) == (501, [501], None)


def test_verify_passes(http: httpx.Client, mock: MockServer, key: str) -> None:
    """Without numbers one request is enough; `times` is exact."""
    vehicore(http, key=key)
    vehicore(http, key=key)

    mock.verify(key=key)
    mock.verify(key=key, outcome="read", times=2)
    mock.verify(key=key, outcome="read", at_least=1, at_most=2)
    mock.verify(key=key, outcome="service_error", times=0)


def test_verify_shows_the_closest_requests(http: httpx.Client, mock: MockServer, key: str) -> None:
    """The message has the requests that differ in one field, and no key."""
    for _ in range(5):
        vehicore(http, key=key)
    with pytest.raises(VerificationError) as failure:
        mock.verify(key=key, outcome="service_error", times=3)
    lines = str(failure.value).splitlines()

    assert lines[0] == f"expected 3 requests with key …{key[-2:]}, outcome service_error; found 0"
    assert lines[1] == "closest:"
    assert set(lines[2:]) == {
        f"  3 requests with key …{key[-2:]}, outcome read; expected outcome service_error",
        f"  2 requests with key …{key[-2:]}, outcome out_of_credits; expected outcome service_error",
    }


def test_verify_shows_the_requests_of_other_keys(http: httpx.Client, mock: MockServer, key: str) -> None:
    """A test with the wrong key gets a useful message."""
    vehicore(http, key=key)
    with pytest.raises(AssertionError, match=rf"1 request with key …{key[-2:]}, scenario car; expected key …"):
        mock.verify(key="another-key-of-mine", scenario="car")


def test_match_changes_nothing(http: httpx.Client, admin: httpx.Client, mock: MockServer) -> None:
    """The answer is that of a request, but no credit is charged and nothing is recorded."""
    key = mock.create_account(credits={"plate": 1}).key
    mock.clear_requests()
    results = [mock.match(FIXTURES / "images" / "car.jpg", key=key) for _ in range(3)]

    assert {(one["scenario"], one["match"], one["outcome"], one["charged"]) for one in results} == {
        ("car", "sha256", "read", 1)
    }
    assert results[0]["reply"] == vehicore(http, key=key).json()
    assert mock.count() == 1
    assert mock.match(FIXTURES / "images" / "car.jpg", key=key)["outcome"] == "out_of_credits"


def test_match_has_near_misses(mock: MockServer) -> None:
    """For a picture that no scenario matches, the nearest scenarios are listed."""
    result = mock.match(drawn("unknown"), provider="carsxe", product="vin")

    assert (result["scenario"], result["match"]) == (None, "synthesized")
    assert len(result["nearMisses"]) == 3
    assert result["reply"]["success"] is True


def test_what_is_kept_of_an_unmatched_request(http: httpx.Client, mock: MockServer, key: str) -> None:
    """Neither its picture nor its connection: both are large, and no other process could read them."""
    vehicore(http, key=key, image=drawn("unknown"))
    entry = list(asyncio.run(mock.app.journal.exchanges()))[-1]

    assert entry.query is not None
    assert (entry.query.request.image, entry.query.request.client) == (None, None)
    assert json.loads(to_json(entry))["outcome"] == "read"


def test_why_not_my_scenario(http: httpx.Client, mock: MockServer, key: str) -> None:
    """The journal and `/match` have the scenarios that held as well, and the rule by which each lost."""
    mock.add_scenario({"scenario": "mine", "when": {"key": key, "filename": "down-*"}, "then": "service_error"})
    mock.add_scenario({"scenario": "elsewhere", "when": {"key": key, "header": {"X-Lane": "n*"}}})
    reply = vehicore(http, key=key, filename="down-1.jpg")
    result = mock.match(FIXTURES / "images" / "car.jpg", key=key, filename="down-1.jpg")
    (exchange,) = mock.requests(key=key)

    assert (reply.status_code, exchange.scenario, result["scenario"]) == (500, "mine", "mine")
    assert [(one.scenario, one.lost_by) for one in exchange.losers] == [("car", "error_binding")]
    assert result["losers"] == [
        {
            "scenario": "car",
            "held": ["image"],
            "lost_by": "error_binding",
            "why": "an error that is bound by file name, URL, header, key or account comes before a picture",
        }
    ]
    assert [(near["scenario"], near["held"], near["failed"]) for near in result["nearMisses"]] == [
        ("elsewhere", ["key"], ["header x-lane"])
    ]


@pytest.mark.parametrize(
    ("facts", "outcome", "forced"),
    [
        ({"headers": {"Prefer": "code=402"}}, "out_of_credits", "prefer code=402"),
        ({"filename": "mock-service_error.jpg"}, "service_error", "filename token"),
        ({"key": "no-credits"}, "out_of_credits", None),
        ({"key": "blocked-key"}, "blocked_key", None),
        ({"key": "nobody"}, "unknown_key", None),
    ],
)
def test_what_decides_before_scenarios(
    mock: MockServer, facts: dict[str, Any], outcome: str, forced: str | None
) -> None:
    """The account or the request decides. Scenarios of other pictures are then no near misses."""
    result = mock.match(FIXTURES / "images" / "car.jpg", **facts)

    assert (result["outcome"], result["forced"], result["scenario"]) == (outcome, forced, None)
    assert result["nearMisses"] == []
