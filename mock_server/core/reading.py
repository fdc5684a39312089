"""What is read from a picture: its plates, its VIN or other text, with boxes, scores and candidates."""

from dataclasses import dataclass

from mock_server.imaging.geometry import Box

OMITTED = "none"
"""What fixture files write for a field that replies leave out."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A possible text with its confidence, 0 to 1. `box` is set if it differs from the box of the reading."""

    text: str
    score: float
    box: Box | None = None
    omitted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Vehicle:
    """A vehicle in the picture. `score` is the confidence in `type`, 0 to 1."""

    type: str
    score: float
    box: Box | None = None
    omitted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlateReading:
    """A licence plate. Scores are 0 to 1: `score` for the text, `dscore` for the detection. Best candidate first.

    `omitted`, here and in the parts of a reading: the names of fields that replies leave out.
    """

    text: str = ""
    region: str | None = None
    region_score: float = 0.9
    score: float = 0.9
    dscore: float = 0.9
    box: Box | None = None
    candidates: tuple[Candidate, ...] = ()
    vehicle: Vehicle | None = None
    omitted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class VinReading:
    """A vehicle identification number. `confidence` is 0 to 1. Best candidate first."""

    text: str = ""
    confidence: float = 0.95
    box: Box | None = None
    candidates: tuple[Candidate, ...] = ()
    omitted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """The true content of a picture: its plates, its VIN, or text that is not a VIN."""

    plates: tuple[PlateReading, ...] = ()
    vin: VinReading | None = None
    text: str | None = None

    def __hash__(self) -> int:
        # Cached functions hash a reading at every request. The generated method would hash each box and candidate.
        return hash((self.text, self.vin and self.vin.text, *[plate.text for plate in self.plates]))

    @property
    def is_empty(self) -> bool:
        """Whether the picture shows nothing that can be read."""
        return not self.plates and self.vin is None and self.text is None

    def boxes(self) -> list[tuple[str, Box]]:
        """The texts with their boxes: the regions that distinguish this picture from similar ones."""
        readings: tuple[PlateReading | VinReading, ...] = (*self.plates, self.vin) if self.vin else self.plates
        return [(reading.text, reading.box) for reading in readings if reading.box]
