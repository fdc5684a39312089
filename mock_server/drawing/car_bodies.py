"""The shapes of vehicles seen from behind or from the front, read from `car_bodies.toml`."""

import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from mock_server.drawing.raster import Point

Path = tuple[Point, ...]
"""Points in millimetres: x from the middle of the vehicle, y above the ground."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """One vehicle seen from one end, in millimetres. Symmetric outlines have only their right half.

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
    dark: tuple[Path, ...]
    seams: tuple[Path, ...]
    recess: Path | None = None
    tyre: tuple[float, float, float] = (610, 850, 330)
    mirror_y: float = 1000
    handles: tuple[tuple[float, float, float, float], ...] = ()
    exhaust: bool = False
    rails: bool = False


def _points(text: str) -> Path:
    pairs = (pair.split(",") for pair in text.split())
    return tuple((float(x), float(y)) for x, y in pairs)


def _field(name: str, value: Any) -> Any:
    match name:
        case "shell" | "cabin" | "glass" | "profile" | "recess":
            return _points(value)
        case "dark" | "seams":
            return tuple(_points(path) for path in value.split("|"))
        case "tyre":
            return tuple(value)
        case "handles":
            return tuple(tuple(handle) for handle in value)
        case "lamps":
            return {kind: _points(outline) for kind, outline in value.items()}
        case _:
            return value


def _load() -> dict[str, Body]:
    tables = tomllib.loads(files(__package__).joinpath("car_bodies.toml").read_text("utf-8"))
    return {name: Body(**{key: _field(key, value) for key, value in fields.items()}) for name, fields in tables.items()}


BODIES = _load()
"""Name of a vehicle and its view to its shape."""
