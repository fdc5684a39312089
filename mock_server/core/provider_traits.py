"""How a provider works, in neutral words: what it charges for, and which alternatives its outcomes have."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from mock_server.core.model import OutcomeName, Product


class Billing(StrEnum):
    """What a request consumes: units bought beforehand, or a volume that is renewed each period."""

    CREDITS = "credits"
    QUOTA = "quota"


@dataclass(frozen=True, slots=True)
class Traits:
    """How a provider works, without its wording.

    `charged`: outcomes that cost a unit. `variants`: the documented alternatives of an outcome, the default first.
    `free_text`: a picture that holds text but no VIN is answered with that text. `statuses`: the outcome behind
    each HTTP status of a product's replies.
    """

    name: str
    billing: Billing
    charged: frozenset[OutcomeName]
    variants: Mapping[OutcomeName, tuple[str, ...]] = field(default_factory=dict)
    free_text: bool = False
    statuses: Mapping[Product, Mapping[int, OutcomeName]] = field(default_factory=dict)

    def outcome_of_status(self, status: int, product: Product) -> OutcomeName | None:
        """The outcome that the provider answers with an HTTP status; None where no reply has that status."""
        return self.statuses.get(product, {}).get(status)
