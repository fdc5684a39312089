"""The rules of advice: pure functions over the calls of one key. `advice.toml` says why each of them exists."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from itertools import pairwise

from mock_server.core.rehearsal import EVERY_KEY, Change, Event, ObservedCall

FINAL = frozenset({400, 401, 402, 403, 404, 405})
GATEWAY = frozenset({502, 503, 504})
SAME_CASE = 600.0
"""Seconds within which a picture that is sent again counts as the same case."""
RETRY_WITHIN = 30.0
SHORTEST_PAUSE = 0.1
"""Seconds before every repetition but the first."""
MOST_BYTES = 8_000_000
MOST_PIXELS = 16_000_000
PATIENCE = 60.0
"""Seconds after which a client should have given up."""
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


@dataclass(frozen=True, slots=True)
class Case:
    """One case in which a client broke a rule: the calls, and what happened."""

    calls: tuple[Past, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Scene:
    """The calls of one key. `now` is Unix time by the mock's clock; `is_over`: no call follows any more."""

    past: Sequence[Past]
    now: float
    is_over: bool


Check = Callable[[Scene], Iterator[Case]]


def retried_final_error(scene: Scene) -> Iterator[Case]:
    """The same picture again after an error that does not go away, with nothing changed between."""
    for before, after in repeats(scene.past):
        waited = pause(before, after)
        if _is_final(before) and before.got_reply and before.state == after.state and waited < SAME_CASE:
            yield Case((before, after), f"sent again {_seconds(waited)} after a {before.call.status}")


def _is_final(past: Past) -> bool:
    # A 429 with Retry-After asks for another attempt; one without is a quota that is used up.
    return past.call.status in FINAL or (past.call.status == 429 and past.call.retry_after is None)


def ignored_retry_after(scene: Scene) -> Iterator[Case]:
    """The same picture again earlier than Retry-After allows."""
    for before, after in repeats(scene.past):
        wanted, waited = _retry_after(before), pause(before, after)
        if wanted is not None and before.got_reply and waited < wanted - TOLERANCE:
            yield Case((before, after), f"Retry-After was {wanted:g} s; sent again after {_seconds(waited)}")


def _retry_after(past: Past) -> float | None:
    text = (past.call.retry_after or "").strip()
    if text.isdecimal():
        return float(text)
    try:
        return max(parsedate_to_datetime(text).timestamp() - past.call.time, 0.0)
    except ValueError:
        return None


def no_backoff(scene: Scene) -> Iterator[Case]:
    """A server error again and again, without pauses that grow."""
    for chain in _chains(scene.past):
        pauses = [pause(before, after) for before, after in pairwise(chain)]
        asked = [_retry_after(before) for before in chain[:-1]]
        is_short = any(
            later < max(SHORTEST_PAUSE, earlier / 2 - TOLERANCE) and not _is_as_asked(later, wanted)
            for (earlier, later), wanted in zip(pairwise(pauses), asked[1:], strict=True)
        )
        if is_short:
            listed = ", ".join(map(_seconds, pauses))
            yield Case(tuple(chain), f"pauses after {chain[0].call.status}: {listed}")


def _is_as_asked(waited: float, wanted: float | None) -> bool:
    """Whether the service has asked for this pause by Retry-After."""
    return wanted is not None and waited >= wanted - TOLERANCE


def _chains(past: Sequence[Past]) -> Iterator[list[Past]]:
    """A call and its repetitions, as long as each before the last one got a server error."""
    chains: list[list[Past]] = []
    for before, after in repeats(past):
        if not (_is_server_error(before) and before.got_reply):
            continue
        chain = next((chain for chain in reversed(chains) if chain[-1] is before), None)
        if chain is None:
            chains.append([before, after])
        else:
            chain.append(after)
    yield from chains


def _is_server_error(past: Past) -> bool:
    # The mock's own 501 says that a fixture is missing.
    return past.call.status >= 500 and past.call.status != 501


def gave_up_early(scene: Scene) -> Iterator[Case]:
    """The client closed the connection before it had the reply."""
    for past in scene.past:
        if past.call.has_left:
            yield Case((past,), f"left before the reply, which was due after {_seconds(past.call.seconds)}")


def no_timeout(scene: Scene) -> Iterator[Case]:
    """The client waited for a reply that was delayed very long."""
    for past in scene.past:
        if past.call.delay >= PATIENCE and not past.call.has_left:
            yield Case((past,), f"waited {_seconds(past.call.delay)} for the reply")


def no_retry(scene: Scene) -> Iterator[Case]:
    """A single error of a gateway, and no further call."""
    repeated = {id(after) for before, after in repeats(scene.past) if _is_server_error(before)}
    for place, past in enumerate(scene.past):
        if past.call.status not in GATEWAY or not past.got_reply or id(past) in repeated:
            continue
        later = next((other for other in scene.past[place + 1 :] if other.period == past.period), None)
        if later is None:
            waited = scene.now - past.call.time
            if not (scene.is_over or past.is_closed or waited > RETRY_WITHIN + (_retry_after(past) or 0)):
                continue
        elif pause(past, later) <= RETRY_WITHIN + (_retry_after(past) or 0):
            continue
        yield Case((past,), f"the {past.call.status} was the end: no further call within {RETRY_WITHIN:g} s")


def paid_twice(scene: Scene) -> Iterator[Case]:
    """The same picture read again, and paid again."""
    paid = [past for past in scene.past if past.call.outcome == "read" and past.call.charged and past.got_reply]
    for place, after in enumerate(paid):
        before = next((one for one in reversed(paid[:place]) if after.is_repeat_of(one)), None)
        if before is not None and (waited := pause(before, after)) < SAME_CASE:
            yield Case((before, after), f"read and charged again after {_seconds(waited)}")


def oversized_upload(scene: Scene) -> Iterator[Case]:
    """A picture that is larger than recognition needs."""
    for past in scene.past:
        call = past.call
        if call.size > MOST_BYTES or call.pixels > MOST_PIXELS:
            pixels = f", {call.pixels / 1e6:.1f} megapixels" if call.pixels else ""
            yield Case((past,), f"{call.size / 1e6:.1f} MB{pixels}")


def undocumented_shape(scene: Scene) -> Iterator[Case]:
    """A form of request that the provider does not document."""
    for past in scene.past:
        if past.call.shapes:
            yield Case((past,), ", ".join(past.call.shapes))


def _seconds(seconds: float) -> str:
    milliseconds = 1000 * max(seconds, 0.0)
    if milliseconds < 1000:
        return f"{milliseconds:.{0 if milliseconds >= 10 else 1}f} ms"
    return f"{seconds:.3g} s"
