"""Random identifiers from a seed. The same seed gives the same texts in every process and Python version.

Faker is imported with the first generator, because the import takes about 0.1 seconds.
"""

from collections.abc import Sequence


class IdentifierGenerator:
    """Plates, VINs and numbers from one stream of random numbers, so the order of the calls matters."""

    def __init__(self, seed: int) -> None:
        from faker.generator import Generator

        from mock_server.identifiers.vehicle_provider import VehicleProvider, pick

        generator = Generator()
        generator.seed_instance(seed)
        self._random = generator.random
        # Not added to the generator: `add_provider` inspects every attribute, which is slow for one picture.
        self._provider = VehicleProvider(generator)
        self._pick = pick

    def region(self) -> str:
        """A region code; regions with more vehicles are more frequent."""
        return self._provider.license_plate_region()

    def plate(self, region: str) -> str:
        """The text of a plate of this region, with its separators. Raises KeyError for an unknown region."""
        return self._provider.license_plate(region)

    def vin(self) -> str:
        """A VIN with a valid check digit."""
        return self._provider.vin()

    def number(self, low: float, high: float) -> float:
        """A number between `low` and `high`, uniformly distributed."""
        return low + (high - low) * self._random.random()

    def pick(self, elements: Sequence[str]) -> str:
        """One of the elements, all equally likely."""
        return self._pick(self._random, elements)
