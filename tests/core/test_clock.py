"""The clock for quotas and rates."""

from datetime import UTC, datetime

import pytest

from mock_server.core.clock import Clock

SOURCE = 1_767_225_600.0  # 2026-01-01T00:00:00Z


@pytest.fixture
def clock() -> Clock:
    """A clock over a constant source."""
    return Clock(lambda: SOURCE)


def test_it_follows_its_source(clock: Clock) -> None:
    """A new clock has the time of its source, in UTC."""
    assert clock.now() == SOURCE
    assert clock.today() == datetime(2026, 1, 1, tzinfo=UTC)


def test_it_moves_ahead_and_back(clock: Clock) -> None:
    """Moves add up, and the clock keeps running."""
    clock.advance(3600)
    clock.advance(-600)

    assert clock.now() == SOURCE + 3000
    assert Clock(lambda: SOURCE + 5).now() == SOURCE + 5


def test_it_freezes_where_it_is(clock: Clock) -> None:
    """Frozen without a time, it keeps its current time, including earlier moves."""
    clock.advance(60)
    clock.freeze()

    assert clock.state.frozen == SOURCE + 60


def test_a_frozen_clock_moves_only_by_hand(clock: Clock) -> None:
    """A move changes a frozen clock, and it stays frozen."""
    clock.freeze(1000.0)
    clock.advance(5)

    assert clock.now() == 1005.0
    assert clock.state.frozen == 1005.0


def test_released_it_follows_the_source_again(clock: Clock) -> None:
    """A release ends a freeze and all moves."""
    clock.freeze(0)
    clock.release()

    assert clock.now() == SOURCE
