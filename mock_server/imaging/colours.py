"""Colours and brightness, seen from afar: what grey and normalised comparisons are blind to.

Clients brighten, saturate and turn grey; they do not make a red card blue or a white one half as bright.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mock_server.imaging.registration import Floats, Frame

SIDE = 8
# Mean difference of grey levels that brightness, contrast and gamma together may make.
_BRIGHTNESS = 75.0
# Colour difference that may be left when saturation is allowed for: so much, and this share of the colour.
_COLOUR = 12.0
_OF_COLOUR = 0.4
_SATURATION = 2.0
_GREY = (0.299, 0.587, 0.114)


def palette(colours: Image.Image, frame: Frame | None = None) -> NDArray[np.uint8]:
    """An RGB picture, or `frame` of it (in its pixels), in SIDE x SIDE cells."""
    if frame is None:
        frame = Frame(0, 0, colours.width, colours.height)
    box = (
        max(0.0, frame.left),
        max(0.0, frame.top),
        min(float(colours.width), frame.left + frame.width),
        min(float(colours.height), frame.top + frame.height),
    )
    return np.asarray(colours.resize((SIDE, SIDE), Image.Resampling.BOX, box=box))


def distance(known: NDArray[np.uint8], seen: NDArray[np.uint8]) -> float:
    """Mean difference of two palettes, in levels: what ranks pictures that differ in nothing else."""
    return float(np.abs(known.astype(np.float32) - seen.astype(np.float32)).mean())


def alike(known: NDArray[np.uint8], seen: NDArray[np.uint8]) -> bool:
    """Whether two palettes may be of one picture, as clients change pictures."""
    known_grey, known_colour = _split(known)
    seen_grey, seen_colour = _split(seen)
    if float(np.abs(known_grey - seen_grey).mean()) > _BRIGHTNESS:
        return False
    energy = float(np.vdot(known_colour, known_colour))
    saturation = float(np.vdot(known_colour, seen_colour)) / energy if energy > 1 else 0.0
    left = seen_colour - np.float32(min(max(saturation, 0.0), _SATURATION)) * known_colour
    return _strength(left) <= _COLOUR + _OF_COLOUR * _strength(seen_colour)


def _split(palette: NDArray[np.uint8]) -> tuple[Floats, Floats]:
    """Grey levels, and what red and blue differ from them by."""
    values = palette.astype(np.float32)
    grey: Floats = values @ np.array(_GREY, dtype=np.float32)
    return grey, np.stack([values[..., 0] - grey, values[..., 2] - grey])


def _strength(colour: Floats) -> float:
    return float(np.sqrt((colour * colour).mean()))
