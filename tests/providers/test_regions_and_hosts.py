"""The providers' host names, and the path prefix of CarsXE's EU region."""

import httpx
import pytest

from tests.conftest import MakeClient
from tests.support import CARSXE_PATHS, carsxe, gallery, picture

pins = pytest.mark.pins

QUERY = {"key": "demo-key"}
NOT_FOUND = {"success": False, "message": "Not found"}
READINGS = {"plate": ("car", "9djc652"), "vin": ("vin", "JHLRD77874C026456")}


def _text(reply: httpx.Response) -> object:
    body = reply.json()
    return body["results"][0]["plate"] if "results" in body else body.get("vin", body)


@pins("vehicore-hosts")
@pytest.mark.parametrize("host", ["api.vehicore.pro", "vehicore-api.dev-stage.fyi", "API.VEHICORE.PRO.:443"])
@pytest.mark.parametrize(("product", "text"), [("plate", "9DJC652"), ("vin", "JHLRD77874C026456")])
def test_both_hosts_of_vehicore(http: httpx.Client, host: str, product: str, text: str) -> None:
    """The newer and the older host name serve both products, and nothing of CarsXE."""
    headers = {"Host": host, "X-API-Key": "demo-key"}
    files = {"image": picture(READINGS[product][0])}
    reply = http.post(f"/api/ocr/{product}", headers=headers, files=files)
    foreign = http.post("/platerecognition", headers=headers)

    assert (reply.status_code, reply.json()) == (200, {"result": text})
    assert (foreign.status_code, foreign.json()) == (404, {"message": "Not found."})


@pins("carsxe-eu-prefix")
@pytest.mark.parametrize("host", ["api.carsxe.com", "mock.internal:8080"])
@pytest.mark.parametrize("product", ["plate", "vin"])
def test_the_eu_prefix(http: httpx.Client, host: str, product: str) -> None:
    """Below `/eu` the main host serves both endpoints, with the same replies."""
    image, text = READINGS[product]
    body, headers = {"image_url": gallery(http, image)}, {"Host": host}
    reply = http.post(f"/eu{CARSXE_PATHS[product]}", params=QUERY, json=body, headers=headers)
    unknown_key = http.post(f"/eu{CARSXE_PATHS[product]}", params={"key": "nobody"}, json=body, headers=headers)

    assert (reply.status_code, _text(reply)) == (200, text)
    assert unknown_key.status_code == (401 if product == "plate" else 404)


@pytest.mark.parametrize("path", ["/eu/vinocr", "/eu/vin-ocr"])
def test_aliases_below_the_eu_prefix(http: httpx.Client, serve: MakeClient, path: str) -> None:
    """Path aliases work below the prefix as well, but not in strict mode."""
    strict = serve(strict=True)

    assert _text(http.post(path, params=QUERY, json={"image_url": gallery(http, "vin")})) == READINGS["vin"][1]
    assert strict.post(path, params=QUERY).json() == NOT_FOUND


def test_the_eu_prefix_in_strict_mode(serve: MakeClient) -> None:
    """The prefix is documented, so strict mode serves it."""
    client = serve(strict=True)
    reply = client.post("/eu/v1/vinocr", params=QUERY, json={"image_url": gallery(client, "vin")})

    assert _text(reply) == READINGS["vin"][1]


@pins("carsxe-eu-only-recognition")
@pytest.mark.parametrize(
    ("host", "path"),
    [
        ("api.carsxe.com", "/eu/specs"),
        ("api.carsxe.com", "/eu/v2/marketvalue"),
        ("api.carsxe.com", "/eu"),
        ("eu-api.carsxe.com", "/specs"),
        ("eu-api.carsxe.com", "/eu/platerecognition"),
    ],
)
def test_other_paths_of_the_eu_region(http: httpx.Client, host: str, path: str) -> None:
    """Paths that the EU does not serve are 404, and the EU host has no second prefix."""
    reply = http.post(path, params=QUERY, headers={"Host": host})

    assert (reply.status_code, reply.json()) == (404, NOT_FOUND)


def test_another_method_below_the_prefix(http: httpx.Client) -> None:
    """A wrong method below the prefix is a 405."""
    reply = http.get("/eu/platerecognition", params=QUERY)

    assert (reply.status_code, reply.headers["allow"]) == (405, "POST")


@pins("carsxe-no-cors")
@pytest.mark.parametrize("host", ["api.carsxe.com", "eu-api.carsxe.com"])
def test_no_cors(http: httpx.Client, host: str) -> None:
    """The API is for servers: no reply permits a browser to read it, and a preflight is a 405."""
    origin = {"Host": host, "Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}
    replies = [
        http.options("/platerecognition", headers=origin),
        carsxe(http, headers=origin),
        carsxe(http, key=None, headers=origin),
    ]

    assert [reply.status_code for reply in replies] == [405, 200, 401]
    assert not [name for reply in replies for name in reply.headers if name.startswith("access-control")]
