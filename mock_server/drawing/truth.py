"""What a drawn picture shows, exactly: the words of a scenario file for it."""

from dataclasses import dataclass

from mock_server.imaging.geometry import Box


@dataclass(frozen=True, slots=True)
class VehicleTruth:
    """A vehicle in the picture: its type as recognisers name it, and the box around it in pixels."""

    type: str
    box: Box


@dataclass(frozen=True, slots=True)
class PlateTruth:
    """A plate in the picture: its text as printed, its region, the box around the text in pixels."""

    text: str
    region: str
    box: Box
    vehicle: VehicleTruth | None = None


@dataclass(frozen=True, slots=True)
class VinTruth:
    """A vehicle identification number in the picture and the box around it in pixels."""

    text: str
    box: Box


@dataclass(frozen=True, slots=True)
class Truth:
    """Everything legible in a picture; `text` is lettering that is neither plate nor VIN."""

    plates: tuple[PlateTruth, ...] = ()
    vin: VinTruth | None = None
    text: str | None = None
