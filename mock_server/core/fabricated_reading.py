"""Fabricates a plausible reading for a picture without a scenario, from the digest of the picture.

The same digest, size and product always give the same reading, in every process.
"""

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mock_server.core.model import Product
from mock_server.core.reading import Candidate, PlateReading, Reading, Vehicle, VinReading
from mock_server.identifiers.confusables import alternatives
from mock_server.identifiers.vins import ALPHABET
from mock_server.imaging.geometry import Box

if TYPE_CHECKING:
    from mock_server.identifiers.vehicle_provider import SeededVehicleProvider

_VEHICLES = (("Sedan", 0.76), ("SUV", 0.92), ("Pickup Truck", 0.94), ("Van", 1.12))
"""Types of vehicle, each with its height divided by its width, seen from behind."""
_TYPES = ("Sedan", "Sedan", "Sedan", "SUV", "SUV", "Pickup Truck", "Van")
_NARROW = {"us": 2.0, "ca": 2.0, "au": 2.75, "br": 3.1, "in": 4.2}
"""Width divided by height of a country's plates, if it is not the European value."""
_EUROPEAN_ASPECT = 4.6
_VIN_ASPECT = 12.0
_CROP_ASPECT = 1.8
"""A picture with at least this width divided by its height counts as a close crop of a plate."""


def fabricate(digest: bytes | str, width: int, height: int, product: Product) -> Reading:
    """The reading of a picture of `width` x `height` pixels with this digest (bytes or hex).

    Plates have the printed format of their region, VINs a valid check digit. Scores have three decimals, the first
    candidate is the text itself, and boxes are inside the picture.
    """
    # Imported late: the start does not need Faker, which is slow to import.
    from mock_server.identifiers.vehicle_provider import SeededVehicleProvider

    text = digest.hex() if isinstance(digest, bytes) else digest.lower()
    seed = int.from_bytes(hashlib.sha256(f"{product.value}:{text}".encode()).digest()[:16], "big")
    choices = _Choices(SeededVehicleProvider(seed), max(width, 1), max(height, 1))
    return Reading(vin=choices.vin()) if product is Product.VIN else Reading(plates=(choices.plate(),))


@dataclass(frozen=True, slots=True)
class _Choices:
    """The random choices for one picture. Their order determines the result."""

    provider: "SeededVehicleProvider"
    width: int
    height: int

    def plate(self) -> PlateReading:
        region = self.provider.license_plate_region()
        text = self.provider.license_plate(region)
        score = self._score(0.80, 0.96)
        kind = self.provider.pick(_TYPES)
        around = self._vehicle_box(dict(_VEHICLES)[kind])
        return PlateReading(
            text=text,
            region=region,
            region_score=self._score(0.62, 0.95),
            score=score,
            dscore=self._score(0.70, 0.95),
            box=self._plate_box(around, _NARROW.get(region[:2], _EUROPEAN_ASPECT)),
            candidates=self._candidates(text, score, None),
            vehicle=Vehicle(kind, self._score(0.55, 0.93), around),
        )

    def vin(self) -> VinReading:
        text = self.provider.vin()
        confidence = self._score(0.88, 0.99)
        wide = min(self.width * self.provider.number(0.55, 0.85), self.height * _VIN_ASPECT * 0.6)
        box = self._box_around(wide, wide / _VIN_ASPECT, (0.5, self.provider.number(0.35, 0.65)))
        return VinReading(text, confidence, box, self._candidates(text, confidence, ALPHABET))

    def _score(self, low: float, high: float) -> float:
        return round(self.provider.number(low, high), 3)

    def _candidates(self, text: str, score: float, allowed: str | None) -> tuple[Candidate, ...]:
        """The text itself and up to three misreadings of it, with decreasing scores."""
        found = [Candidate(text, score)]
        wanted = 1 + int(self.provider.number(0, 3))
        for other in alternatives(text, wanted, allowed=allowed):
            likely = min(score * other.likeness * self.provider.number(0.80, 0.98), found[-1].score - 0.001)
            found.append(Candidate(other.text, round(max(likely, 0.0), 3)))
        return tuple(found)

    def _vehicle_box(self, aspect: float) -> Box:
        if self.width >= self.height * _CROP_ASPECT:
            return Box(0, 0, self.width, self.height)
        wide = min(self.width * self.provider.number(0.60, 0.88), self.height * 0.92 / aspect)
        return self._box_around(
            wide, wide * aspect, (self.provider.number(0.46, 0.54), self.provider.number(0.50, 0.58))
        )

    def _plate_box(self, around: Box, aspect: float) -> Box:
        """Low in the middle of the vehicle. In a close crop the plate nearly fills the picture."""
        if self.width >= self.height * _CROP_ASPECT:
            wide = min(self.width * 0.86, self.height * 0.80 * aspect)
            return self._box_around(wide, wide / aspect, (0.5, 0.5))
        wide = around.width * min(0.09 + 0.04 * aspect, 0.27) * self.provider.number(0.95, 1.1)
        x = (around.xmin + around.xmax) / 2 / self.width
        y = (around.ymin + around.height * self.provider.number(0.60, 0.72)) / self.height
        return self._box_around(wide, wide / aspect, (x, y))

    def _box_around(self, wide: float, tall: float, middle: tuple[float, float]) -> Box:
        """A box of this size around `middle` (fractions of the picture), inside the picture and never empty."""
        columns = min(max(round(wide), 1), self.width)
        rows = min(max(round(tall), 1), self.height)
        left = min(max(round(middle[0] * self.width - columns / 2), 0), self.width - columns)
        top = min(max(round(middle[1] * self.height - rows / 2), 0), self.height - rows)
        return Box(left, top, left + columns, top + rows)
