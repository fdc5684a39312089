"""The vocabulary of the core: products, outcomes, requests, traits of a provider.

Nothing here names a field, a status or a message of a provider.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any

from mock_server.core import field_types as types
from mock_server.core.field_types import Written, described
from mock_server.core.reading import Reading
from mock_server.core.turns import Client
from mock_server.core.written_reply import WrittenReply


class Product(StrEnum):
    """The kind of text that is read from a picture."""

    PLATE = "plate"
    VIN = "vin"


class OutcomeName(StrEnum):
    """The result of a request, in neutral words."""

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
    PAYMENT_REQUIRED = "payment_required"


PICTURE_OUTCOMES = frozenset({OutcomeName.READ, OutcomeName.NOTHING_FOUND, OutcomeName.NO_TEXT})
"""The results of recognition itself. Every other outcome can be forced without a picture."""


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
    """Connection faults instead of a proper reply. All but the last one have the names and effects of WireMock."""

    EMPTY_RESPONSE = "EMPTY_RESPONSE"
    MALFORMED_RESPONSE_CHUNK = "MALFORMED_RESPONSE_CHUNK"
    RANDOM_DATA_THEN_CLOSE = "RANDOM_DATA_THEN_CLOSE"
    CONNECTION_RESET_BY_PEER = "CONNECTION_RESET_BY_PEER"
    TRUNCATED_BODY = "TRUNCATED_BODY"


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a request has no readable picture.

    `outcome` is `invalid_request` (malformed, or without a picture) or `invalid_image` (the data is not a picture).
    `detail` becomes `Outcome.detail`. `variant` selects the wording of the reply.
    """

    outcome: OutcomeName
    detail: str
    variant: str | None = None


@dataclass(slots=True)
class ReadRequest:
    """One request to read a picture, stripped of its provider's wire format.

    The picture is `image` (bytes) or `url` (a reference that the image source may resolve), or neither when
    `problem` says why. `headers` have lower-case names. `notes` are facts for the journal, such as the alias a
    client used; `fields` are the names of body fields that the provider does not have. `received_at` is the time of
    the mock's clock, in Unix seconds, for replies that carry a time. `no_key` says why a request that seems to have
    a key has none. Requests with the same text in `once` are charged once, if the account is a wallet. `has_payment`:
    the request carries its own payment. `client` is None if nothing is known about its connection.
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
    fields: tuple[str, ...] = ()
    problem: Problem | None = None
    received_at: float = 0.0
    no_key: str | None = None
    once: str = ""
    has_payment: bool = False
    client: Client | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """The used part of an allowance. `limit` None means unlimited."""

    current: int
    limit: int | None

    @property
    def remaining(self) -> int | None:
        return None if self.limit is None else max(self.limit - self.current, 0)


@dataclass(frozen=True, slots=True)
class Dribble(Written):
    """A reply sent in pieces."""

    chunks: Annotated[int, types.whole_number(1, 10_000)] = described("The number of pieces.")
    seconds: types.Duration = described("The time from the first piece to the last.", key="over")


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """How a reply is sent: after `delay` seconds, as a dribble, or with a connection fault."""

    delay: float = 0.0
    dribble: Dribble | None = None
    fault: Fault | None = None


NO_FAULT = FaultPlan()
REPLY = "reply"
"""What stands for the name of an outcome if a scenario writes the reply out."""


@dataclass(slots=True)
class Outcome:
    """The result of one request. A provider renders it in its own words.

    `message` replaces the provider's default text. `variant` names a documented alternative of the outcome. `omit` are
    fields that are removed from the JSON that the provider has rendered, `add` new fields with their values; a field
    that exists keeps its value. Their paths are names joined by dots, and go through every item of a list. `reply` is
    sent in place of the provider's reply. `reading` is set for `read`, with boxes in pixels of the picture that was
    sent. `usage`, `tier` and `period` are set for `out_of_credits` and `rate_limited`, `retry_after` (seconds) for
    `rate_limited`. `digest` (SHA-256, hex) identifies the picture: values that a provider makes up are derived from it.
    `is_made_up`: no scenario says what the picture shows, and `reading` is invented. `detail` is one sentence with what
    the mock knows and the provider's text does not say, for the header `X-Mock-Detail` and the journal, without a key.
    """

    name: OutcomeName
    reading: Reading | None = None
    message: str | None = None
    variant: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    omit: tuple[str, ...] = ()
    add: Mapping[str, Any] = field(default_factory=dict)
    reply: WrittenReply | None = None
    usage: Usage | None = None
    tier: str | None = None
    period: str | None = None
    retry_after: float | None = None
    digest: str = ""
    detail: str | None = None
    is_made_up: bool = False

    @property
    def label(self) -> str:
        """The name in the journal, in metrics and in `charge`: `reply` if the reply is not the provider's."""
        return REPLY if self.reply else self.name


class Billing(StrEnum):
    """What a request consumes: units bought beforehand, or a volume that is renewed each period."""

    CREDITS = "credits"
    QUOTA = "quota"


@dataclass(frozen=True, slots=True)
class Traits:
    """How a provider works, without its wording.

    `charged`: outcomes that cost a unit. `variants`: the documented alternatives of an outcome, the default first.
    `free_text`: a picture that holds a plate or other text but no VIN is answered with that text. `statuses`: the
    outcome behind each HTTP status of a product's replies. `charged_variants`: variants that cost a unit although their
    outcome does not. `takes_payments`: a payment may take the place of a key.
    """

    name: str
    billing: Billing
    charged: frozenset[OutcomeName]
    variants: Mapping[OutcomeName, tuple[str, ...]] = field(default_factory=dict)
    free_text: bool = False
    statuses: Mapping[Product, Mapping[int, OutcomeName]] = field(default_factory=dict)
    charged_variants: frozenset[tuple[OutcomeName, str]] = frozenset()
    takes_payments: bool = False
