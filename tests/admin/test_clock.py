"""The clock: quotas, their periods and rate limits use it, so that no test sleeps."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from mock_server import MockServer, RefusedError
from tests.support import carsxe, vehicore


@pytest.fixture(autouse=True)
def _released(mock: MockServer) -> Iterator[None]:
    yield
    mock.release()


def test_a_new_month_renews_the_quota(mock: MockServer, http: httpx.Client) -> None:
    """After a month the whole quota is left again. A refusal names the month in which it was used up."""
    mock.freeze("2026-12-31T23:59:00Z")
    key = mock.create_account(quota={"plate": 1}).key
    before = [carsxe(http, key=key).status_code for _ in range(2)]
    mock.advance("2m")

    assert before == [200, 429]
    assert mock.account(key).quota["plate"].remaining == 1
    assert carsxe(http, key=key).status_code == 200


def test_rate_limits_follow_the_clock(mock: MockServer, http: httpx.Client) -> None:
    """A rate limit counts the seconds of the mock's clock."""
    mock.freeze()
    key = mock.create_account(rate_limit="2/second").key
    statuses = [vehicore(http, key=key).status_code for _ in range(3)]
    mock.advance("1s")

    assert (statuses, vehicore(http, key=key).status_code) == ([200, 200, 429], 200)


def test_the_journal_uses_the_clock(mock: MockServer, http: httpx.Client) -> None:
    """Requests have the mock's time, and the filter `since` compares it."""
    mock.freeze("2031-05-01T10:00:00Z")
    key = mock.create_account().key
    vehicore(http, key=key)
    mock.advance("1h")
    vehicore(http, key=key)

    assert [one.time.hour for one in mock.requests(key=key)] == [10, 11]
    assert mock.count(key=key, since="2031-05-01T10:30:00Z") == 1
    assert mock.count(key=key, until=datetime(2031, 5, 1, 10, 30, tzinfo=UTC)) == 1


@pytest.mark.parametrize(
    ("document", "now"),
    [
        ({"freeze": "2026-12-01T00:00:00Z"}, "2026-12-01T00:00:00.000Z"),
        ({"freeze": "2026-12-01T00:00:00+02:00"}, "2026-11-30T22:00:00.000Z"),
        ({"freeze": "2026-12-01"}, "2026-12-01T00:00:00.000Z"),
        ({"freeze": 0}, "1970-01-01T00:00:00.000Z"),
    ],
)
def test_freezing(document: dict[str, Any], now: str, admin: httpx.Client) -> None:
    """Times may be ISO 8601 of any zone, or Unix seconds."""
    assert admin.put("/clock", json=document).json() == {"now": now, "frozen": True, "offset": None}
    assert admin.get("/clock").json()["now"] == now


@pytest.mark.parametrize(
    ("step", "seconds"),
    [("31d", 2678400), ("1h30m", 5400), ("90s", 90), ("250ms", 0.25), ("-1d", -86400), (7, 7), ("1w", 604800)],
)
def test_advancing(step: Any, seconds: float, admin: httpx.Client) -> None:
    """A frozen clock moves by exactly the step and stays frozen."""
    admin.put("/clock", json={"freeze": "2026-12-01T00:00:00Z"})
    after = admin.put("/clock", json={"advance": step}).json()
    expected = datetime(2026, 12, 1, tzinfo=UTC) + timedelta(seconds=seconds)

    assert (datetime.fromisoformat(after["now"]), after["frozen"]) == (expected, True)


def test_releasing(admin: httpx.Client) -> None:
    """A released clock shows the system's time."""
    admin.put("/clock", json={"advance": "31d"})
    released = admin.delete("/clock").json()

    assert (released["frozen"], released["offset"]) == (False, 0.0)
    assert abs(datetime.fromisoformat(released["now"]).timestamp() - datetime.now(UTC).timestamp()) < 60


def test_reset_releases_the_clock(mock: MockServer, admin: httpx.Client) -> None:
    """A reset of everything resets the clock; a reset of one key does not, because all keys share the clock."""
    mock.freeze("2026-12-01T00:00:00Z")
    key = mock.create_account().key
    mock.reset(key)
    frozen = admin.get("/clock").json()["frozen"]
    mock.reset()

    assert (frozen, admin.get("/clock").json()["frozen"]) == (True, False)


@pytest.mark.parametrize("at", ["tomorrow", "9999-12-31T23:59:59Z", "1900-01-01", "", None, [], "99999999999999"])
def test_impossible_times(at: Any, admin: httpx.Client) -> None:
    """A text that is not a time is refused, and so is a time that `datetime` cannot represent."""
    assert admin.put("/clock", json={"freeze": at}).json()["errors"][0]["pointer"] == "/freeze"


def test_python_takes_timedeltas(mock: MockServer) -> None:
    """The methods use datetime; a mistake raises an error."""
    frozen = mock.freeze(datetime(2026, 12, 1, tzinfo=UTC))

    assert mock.advance(timedelta(days=31)) - frozen == timedelta(days=31)
    with pytest.raises(RefusedError, match="expected a duration"):
        mock.advance("soon")
