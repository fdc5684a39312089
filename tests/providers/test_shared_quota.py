"""The Sandbox tier's pool over both products, and wallets that heed `Idempotency-Key`; in memory and on Redis."""

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from mock_server.core.clock import Clock
from mock_server.server import MockServer
from tests.conftest import frozen_clock
from tests.redis_server import RedisServer
from tests.support import FIXTURES, PATIENCE, carsxe, gallery, vehicore

pins = pytest.mark.pins

MONTH = 31 * 86_400
_numbers = itertools.count(1)


@pytest.fixture(scope="module", params=["memory", "redis"])
def server(request: pytest.FixtureRequest) -> Iterator[MockServer]:
    """A server on each kind of state."""
    redis: RedisServer | None = request.getfixturevalue("redis_server") if request.param == "redis" else None
    with MockServer(FIXTURES, state=redis.url() if redis else "memory", clock=frozen_clock()) as server:
        yield server


@pytest.fixture
def client(server: MockServer) -> Iterator[httpx.Client]:
    """A client of the server."""
    with httpx.Client(base_url=server.url, timeout=PATIENCE) as client:
        yield client


def _key(server: MockServer, **account: Any) -> str:
    return server.create_account(key=f"pool-{next(_numbers)}", **account).key


@pins("carsxe-sandbox-pool")
def test_one_pool_for_both_products(server: MockServer, client: httpx.Client) -> None:
    """Plates and VINs use the same units; when they are used up, both products answer 429 with the pool's usage."""
    key = _key(server, quota={"shared": 3})
    statuses = [carsxe(client, product, key=key).status_code for product in ("plate", "vin", "plate", "vin", "plate")]
    last = carsxe(client, "vin", key=key)

    assert statuses == [200, 200, 200, 429, 429]
    assert last.json()["usage"] == {"current": 3, "limit": 3, "remaining": 0}
    assert last.headers["x-mock-detail"].endswith("has used all 3 units of its shared quota")


@pins("carsxe-sandbox-pool")
def test_the_pool_is_never_renewed(server: MockServer, client: httpx.Client) -> None:
    """The next month brings no new units, and overage does not either."""
    key = _key(server, quota={"shared": 1}, overage=True)
    statuses = []
    for _ in range(3):
        statuses.append(carsxe(client, key=key).status_code)
        server.app.clock.advance(MONTH)

    assert statuses == [200, 429, 429]


@pins("carsxe-sandbox-pool")
def test_only_successful_calls_use_the_pool(server: MockServer, client: httpx.Client) -> None:
    """404, 400 and 5xx cost nothing."""
    key = _key(server, quota={"shared": 1})
    free = [
        carsxe(client, "plate", gallery(client, "no-plate"), key=key),
        carsxe(client, "vin", gallery(client, "no-text"), key=key),
        carsxe(client, "vin", key=key, headers={"Prefer": "outcome=service_error"}),
    ]

    assert [reply.status_code for reply in free] == [404, 400, 500]
    assert carsxe(client, key=key).status_code == 200


def test_concurrent_requests_never_overdraw_the_pool(server: MockServer, client: httpx.Client) -> None:
    """Of many requests to both products at once, exactly as many succeed as there are units."""
    key = _key(server, quota={"shared": 25})
    with ThreadPoolExecutor(16) as threads:
        replies = threads.map(lambda number: carsxe(client, ("plate", "vin")[number % 2], key=key), range(80))
        statuses = [reply.status_code for reply in replies]

    assert (statuses.count(200), statuses.count(429)) == (25, 55)
    assert server.account(key).quota["shared"].remaining == 0


def test_credits_are_apart_from_the_pool(server: MockServer, client: httpx.Client) -> None:
    """VehiCore counts credits, so it uses no units of the pool."""
    key = _key(server, quota={"shared": 1}, credits=1)

    assert [vehicore(client, key=key).status_code for _ in range(2)] == [200, 402]
    assert carsxe(client, key=key).status_code == 200


def test_an_account_shows_and_changes_its_pool(server: MockServer, client: httpx.Client) -> None:
    """The account has the pool as `shared`, and for each product; PATCH takes what GET gave."""
    key = _key(server, quota={"shared": {"limit": 10, "used": 4}})
    path, pool = f"/__admin/accounts/{key}", {"current": 4, "limit": 10, "remaining": 6}
    before = client.get(path).json()

    assert before["quota"] == {"plate": pool, "vin": pool, "shared": pool}
    assert before["quota_period"] == "never"
    assert client.patch(path, json={"quota": before["quota"]}).json() == before

    changed = client.patch(path, json={"quota": {"shared": {"limit": 5, "used": 5}}}).json()

    assert changed["quota"]["shared"] == {"current": 5, "limit": 5, "remaining": 0}
    assert carsxe(client, key=key).status_code == 429

    apart = client.patch(path, json={"quota": {"plate": 2}}).json()["quota"]

    assert apart == {
        "plate": {"current": 0, "limit": 2, "remaining": 2},
        "vin": {"current": 0, "limit": "unlimited", "remaining": "unlimited"},
    }


def test_a_pool_beside_a_product_is_a_mistake(client: httpx.Client) -> None:
    """One quota for all and a quota for one product exclude each other."""
    reply = client.post("/__admin/accounts", json={"quota": {"shared": 1, "vin": 2}})

    assert reply.status_code == 400
    assert reply.json()["errors"][0]["pointer"] == "/quota"


def test_a_reset_gives_the_declared_pool_back(server: MockServer, client: httpx.Client) -> None:
    """A reset of the key restores the initial count."""
    key = _key(server, quota={"shared": {"limit": 2, "used": 1}})
    carsxe(client, key=key)
    server.reset(key)

    assert server.account(key).quota["shared"].current == 1


@pins("carsxe-idempotency-key")
def test_a_wallet_is_charged_once_for_a_key(server: MockServer, client: httpx.Client) -> None:
    """The same `Idempotency-Key` is deducted once; each request is answered anew, also when nothing is left."""
    key = _key(server, quota={"shared": 2}, wallet=True)
    texts = ["first", "first", "second", "first", "second", "third"]
    replies = [carsxe(client, key=key, headers={"Idempotency-Key": text}) for text in texts]

    assert [reply.status_code for reply in replies] == [200, 200, 200, 200, 200, 429]
    assert [one.charged for one in server.requests(key=key)] == [1, 0, 1, 0, 0, 0]
    assert carsxe(client, "vin", key=key, headers={"Idempotency-Key": "first"}).json()["vin"]


@pins("carsxe-idempotency-key")
def test_a_failure_does_not_use_up_the_text(server: MockServer, client: httpx.Client) -> None:
    """A request that cost nothing may be sent again with the same text, and is charged then."""
    key = _key(server, quota=5, wallet=True)
    headers = {"Idempotency-Key": "x" * 5000}
    failed = carsxe(client, key=key, headers={**headers, "Prefer": "outcome=service_error"})
    again = [carsxe(client, key=key, headers=headers).status_code for _ in range(2)]

    assert [failed.status_code, *again] == [500, 200, 200]
    assert server.account(key).quota["plate"].current == 1


@pins("carsxe-idempotency-key-off")
def test_other_accounts_do_not_heed_it(server: MockServer, client: httpx.Client) -> None:
    """Without `wallet: true` each request is charged."""
    key = _key(server, quota=2)
    statuses = [carsxe(client, key=key, headers={"Idempotency-Key": "same"}).status_code for _ in range(3)]

    assert statuses == [200, 200, 429]


def test_concurrent_repetitions_are_charged_once(server: MockServer, client: httpx.Client) -> None:
    """Repetitions that arrive at the same time are charged once."""
    key = _key(server, quota=50, wallet=True)
    with ThreadPoolExecutor(16) as threads:
        headers = [{"Idempotency-Key": str(number % 5)} for number in range(60)]
        replies = list(threads.map(lambda sent: carsxe(client, key=key, headers=sent), headers))

    assert {reply.status_code for reply in replies} == {200}
    assert server.account(key).quota["plate"].current == 5


def test_vehicore_does_not_heed_it(server: MockServer, client: httpx.Client) -> None:
    """Nothing says that VehiCore knows the header."""
    key = _key(server, credits=2, wallet=True)
    statuses = [vehicore(client, key=key, headers={"Idempotency-Key": "same"}).status_code for _ in range(3)]

    assert statuses == [200, 200, 402]


def test_a_dry_run_sees_the_text(server: MockServer, client: httpx.Client) -> None:
    """`/match` says that the request would cost nothing, and changes nothing."""
    key = _key(server, quota=1, wallet=True)
    carsxe(client, key=key, headers={"Idempotency-Key": "same"})
    facts = {"provider": "carsxe", "product": "plate", "key": key, "url": gallery(client, "car")}
    same, other = [
        client.post("/__admin/match", json={**facts, "headers": {"Idempotency-Key": text}}).json()
        for text in ("same", "other")
    ]

    assert (same["outcome"], same["charged"]) == ("read", 0)
    assert other["outcome"] == "out_of_credits"
    assert server.account(key).quota["plate"].current == 1


@pins("carsxe-sandbox-pool")
def test_the_shipped_sandbox_key(clock: Clock) -> None:
    """The shipped account has 100 units over both products, for good."""
    with MockServer(clock=clock) as server, httpx.Client(base_url=server.url, timeout=PATIENCE) as client:
        pictures = {"plate": "california-sedan", "vin": "vin-plate"}
        statuses = [
            carsxe(client, product, gallery(client, pictures[product]), key="sandbox-key").status_code
            for product in ("plate", "vin") * 51
        ]

    assert (statuses.count(200), statuses[100:]) == (100, [429, 429])
