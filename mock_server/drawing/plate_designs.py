"""How the plates of each region look: size, colours, bands, captions. Lengths are in millimetres."""

from dataclasses import dataclass, replace

from mock_server.drawing.glyphs import BROAD, EMBOSSED, PLATE, Lettering
from mock_server.drawing.raster import Colour

Stops = tuple[tuple[float, Colour], ...]
"""A vertical gradient: position (0 top, 1 bottom) and colour."""

WHITE: Colour = (238, 240, 240)
_BLACK: Colour = (24, 24, 27)
_EU_BLUE: Colour = (14, 55, 148)
_GOLD: Colour = (222, 178, 62)


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

    field: Stops
    ink: Colour
    letter: float
    size: tuple[float, float] = (520, 112)
    lettering: Lettering = PLATE
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


def _eu(letters: str, letter: float = 76) -> PlateDesign:
    blue = Band(42, _EU_BLUE, letters, stars=True)
    return PlateDesign(field=plain(WHITE), ink=_BLACK, letter=letter, rim=_BLACK, bands=(blue,))


def _us(field: Stops, ink: Colour, *captions: Caption, letter: float = 66) -> PlateDesign:
    return PlateDesign(
        size=(305, 152),
        field=field,
        ink=ink,
        letter=letter,
        lettering=EMBOSSED,
        captions=captions,
        holes=True,
        middle=0.53,
    )


_CALIFORNIA: Colour = (34, 44, 110)
_TEXAS: Colour = (20, 20, 26)
_FLORIDA: Colour = (20, 92, 62)
_ILLINOIS: Colour = (34, 56, 120)
_ONTARIO: Colour = (28, 62, 140)
_CREAM: Colour = (244, 244, 240)
_NEW_YORK: Stops = (
    *((0.0, (32, 60, 122)), (0.20, (36, 68, 134)), (0.215, _GOLD), (0.235, _GOLD), (0.25, _CREAM)),
    *((0.84, _CREAM), (0.855, _GOLD), (0.87, (36, 68, 134)), (1.0, (32, 60, 122))),
)

DESIGNS: dict[str, PlateDesign] = {
    "us-ca": replace(
        _us(
            plain((243, 243, 240)),
            _CALIFORNIA,
            Caption("California", 22, 25, (190, 36, 42), script=True),
            Caption("dmv.ca.gov", 139, 11, _CALIFORNIA),
        ),
        stickers=True,
    ),
    "us-ny": replace(
        _us(
            _NEW_YORK,
            (26, 38, 84),
            Caption("NEW YORK", 16, 15, _CREAM),
            Caption("EXCELSIOR", 142, 9, _CREAM),
            letter=62,
        ),
        middle=0.545,
        separator=" ",
    ),
    "us-tx": _us(
        plain((240, 241, 242)),
        _TEXAS,
        Caption("TEXAS", 20, 17, _TEXAS),
        Caption("The Lone Star State", 139, 11, _TEXAS),
    ),
    "us-fl": _us(
        ((0.0, (190, 224, 200)), (0.35, (244, 246, 238)), (0.7, (246, 246, 238)), (1.0, (206, 228, 196))),
        _FLORIDA,
        Caption("FLORIDA", 19, 17, _FLORIDA),
        Caption("SUNSHINE STATE", 140, 10, (214, 112, 40)),
    ),
    "us-il": _us(
        ((0.0, (150, 190, 226)), (0.4, (232, 240, 246)), (0.75, (240, 243, 246)), (1.0, (170, 200, 226))),
        (176, 28, 40),
        Caption("Illinois", 20, 22, _ILLINOIS, script=True),
        Caption("Land of Lincoln", 139, 12, _ILLINOIS),
    ),
    "ca-on": _us(
        plain((244, 245, 246)),
        _ONTARIO,
        Caption("ONTARIO", 19, 16, _ONTARIO),
        Caption("YOURS TO DISCOVER", 140, 10, _ONTARIO),
        letter=62,
    ),
    "gb": PlateDesign(
        field=plain((238, 196, 44)),
        ink=_BLACK,
        letter=79,
        lettering=BROAD,
        size=(520, 111),
        bands=(Band(44, (24, 52, 132), "UK", flag=((210, 40, 50), (240, 240, 240), (30, 50, 130))),),
    ),
    "de": _eu("D", 75),
    "fr": replace(
        _eu("F"), rim=None, bands=(Band(42, _EU_BLUE, "F", stars=True), Band(42, _EU_BLUE, "75", right=True))
    ),
    "it": replace(
        _eu("I"), rim=None, bands=(Band(40, _EU_BLUE, "I", stars=True), Band(40, _EU_BLUE, "MI", right=True))
    ),
    "es": _eu("E", 77),
    "nl": replace(_eu("NL"), field=plain((244, 190, 30))),
    "pl": _eu("PL", 78),
    "be": replace(_eu("B"), ink=(158, 26, 40), rim=(158, 26, 40)),
    "pt": _eu("P"),
    "se": _eu("S", 74),
    "ch": replace(_eu(""), bands=()),
    "ua": replace(_eu("UA"), bands=(Band(42, _EU_BLUE, "UA", flag=((0, 88, 184), (250, 208, 20))),)),
    "br": PlateDesign(
        size=(400, 130),
        field=((0.0, (20, 62, 150)), (0.235, (20, 62, 150)), (0.24, WHITE), (1.0, WHITE)),
        ink=_BLACK,
        letter=65,
        rim=_BLACK,
        captions=(Caption("BRASIL", 16, 15, (244, 244, 244)),),
        middle=0.63,
    ),
    "in": PlateDesign(
        size=(500, 120),
        field=plain((240, 240, 238)),
        ink=_BLACK,
        letter=64,
        rim=_BLACK,
        bands=(Band(34, (240, 240, 238), "IND"),),
    ),
    "au-nsw": PlateDesign(
        size=(372, 134),
        field=plain((236, 204, 40)),
        ink=_BLACK,
        letter=74,
        lettering=EMBOSSED,
        rim=_BLACK,
        captions=(Caption("NSW", 119, 15, _BLACK),),
        middle=0.44,
        holes=True,
    ),
}
"""Region code to the design of its plates."""
