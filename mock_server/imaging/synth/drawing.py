"""One call that draws a picture and says what it shows."""

import io
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from mock_server.imaging.synth.camera import Shot
from mock_server.imaging.synth.glyphs import DRAWABLE
from mock_server.imaging.synth.plates import DESIGNS
from mock_server.imaging.synth.scenes import Painted, Parked, paint_plate, paint_scene
from mock_server.imaging.synth.truth import Truth
from mock_server.imaging.synth.vin import paint_vin

DEFAULT_SIZES = {"plate": (800, 480), "vin": (1024, 576), "scene": (1024, 768)}
"""Kind of picture to its usual size in pixels."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A drawn picture, what it shows, and the JPEG quality it asks for."""

    image: Image.Image
    truth: Truth
    quality: int = 86

    def encoded(self, format: str = "JPEG") -> bytes:
        """The picture's bytes; JPEG with this drawing's quality, other formats as Pillow writes them."""
        buffer = io.BytesIO()
        if format == "JPEG":
            self.image.save(buffer, format, quality=self.quality, optimize=True)
        else:
            self.image.save(buffer, format)
        return buffer.getvalue()


def check_text(text: str) -> None:
    """Raise ValueError when a character of `text` has no glyph."""
    missing = sorted({char for char in text.upper() if char not in DRAWABLE})
    if missing:
        raise ValueError(f"cannot draw {' '.join(missing)}: letters A-Z, digits, hyphen, dot and space are drawn")


def draw_scene(
    cars: tuple[Parked, ...], *, place: str = "street", size: tuple[int, int] = (1024, 768), seed: int = 0,
    shot: Shot | None = None,
) -> Drawing:
    """A scene with these vehicles (none of them, one or several; those without `text` carry no plate)."""
    shot = shot or Shot()
    return _drawing(paint_scene(cars, place, size, shot, np.random.default_rng(seed)), shot)


def draw_plate(car: Parked, *, size: tuple[int, int] = (800, 480), seed: int = 0, shot: Shot | None = None) -> Drawing:
    """A plate close up, on the bodywork of `car`."""
    shot = shot or Shot()
    return _drawing(paint_plate(car, size, shot, np.random.default_rng(seed)), shot)


def draw_vin(
    text: str, *, style: str = "plate", size: tuple[int, int] = (1024, 576), seed: int = 0, shot: Shot | None = None
) -> Drawing:
    """A VIN in one of `vin.VIN_STYLES`."""
    shot = shot or Shot()
    image, truth = paint_vin(text.upper(), style, size, shot, np.random.default_rng(seed))
    return Drawing(image, truth, shot.quality)


def _drawing(painted: Painted, shot: Shot) -> Drawing:
    return Drawing(painted.image, painted.truth, shot.quality)


_ = (replace, DESIGNS)
