"""Licence plates and VINs as a provider for Faker, and from a seed.

Faker's own automotive provider has other formats per locale, and they change between its releases. The import of Faker
takes about 0.1 seconds, so this file is imported when the first identifier is needed.
"""

from collections.abc import Sequence

from faker.generator import Generator
from faker.providers import BaseProvider

from mock_server.identifiers.plates import PLATE_FORMATS
from mock_server.identifiers.vins import compose_vin

_WEIGHTED_REGIONS = tuple(region for region, plate_format in PLATE_FORMATS.items() for _ in range(plate_format.weight))


class VehicleProvider(BaseProvider):
    """Licence plates in the real format of their region, and VINs with a valid check digit.

    Add it to a Faker instance with `fake.add_provider(VehicleProvider)`. It replaces Faker's own `license_plate` and
    `vin`.
    """

    def license_plate_region(self) -> str:
        """A region code such as `us-ca`; regions with more vehicles are more frequent."""
        return self._pick(_WEIGHTED_REGIONS)

    def license_plate(self, region: str | None = None) -> str:
        """The text of a plate with its separators, such as `LK19 VRX`. Without `region`, the region is random.

        Raises KeyError for an unknown region.
        """
        return PLATE_FORMATS[region or self.license_plate_region()].compose(self._pick)

    def vin(self) -> str:
        """A 17-character VIN with a real manufacturer code and a valid check digit."""
        return compose_vin(self._pick)

    def _pick(self, elements: Sequence[str]) -> str:
        # Only `Random.random()` is used: Python guarantees its values for a seed, but not those of `choice()`.
        return elements[int(self.generator.random.random() * len(elements))]


class SeededVehicleProvider(VehicleProvider):
    """Identifiers and numbers from one stream of random numbers, so the order of the calls matters.

    The same seed gives the same texts in every process and Python version.
    """

    def __init__(self, seed: int) -> None:
        # It is not added to the generator: `add_provider` inspects every attribute, which is slow for one picture.
        super().__init__(Generator())
        self.generator.seed_instance(seed)

    def number(self, low: float, high: float) -> float:
        """A number between `low` and `high`, uniformly distributed."""
        share: float = self.generator.random.random()
        return low + (high - low) * share

    def pick(self, elements: Sequence[str]) -> str:
        """One of the elements, all equally likely."""
        return self._pick(elements)
