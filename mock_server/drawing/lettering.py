"""Styles of lettering: how wide, heavy and round the letters of plates and numbers are."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Lettering:
    """How glyphs are drawn. Lengths are parts of the letter's height.

    `width`: of a letter, stroke middle to stroke middle. `weight`: of the stroke. `gap`: between letters, ink to
    ink. `roundness`: radius of corners as a part of the width. `chamfer` cuts corners instead. `round_ends`: of
    strokes. `dots`: pins a letter height, where the glyph is pricked instead of drawn. `fixed`: all letters take
    the same room.
    """

    width: float = 0.42
    weight: float = 0.14
    gap: float = 0.13
    roundness: float = 0.5
    chamfer: bool = False
    round_ends: bool = False
    dots: int = 0
    fixed: bool = False


PLATE = Lettering()
"""European plate lettering: even strokes with square ends."""
EMBOSSED = Lettering(width=0.36, weight=0.115, gap=0.16, roundness=0.5, round_ends=True)
"""North American plate lettering: narrow, with round ends, as pressed by dies."""
BROAD = Lettering(width=0.50, weight=0.17, gap=0.14, roundness=0.42)
"""British plate lettering: broad and heavy."""
STAMPED = Lettering(
    width=0.38, weight=0.12, gap=0.24, roundness=0.36, chamfer=True, round_ends=True, fixed=True
)
"""Monospaced lettering of numbers stamped into metal."""
PRICKED = Lettering(width=0.46, weight=0.13, gap=0.24, roundness=0.30, dots=9, fixed=True)
"""Dot-peened lettering: every stroke a row of pins."""
PRINTED = Lettering(width=0.44, weight=0.105, gap=0.17, roundness=0.5, fixed=True)
"""Monospaced lettering of thermal printers on stickers."""
SMALL = Lettering(width=0.44, weight=0.13, gap=0.2, roundness=0.5)
"""Small capitals for captions."""
