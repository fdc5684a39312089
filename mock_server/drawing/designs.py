"""The designs of plates, vehicles and paints, read from the TOML files. Lengths are in millimetres."""

import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import Annotated, Any

from PIL import ImageColor
from pydantic import BeforeValidator, TypeAdapter

from mock_server.drawing.glyphs import STYLES, Lettering
from mock_server.drawing.raster import Colour, Point

_Tint = Annotated[Colour, BeforeValidator(ImageColor.getrgb)]
Stops = tuple[tuple[float, _Tint], ...]
"""A vertical gradient: position (0 top, 1 bottom) and colour."""
Path = Annotated[tuple[Point, ...], BeforeValidator(lambda text: [point.split(",") for point in text.split()])]
"""Points: x from the middle of the vehicle, y above the ground."""
_Paths = Annotated[tuple[Path, ...], BeforeValidator(lambda text: text.split("|"))]


@dataclass(frozen=True, slots=True)
class Caption:
    """Small text in the middle of a plate's width; `y` is its middle. `script` is slanted."""

    text: str
    y: float
    height: float
    ink: _Tint
    script: bool = False


@dataclass(frozen=True, slots=True)
class Band:
    """A coloured strip at the left or right end, with stars or a flag, and the letters of the country."""

    width: float
    fill: _Tint
    letters: str = ""
    stars: bool = False
    flag: tuple[_Tint, ...] = ()
    right: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateDesign:
    """The design of a plate. `letter` is the height of the text, `middle` its position (0 top, 1 bottom).

    `field` is one colour or a gradient. `separator` replaces the hyphens of the text. `holes`: with bolts. `stickers`:
    month and year of registration.
    """

    size: tuple[float, float] = (520, 112)
    field: Annotated[Stops, BeforeValidator(lambda field: [(0, field)] if isinstance(field, str) else field)]
    ink: _Tint
    letter: float
    lettering: Annotated[Lettering, BeforeValidator(STYLES.__getitem__)] = STYLES["plate"]
    rim: _Tint | None = None
    bands: tuple[Band, ...] = ()
    captions: tuple[Caption, ...] = ()
    middle: float = 0.5
    holes: bool = False
    stickers: bool = False
    separator: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """One vehicle seen from behind or from the front. Symmetric outlines have only their right half.

    `kind`: the vehicle type that providers report. `profile`: heights, and how much the bodywork faces the sky (1) or
    the ground (-1) there. `lamps`: kind (`tail`, `head`, `reflector`, `fog`) to the outline of the right lamp. `dark`:
    unpainted parts. `recess`: the place of the plate. `tyre`: inner edge, outer edge, height of the wheel arch.
    `handles`: middle, half width and half height of each.
    """

    kind: str
    front: bool = False
    half_width: float
    height: float
    plate_y: float
    shell: Path
    cabin: Path
    glass: Path
    profile: Path
    lamps: dict[str, Path]
    dark: _Paths
    seams: _Paths
    recess: Path | None = None
    tyre: tuple[float, float, float] = (610, 850, 330)
    mirror_y: float = 1000
    handles: tuple[tuple[float, float, float, float], ...] = ()
    exhaust: bool = False
    rails: bool = False


def _tables(name: str) -> Any:
    return tomllib.loads(files(__package__).joinpath(name).read_text("utf-8"))


DESIGNS = TypeAdapter(dict[str, PlateDesign]).validate_python(_tables("plate_designs.toml"))
"""Region code to the design of its plates."""
BODIES = TypeAdapter(dict[str, Body]).validate_python(_tables("car_bodies.toml"))
"""Name of a vehicle and its view to its shape."""
PAINTS = TypeAdapter(dict[str, _Tint]).validate_python(_tables("paints.toml"))
"""Name of a vehicle's colour to its value."""
