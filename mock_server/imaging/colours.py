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
# A camera or an app that sets exposure and white balance anew changes each channel of all cells by one gain and offset.
# It is told from another paint by these: least deviation of the reference's channels (even colours could be anything),
# least and largest gain, largest ratio of two gains, and the rest that may be left: a constant plus a share of what is
# shown.
_MIN_CHANNEL_DEVIATION = 8.0
_MIN_GAIN = 0.15
_MAX_GAIN = 3.5
_MAX_GAIN_RATIO = 2.2
_MAX_REST = 3.0
_MAX_REST_SHARE = 0.2
# Brighter values may have been clipped, and fit no gain.
_UNCLIPPED = 245
_MIN_UNCLIPPED = 16
# ITU-R BT.601 luma.
_LUMA = (0.299, 0.587, 0.114)


def palette(colours: Image.Image, frame: Frame | None = None) -> NDArray[np.uint8]:
    """An RGB picture, or `frame` of it in pixels, reduced to an array of shape (cells, cells, 3)."""
    if frame is None:
        frame = Frame(0, 0, colours.width, colours.height)
    edges = frame.edges(*colours.size)
    return np.asarray(colours.resize((PALETTE_CELLS, PALETTE_CELLS), Image.Resampling.BOX, box=edges))


def distance(reference: NDArray[np.uint8], query: NDArray[np.uint8]) -> float:
    """Mean difference of two palettes in grey levels; it ranks matches that differ in nothing else."""
    return float(np.abs(reference.astype(np.float32) - query.astype(np.float32)).mean())


def are_alike(reference: NDArray[np.uint8], query: NDArray[np.uint8]) -> bool:
    """Whether the changes that clients make explain the difference of two palettes."""
    return _have_like_chroma(reference, query) or _differ_in_white_balance(reference, query)


def _have_like_chroma(reference: NDArray[np.uint8], query: NDArray[np.uint8]) -> bool:
    reference_luma, reference_chroma = _luma_and_chroma(reference)
    query_luma, query_chroma = _luma_and_chroma(query)
    if float(np.abs(reference_luma - query_luma).mean()) > _MAX_BRIGHTNESS_DIFFERENCE:
        return False
    energy = float(np.vdot(reference_chroma, reference_chroma))
    saturation = float(np.vdot(reference_chroma, query_chroma)) / energy if energy > 1 else 0.0
    rest = query_chroma - np.float32(min(max(saturation, 0.0), _MAX_SATURATION)) * reference_chroma
    return _rms(rest) <= _MAX_COLOUR_DIFFERENCE + _MAX_COLOUR_SHARE * _rms(query_chroma)


def _differ_in_white_balance(reference: NDArray[np.uint8], query: NDArray[np.uint8]) -> bool:
    """Whether one gain and offset of each channel turn the one palette into the other."""
    gains, rests = [], []
    for channel in range(3):
        known: Floats = reference[..., channel].ravel().astype(np.float32)
        sent: Floats = query[..., channel].ravel().astype(np.float32)
        if float(known.std()) < _MIN_CHANNEL_DEVIATION:
            return False
        is_fitted = sent < _UNCLIPPED
        if np.count_nonzero(is_fitted) < _MIN_UNCLIPPED:
            is_fitted[:] = True
        x, y = known[is_fitted], sent[is_fitted]
        gain = float(((x - x.mean()) * (y - y.mean())).mean()) / max(1.0, float(x.var()))
        rests.append(sent - np.clip(gain * (known - x.mean()) + y.mean(), 0, 255))
        gains.append(gain)
    is_plausible = min(gains) >= _MIN_GAIN and max(gains) <= min(_MAX_GAIN, _MAX_GAIN_RATIO * min(gains))
    shown = float(np.sqrt(query.reshape(-1, 3).var(axis=0).mean()))
    return is_plausible and _rms(np.array(rests)) <= _MAX_REST + _MAX_REST_SHARE * shown


def _luma_and_chroma(palette: NDArray[np.uint8]) -> tuple[Floats, Floats]:
    """Luma, and red and blue minus luma."""
    values = palette.astype(np.float32)
    luma: Floats = values @ np.array(_LUMA, dtype=np.float32)
    return luma, np.stack([values[..., 0] - luma, values[..., 2] - luma])


def _rms(values: Floats) -> float:
    return float(np.sqrt((values * values).mean()))
