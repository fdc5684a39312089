"""Random identifiers from a seed. The same seed gives the same texts in every process and Python version."""

from collections.abc import Sequence
from random import Random

from mock_server.identifiers.plates import PLATE_FORMATS
from mock_server.identifiers.vins import compose_vin

_WEIGHTED_REGIONS = tuple(region for region, plate_format in PLATE_FORMATS.items() for _ in range(plate_format.weight))


class IdentifierGenerator:
    """Plates, VINs and numbers from one stream of random numbers, so the order of the calls matters."""

    def __init__(self, source: int | Random) -> None:
        """`source` is a seed, or the random numbers themselves."""
        self._random = source if isinstance(source, Random) else Random(source)

    def region(self) -> str:
        """A region code such as `us-ca`; regions with more vehicles are more frequent."""
        return self.pick(_WEIGHTED_REGIONS)

    def plate(self, region: str) -> str:
        """The text of a plate of this region, with its separators. Raises KeyError for an unknown region."""
        return PLATE_FORMATS[region].compose(self.pick)

    def vin(self) -> str:
        """A VIN with a real manufacturer code and a valid check digit."""
        return compose_vin(self.pick)

    def number(self, low: float, high: float) -> float:
        """A number between `low` and `high`, uniformly distributed."""
        return low + (high - low) * self._random.random()

    def pick(self, elements: Sequence[str]) -> str:
        """One of the elements, all equally likely.

        Only `Random.random()` is used: Python guarantees its values for a seed, but not those of `choice()`.
        """
        return elements[int(self._random.random() * len(elements))]
