"""How the plates of each region look: sizes, colours, bands, captions. Lengths in millimetres."""

from dataclasses import dataclass, replace

from mock_server.drawing.lettering import BROAD, EMBOSSED, PLATE, Lettering
from mock_server.drawing.pixel_effects import Colour


@dataclass(frozen=True, slots=True)
class Caption:
    """Small print on a plate; `y` is the middle of it, all lengths in millimetres. `x` None: in the middle."""

    text: str
    y: float
    height: float
    ink: Colour
    x: float | None = None
    script: bool = False


@dataclass(frozen=True, slots=True)
class Band:
    """A coloured strip at the left (or right) end, with a ring of stars or a flag, and country letters."""

    width: float
    fill: Colour
    letters: str = ""
    stars: bool = False
    flag: tuple[Colour, ...] = ()
    right: bool = False


@dataclass(frozen=True, slots=True)
class PlateDesign:
    """How a region's plates look. Lengths in millimetres; `sky` is the field's colour from top to bottom."""

    size: tuple[float, float]
    sky: tuple[tuple[float, Colour], ...]
    ink: Colour
    letter: float
    lettering: Lettering = PLATE
    rim: Colour | None = None
    bands: tuple[Band, ...] = ()
    captions: tuple[Caption, ...] = ()
    middle: float = 0.5
    holes: bool = False
    stickers: bool = False
    seals: bool = False
    separator: str = ""


WHITE: Colour = (238, 240, 240)
_BLACK: Colour = (24, 24, 27)
_EU_BLUE: Colour = (14, 55, 148)


def plain(rgb: Colour) -> tuple[tuple[float, Colour], ...]:
    return ((0.0, rgb), (1.0, rgb))


def _euro(letters: str, **changes: object) -> PlateDesign:
    design = PlateDesign(
        size=(520, 112),
        sky=plain(WHITE),
        ink=_BLACK,
        letter=76,
        rim=_BLACK,
        bands=(Band(42, _EU_BLUE, letters, stars=True),),
    )
    # Which fields are changed is the caller's choice, so their types cannot be told here.
    return replace(design, **changes)  # type: ignore[arg-type]


def _us(
    sky: tuple[tuple[float, Colour], ...], ink: Colour, captions: tuple[Caption, ...], **changes: object
) -> PlateDesign:
    design = PlateDesign(
        size=(305, 152),
        sky=sky,
        ink=ink,
        letter=66,
        lettering=EMBOSSED,
        captions=captions,
        holes=True,
        middle=0.53,
    )
    # Which fields are changed is the caller's choice, so their types cannot be told here.
    return replace(design, **changes)  # type: ignore[arg-type]


DESIGNS: dict[str, PlateDesign] = {
    "us-ca": _us(
        plain((243, 243, 240)),
        (34, 44, 110),
        (
            Caption("California", 22, 25, (190, 36, 42), script=True),
            Caption("dmv.ca.gov", 139, 11, (34, 44, 110)),
        ),
        stickers=True,
    ),
    "us-ny": _us(
        (
            (0.0, (32, 60, 122)),
            (0.20, (36, 68, 134)),
            (0.215, (222, 178, 62)),
            (0.235, (222, 178, 62)),
            (0.25, (244, 244, 240)),
            (0.84, (244, 244, 240)),
            (0.855, (222, 178, 62)),
            (0.87, (36, 68, 134)),
            (1.0, (32, 60, 122)),
        ),
        (26, 38, 84),
        (Caption("NEW YORK", 16, 15, (244, 244, 240)), Caption("EXCELSIOR", 142, 9, (244, 244, 240))),
        letter=62,
        middle=0.545,
        separator=" ",
    ),
    "us-tx": _us(
        plain((240, 241, 242)),
        (20, 20, 26),
        (Caption("TEXAS", 20, 17, (20, 20, 26)), Caption("The Lone Star State", 139, 11, (20, 20, 26))),
    ),
    "us-fl": _us(
        ((0.0, (190, 224, 200)), (0.35, (244, 246, 238)), (0.7, (246, 246, 238)), (1.0, (206, 228, 196))),
        (20, 92, 62),
        (Caption("FLORIDA", 19, 17, (20, 92, 62)), Caption("SUNSHINE STATE", 140, 10, (214, 112, 40))),
    ),
    "us-il": _us(
        ((0.0, (150, 190, 226)), (0.4, (232, 240, 246)), (0.75, (240, 243, 246)), (1.0, (170, 200, 226))),
        (176, 28, 40),
        (
            Caption("Illinois", 20, 22, (34, 56, 120), script=True),
            Caption("Land of Lincoln", 139, 12, (34, 56, 120)),
        ),
    ),
    "ca-on": _us(
        plain((244, 245, 246)),
        (28, 62, 140),
        (Caption("ONTARIO", 19, 16, (28, 62, 140)), Caption("YOURS TO DISCOVER", 140, 10, (28, 62, 140))),
        letter=62,
    ),
    "gb": _euro(
        "GB",
        sky=plain((238, 196, 44)),
        rim=None,
        letter=79,
        lettering=BROAD,
        size=(520, 111),
        bands=(Band(44, (24, 52, 132), "UK", flag=((210, 40, 50), (240, 240, 240), (30, 50, 130))),),
    ),
    "de": _euro("D", seals=True, letter=75),
    "fr": _euro(
        "F", rim=None, bands=(Band(42, _EU_BLUE, "F", stars=True), Band(42, _EU_BLUE, "75", right=True))
    ),
    "it": _euro(
        "I", rim=None, bands=(Band(40, _EU_BLUE, "I", stars=True), Band(40, _EU_BLUE, "MI", right=True))
    ),
    "es": _euro("E", letter=77),
    "nl": _euro("NL", sky=plain((244, 190, 30))),
    "pl": _euro("PL", letter=78),
    "be": _euro("B", ink=(158, 26, 40), rim=(158, 26, 40)),
    "pt": _euro("P"),
    "se": _euro("S", letter=74),
    "ch": _euro("", bands=(), letter=76),
    "ua": _euro("UA", bands=(Band(42, _EU_BLUE, "UA", flag=((0, 88, 184), (250, 208, 20))),), letter=76),
    "br": PlateDesign(
        size=(400, 130),
        sky=((0.0, (20, 62, 150)), (0.235, (20, 62, 150)), (0.24, WHITE), (1.0, WHITE)),
        ink=_BLACK,
        letter=65,
        rim=_BLACK,
        captions=(Caption("BRASIL", 16, 15, (244, 244, 244)),),
        middle=0.63,
    ),
    "in": PlateDesign(
        size=(500, 120),
        sky=plain((240, 240, 238)),
        ink=_BLACK,
        letter=64,
        rim=_BLACK,
        bands=(Band(34, (240, 240, 238), "IND"),),
    ),
    "au-nsw": PlateDesign(
        size=(372, 134),
        sky=plain((236, 204, 40)),
        ink=_BLACK,
        letter=74,
        lettering=EMBOSSED,
        rim=_BLACK,
        captions=(Caption("NSW", 119, 15, _BLACK),),
        middle=0.44,
        holes=True,
    ),
}
"""Region code to its design; every region of the grammars has one."""
