"""Scenarios: when they match and what happens then."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from mock_server.core.model import (
    NO_FAULT,
    PICTURE_OUTCOMES,
    Dribble,
    Fault,
    FaultPlan,
    OutcomeName,
    Product,
    WrittenReply,
)
from mock_server.core.reading import Reading

_NO_ENTRIES: Mapping[str, Any] = {}


def _no_entries() -> Mapping[str, Any]:
    """One mapping for all, because nearly every scenario has three empty ones."""
    return _NO_ENTRIES


@dataclass(frozen=True, slots=True)
class ImageProperties:
    """Conditions on the picture. Sizes are in pixels of the upright picture."""

    format: str | None = None
    min_width: int | None = None
    max_width: int | None = None
    min_height: int | None = None
    max_height: int | None = None
    min_bytes: int | None = None
    max_bytes: int | None = None
    blank: bool | None = None


@dataclass(frozen=True, slots=True)
class Conditions:
    """All given conditions must hold. `images` are ids of pictures in the set; one of them is enough."""

    images: tuple[str, ...] = ()
    sha256: str | None = None
    url: str | None = None
    filename: str | None = None
    key: str | None = None
    account: str | None = None
    provider: str | None = None
    product: Product | None = None
    language: str | None = None
    header: Mapping[str, str] = field(default_factory=_no_entries)
    properties: ImageProperties | None = None


@dataclass(frozen=True, slots=True)
class Fixed:
    """A fixed delay, in seconds."""

    seconds: float

    def draw(self, rng: Random) -> float:
        return self.seconds


@dataclass(frozen=True, slots=True)
class Uniform:
    """A uniformly distributed delay between `low` and `high` seconds."""

    low: float
    high: float

    def draw(self, rng: Random) -> float:
        return rng.uniform(self.low, self.high)


@dataclass(frozen=True, slots=True)
class Lognormal:
    """A log-normally distributed delay with this median, at most `max` seconds."""

    median: float
    sigma: float
    max: float | None = None

    def draw(self, rng: Random) -> float:
        drawn = rng.lognormvariate(math.log(self.median), self.sigma) if self.median > 0 else 0.0
        return drawn if self.max is None else min(drawn, self.max)


Delay = Fixed | Uniform | Lognormal | Dribble
_RANDOM_DELAYS = (Uniform, Lognormal)


def is_random(delay: Delay | None) -> bool:
    """Whether a delay differs from one request to the next."""
    return isinstance(delay, _RANDOM_DELAYS)


def draw_plan(delay: Delay | None, fault: Fault | None, rng: Random) -> FaultPlan:
    """Choose what happens to one reply. The same state of `rng` gives the same plan.

    A delay comes before a fault. A fault replaces a dribble, which needs a proper reply.
    """
    if isinstance(delay, Dribble):
        return FaultPlan(fault=fault) if fault else FaultPlan(dribble=delay)
    if delay is None and fault is None:
        return NO_FAULT
    return FaultPlan(delay=max(delay.draw(rng), 0.0) if delay else 0.0, fault=fault)


@dataclass(frozen=True, slots=True)
class Trouble:
    """Misreads. Several may be combined.

    `score`: the range of random confidences, 0 to 1. `confuse`: how many characters of the top reading are replaced by
    look-alikes; the true text stays among the candidates. `region`: this code replaces the true one.
    `bad_check_digit`: the VIN has a wrong check digit. `partial`: how many first characters are read. `unreadable`:
    the plate or VIN is found, but not its text. `too_small`: narrower pictures (pixels) give no reading.
    `too_blurred`: less sharp pictures (variance of the Laplacian) give no reading.
    """

    score: tuple[float, float] | None = None
    confuse: int = 0
    region: str | None = None
    bad_check_digit: bool = False
    partial: int | None = None
    unreadable: bool = False
    too_small: int | None = None
    too_blurred: float | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a scenario's sequence. `times` None means that it repeats forever.

    `chance`: the share of the calls reaching the step that it answers, 0 to 1; the next step answers the others.
    """

    outcome: OutcomeName = OutcomeName.READ
    message: str | None = None
    variant: str | None = None
    times: int | None = None
    delay: Delay | None = None
    fault: Fault | None = None
    headers: Mapping[str, str] = field(default_factory=_no_entries)
    trouble: Trouble | None = None
    omit: tuple[str, ...] = ()
    add: Mapping[str, Any] = field(default_factory=_no_entries)
    reply: WrittenReply | None = None
    chance: float | None = None

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
