"""The calls of one key in order, as the rules of advice look at them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mock_server.core.rehearsal import EVERY_KEY, Change, Event, ObservedCall

TOLERANCE = 0.05
"""Seconds by which two clocks may differ."""


@dataclass(frozen=True, slots=True)
class Past:
    """A call between resets. `period` counts the resets before it, `state` also the other changes.

    `is_closed`: the key was reset later, so that no call can follow in this period.
    """

    call: ObservedCall
    period: int
    state: int
    is_closed: bool = False

    @property
    def got_reply(self) -> bool:
        """Whether the client had the whole reply."""
        return not self.call.has_left and self.call.fault is None

    def is_repeat_of(self, other: "Past") -> bool:
        """Whether it asks for the same picture, with no reset between them."""
        mine, its = self.call, other.call
        if self.period != other.period or (mine.provider, mine.product) != (its.provider, its.product):
            return False
        if mine.sha256 and its.sha256:
            return mine.sha256 == its.sha256
        return mine.picture == its.picture


def histories(events: Sequence[Event]) -> Iterator[Sequence[Past]]:
    """The calls of each key."""
    calls: dict[str, list[Event]] = {}
    marks: list[Event] = []
    for event in events:
        if event.call is not None:
            calls.setdefault(event.call.key, []).append(event)
        else:
            marks.append(event)
    for key, own in calls.items():
        yield _history(own, [one for one in marks if one.mark and one.mark.key in (key, EVERY_KEY)])


def _history(calls: Sequence[Event], marks: Sequence[Event]) -> Sequence[Past]:
    past: list[Past] = []
    resets = [one.number for one in marks if one.mark and one.mark.change is Change.RESET]
    changes = [one.number for one in marks]
    for event in calls:
        if event.call is not None:
            period = sum(number < event.number for number in resets)
            state = sum(number < event.number for number in changes)
            past.append(Past(event.call, period, state, is_closed=period < len(resets)))
    return past


def pause(before: Past, after: Past) -> float:
    """The seconds from the end of a reply to the arrival of a later call. Negative if the call came earlier.

    A clock that stands still hides waiting, and a test that moves the clock replaces waiting. Both times count.
    """
    by_mock, by_system = after.call.time - before.call.time, after.call.real - before.call.real
    stands_still = by_mock < by_system - TOLERANCE
    moved = by_mock if stands_still else by_mock - by_system
    return by_system - before.call.seconds + max(moved, 0.0)


def repeats(past: Sequence[Past]) -> Iterator[tuple[Past, Past]]:
    """Each call that repeats an earlier one, with the latest earlier call whose reply was complete before it."""
    for place, after in enumerate(past):
        for before in reversed(past[:place]):
            if after.is_repeat_of(before) and pause(before, after) >= 0:
                yield before, after
                break
