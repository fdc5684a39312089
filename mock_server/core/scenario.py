"""Scenarios: when they apply and what happens then. Plain values; the YAML behind them is read elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mock_server.core.model import Dribble, Fault, OutcomeName, Product, Reading


@dataclass(frozen=True, slots=True)
class ImageProperties:
    """Conditions on the picture itself; sizes in pixels of the upright picture."""

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
    """All that are given must hold. `images` are ids of pictures in the set; any one of them is enough."""

    images: tuple[str, ...] = ()
    sha256: str | None = None
    url: str | None = None
    filename: str | None = None
    key: str | None = None
    account: str | None = None
    provider: str | None = None
    product: Product | None = None
    language: str | None = None
    header: Mapping[str, str] = field(default_factory=dict)
    properties: ImageProperties | None = None


@dataclass(frozen=True, slots=True)
class Fixed:
    """Always the same delay, in seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Uniform:
    """Any delay between `low` and `high` seconds, all as likely."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Lognormal:
    """A long-tailed delay: half of them above `median` seconds, none above `max`."""

    median: float
    sigma: float
    max: float | None = None


Delay = Fixed | Uniform | Lognormal | Dribble


@dataclass(frozen=True, slots=True)
class Trouble:
    """What goes wrong in recognition itself; several may be combined.

    `score`: confidences drawn from this range, 0 to 1. `confuse`: so many characters of the top reading replaced by
    look-alikes, the truth kept among the candidates. `region`: this code is reported instead of the true one.
    `bad_check_digit`: the VIN comes back with a wrong check digit. `partial`: only so many first characters are read.
    `unreadable`: the plate or VIN is found, its text is not. `too_small`: narrower pictures (pixels) yield nothing.
    `too_blurred`: less sharp pictures (variance of the Laplacian) yield nothing.
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
    """One step of a scenario's sequence; `times` None means it stays."""

    outcome: OutcomeName = OutcomeName.READ
    message: str | None = None
    variant: str | None = None
    times: int | None = None
    delay: Delay | None = None
    fault: Fault | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    trouble: Trouble | None = None


@dataclass(frozen=True, slots=True)
class Scenario:
    """When a request meets `when`, the steps happen one after another, per key.

    `order` is its place in the files; one that was added at run time comes before them with a negative one.
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
