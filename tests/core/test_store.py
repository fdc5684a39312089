"""One suite for both stores: memory and Redis behave the same."""

import asyncio
from dataclasses import replace

import pytest

from mock_server.core.account import Account, AccountStatus, Quota, QuotaPeriod
from mock_server.core.model import Billing, Outcome, OutcomeName, Product
from mock_server.core.rate_limit import Rate
from mock_server.core.store import Admission, Check, Meter, Store

pytestmark = pytest.mark.anyio

ACCOUNT = Account("demo", "demo-key")
CREDITS = Meter("demo-key", Billing.CREDITS, Product.PLATE)
QUOTA = Meter("demo-key", Billing.QUOTA, Product.VIN, "2026-11")
NOON = 1_800_000_000.0


def admit(rate: Rate | None = None, now: float = NOON) -> Check:
    """A check that admits every account, measured by credits and by a rate if there is one."""
    return lambda account: Admission(account, CREDITS, rate=rate, now=now)


def refuse(account: Account) -> Outcome:
    """A check that refuses every account."""
    return Outcome(OutcomeName.BLOCKED_KEY, detail=account.status)


async def hit(store: Store, key: str, rate: Rate, now: float) -> float | None:
    """Count a request of a key, which may have no account yet; the seconds to wait."""
    await store.put_account(Account(key, key), replace=False)
    admission = await store.enter(key, admit(rate, now))
    assert isinstance(admission, Admission)
    return admission.wait


# Accounts


@pytest.mark.parametrize(
    "account",
    [
        ACCOUNT,
        Account("off", "off-key", AccountStatus.BLOCKED, frozenset(), tier="gold", overage=True),
        Account(
            "all",
            "clé: \u2603 %s \n",
            plans=frozenset({Product.VIN}),
            credits={Product.PLATE: 3, Product.VIN: None},
            quota={Product.PLATE: Quota(10, 4), Product.VIN: Quota()},
            quota_period=QuotaPeriod.NEVER,
            rate_limit="5/second",
        ),
    ],
    ids=lambda account: account.name,
)
async def test_an_account_comes_back_as_it_was_put(store: Store, account: Account) -> None:
    """Every field of an account survives."""
    added = await store.put_account(account)

    assert added
    assert await store.account(account.key) == account


async def test_a_key_without_an_account_has_none(store: Store) -> None:
    """An unknown key is not an error."""
    assert await store.account("demo-key") is None
    assert await store.accounts() == []


async def test_accounts_are_in_the_order_they_were_added(store: Store) -> None:
    """A replaced account keeps its place."""
    accounts = [Account(f"number {number}", f"{number * 7 % 12}-key") for number in range(12)]
    for account in accounts:
        await store.put_account(account)
    accounts[3] = replace(accounts[3], tier="gold")
    await store.put_account(accounts[3])

    assert await store.accounts() == accounts


async def test_an_account_is_replaced_if_allowed(store: Store) -> None:
    """With `replace` off, the existing account stays."""
    await store.put_account(ACCOUNT)

    assert not await store.put_account(replace(ACCOUNT, tier="gold"), replace=False)
    assert await store.account("demo-key") == ACCOUNT
    assert await store.put_account(replace(ACCOUNT, tier="silver"))
    assert await store.account("demo-key") == replace(ACCOUNT, tier="silver")


async def test_counters_begin_with_a_new_account_only(store: Store) -> None:
    """Declaring an account again does not change its counts."""
    await store.put_account(ACCOUNT, begin={CREDITS: 5, QUOTA: 7})
    await store.spend(CREDITS, None)
    await store.put_account(replace(ACCOUNT, tier="gold"), begin={CREDITS: 5, QUOTA: 7})

    assert [await store.used(CREDITS), await store.used(QUOTA)] == [6, 7]


async def test_concurrent_creations_of_an_account_succeed_once(store: Store) -> None:
    """Creating is one atomic act, so no other account is overwritten."""
    made = await asyncio.gather(
        *(store.put_account(Account(str(number), "demo-key"), replace=False) for number in range(20))
    )

    assert sum(made) == 1
    assert await store.account("demo-key") == Account(str(made.index(True)), "demo-key")


async def test_removing_an_account_removes_its_counts(store: Store) -> None:
    """A new account with the same key starts from 0."""
    await store.put_account(ACCOUNT, begin={CREDITS: 5})
    await hit(store, "demo-key", Rate(1, 60), NOON)
    await store.advance("demo-key", "flaky")

    assert await store.remove_account("demo-key")
    assert not await store.remove_account("demo-key")
    assert await store.account("demo-key") is None
    assert await store.used(CREDITS) == 0
    assert await hit(store, "demo-key", Rate(1, 60), NOON) is None
    assert await store.positions("flaky") == {}


# Entering


async def test_a_key_without_an_account_is_not_admitted(store: Store) -> None:
    """An unknown key has no admission."""
    assert await store.enter("demo-key", admit()) is None


async def test_an_admission_has_the_account_and_its_used_units(store: Store) -> None:
    """One act returns both, every time."""
    await store.put_account(ACCOUNT, begin={CREDITS: 5})

    assert await store.enter("demo-key", admit()) == Admission(ACCOUNT, CREDITS, now=NOON, used=5)
    await store.spend(CREDITS, None)
    assert await store.enter("demo-key", admit()) == Admission(ACCOUNT, CREDITS, now=NOON, used=6)


async def test_the_account_is_checked_as_it_is_now(store: Store) -> None:
    """The next request sees a change, also of an account that was admitted before."""
    await store.put_account(ACCOUNT)
    await store.enter("demo-key", admit())
    await store.put_account(replace(ACCOUNT, status=AccountStatus.INACTIVE))
    refusal = Outcome(OutcomeName.BLOCKED_KEY, detail="inactive")

    assert await store.enter("demo-key", refuse) == refusal
    await store.remove_account("demo-key")
    assert await store.enter("demo-key", refuse) is None


async def test_a_request_over_the_rate_has_to_wait(store: Store) -> None:
    """Admitted requests count against the rate; those that have to wait do not."""
    await store.put_account(ACCOUNT, begin={CREDITS: 5})
    rate = Rate(2, 10)
    waits = {NOON: None, NOON + 4: None, NOON + 6: 4.0, NOON + 9.5: 0.5, NOON + 10: None}
    admissions = [await store.enter("demo-key", admit(rate, now)) for now in waits]

    assert admissions == [
        Admission(ACCOUNT, CREDITS, rate=rate, now=now, used=5, wait=wait) for now, wait in waits.items()
    ]


async def test_a_refused_request_is_not_counted(store: Store) -> None:
    """A refusal leaves the window as it is."""
    await store.put_account(ACCOUNT)
    for _ in range(3):
        await store.enter("demo-key", refuse)

    assert await hit(store, "demo-key", Rate(1, 10), NOON) is None


# Units


async def test_units_are_spent_up_to_the_limit(store: Store) -> None:
    """Each unit has its own number. None is returned when all are spent."""
    assert [await store.spend(CREDITS, 3) for _ in range(5)] == [1, 2, 3, None, None]
    assert await store.used(CREDITS) == 3


async def test_concurrent_spending_stops_at_the_limit(store: Store) -> None:
    """Spending is one atomic act, so the last unit is spent once."""
    spent = await asyncio.gather(*(store.spend(CREDITS, 40) for _ in range(100)))

    assert sorted(unit for unit in spent if unit) == list(range(1, 41))
    assert await store.used(CREDITS) == 40


async def test_units_without_limit_do_not_run_out(store: Store) -> None:
    """Without a limit units are only counted."""
    assert [await store.spend(CREDITS, None) for _ in range(3)] == [1, 2, 3]


async def test_a_limit_may_be_below_what_is_spent(store: Store) -> None:
    """Nothing can be spent then, and the count stays."""
    await store.set_used(CREDITS, 10)

    assert await store.spend(CREDITS, 3) is None
    assert await store.spend(CREDITS, 0) is None
    assert await store.used(CREDITS) == 10


@pytest.mark.parametrize(
    "other",
    [
        QUOTA._replace(key="other"),
        QUOTA._replace(billing=Billing.CREDITS),
        QUOTA._replace(product=Product.PLATE),
        QUOTA._replace(product=None),
        QUOTA._replace(period="other"),
    ],
)
async def test_meters_that_differ_count_apart(store: Store, other: Meter) -> None:
    """A different key, billing, product or period is a different counter."""
    await store.set_used(QUOTA, 10)

    assert await store.spend(other, None) == 1
    assert await store.used(QUOTA) == 10


# Units that are spent once

SHARED = CREDITS._replace(product=None)


async def test_a_text_is_charged_once(store: Store) -> None:
    """A text that a key has used before spends nothing, on any of its meters, also when nothing is left."""
    assert [await store.spend(CREDITS, 2, text) for text in "aababc"] == [1, 0, 2, 0, 0, None]
    assert await store.spend(QUOTA, 2, "a") == 0
    assert await store.used(CREDITS) == 2
    assert [await store.was_spent("demo-key", text) for text in "abc"] == [True, True, False]


async def test_a_text_belongs_to_its_key(store: Store) -> None:
    """Another key may use the same text."""
    assert await store.spend(CREDITS, None, "a") == 1
    assert await store.spend(CREDITS._replace(key="other"), None, "a") == 1


async def test_a_text_that_found_nothing_left_may_come_again(store: Store) -> None:
    """A text is remembered only if a unit was spent."""
    assert await store.spend(CREDITS, 0, "a") is None
    assert await store.spend(CREDITS, 1, "a") == 1


async def test_concurrent_requests_with_one_text_spend_one_unit(store: Store) -> None:
    """Looking up the text and spending the unit is one atomic act."""
    spent = await asyncio.gather(*(store.spend(SHARED, 100, str(number % 10)) for number in range(200)))

    assert sorted(map(int, filter(None, spent))) == list(range(1, 11))
    assert spent.count(0) == 190
    assert await store.used(SHARED) == 10


@pytest.mark.parametrize("key", [None, "demo-key"])
async def test_a_reset_forgets_texts(store: Store, key: str | None) -> None:
    """After a reset a text is charged again."""
    await store.put_account(ACCOUNT)
    await store.spend(CREDITS, None, "a")
    await store.reset(key)

    assert await store.spend(CREDITS, None, "a") == 1


async def test_remembered_texts_are_limited(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a key's texts the latest are remembered, and the oldest are forgotten."""
    for module in ("store", "redis_state.redis_store"):
        monkeypatch.setattr(f"mock_server.core.{module}.MAX_SPENT_ONCE", 3)
    for text in "abcd":
        await store.spend(CREDITS, None, text)

    assert [await store.was_spent("demo-key", text) for text in "abcd"] == [False, True, True, True]


# Rates


@pytest.mark.parametrize(
    ("rate", "hits"),
    [
        (Rate(1, 1), [(0, None), (0.25, 0.75), (1, None), (1.5, 0.5), (2, None)]),
        (Rate(3, 60), [(0, None), (1, None), (2, None), (3, 57), (60, None), (60.5, 0.5), (61, None)]),
        (Rate(2, 1), [(5, None), (5, None), (5, 1), (5, 1)]),
        (Rate(1, 86400), [(0, None), (86399, 1), (86400, None)]),
        (Rate(1, 60), [(1000, None), (990, None), (991, 59)]),
        (Rate(1, 60), [(10, None), (9.5, 60), (70, None)]),
        (Rate(3, 60), [(0, None), (2, None), (1, None), (1.5, 58), (60, None)]),
        (Rate(1, 60), [(0.12345678, None), (0.12345678, 60.0), (60.12345678, None)]),
    ],
    ids=[
        "one a second",
        "three a minute",
        "at once",
        "one a day",
        "a clock set back",
        "a late one",
        "several late ones",
        "parts of a second",
    ],
)
async def test_a_window_slides(store: Store, rate: Rate, hits: list[tuple[float, float | None]]) -> None:
    """A rate holds for any period of its length. A refused request gets the seconds to wait and does not count."""
    waits = [await hit(store, "demo-key", rate, NOON + at) for at, _ in hits]

    assert waits == [wait for _, wait in hits]


@pytest.mark.parametrize(
    ("before", "after", "waits"),
    [(Rate(2, 60), Rate(4, 60), [None, None, 57.0]), (Rate(3, 60), Rate(1, 60), [59.0, 58.0, 57.0])],
    ids=["more", "fewer"],
)
async def test_a_changed_rate_counts_earlier_requests(
    store: Store, before: Rate, after: Rate, waits: list[float | None]
) -> None:
    """Raising a limit allows the difference; lowering it counts the latest requests."""
    for at in range(before.amount):
        await hit(store, "demo-key", before, NOON + (at if before.amount == 2 else 0))

    assert [await hit(store, "demo-key", after, NOON + at) for at in (1, 2, 3)] == waits


async def test_concurrent_requests_do_not_exceed_the_rate(store: Store) -> None:
    """Counting and admitting a request is one atomic act."""
    waits = await asyncio.gather(*(hit(store, "demo-key", Rate(5, 60), NOON) for _ in range(50)))

    assert waits.count(None) == 5


async def test_keys_have_windows_of_their_own(store: Store) -> None:
    """The requests of one key do not delay another key."""
    await hit(store, "demo-key", Rate(1, 60), NOON)

    assert await hit(store, "other-key", Rate(1, 60), NOON) is None


# Sequences


async def test_a_sequence_advances_for_each_key_apart(store: Store) -> None:
    """Positions count from 0, per key and scenario."""
    assert [await store.advance("demo-key", "flaky") for _ in range(3)] == [0, 1, 2]
    assert await store.advance("other-key", "flaky") == 0
    assert await store.advance("demo-key", "slow") == 0
    assert await store.positions("flaky") == {"demo-key": 3, "other-key": 1}


async def test_concurrent_advances_each_get_a_position(store: Store) -> None:
    """Every position is used exactly once."""
    positions = await asyncio.gather(*(store.advance("demo-key", "flaky") for _ in range(50)))

    assert sorted(positions) == list(range(50))


async def test_a_position_may_be_set(store: Store) -> None:
    """The next request has that position."""
    await store.set_position("demo-key", "flaky", 4)

    assert await store.advance("demo-key", "flaky") == 4


# Reset


async def _use(store: Store, key: str) -> None:
    await store.put_account(Account(key, key))
    await store.set_used(Meter(key, Billing.CREDITS, Product.PLATE), 3)
    await store.set_used(Meter(key, Billing.QUOTA, Product.PLATE, "2026-11"), 4)
    await hit(store, key, Rate(1, 60), NOON)
    await store.advance(key, "flaky")


async def _state(store: Store, key: str) -> list[object]:
    has_account = await store.account(key) is not None
    return [
        await store.used(Meter(key, Billing.CREDITS, Product.PLATE)),
        await store.used(Meter(key, Billing.QUOTA, Product.PLATE, "2026-11")),
        await hit(store, key, Rate(1, 60), NOON),
        (await store.positions("flaky")).get(key),
        has_account,
    ]


async def test_a_reset_deletes_everything_but_the_accounts(store: Store) -> None:
    """Counters, windows and positions of all keys are gone."""
    await _use(store, "one")
    await _use(store, "two")
    await store.reset()

    assert [await _state(store, key) for key in ("one", "two")] == [[0, 0, None, None, True]] * 2


async def test_a_reset_of_one_key_leaves_the_others(store: Store) -> None:
    """Parallel tests are isolated."""
    await _use(store, "one")
    await _use(store, "two")
    await store.reset("one")

    assert await _state(store, "one") == [0, 0, None, None, True]
    assert await _state(store, "two") == [3, 4, 60.0, 1, True]


async def test_a_closed_store_may_be_used_again(store: Store) -> None:
    """Closing releases connections and keeps the counts."""
    await store.spend(CREDITS, None)
    await store.close()

    assert await store.spend(CREDITS, None) == 2
