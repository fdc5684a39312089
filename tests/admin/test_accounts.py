"""Accounts are created, read, changed and reset at run time."""

from typing import Any

import httpx
import pytest

from mock_server import MockServer
from tests.support import carsxe, vehicore

UNLIMITED = {"current": 0, "limit": "unlimited", "remaining": "unlimited"}


def test_an_account_without_fields_is_unlimited(admin: httpx.Client) -> None:
    """Every field has a default, and the generated key is long."""
    reply = admin.post("/accounts")
    account = reply.json()

    assert reply.headers["location"] == f"/__admin/accounts/{account['key']}"
    assert len(account["key"]) >= 32
    assert account == {
        "key": account["key"],
        "name": account["name"],
        "status": "active",
        "plans": ["plate", "vin"],
        "credits": {"plate": "unlimited", "vin": "unlimited"},
        "quota": {"plate": UNLIMITED, "vin": UNLIMITED},
        "quota_period": "month",
        "wallet": False,
        "tier": "standard",
        "overage": False,
        "rate_limit": None,
    }


def test_balances_are_live(admin: httpx.Client, http: httpx.Client) -> None:
    """A request changes the balance of its product and billing at once."""
    key = admin.post("/accounts", json={"credits": {"plate": 2}, "quota": {"plate": 5}}).json()["key"]
    vehicore(http, key=key)
    carsxe(http, key=key)
    carsxe(http, key=key)
    account = admin.get(f"/accounts/{key}").json()

    assert account["credits"] == {"plate": 1, "vin": "unlimited"}
    assert account["quota"]["plate"] == {"current": 2, "limit": 5, "remaining": 3}


def test_topping_up_sets_the_balance(admin: httpx.Client, http: httpx.Client) -> None:
    """`credits` in a PATCH is the new balance, whatever was spent before."""
    key = admin.post("/accounts", json={"credits": {"plate": 1, "vin": 9}}).json()["key"]
    spent = [vehicore(http, key=key).status_code for _ in range(2)]
    topped_up = admin.patch(f"/accounts/{key}", json={"credits": {"plate": 2}}).json()["credits"]
    after = [vehicore(http, key=key).status_code for _ in range(3)]

    assert (spent, topped_up, after) == ([200, 402], {"plate": 2, "vin": 9}, [200, 200, 402])


@pytest.mark.parametrize(
    ("change", "name", "value"),
    [
        ({"status": "blocked"}, "status", "blocked"),
        ({"plans": ["vin"]}, "plans", ["vin"]),
        ({"tier": "gold"}, "tier", "gold"),
        ({"overage": True}, "overage", True),
        ({"rate_limit": "5/second"}, "rate_limit", "5/second"),
        ({"rate_limit": None}, "rate_limit", None),
        ({"name": "renamed"}, "name", "renamed"),
        ({"credits": 4}, "credits", {"plate": 4, "vin": 4}),
        ({"credits": {"plate": "unlimited"}}, "credits", {"plate": "unlimited", "vin": 7}),
        ({"quota": {"plate": {"used": 3}}}, "quota", {"current": 3, "limit": 10, "remaining": 7}),
        ({"quota": {"plate": {"limit": 5, "used": 5}}}, "quota", {"current": 5, "limit": 5, "remaining": 0}),
        ({"quota": {"plate": 20}}, "quota", {"current": 1, "limit": 20, "remaining": 19}),
        ({}, "status", "active"),
    ],
)
def test_a_patch_changes_the_given_fields(change: dict[str, Any], name: str, value: Any, admin: httpx.Client) -> None:
    """The other fields stay."""
    facts = {"credits": 7, "quota": {"plate": {"limit": 10, "used": 1}}, "rate_limit": "1/hour"}
    before = admin.post("/accounts", json=facts).json()
    after = admin.patch(f"/accounts/{before['key']}", json=change).json()

    assert (after["quota"]["plate"] if name == "quota" else after[name]) == value
    assert {key for key in after if after[key] != before[key]} <= {name}


def test_a_mistake_changes_nothing(admin: httpx.Client) -> None:
    """A document with one mistake changes no field."""
    wrong = {"tier": "gold", "credits": {"plate": 3}, "statsu": "blocked"}
    reply = admin.patch("/accounts/demo-key", json=wrong)

    assert reply.json()["errors"] == [
        {"pointer": "/statsu", "detail": 'unknown key "statsu"', "hint": 'did you mean "status"?'}
    ]
    assert admin.get("/accounts/demo-key").json()["tier"] == "standard"


def test_a_status_applies_at_once(admin: httpx.Client, http: httpx.Client) -> None:
    """The next request of a blocked account is refused, and admitted when it is active again."""
    key = admin.post("/accounts").json()["key"]
    statuses = []
    for status in ("active", "blocked", "active"):
        admin.patch(f"/accounts/{key}", json={"status": status})
        statuses.append(carsxe(http, key=key).status_code)

    assert statuses == [200, 403, 200]


@pytest.mark.parametrize("key", ["with/slash", "with space", "ümlaut", "a?b=c&d", "100%"])
def test_any_printable_key_has_a_url(key: str, admin: httpx.Client) -> None:
    """The header Location is the URL of the account, whatever characters its key has."""
    location = admin.post("/accounts", json={"key": key}).headers["location"]

    assert admin.get(location.removeprefix("/__admin")).json()["key"] == key


@pytest.mark.parametrize("key", ["tab\tinside", "line\nbreak", " spaced "])
def test_keys_that_no_header_can_carry_are_refused(key: str, admin: httpx.Client) -> None:
    """A key that no client can send is a mistake."""
    assert admin.post("/accounts", json={"key": key}).json()["errors"][0]["pointer"] == "/key"


def test_errors_do_not_repeat_keys(admin: httpx.Client) -> None:
    """An error message has no key, because it could be logged."""
    for path in ("/accounts/a-secret-key-of-mine",):
        assert "a-secret-key" not in admin.get(path).text

    assert "demo-key" not in admin.post("/accounts", json={"key": "demo-key"}).text


def test_a_reset_restores_the_accounts_of_the_files(admin: httpx.Client, http: httpx.Client) -> None:
    """It deletes accounts that were created at run time, and restores those of files that were changed or deleted."""
    before = admin.get("/accounts").json()
    made = admin.post("/accounts").json()["key"]
    carsxe(http, key="metered-key")
    admin.patch("/accounts/no-credits", json={"credits": 5, "status": "inactive"})
    admin.delete("/accounts/demo-key")
    admin.post("/reset")

    assert admin.get(f"/accounts/{made}").status_code == 404
    by_key = [sorted(one["accounts"], key=lambda a: str(a["key"])) for one in (before, admin.get("/accounts").json())]
    assert by_key[0] == by_key[1]


def test_a_reset_of_a_key_restores_the_created_account(admin: httpx.Client, http: httpx.Client) -> None:
    """With a key, only that account is restored; the counts of others stay."""
    keys = [admin.post("/accounts", json={"credits": {"plate": 3}}).json()["key"] for _ in range(2)]
    for key in keys:
        vehicore(http, key=key)
    admin.patch(f"/accounts/{keys[0]}", json={"status": "blocked", "credits": {"plate": 9}})
    admin.post("/reset", params={"key": keys[0]})
    first, second = (admin.get(f"/accounts/{key}").json() for key in keys)

    assert (first["credits"]["plate"], first["status"], second["credits"]["plate"]) == (3, "active", 2)


def test_an_account_can_be_sent_back_as_it_was_read(admin: httpx.Client, http: httpx.Client) -> None:
    """PATCH accepts the document of GET: `current` of a quota is the used number, `remaining` is ignored."""
    facts = {"credits": {"plate": 3}, "quota": {"plate": {"limit": 10, "used": 4}}, "tier": "gold"}
    account = admin.post("/accounts", json=facts).json()
    carsxe(http, key=account["key"])
    reply = admin.patch(f"/accounts/{account['key']}", json=account)

    assert (reply.status_code, reply.json()) == (200, account)


def test_a_key_to_reset_may_be_sent_in_the_body(admin: httpx.Client) -> None:
    """Any other field in the body is refused, and nothing is reset."""
    keys = [admin.post("/accounts").json()["key"] for _ in range(2)]
    statuses = [
        admin.post("/reset", json=document).status_code
        for document in ({"key": keys[0]}, {"keys": keys}, {"key": ""}, {"key": 1}, [keys[0]])
    ]

    assert statuses == [204, 400, 400, 400, 400]
    assert [admin.get(f"/accounts/{key}").status_code for key in keys] == [200, 200]
    assert admin.post("/reset", json={}).status_code == 204
    assert admin.get(f"/accounts/{keys[0]}").status_code == 404


def test_a_reset_restores_the_declared_quota(mock: MockServer, http: httpx.Client) -> None:
    """After a reset of its key, an account has used as much as its file says."""
    carsxe(http, key="metered-key")
    mock.reset("metered-key")

    assert mock.account("metered-key").quota["plate"].current == 41
