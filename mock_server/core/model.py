"""The words of the core: products, outcomes, readings, requests and what is decided about them.

Nothing here names a field, a status or a message of any provider.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from mock_server.imaging.geometry import Box


class Product(StrEnum):
    """What is read from a picture."""

    PLATE = "plate"
    VIN = "vin"


class OutcomeName(StrEnum):
    """What a provider would do with a request."""

    READ = "read"
    NOTHING_FOUND = "nothing_found"
    NO_TEXT = "no_text"
    MISSING_KEY = "missing_key"
    UNKNOWN_KEY = "unknown_key"
    INACTIVE_ACCOUNT = "inactive_account"
    BLOCKED_KEY = "blocked_key"
    PLAN_EXCLUDED = "plan_excluded"
    INVALID_REQUEST = "invalid_request"
    INVALID_IMAGE = "invalid_image"
    OUT_OF_CREDITS = "out_of_credits"
    RATE_LIMITED = "rate_limited"
    SERVICE_ERROR = "service_error"
    UPSTREAM_UNREACHABLE = "upstream_unreachable"
    UPSTREAM_DOWN = "upstream_down"
    UPSTREAM_TIMEOUT = "upstream_timeout"


class MatchKind(StrEnum):
    """How a scenario was found for a request."""

    SHA256 = "sha256"
    PIXELS = "pixels"
    PERCEPTUAL = "perceptual"
    URL = "url"
    RULE = "rule"
    SYNTHESIZED = "synthesized"
    NONE = "none"


class Fault(StrEnum):
    """What happens to the connection instead of a proper reply; names and wire effects are WireMock's."""

    EMPTY_RESPONSE = "EMPTY_RESPONSE"
    MALFORMED_RESPONSE_CHUNK = "MALFORMED_RESPONSE_CHUNK"
    RANDOM_DATA_THEN_CLOSE = "RANDOM_DATA_THEN_CLOSE"
    CONNECTION_RESET_BY_PEER = "CONNECTION_RESET_BY_PEER"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One possible text with its confidence, 0 to 1; `box` only where it differs from the reading's own."""

    text: str
    score: float
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class Vehicle:
    """A vehicle found in the picture; `score` is the confidence in `type`, 0 to 1."""

    type: str
    score: float
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class PlateReading:
    """One licence plate. Scores are 0 to 1: `score` of the text, `dscore` of the detection. Best candidate first."""

    text: str
    region: str | None = None
    region_score: float = 0.9
    score: float = 0.9
    dscore: float = 0.9
    box: Box | None = None
    candidates: tuple[Candidate, ...] = ()
    vehicle: Vehicle | None = None


@dataclass(frozen=True, slots=True)
class VinReading:
    """One vehicle identification number; `confidence` is 0 to 1. Best candidate first."""

    text: str
    confidence: float = 0.95
    box: Box | None = None
    candidates: tuple[Candidate, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """The truth about a picture: its plates, its VIN, or other text that is no VIN."""

    plates: tuple[PlateReading, ...] = ()
    vin: VinReading | None = None
    text: str | None = None

    @property
    def is_empty(self) -> bool:
        """Whether the picture shows nothing that can be read."""
        return not self.plates and self.vin is None and self.text is None

    def boxes(self) -> tuple[Box, ...]:
        """Where the texts stand: the regions that tell this picture from its neighbours."""
        plates = tuple(plate.box for plate in self.plates if plate.box)
        return (*plates, self.vin.box) if self.vin and self.vin.box else plates


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a request cannot be read, found by its provider while parsing.

    `outcome` is `invalid_request` (no picture named, malformed) or `invalid_image` (something named that is no
    picture); `detail` is for the journal, `variant` lets the renderer choose its own wording.
    """

    outcome: OutcomeName
    detail: str
    variant: str | None = None


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """One request to read a picture, stripped of its provider's wire format.

    The picture is `image` (bytes) or `url` (a reference that the image source may resolve), or neither when
    `problem` says why. `headers` have lower-case names. `notes` are facts for the journal, such as the alias a
    client used. `received_at` is the time of the mock's clock, in Unix seconds, for replies that carry a time.
    """

    provider: str
    product: Product
    key: str | None
    image: bytes | memoryview | None = None
    url: str | None = None
    filename: str | None = None
    language: str = "en"
    headers: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    problem: Problem | None = None
    received_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Usage:
    """How much of a metered allowance is gone; `limit` None means unlimited."""

    current: int
    limit: int | None

    @property
    def remaining(self) -> int | None:
        return None if self.limit is None else max(self.limit - self.current, 0)


@dataclass(frozen=True, slots=True)
class Dribble:
    """A reply sent in `chunks` pieces spread over `seconds`."""

    chunks: int
    seconds: float


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """What the edge does to a reply: wait `delay` seconds, then dribble it, or break the connection."""

    delay: float = 0.0
    dribble: Dribble | None = None
    fault: Fault | None = None

    def __bool__(self) -> bool:
        return bool(self.delay or self.dribble or self.fault)


NO_FAULT = FaultPlan()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was decided about one request; a provider renders it in its own words.

    `message` replaces the provider's default text; `variant` names a documented alternative of the outcome.
    `reading` is set for `read`, with boxes in pixels of the picture that was sent. `usage`, `tier` and `period`
    go with `out_of_credits` and `rate_limited`, `retry_after` (seconds) with `rate_limited`. `digest`
    (SHA-256, hex) is the picture's: what a provider makes up about a picture is made from it, so that it stays.
    """

    name: OutcomeName
    reading: Reading | None = None
    message: str | None = None
    variant: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    usage: Usage | None = None
    tier: str | None = None
    period: str | None = None
    retry_after: float | None = None
    digest: str = ""
    detail: str | None = None
