"""What a request costs: which outcomes cost a unit, and what is charged once the reply is known."""

from dataclasses import dataclass

from mock_server.core.forcing import ForcedResult
from mock_server.core.library import Library
from mock_server.core.model import Outcome, Traits
from mock_server.core.store import Admission


@dataclass(slots=True)
class Cost:
    """One unit that a decision costs, and what is needed for the refusal if there is none left."""

    admission: Admission
    traits: Traits
    library: Library
    forced: ForcedResult | None


def is_charged(outcome: Outcome, library: Library, traits: Traits) -> bool:
    """Whether an outcome costs a unit: by the list in `mock.yaml`, or else by the provider's rule."""
    if charge := library.fixtures.defaults.charge:
        configured = charge.get(traits.name, charge.get("*"))
        if configured is not None:
            return outcome.label in configured
    return outcome.reply is None and (
        outcome.name in traits.charged or (outcome.name, outcome.variant) in traits.charged_variants
    )
