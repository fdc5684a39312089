"""A path below which a proxy serves the mock, whether the proxy removes it from requests or leaves it."""

from collections.abc import Iterator

import httpx
import pytest

from mock_server.errors import SettingsError
from mock_server.routes import parse_root_path
from mock_server.server import MockServer
from tests.support import FIXTURES, PATIENCE, gallery, latest, new_key, picture


@pytest.fixture(scope="module")
def server() -> Iterator[MockServer]:
    """A server below `/team/mock`."""
    with MockServer(FIXTURES, root_path="/team/mock/") as server:
        yield server


@pytest.fixture(params=["/team/mock", ""], ids=["prefix left", "prefix removed"])
def client(server: MockServer, request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    """A client whose requests arrive with the prefix or without it."""
    with httpx.Client(base_url=server.url + request.param, timeout=PATIENCE) as client:
        yield client


def test_providers(server: MockServer, client: httpx.Client) -> None:
    """The providers' paths and the gallery are below the prefix; the journal has the paths without it."""
    key = new_key(server)
    plate = client.post("/api/ocr/plate", headers={"X-API-Key": key}, files={"image": picture("car")})
    path = latest(server).path
    url = {"image_url": gallery(client, "vin")}
    vin = client.post("/v1/vinocr", params={"key": key}, json=url, headers={"Host": client.base_url.netloc.decode()})

    assert (plate.json(), path) == ({"result": "9DJC652"}, "/api/ocr/plate")
    assert vin.json().get("vin") == "JHLRD77874C026456"


def test_links_lead_below_the_prefix(server: MockServer, client: httpx.Client) -> None:
    """Redirects, the address of a new account and the OpenAPI document."""
    account = client.post("/__admin/accounts", json={})
    document = client.get("/__admin/openapi.json").json()

    assert client.get("/").headers["location"] == "/team/mock/__admin/"
    assert client.get("/__admin").headers["location"] == "/team/mock/__admin/"
    assert account.headers["location"].startswith("/team/mock/__admin/accounts/")
    assert httpx.get(server.url + account.headers["location"], timeout=PATIENCE).json()["key"] == account.json()["key"]
    assert document["servers"] == [{"url": "/team/mock"}]
    assert client.get("/__admin/").text == httpx.get(f"{server.url}/__admin/", timeout=PATIENCE).text


def test_the_prefix_alone_and_similar_paths(server: MockServer) -> None:
    """The prefix without a slash is the start page. A path that only begins like it is another path."""
    assert httpx.get(f"{server.url}/team/mock", timeout=PATIENCE).headers["location"] == "/team/mock/__admin/"
    assert httpx.get(f"{server.url}/team/mockery/healthz", timeout=PATIENCE).status_code == 404


def test_a_header_cannot_set_the_prefix(http: httpx.Client) -> None:
    """`X-Forwarded-Prefix` is not trusted: it changes no link, and the admin API takes it for the sign of a proxy."""
    forged = {"X-Forwarded-Prefix": "/evil"}

    assert http.get("/", headers=forged).headers["location"] == "/__admin/"
    assert http.get("/__admin/accounts", headers=forged).status_code == 403


@pytest.mark.parametrize(
    ("text", "path"), [("", ""), ("/", ""), ("/p", "/p"), ("/p/", "/p"), ("/team/mock-1.0_x~", "/team/mock-1.0_x~")]
)
def test_the_setting(text: str, path: str) -> None:
    """A path that begins with a slash; one at its end does not matter."""
    assert parse_root_path(text) == path


@pytest.mark.parametrize(
    "text", ["p", "p/", "//p", "/p//q", "/a b", "/a?b", "/%41", "http://x/p", "/p\n", "/a/../b", "/."]
)
def test_an_unusable_path(text: str) -> None:
    """Anything else is refused."""
    with pytest.raises(SettingsError, match="--root-path"):
        parse_root_path(text)


@pytest.mark.parametrize("path", ["/api", "/api/ocr", "/v1", "/eu/", "/images", "/__admin", "/healthz", "/vinocr"])
def test_a_path_of_the_mock_itself(path: str) -> None:
    """A path that the mock's own paths begin with is refused: behind it, `/api/ocr/plate` would mean `/ocr/plate`."""
    with pytest.raises(SettingsError, match="begins with it"):
        MockServer(FIXTURES, root_path=path).start()


@pytest.mark.parametrize("path", ["/ap", "/api2", "/mock/api", "/v", "/image"])
def test_a_path_that_is_only_similar(path: str) -> None:
    """Only whole steps of a path count."""
    with MockServer(FIXTURES, root_path=path) as server:
        reply = httpx.post(f"{server.url}{path}/api/ocr/plate", files={"image": picture("car")}, timeout=PATIENCE)

        assert reply.status_code == 401
