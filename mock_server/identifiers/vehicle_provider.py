"""Licence plates and VINs as a provider for Faker.

Faker's own automotive provider has other formats per locale, and they change between its releases.
"""

from faker.providers import BaseProvider

from mock_server.identifiers.generator import IdentifierGenerator


class VehicleProvider(BaseProvider):
    """Licence plates in the real format of their region, and VINs with a valid check digit.

    Add it to a Faker instance with `fake.add_provider(VehicleProvider)`. It replaces Faker's own `license_plate` and
    `vin`.
    """

    def license_plate_region(self) -> str:
        """A region code such as `us-ca`; regions with more vehicles are more frequent."""
        return IdentifierGenerator(self.generator.random).region()

    def license_plate(self, region: str | None = None) -> str:
        """The text of a plate with its separators, such as `LK19 VRX`. Without `region`, the region is random.

        Raises KeyError for an unknown region.
        """
        return IdentifierGenerator(self.generator.random).plate(region or self.license_plate_region())

    def vin(self) -> str:
        """A 17-character VIN with a real manufacturer code and a valid check digit."""
        return IdentifierGenerator(self.generator.random).vin()
