"""One example of every outcome and variant of a provider, for documents and for the rows of the rehearsal report."""

from collections.abc import Iterator

from mock_server.core.complete_reading import complete
from mock_server.core.model import Outcome, OutcomeName, PlateReading, Reading, Usage, VinReading
from mock_server.providers.provider import Provider

_READING = Reading(plates=(PlateReading("9DJC652", "us-ca"),), vin=VinReading("JHLRD77874C026456"))


def sample_outcomes(provider: Provider) -> Iterator[Outcome]:
    """Every outcome with each of its variants, complete enough to be rendered."""
    for name in OutcomeName:
        for variant in provider.traits.variants.get(name, (None,)):
            yield Outcome(
                name,
                reading=complete(_READING, None, None) if name is OutcomeName.READ else Reading(),
                variant=variant,
                usage=Usage(1000, 1000),
                tier="standard",
                period="12/2026",
                retry_after=1.0,
                digest="5f" * 32,
            )
