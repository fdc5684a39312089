"""Draw one picture from a few options; a seed chooses the others."""

from collections.abc import Iterable
from typing import Literal

from mock_server.drawing.camera import Shot
from mock_server.drawing.designs import BODIES, DESIGNS, PAINTS
from mock_server.drawing.drawn_picture import Drawing
from mock_server.drawing.glyphs import DRAWABLE
from mock_server.drawing.places import PLACES
from mock_server.drawing.scene_drawing import Parked, draw_plate, draw_scene
from mock_server.drawing.vin_drawing import VIN_STYLES, draw_vin
from mock_server.identifiers.plates import regions_of
from mock_server.identifiers.vehicle_provider import SeededVehicleProvider

Kind = Literal["plate", "vin", "scene"]
"""A plate close up, a VIN, or a scene with a vehicle."""

DEFAULT_SIZES: dict[Kind, tuple[int, int]] = {"plate": (800, 480), "vin": (1024, 576), "scene": (1024, 768)}
SMALLEST, LARGEST = 64, 4096
"""Limits of width and height in pixels."""


class UnknownNameError(ValueError):
    """An unknown name, with the known ones for a suggestion."""

    def __init__(self, what: str, word: str, known: tuple[str, ...]) -> None:
        self.word, self.known = word, known
        super().__init__(f'unknown {what} "{word}"')


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
    """Draw one picture. `seed` chooses every option that is None; the same arguments give the same pixels.

    The text "" draws a vehicle without a plate. `region` is a key of `DESIGNS`, `place` of `PLACES`, `body` of
    `BODIES`, `paint` of `PAINTS`, `style` is one of `VIN_STYLES`. Raises ValueError for an unknown name, a character
    that has no glyph, or a size beyond the limits.
    """
    size = size or DEFAULT_SIZES[kind]
    if not all(SMALLEST <= side <= LARGEST for side in size):
        raise ValueError(f"a picture is {SMALLEST} to {LARGEST} pixels wide and high, not {size[0]}x{size[1]}")
    if text == "" and kind != "scene":
        raise ValueError("a picture of a plate or a VIN needs a text")
    random = SeededVehicleProvider(seed)
    if kind == "vin":
        number = random.vin() if text is None else _drawable(text)
        style = _known("style", style, VIN_STYLES) or random.pick(VIN_STYLES[:4])
        return draw_vin(number, style=style, size=size, seed=seed, shot=shot)
    region = _known("region", region, DESIGNS) or _region_for(text, random)
    car = Parked(
        body=_known("vehicle", body, BODIES) or random.pick(tuple(BODIES)),
        paint=_known("paint", paint, PAINTS) or random.pick(tuple(PAINTS)),
        text=random.license_plate(region) if text is None else _drawable(text) or None,
        region=region,
        x=random.number(0.46, 0.54),
        width=random.number(0.50, 0.62),
        ground=random.number(0.86, 0.91),
        yaw=random.number(-0.8, 0.8),
        two_line=two_line,
        dirt=random.number(0.15, 0.45),
    )
    if kind == "plate":
        return draw_plate(car, size=size, seed=seed, shot=shot)
    place = _known("place", place, PLACES) or random.pick(tuple(PLACES))
    return draw_scene((car,), place=place, size=size, seed=seed, shot=shot)


def _known(what: str, word: str | None, known: Iterable[str]) -> str | None:
    names = tuple(known)
    if word is not None and word not in names:
        raise UnknownNameError(what, word, names)
    return word


def _drawable(text: str) -> str:
    """`text` in upper case. Raises ValueError for a character without a glyph."""
    missing = sorted({char for char in text.upper() if char not in DRAWABLE})
    if missing:
        listed = ", ".join(repr(char) for char in missing)
        raise ValueError(f"cannot draw {listed}: use the letters A-Z, digits, hyphen, dot and space")
    return text.upper()


def _region_for(text: str | None, random: SeededVehicleProvider) -> str:
    """The first region that has the format of the text; a random one without a text."""
    if text is None:
        return random.license_plate_region()
    return next(iter(regions_of(text)), "us-ca")
