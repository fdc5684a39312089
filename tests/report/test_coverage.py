"""What the report says was rehearsed, compared with a count by hand."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from mock_server import MockServer
from mock_server.client_models import adapter
from mock_server.core.model import Fault, Product
from mock_server.providers import registry
from mock_server.providers.provider import Provider
from mock_server.report.contract_rows import contract_rows
from mock_server.report.document import Report
from tests.providers.acme import Acme
from tests.support import FIXTURES, PATIENCE, call, carsxe, drawn, new_key, vehicore

REPORT = "/__admin/report"


@pytest.fixture
def mock() -> Iterator[MockServer]:
    """A server of the test's own, whose report is empty."""
    with MockServer(FIXTURES) as server:
        yield server


def report(http: httpx.Client, **parameters: str) -> Any:
    """The report as JSON."""
    return http.get(REPORT, params=parameters).json()


def product(found: Any, provider: str, name: str) -> Any:
    """The coverage of a product."""
    return next(one for one in found["coverage"] if (one["provider"], one["product"]) == (provider, name))


def seen(coverage: Any) -> dict[str, tuple[int, int]]:
    """The replies that were seen: how often, and by how many keys."""
    return {
        f"{row['outcome']} {row['variant'] or ''}".strip(): (row["count"], row["keys"])
        for row in coverage["outcomes"]
        if row["count"]
    }


def test_an_empty_report(http: httpx.Client) -> None:
    """Nothing was rehearsed, and nothing is wrong."""
    summary = report(http)["summary"]

    assert (summary["requests"], summary["rehearsed"], summary["percent"], summary["advice"]) == (0, 0, 0.0, 0)
    assert summary["faults_of"] == 4 * len(Fault)


def test_replies_are_counted_as_by_hand(mock: MockServer, http: httpx.Client) -> None:
    """Each call counts for one reply of one product."""
    keys = [new_key(mock) for _ in range(3)]
    for key in keys:
        vehicore(http, key=key)
    vehicore(http, "vin", key=keys[0], headers={"Prefer": "outcome=service_error"})
    vehicore(http, key=None)
    vehicore(http, key="unknown-key")
    vehicore(http, key=new_key(mock, credits=0))
    carsxe(http, key=keys[0])
    carsxe(http, key=keys[1], headers={"Prefer": "outcome=nothing_found"})
    carsxe(http, "vin", key=keys[1], headers={"Prefer": "code=503"})
    found = report(http)

    assert seen(product(found, "vehicore", "plate")) == {
        "read": (3, 3),
        "unknown_key": (2, 1),
        "out_of_credits": (1, 1),
    }
    assert seen(product(found, "vehicore", "vin")) == {"service_error": (1, 1)}
    assert seen(product(found, "carsxe", "plate")) == {"read fresh": (1, 1), "nothing_found not_found": (1, 1)}
    assert seen(product(found, "carsxe", "vin")) == {"upstream_down": (1, 1)}
    assert (found["summary"]["requests"], found["summary"]["rehearsed"]) == (10, 7)


def test_every_documented_reply_can_be_rehearsed(mock: MockServer, http: httpx.Client) -> None:
    """Every outcome and variant of every provider is a row, and all of them were seen when all were forced."""
    key = new_key(mock)
    for provider in registry.PROVIDERS:
        for name in provider.products:
            for row in contract_rows(provider, name):
                outcome, variant = row.pairs[0]
                fields = {"outcome": outcome, **({"variant": variant} if variant else {})}
                http.put("/__admin/overrides", json={**fields, "key": key})
                call(http, provider, name, key=key)
    found = report(http)

    assert found["summary"]["percent"] == 100.0
    assert [row for one in found["coverage"] for row in one["outcomes"] if not row["count"]] == []
    assert {one["of"] for one in found["coverage"]} == {
        len(contract_rows(provider, name)) for provider in registry.PROVIDERS for name in provider.products
    }


def test_products_that_were_never_called_do_not_count(http: httpx.Client) -> None:
    """A client of one provider cannot rehearse the other one."""
    vehicore(http)
    found = report(http)
    used = product(found, "vehicore", "plate")

    assert (found["summary"]["rehearsed"], found["summary"]["of"]) == (1, used["of"])
    assert found["summary"]["faults_of"] == len(Fault)


def test_outcomes_that_look_alike_are_one_reply() -> None:
    """A client of VehiCore cannot distinguish a missing key from an unknown one; one of CarsXE can."""
    vehicore_rows, carsxe_rows = (contract_rows(provider, Product.VIN) for provider in registry.PROVIDERS)
    (unauthorized,) = [row for row in vehicore_rows if row.status == 401]

    assert unauthorized.label == "401 UNAUTHORIZED"
    assert {outcome for outcome, _ in unauthorized.pairs} >= {"missing_key", "unknown_key", "blocked_key"}
    assert [row.label for row in carsxe_rows if ("missing_key", "by_endpoint") in row.pairs] == ["400 Missing API key"]


@pytest.mark.parametrize("fault", Fault)
def test_a_fault_hides_the_reply(fault: Fault, mock: MockServer, http: httpx.Client) -> None:
    """A call that meets a fault rehearses the fault, not the reply that it did not get."""
    http.put("/__admin/overrides", json={"fault": fault.value, "key": "demo-key"})
    with pytest.raises(httpx.HTTPError):
        vehicore(http)
    coverage = product(report(http), "vehicore", "plate")

    assert [row["fault"] for row in coverage["faults"] if row["count"]] == [fault]
    assert (coverage["faults_rehearsed"], coverage["rehearsed"], coverage["requests"]) == (1, 0, 1)


def test_what_the_accounts_do_not_allow_is_set_apart() -> None:
    """A reply that no account, setting or scenario gives does not count as missing, until it is seen."""
    with MockServer(FIXTURES) as server, httpx.Client(base_url=server.url, timeout=PATIENCE) as http:
        for account in http.get("/__admin/accounts").json()["accounts"]:
            if account["status"] != "active":
                http.delete(f"/__admin/accounts/{account['key']}")
        before = product(report(http), "carsxe", "plate")
        http.put("/__admin/overrides", json={"outcome": "blocked_key"})
        carsxe(http)
        after = product(report(http), "carsxe", "plate")
    needs = {row["outcome"]: row["needs"] for row in before["outcomes"] if row["needs"]}

    assert needs["blocked_key"] == "no account is blocked"
    assert needs["payment_required"] == "the setting x402 is off"
    assert after["of"] == before["of"] + 1


def test_replies_that_are_not_the_provider_s_stand_apart(http: httpx.Client) -> None:
    """A written reply is no documented one."""
    http.put("/__admin/overrides", json={"reply": {"status": 502, "body": "<html>"}})
    vehicore(http)
    coverage = product(report(http), "vehicore", "plate")

    assert (coverage["other"], coverage["rehearsed"]) == ([{"outcome": "reply", "variant": None, "count": 1}], 0)


def test_a_third_provider_is_covered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its rows come from its own data."""
    acme: Provider = Acme()
    monkeypatch.setattr(registry, "PROVIDERS", (*registry.PROVIDERS, acme))
    with MockServer(FIXTURES) as server, httpx.Client(base_url=server.url, timeout=PATIENCE) as http:
        call(http, acme)
        coverage = product(report(http), "acme", "plate")

    assert (coverage["title"], seen(coverage)) == ("Acme", {"read": (1, 1)})
    assert {row["variant"] for row in coverage["outcomes"] if row["outcome"] == "nothing_found"} == {"empty", "missing"}


def test_what_nobody_described_is_named(mock: MockServer, http: httpx.Client) -> None:
    """Pictures without a scenario, unknown paths, undocumented forms, and scenarios that never answered."""
    vehicore(http, image=drawn("stranger"), filename="stranger.png")
    http.post("/api/ocr/plates")
    http.post("/v2/vinocr")
    http.post("/vinocr?key=demo-key", json={"upload_url": f"{mock.url}/images/vin.jpg"})
    found = report(http)

    assert [(one["picture"], one["answer"]) for one in found["undescribed"]] == [("stranger.png", "made_up")]
    assert [(one["path"], one["count"]) for one in found["unserved"]] == [("/v2/vinocr", 1)]
    assert {one["form"] for one in found["undocumented"]} == {"path /vinocr", "field upload_url"}
    assert "vin" in [one["scenario"] for one in found["scenarios"]["used"]]
    assert "car" in found["scenarios"]["unused"]


def test_a_scenario_without_a_reading_makes_one_up(mock: MockServer, http: httpx.Client) -> None:
    """The reading of a picture that only a scenario without a reading knows is invented, and named."""
    key = new_key(mock)
    mock.add_scenario({"scenario": "calm", "when": {"key": key}, "then": [{"outcome": "read"}]})
    vehicore(http, image=drawn("another"), key=key, filename="another.png")

    assert [(one["picture"], one["answer"]) for one in report(http)["undescribed"]] == [("another.png", "made_up")]


@pytest.mark.parametrize(("unmatched", "answer"), [("nothing_found", "nothing_found"), ("error", "error")])
def test_an_unknown_picture_is_named_under_each_policy(unmatched: str, answer: str) -> None:
    """Also if its reading is not made up."""
    with (
        MockServer(FIXTURES, unmatched=unmatched) as server,
        httpx.Client(base_url=server.url, timeout=PATIENCE) as http,
    ):
        vehicore(http, image=drawn("stranger"))
        found = report(http)

    assert [one["answer"] for one in found["undescribed"]] == [answer]
    assert (found["summary"]["made_up"], found["summary"]["undescribed"]) == (0, 1)


def test_the_report_outlives_a_reset(mock: MockServer, http: httpx.Client) -> None:
    """Tests reset the mock between them; only DELETE begins the report anew."""
    vehicore(http)
    carsxe(http, key=new_key(mock))
    mock.reset()
    mock.reset("demo-key")
    before = report(http)["summary"]["requests"]
    http.delete(REPORT, params={"key": "demo-key"})
    between = report(http)["summary"]["requests"]
    http.delete(REPORT)

    assert (before, between, report(http)["summary"]["requests"]) == (2, 1, 0)


def test_the_json_has_a_schema(http: httpx.Client) -> None:
    """The schema is complete: every field of a report is in it."""
    vehicore(http)
    vehicore(http, image=drawn("stranger"))
    http.post("/nowhere")
    schema = adapter(Report).json_schema()

    Draft202012Validator(schema).validate(report(http))
    assert set(schema["required"]) == set(report(http))
