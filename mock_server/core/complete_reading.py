"""Completes a reading for a reply: every field has a value, and boxes are in pixels of the picture that was sent.

A fixture may give only the text. Real replies always have boxes, candidates, a region and a vehicle, and clients read
them without a check. So missing fields are filled in here, in the same way every time.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

from mock_server.core.reading import Candidate, PlateReading, Reading, Vehicle, VinReading
from mock_server.imaging.geometry import Box, Placement

_UNKNOWN_REGION = "us"
_Move = Callable[[Box | None], Box | None]

NOMINAL_SIZE = (1280, 960)
"""The size of a picture that was not fetched, because a scenario matches its URL."""


@lru_cache(maxsize=2048)
def complete(reading: Reading, placement: Placement | None, size: tuple[int, int] | None) -> Reading:
    """A complete copy of `reading`, in pixels of a picture of `size` (width, height).

    `placement` is the position of the fixture's picture in the one that was sent; with None, boxes stay as they are.
    Cached, because a test suite sends the same picture many times.
    """
    size = size or NOMINAL_SIZE

    def move(box: Box | None) -> Box | None:
        if box is None:
            return None
        return placement.map(box) if placement else box.clamped(*size)

    count = len(reading.plates)
    plates = tuple(
        _complete_plate(plate, _default_box(size, position, count, width=0.22, height=0.07), move, size)
        for position, plate in enumerate(reading.plates)
    )
    vin = reading.vin and _complete_vin(reading.vin, _default_box(size, 0, 1, width=0.7, height=0.08), move)
    return replace(reading, plates=plates, vin=vin)


def _complete_plate(plate: PlateReading, default: Box, move: _Move, size: tuple[int, int]) -> PlateReading:
    box = move(plate.box) or default
    vehicle = plate.vehicle or Vehicle("Sedan", 0.8)
    candidates = tuple(replace(candidate, box=move(candidate.box)) for candidate in plate.candidates)
    return replace(
        plate,
        box=box,
        region=plate.region or _region_of(plate.text),
        candidates=candidates or _own_candidate(plate, plate.score),
        vehicle=replace(vehicle, box=move(vehicle.box) or _around(box, size)),
    )


def _region_of(text: str) -> str:
    # Imported late: the start does not need its tables, which take as long to load as all of this package.
    from mock_server.identifiers.plates import regions_of

    return next(iter(regions_of(text)), _UNKNOWN_REGION)


def _complete_vin(vin: VinReading, default: Box, move: _Move) -> VinReading:
    box = move(vin.box) or default
    candidates = vin.candidates or _own_candidate(vin, vin.confidence)
    return replace(
        vin, box=box, candidates=tuple(replace(candidate, box=move(candidate.box) or box) for candidate in candidates)
    )


def _own_candidate(reading: PlateReading | VinReading, score: float) -> tuple[Candidate, ...]:
    """The text of a reading as its only candidate; none if the reply leaves the text out."""
    return () if "text" in reading.omitted else (Candidate(reading.text, score),)


def _default_box(size: tuple[int, int], position: int, count: int, *, width: float, height: float) -> Box:
    # Plates without boxes are placed side by side in the lower half.
    center_x = size[0] * (position + 1) / (count + 1)
    center_y = size[1] * 0.62
    half_width, half_height = size[0] * width / 2 / max(count, 1), size[1] * height / 2
    return _rounded(center_x - half_width, center_y - half_height, center_x + half_width, center_y + half_height, size)


def _around(box: Box, size: tuple[int, int]) -> Box:
    side, above, below = 1.5 * box.width, 2.5 * box.width, 0.5 * box.width
    return _rounded(box.xmin - side, box.ymin - above, box.xmax + side, box.ymax + below, size)


def _rounded(xmin: float, ymin: float, xmax: float, ymax: float, size: tuple[int, int]) -> Box:
    return Box(round(xmin), round(ymin), round(xmax), round(ymax)).clamped(*size)
