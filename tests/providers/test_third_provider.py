"""A third provider is one folder and one line: the whole mock serves and documents it without further changes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from mock_server import MockServer
from mock_server.cli.hints import hints
from mock_server.core.model import OutcomeName
from mock_server.providers import registry
from tests.conftest import NEW_YEAR, frozen_clock
from tests.providers.acme import Acme
from tests.support import FIXTURES, PATIENCE, call, drawn, latest, new_key, picture, vehicore


@pytest.fixture(scope="module", autouse=True)
def acme() -> Iterator[Acme]:
    """The provider, wired by one line."""
    acme = Acme()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "PROVIDERS", (*registry.PROVIDERS, acme))
        yield acme


@pytest.fixture(scope="module")
def mock(acme: Acme) -> Iterator[MockServer]:
    """A server with three providers, at a time that stands still."""
    with MockServer(FIXTURES, clock=frozen_clock()) as server:
        yield server


def test_replies_have_the_file_name_and_the_time(http: httpx.Client, acme: Acme) -> None:
    """A reply may contain the request's file name and time."""
    reply = call(http, acme, filename="garage.jpg")

    assert reply.status_code == 201
    assert reply.json() == {"scan": {"file": "garage.jpg", "time": "2026-01-01T00:00:00+00:00", "texts": ["9DJC652"]}}
    assert NEW_YEAR == 1_767_225_600.0


def test_paths_and_hosts(mock: MockServer, http: httpx.Client, acme: Acme) -> None:
    """Paths lead to products, an alias is noted, and the provider's own hosts show only its paths."""
    chassis = call(http, acme, "vin")
    files, headers = {"upload": picture("car")}, {"Authorization": "Token demo-key"}
    alias = http.post("/v2/scans", files=files, headers=headers)
    noted = latest(mock).aliases
    unknown = http.post("/v3/colours/scans", files=files, headers=headers)
    own = http.post("/v1/vinocr", headers={"Host": "EU.acme.test"})

    assert chassis.json()["scan"]["texts"] == ["JHLRD77874C026456"]
    assert (alias.json()["scan"]["texts"], list(noted)) == (["9DJC652"], ["path /v2/scans"])
    assert (unknown.status_code, unknown.json()["error"]["type"]) == (404, "unknown_product")
    assert (own.status_code, own.json()["error"]["type"]) == (404, "no_such_path")
    assert registry.own_hosts()[-2:] == acme.hosts


def test_the_admin_api_knows_it(mock: MockServer, http: httpx.Client, acme: Acme) -> None:
    """Filters, counts, dry runs, metrics and the OpenAPI enumeration have its name."""
    key = new_key(mock)
    call(http, acme, key=key)
    vehicore(http, key=key)
    found = http.get("/__admin/requests", params={"provider": "acme", "key": key}).json()
    count = http.post("/__admin/requests/count", json={"provider": "acme", "key": key}).json()
    misspelt = http.get("/__admin/requests", params={"provider": "acne"}).json()
    dry_run = http.post("/__admin/match", data={"provider": "acme"}, files={"image": picture("car")}).json()
    document = http.get("/__admin/openapi.json").json()

    assert [entry["provider"] for entry in found["requests"]] == ["acme"]
    assert count == {"count": 1}
    assert "acme" in str(misspelt)
    assert (dry_run["status"], dry_run["reply"]["scan"]["texts"]) == (201, ["9DJC652"])
    assert "acme" in document["components"]["schemas"]["RequestFilter"]["properties"]["provider"]["enum"]
    assert 'provider="acme"' in http.get("/__admin/metrics").text


def test_the_openapi_document_has_it(http: httpx.Client) -> None:
    """The document stays valid; every outcome is an example, and the examples fit their schemas."""
    document: dict[str, Any] = http.get("/__admin/openapi.json").json()
    responses = document["paths"]["/v3/{kind}/scans"]["post"]["responses"]
    contents = [response["content"]["application/json"] for status, response in responses.items() if status != "501"]

    validate(document)
    assert {name.partition(" ")[0] for content in contents for name in content["examples"]} >= set(OutcomeName)
    for content in contents:
        schema = Draft202012Validator({**content["schema"], "components": document["components"]})
        for example in content["examples"].values():
            schema.validate(example["value"])


def test_fixture_files_know_it(tmp_path: Path, acme: Acme) -> None:
    """Scenarios, charges and variants may name it."""
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "a.yaml").write_text(
        "scenario: only-acme\nwhen: {provider: acme, filename: 'x*'}\nreading: {plate: ACME1}\n"
    )
    (tmp_path / "mock.yaml").write_text(
        "unmatched: nothing_found\ncharge: {acme: [nothing_found]}\nacme: {nothing_found: missing}\n"
        "accounts: [{name: demo, key: demo-key}, {name: one, key: one-unit, quota: 1}]\n"
    )
    with MockServer(tmp_path) as server, httpx.Client(base_url=server.url, timeout=PATIENCE) as client:
        bound = call(client, acme, image=drawn(), filename="x.jpg")
        other = vehicore(client, image=drawn(), filename="x.jpg", key="one-unit")
        missing = [call(client, acme, image=drawn(), key="one-unit").status_code for _ in range(2)]

    assert bound.json()["scan"]["texts"] == ["ACME1"]
    assert other.json() == {"result": ""}
    assert missing == [404, 402]


def test_hints_have_its_call(mock: MockServer) -> None:
    """The printed curl commands contain its upload for each product."""
    lines = hints(registry.PROVIDERS, mock.app.pipeline.library, mock.url).splitlines()
    ours = [line for line in lines if "/scans" in line]

    assert [line.split()[3].removeprefix(mock.url) for line in ours] == [
        "/v3/number-plates/scans",
        "/v3/chassis-numbers/scans",
    ]
    assert all("-H 'Authorization: Token demo-key' -F upload=@" in line for line in ours)


def test_strict_mode_refuses_its_alias(acme: Acme) -> None:
    """An alias is a route like any other: strict mode answers it with the provider's own 404."""
    with MockServer(FIXTURES, strict=True) as server, httpx.Client(base_url=server.url, timeout=PATIENCE) as client:
        reply = client.post("/v2/scans", files={"upload": picture("car")})

        assert (reply.status_code, reply.json()["error"]["type"]) == (404, "no_such_path")
        assert latest(server).provider == "acme"
