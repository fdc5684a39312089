"""How large the characters in a declared box are.

A box and a number of characters give the distance from one character to the next at best: a generous box, or
letters set wide apart, make it several times the letters' own size. What a changed character changes is of
their size.
"""

import numpy as np
from PIL import Image

from mock_server.imaging.pixel_transforms import Grey
from mock_server.imaging.registration import Floats

# A region is looked at with at most so many pixels across: a dozen or two to a character, even of a VIN.
_ACROSS = 480
# An edge is a step of so many grey levels, and of this share of the strongest steps.
_LEAST_STEP = 8.0
_SHARE_OF_STRONGEST = 0.25
# A row of pixels belongs to the text if it crosses this share of the edges that the richest rows cross.
_SHARE_OF_RICHEST = 0.5


def letter_height(region: Image.Image) -> float:
    """Height in pixels of the text in a grey picture of its region; several lines count together.

    Text is where a row of pixels crosses many edges: the frame of a plate has few of them, bare ground none. All of
    the region's height where something else is as rich in edges as the text.
    """
    across = min(region.width, _ACROSS)
    shrink = across / region.width
    small = region.resize((across, max(1, round(region.height * shrink))), Image.Resampling.BOX)
    return _rows_of_text(np.asarray(small)) / shrink


def _rows_of_text(levels: Grey) -> int:
    if min(levels.shape) < 3:
        return int(levels.shape[0])
    even = np.convolve(_edges_crossed(levels), np.full(3, 1 / 3), "same")
    return max(1, int(np.count_nonzero(even >= _SHARE_OF_RICHEST * np.percentile(even, 95))))


def _edges_crossed(levels: Grey) -> Floats:
    """How many upright edges each row of pixels crosses."""
    values: Floats = levels.astype(np.float32)
    values = np.float32(0.5) * (values[:-1] + values[1:])
    steps = np.abs(values[:, 2:] - values[:, :-2])
    strong = steps > max(_LEAST_STEP, _SHARE_OF_STRONGEST * float(np.percentile(steps, 98)))
    crossed = strong[:, 1:] & ~strong[:, :-1]
    counts: Floats = crossed.sum(axis=1).astype(np.float32)
    return counts
