"""Compares the colours of two pictures, to which grey and normalised comparisons are blind.

Clients brighten, saturate and convert to grey; they do not make a red card blue, or a white one half as bright. Tuned
values are in grey levels (0 to 255); the changes of `benchmarks/changes.py` must stay below them.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mock_server.imaging.geometry import Frame
from mock_server.imaging.lucas_kanade import Floats

# Cells a side of a palette.
PALETTE_CELLS = 8
# Mean difference of brightness that changes of brightness, contrast and gamma together may make.
_MAX_BRIGHTNESS_DIFFERENCE = 75.0
# Largest change of saturation that is allowed for, and the colour difference that may then be left: a constant plus a
# share of the colour itself.
_MAX_SATURATION = 2.0
_MAX_COLOUR_DIFFERENCE = 12.0
_MAX_COLOUR_SHARE = 0.4
# ITU-R BT.601 luma.
_LUMA = (0.299, 0.587, 0.114)


def palette(colours: Image.Image, frame: Frame | None = None) -> NDArray[np.uint8]:
    """An RGB picture, or `frame` of it in pixels, reduced to an array of shape (cells, cells, 3)."""
    if frame is None:
        frame = Frame(0, 0, colours.width, colours.height)
    box = (
        max(0.0, frame.left),
        max(0.0, frame.top),
        min(float(colours.width), frame.left + frame.width),
        min(float(colours.height), frame.top + frame.height),
    )
    return np.asarray(colours.resize((PALETTE_CELLS, PALETTE_CELLS), Image.Resampling.BOX, box=box))


def distance(reference: NDArray[np.uint8], query: NDArray[np.uint8]) -> float:
    """Mean difference of two palettes in grey levels; it ranks matches that differ in nothing else."""
    return float(np.abs(reference.astype(np.float32) - query.astype(np.float32)).mean())


def are_alike(reference: NDArray[np.uint8], query: NDArray[np.uint8]) -> bool:
    """Whether the changes that clients make explain the difference of two palettes."""
    reference_luma, reference_chroma = _luma_and_chroma(reference)
    query_luma, query_chroma = _luma_and_chroma(query)
    if float(np.abs(reference_luma - query_luma).mean()) > _MAX_BRIGHTNESS_DIFFERENCE:
        return False
    energy = float(np.vdot(reference_chroma, reference_chroma))
    saturation = float(np.vdot(reference_chroma, query_chroma)) / energy if energy > 1 else 0.0
    rest = query_chroma - np.float32(min(max(saturation, 0.0), _MAX_SATURATION)) * reference_chroma
    return _rms(rest) <= _MAX_COLOUR_DIFFERENCE + _MAX_COLOUR_SHARE * _rms(query_chroma)


def _luma_and_chroma(palette: NDArray[np.uint8]) -> tuple[Floats, Floats]:
    """Luma, and red and blue minus luma."""
    values = palette.astype(np.float32)
    luma: Floats = values @ np.array(_LUMA, dtype=np.float32)
    return luma, np.stack([values[..., 0] - luma, values[..., 2] - luma])


def _rms(values: Floats) -> float:
    return float(np.sqrt((values * values).mean()))
