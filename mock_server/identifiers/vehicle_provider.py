"""Licence plates and VINs as a provider for Faker.

Faker's own automotive provider has other formats per locale, and they change between its releases.
"""

from collections.abc import Sequence
from random import Random

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
        return pick(self.generator.random, elements)


def pick(random: Random, elements: Sequence[str]) -> str:
    """One of the elements, all equally likely.

    Only `Random.random()` is used: Python guarantees its values for a seed, but not those of `choice()`.
    """
    return elements[int(random.random() * len(elements))]
