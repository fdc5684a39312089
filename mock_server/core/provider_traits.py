"""What the core must know of a provider, in neutral words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from mock_server.core.model import OutcomeName, Product


class Billing(StrEnum):
    """What a request draws on: units bought beforehand, or a volume that comes back each period."""

    CREDITS = "credits"
    QUOTA = "quota"


@dataclass(frozen=True, slots=True)
class Traits:
    """How a provider works, apart from how it words things.

    `charged`: outcomes that cost a unit. `variants`: the documented alternatives of an outcome, the default first.
    `free_text`: where a picture holds text but no VIN, that text is the answer.
    """

    name: str
    billing: Billing
    charged: frozenset[OutcomeName]
    variants: Mapping[OutcomeName, tuple[str, ...]] = field(default_factory=dict)
    free_text: bool = False


class Provider(Protocol):
    """The part of a provider that the core asks: its traits, and what a status of its replies stands for."""

    @property
    def traits(self) -> Traits: ...

    def outcome_of_status(self, status: int, product: Product) -> OutcomeName | None:
        """The outcome that this provider answers with an HTTP status, None when it never does."""
        ...
