"""Believable identifiers from a seed, through Faker: the same seed gives the same text on every Python.

Faker is imported on first use, as it takes about a tenth of a second. Its own automotive tables change between
releases and name no region, so the grammars are ours; no locale is loaded.
"""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from mock_server.identifiers.plates import GRAMMARS, PlateGrammar
from mock_server.identifiers.vins import compose_vin

if TYPE_CHECKING:
    from random import Random


class IdentifierGenerator:
    """Draws plates, VINs and plain numbers, one after another, from one seed."""

    def __init__(self, seed: int) -> None:
        from faker.generator import Generator

        self._faker = Generator()
        self._faker.seed_instance(seed)
        # Asked itself: adding it to the generator would look through its names for every picture.
        self._provider = _provider_class()(self._faker)

    def region(self) -> str:
        """A region's code, the commoner the oftener."""
        return str(self._provider.plate_region())

    def plate(self, region: str) -> str:
        """A plate text of the region, as it stands on the plate. Raises KeyError for an unknown region."""
        return str(self._provider.plate_text(GRAMMARS[region]))

    def vin(self) -> str:
        """A VIN with a valid check digit."""
        return str(self._provider.vehicle_identification_number())

    def number(self, low: float, high: float) -> float:
        """A number between `low` and `high`, all as likely."""
        return low + (high - low) * float(self._faker.random.random())

    def pick(self, elements: Sequence[str]) -> str:
        """One of the elements, all as likely."""
        return pick(self._faker.random, elements)


def pick(random: "Random", elements: Sequence[str]) -> str:
    """One of the elements. Only `random()` is drawn on: its values are promised not to change between Pythons."""
    return elements[int(random.random() * len(elements))]


@cache
def _provider_class() -> type[Any]:
    from faker.providers import BaseProvider

    weighted = tuple(code for code, grammar in GRAMMARS.items() for _ in range(grammar.share))

    class IdentifierProvider(BaseProvider):
        """Faker's way to these grammars."""

        def plate_region(self) -> str:
            return self._pick(weighted)

        def plate_text(self, grammar: PlateGrammar) -> str:
            return grammar.compose(self._pick)

        def vehicle_identification_number(self) -> str:
            return compose_vin(self._pick)

        def _pick(self, elements: Sequence[str]) -> str:
            return pick(self.generator.random, elements)

    return IdentifierProvider
