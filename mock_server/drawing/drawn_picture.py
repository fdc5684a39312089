"""A drawn picture and its ground truth: what can be read in it, and where. Boxes are in pixels."""

import io
from dataclasses import dataclass

from PIL import Image

from mock_server.imaging.geometry import Box


@dataclass(frozen=True, slots=True)
class VehicleTruth:
    """A vehicle: its type as providers report it, and its bounding box."""

    type: str
    box: Box


@dataclass(frozen=True, slots=True)
class PlateTruth:
    """A plate: its text with separators, its region, the bounding boxes of the text and of the plate, its vehicle."""

    text: str
    region: str
    box: Box
    rim: Box
    vehicle: VehicleTruth


@dataclass(frozen=True, slots=True)
class VinTruth:
    """A VIN and its bounding box."""

    text: str
    box: Box


@dataclass(frozen=True, slots=True)
class Truth:
    """All text in a picture. `text` is text that is neither a plate nor a VIN."""

    plates: tuple[PlateTruth, ...] = ()
    vin: VinTruth | None = None
    text: str | None = None

    def __str__(self) -> str:
        words = [f"{plate.text} ({plate.region})" for plate in self.plates]
        words += [self.vin.text] if self.vin else []
        words += [self.text] if self.text else []
        return ", ".join(words) or "nothing to read"


@dataclass(frozen=True, slots=True)
class Drawing:
    """A drawn picture with its ground truth; `quality` is for JPEG and WebP."""

    image: Image.Image
    truth: Truth
    quality: int = 86

    def encoded(self, format: str = "JPEG") -> bytes:
        """The file's bytes in one of Pillow's formats."""
        buffer = io.BytesIO()
        if format in ("JPEG", "WEBP"):
            self.image.save(buffer, format, quality=self.quality)
        else:
            self.image.save(buffer, format)
        return buffer.getvalue()
