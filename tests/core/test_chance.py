"""Steps with a chance: which one answers a call, the same way in every process and every run."""

from collections import Counter

import pytest

from mock_server.core.model import OutcomeName
from mock_server.core.scenario import Scenario, Step
from mock_server.core.sequence import Sequences, draw, pick

READ, ERROR, DOWN = OutcomeName.READ, OutcomeName.SERVICE_ERROR, OutcomeName.UPSTREAM_DOWN
OFTEN = Step(ERROR, chance=0.5)


def answers(
    steps: tuple[Step, ...], count: int, *, cycle: bool = False, key: str = "k", seed: int = 0
) -> list[OutcomeName]:
    """The outcomes of a key's first calls."""
    sequences, scenario = Sequences(), Scenario("s", steps=steps, cycle=cycle)
    return [sequences.step(scenario, position, key=key, seed=seed).outcome for position in range(count)]


def test_draws_are_uniform_and_repeatable() -> None:
    """Numbers from 0 to 1, the same for the same facts."""
    drawn = [draw(1, "key", number) for number in range(10_000)]

    assert drawn == [draw(1, "key", number) for number in range(10_000)]
    assert all(0 <= number < 1 for number in drawn)
    assert sum(drawn) / len(drawn) == pytest.approx(0.5, abs=0.01)


def test_pick() -> None:
    """Each name comes with its chance; the rest of the draws give none."""
    found = Counter(pick({"a": 0.1, "b": 0.2, "c": 0.0}, number) for number in range(10_000))

    assert found["a"] == pytest.approx(1000, abs=120)
    assert found["b"] == pytest.approx(2000, abs=150)
    assert found["c"] == 0
    assert {pick({"a": 1.0}, number) for number in range(100)} == {"a"}


@pytest.mark.parametrize(("chance", "low", "high"), [(0.0, 0, 0), (0.1, 70, 130), (0.5, 440, 560), (1.0, 1000, 1000)])
def test_share_of_the_calls(chance: float, low: int, high: int) -> None:
    """A step without `times` keeps its chance for ever; the next step answers the other calls."""
    found = answers((Step(ERROR, chance=chance), Step()), 1000)

    assert low <= found.count(ERROR) <= high
    assert set(found) <= {ERROR, READ}


def test_it_repeats_for_the_seed_and_the_key() -> None:
    """The same seed and key give the same answers; another seed or key gives others."""
    steps = (OFTEN, Step())

    assert answers(steps, 64) == answers(steps, 64)
    assert answers(steps, 64) != answers(steps, 64, key="other")
    assert answers(steps, 64) != answers(steps, 64, seed=1)


def test_times_counts_what_the_step_has_answered() -> None:
    """A step with a chance and `times` ends when it has answered that many calls."""
    found = answers((Step(ERROR, chance=0.5, times=3), Step()), 100)

    assert found.count(ERROR) == 3
    assert set(found[20:]) == {READ}


def test_steps_behind_it_follow_one_another() -> None:
    """The calls that it does not answer go through the other steps in their order."""
    found = answers((OFTEN, Step(DOWN, times=2), Step()), 60)

    assert [outcome for outcome in found if outcome is not ERROR][:4] == [DOWN, DOWN, READ, READ]
    assert ERROR in found[10:]


def test_steps_before_it_come_first() -> None:
    """A step is reached when those before it have ended, and stays then."""
    found = answers((Step(DOWN, times=2), OFTEN, Step()), 60)

    assert found[:2] == [DOWN, DOWN]
    assert set(found[2:]) == {ERROR, READ}


def test_two_chances_are_drawn_apart() -> None:
    """The second one is drawn for the calls that the first one leaves."""
    found = Counter(answers((OFTEN, Step(DOWN, chance=0.5), Step()), 2000))

    assert found[ERROR] == pytest.approx(1000, abs=120)
    assert found[DOWN] == pytest.approx(500, abs=90)


@pytest.mark.parametrize("cycle", [False, True])
def test_without_a_step_behind_it_the_picture_is_read(cycle: bool) -> None:
    """A chance alone leaves the other calls to the usual reading."""
    assert set(answers((OFTEN,), 40, cycle=cycle)) == {ERROR, READ}


def test_cycle() -> None:
    """When all steps without a chance have ended, the sequence starts again, and so does what `times` has counted."""
    found = answers((Step(ERROR, chance=1.0, times=1), Step(DOWN, times=1), Step(times=1)), 7, cycle=True)

    assert found == [ERROR, DOWN, READ, ERROR, DOWN, READ, ERROR]


@pytest.mark.parametrize("cycle", [False, True])
def test_any_order_of_calls_gives_the_same(cycle: bool) -> None:
    """A process that sees only some calls, in any order, agrees with one that sees all of them."""
    steps = (Step(ERROR, chance=0.3, times=2), Step(DOWN, times=3), Step(times=2))
    scenario = Scenario("s", steps=steps, cycle=cycle)
    expected = answers(steps, 40, cycle=cycle)
    sequences = Sequences()
    seen = {
        position: sequences.step(scenario, position, key="k", seed=0).outcome for position in (7, 3, 30, 31, 8, 39, 0)
    }

    assert seen == {position: expected[position] for position in seen}


def test_a_position_far_away_is_found_in_bounded_time() -> None:
    """The position may be any number, because the admin API can set it."""
    scenario = Scenario("s", steps=(OFTEN, Step(DOWN, times=2), Step()))

    assert Sequences().step(scenario, 10**15 + 50, key="k", seed=0).outcome in (ERROR, READ)


def test_a_changed_scenario_starts_anew() -> None:
    """A scenario that was replaced under its name has its own sequence."""
    sequences = Sequences()
    for steps, outcome in (((Step(ERROR, chance=1.0), Step()), ERROR), ((Step(DOWN, chance=1.0), Step()), DOWN)):
        assert sequences.step(Scenario("s", steps=steps), 5, key="k", seed=0).outcome is outcome
