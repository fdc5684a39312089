"""Scenarios: what happens when their conditions hold."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, Self

from mock_server.core import field_types as types
from mock_server.core.conditions import Conditions
from mock_server.core.delay import WrittenDelay, is_random
from mock_server.core.field_types import Written, described, expected, invalid
from mock_server.core.model import PICTURE_OUTCOMES, Fault, OutcomeName
from mock_server.core.reading import Reading
from mock_server.core.written_reply import NO_ENTRIES, AddedFields, FieldPaths, Reply, ReplyHeaders


def _range(scores: list[float]) -> tuple[float, float]:
    if len(scores) > 2:
        raise expected("one score, or two: [lowest, highest]")
    if scores[0] > scores[-1]:
        raise invalid(f"the lowest score {scores[0]:g} is above the highest {scores[-1]:g}")
    return scores[0], scores[-1]


_Scores = Annotated[list[types.Score], types.one_or_many("a score")]


@dataclass(frozen=True, slots=True)
class Trouble(Written):
    """Errors of the recognition itself. Several can be combined."""

    score: Annotated[tuple[float, float], types.Changed(after=_range, written_as=_Scores)] | None = described(
        "The confidence is drawn from this range: 0.4, or [0.3, 0.5].", None
    )
    confuse: Annotated[int, types.whole_number(0, 17)] = described(
        "The number of characters that are read as look-alikes; the true text becomes a candidate.", 0
    )
    region: types.OptionalText = described("The region that is reported instead of the true one.", None)
    bad_check_digit: types.Flag = described("true: the VIN is reported with a wrong check digit.", False)
    partial: Annotated[int | None, types.whole_number(1)] = described(
        "The number of first characters that are read; the others are missing.", None
    )
    unreadable: types.Flag = described("true: the plate or VIN is found, its text is not.", False)
    too_small: Annotated[int | None, types.whole_number(1)] = described(
        "Nothing is found in a picture narrower than this, in pixels.", None
    )
    too_blurred: Annotated[float | None, types.number(0)] = described(
        "Nothing is found in a picture less sharp than this (variance of the Laplacian).", None
    )


OUTCOME = types.choice(OutcomeName, "an outcome")
_PARTS_OF_PROVIDERS_REPLY = ("outcome", "message", "variant", "headers", "trouble", "omit", "add")


@dataclass(frozen=True, slots=True)
class Step(Written):
    """One step of the sequence."""

    outcome: Annotated[OutcomeName, OUTCOME] = described("The kind of reply.", OutcomeName.READ)
    message: types.OptionalAnyText = described("A text that replaces the provider's own message.", None)
    variant: types.OptionalText = described("A documented alternative of this outcome.", None)
    times: Annotated[int | None, types.whole_number(1)] = described(
        "The number of requests before the next step.", None
    )
    delay: WrittenDelay | None = described("The delay of the reply.", None)
    fault: Annotated[Fault | None, types.choice(Fault, "a fault")] = described(
        "A broken connection instead of a reply.", None
    )
    headers: ReplyHeaders = described("Headers that are added to the reply.", NO_ENTRIES)
    trouble: Trouble | None = described("Errors of the recognition itself.", None)
    omit: FieldPaths = described(
        "Fields that are left out of the JSON reply: paths of names joined by dots, through lists.", ()
    )
    add: AddedFields = described("Fields that the JSON reply gets, by their paths; none is overwritten.", NO_ENTRIES)
    reply: Reply | None = described("A reply in place of the provider's.", None)
    chance: types.OptionalPercentage = described(
        "The share of calls that the step answers, e.g. 10%; the next step answers the others.", None
    )

    @classmethod
    def read(cls, mapping: Any, build: Callable[[Any], Self]) -> Self:
        step = build(mapping)
        for key in _PARTS_OF_PROVIDERS_REPLY if step.reply else ():
            if key in mapping and getattr(step, key):
                hint = 'write them inside "reply"' if key == "headers" else "leave it out"
                raise invalid(f'"reply" replaces the provider\'s reply, so "{key}" has no effect', hint)
        return step

    @property
    def is_error(self) -> bool:
        """Whether the step answers with something else than a result of recognition."""
        return self.outcome not in PICTURE_OUTCOMES or self.fault is not None or self.reply is not None


@dataclass(frozen=True, slots=True)
class Scenario:
    """The steps happen one after another, for each key, at the requests that meet `when`.

    `order` is the position in the files. It is negative for a scenario that lies over them: one that was added at run
    time or, with `overlay`, one from a file that says so.
    """

    name: str
    when: Conditions = field(default_factory=Conditions)
    reading: Reading = field(default_factory=Reading)
    steps: tuple[Step, ...] = (Step(),)
    cycle: bool = False
    description: str = ""
    priority: int = 5
    order: int = 0
    file: str = ""
    line: int = 0
    overlay: bool = False

    @property
    def layer(self) -> int:
        """0 for a scenario that was added at run time, 1 for an overlay, 2 for any other. Lower layers win."""
        return 1 if self.overlay else 2 if self.order >= 0 else 0

    @property
    def id(self) -> str:
        """The name; for a scenario that is bound to a key, the name and the key. Unique in a library."""
        return self.name if self.when.key is None else f"{self.name}?key={self.when.key}"

    @property
    def is_bound_error(self) -> bool:
        """Whether a step is an error, and a condition other than the picture says for which requests."""
        when = self.when
        is_bound = when.filename or when.url or when.header or when.key or when.account
        return bool(is_bound) and any(step.is_error for step in self.steps)

    @property
    def has_chance(self) -> bool:
        """Whether a step is left to chance."""
        return any(step.chance is not None for step in self.steps)

    @property
    def counts_requests(self) -> bool:
        """Whether the result depends on the number of earlier requests: by several steps, or by chance."""
        first = self.steps[0]
        has_others = len(self.steps) > 1
        return has_others or first.trouble is not None or first.chance is not None or is_random(first.delay)
