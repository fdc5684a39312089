"""How the plates of each region look, read from `plate_designs.toml`. Lengths are in millimetres."""

import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from PIL import ImageColor

from mock_server.drawing.glyphs import STYLES, Lettering
from mock_server.drawing.raster import Colour

Stops = tuple[tuple[float, Colour], ...]
"""A vertical gradient: position (0 top, 1 bottom) and colour."""


@dataclass(frozen=True, slots=True)
class Caption:
    """Small text in the middle of a plate's width; `y` is its middle. `script` is slanted."""

    text: str
    y: float
    height: float
    ink: Colour
    script: bool = False


@dataclass(frozen=True, slots=True)
class Band:
    """A coloured strip at the left or right end, with stars or a flag, and the letters of the country."""

    width: float
    fill: Colour
    letters: str = ""
    stars: bool = False
    flag: tuple[Colour, ...] = ()
    right: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateDesign:
    """The design of a plate. `letter` is the height of the text, `middle` its position (0 top, 1 bottom).

    `separator` replaces the hyphens of the text. `holes`: with bolts. `stickers`: month and year of registration.
    """

    size: tuple[float, float] = (520, 112)
    field: Stops
    ink: Colour
    letter: float
    lettering: Lettering = STYLES["plate"]
    rim: Colour | None = None
    bands: tuple[Band, ...] = ()
    captions: tuple[Caption, ...] = ()
    middle: float = 0.5
    holes: bool = False
    stickers: bool = False
    separator: str = ""


def plain(rgb: Colour) -> Stops:
    """A field of one colour."""
    return ((0.0, rgb), (1.0, rgb))


def _value(name: str, value: Any) -> Any:
    """The value of a field in the TOML file."""
    match name, value:
        case "field", str():
            return plain(_value("fill", value))
        case "field", list():
            return tuple((position, _value("fill", rgb)) for position, rgb in value)
        case (("ink" | "fill" | "rim"), str()):
            return ImageColor.getrgb(value)
        case "size", list():
            return tuple(value)
        case "flag", list():
            return tuple(_value("fill", rgb) for rgb in value)
        case "lettering", str():
            return STYLES[value]
        case "bands", list():
            return tuple(Band(**_values(band)) for band in value)
        case "captions", list():
            return tuple(Caption(**_values(caption)) for caption in value)
        case _:
            return value


def _values(table: dict[str, Any]) -> dict[str, Any]:
    return {name: _value(name, value) for name, value in table.items()}


_TABLES = tomllib.loads(files(__package__).joinpath("plate_designs.toml").read_text("utf-8"))
DESIGNS = {region: PlateDesign(**_values(table)) for region, table in _TABLES.items()}
"""Region code to the design of its plates."""
