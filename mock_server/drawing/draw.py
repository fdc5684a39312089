"""One call that draws a picture and says what it shows."""

import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from PIL import Image

from mock_server.drawing.backdrops import PLACES
from mock_server.drawing.camera import Shot
from mock_server.drawing.car_bodies import BODIES
from mock_server.drawing.glyph_shapes import DRAWABLE
from mock_server.drawing.plate_designs import DESIGNS
from mock_server.drawing.scene_drawing import PAINTS, Painted, Parked, paint_plate, paint_scene
from mock_server.drawing.truth import Truth
from mock_server.drawing.vin_drawing import VIN_STYLES, paint_vin
from mock_server.identifiers.generator import IdentifierGenerator
from mock_server.identifiers.plates import regions_of

Kind = Literal["plate", "vin", "scene"]
"""A plate close up, a VIN, or a scene with a vehicle."""
KINDS: tuple[Kind, ...] = get_args(Kind)

DEFAULT_SIZES: dict[Kind, tuple[int, int]] = {"plate": (800, 480), "vin": (1024, 576), "scene": (1024, 768)}
"""Kind of picture to its usual size in pixels."""
SMALLEST, LARGEST = 64, 4096
"""Limits of width and height in pixels."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A drawn picture, what it shows, and the JPEG quality it asks for."""

    image: Image.Image
    truth: Truth
    quality: int = 86

    def encoded(self, format: str = "JPEG") -> bytes:
        """The picture's bytes in a Pillow format; JPEG and WebP with this drawing's quality."""
        buffer = io.BytesIO()
        if format in ("JPEG", "WEBP"):
            self.image.save(buffer, format, quality=self.quality)
        else:
            self.image.save(buffer, format)
        return buffer.getvalue()


def draw(
    kind: Kind,
    *,
    text: str | None = None,
    region: str | None = None,
    size: tuple[int, int] | None = None,
    seed: int = 0,
    place: str | None = None,
    body: str | None = None,
    paint: str | None = None,
    style: str | None = None,
    two_line: bool = False,
    shot: Shot | None = None,
) -> Drawing:
    """Draw one picture. What is not given is chosen by `seed`; the same arguments give the same pixels.

    `text` "" draws a vehicle without a plate. `region` is a code of `DESIGNS`, `place` of `PLACES`, `body` of
    `BODIES`, `paint` of `PAINTS`, `style` of `VIN_STYLES`. Raises ValueError for a name that is not known, a text that
    cannot be drawn or a size out of bounds.
    """
    size = size or DEFAULT_SIZES[kind]
    if not all(SMALLEST <= side <= LARGEST for side in size):
        raise ValueError(
            f"a picture is {SMALLEST} to {LARGEST} pixels wide and high, not {size[0]}x{size[1]}"
        )
    shot = shot or Shot()
    chosen = IdentifierGenerator(seed)
    if kind == "vin":
        return draw_vin(
            chosen.vin() if text is None else text,
            style=_known("style", style, VIN_STYLES) or chosen.pick(VIN_STYLES[:4]),
            size=size,
            seed=seed,
            shot=shot,
        )
    region = _known("region", region, DESIGNS) or _region_for(text, chosen)
    car = Parked(
        body=_known("vehicle", body, BODIES) or chosen.pick(tuple(BODIES)),
        paint=_known("paint", paint, PAINTS) or chosen.pick(tuple(PAINTS)),
        text=_checked(chosen.plate(region) if text is None else text) or None,
        region=region,
        x=chosen.number(0.46, 0.54),
        width=chosen.number(0.50, 0.62),
        ground=chosen.number(0.86, 0.91),
        yaw=chosen.number(-0.8, 0.8),
        two_line=two_line,
        dirt=chosen.number(0.15, 0.45),
    )
    if kind == "plate":
        if car.text is None:
            raise ValueError("a plate needs a text")
        return draw_plate(car, size=size, seed=seed, shot=shot)
    place = _known("place", place, PLACES) or chosen.pick(tuple(PLACES))
    return draw_scene((car,), place=place, size=size, seed=seed, shot=shot)


def draw_scene(
    cars: tuple[Parked, ...],
    *,
    place: str = "street",
    size: tuple[int, int] = (1024, 768),
    seed: int = 0,
    shot: Shot | None = None,
) -> Drawing:
    """A scene with these vehicles: none of them, one or several; those without `text` carry no plate."""
    shot = shot or Shot()
    return _drawing(paint_scene(cars, place, size, shot, np.random.default_rng(seed)), shot)


def draw_plate(
    car: Parked, *, size: tuple[int, int] = (800, 480), seed: int = 0, shot: Shot | None = None
) -> Drawing:
    """The plate of `car` close up, on its bodywork."""
    shot = shot or Shot()
    return _drawing(paint_plate(car, size, shot, np.random.default_rng(seed)), shot)


def draw_vin(
    text: str,
    *,
    style: str = "plate",
    size: tuple[int, int] = (1024, 576),
    seed: int = 0,
    shot: Shot | None = None,
) -> Drawing:
    """A VIN in one of `VIN_STYLES`. Raises ValueError for a text that cannot be drawn."""
    shot = shot or Shot()
    if not text:
        raise ValueError("a VIN picture needs a text")
    image, truth = paint_vin(_checked(text), style, size, shot, np.random.default_rng(seed))
    return Drawing(image, truth, shot.quality)


class UnknownNameError(ValueError):
    """A name that is none of those known; `word` and `known` allow a suggestion."""

    def __init__(self, what: str, word: str, known: tuple[str, ...]) -> None:
        self.what, self.word, self.known = what, word, known
        super().__init__(f'unknown {what} "{word}"')


def _known(what: str, word: str | None, known: Iterable[str]) -> str | None:
    names = tuple(known)
    if word is not None and word not in names:
        raise UnknownNameError(what, word, names)
    return word


def _checked(text: str) -> str:
    """`text` in upper case; raises ValueError when a character of it has no glyph."""
    missing = sorted({char for char in text.upper() if char not in DRAWABLE})
    if missing:
        listed = ", ".join(repr(char) for char in missing)
        raise ValueError(f"cannot draw {listed}: there are letters A-Z, digits, hyphen, dot and space")
    return text.upper()


def _region_for(text: str | None, chosen: IdentifierGenerator) -> str:
    """The first region whose format the text has; any region where there is no text."""
    if text is None:
        return chosen.region()
    fitting = regions_of(text)
    return fitting[0] if fitting else "us-ca"


def _drawing(painted: Painted, shot: Shot) -> Drawing:
    return Drawing(painted.image, painted.truth, shot.quality)
