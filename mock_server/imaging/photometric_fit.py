"""What the pixels of a known picture let one expect of a sent one, by one regression.

A free brightness curve, clipping, blur or sharpening, and what is left of misalignment.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from mock_server.imaging.registration import Floats, Sampled, solve

_KNOTS = 7
_BLURS = (0.7, 1.5)
_ENOUGH = 8000
# Where less than this share of the pixels is expected between black and white, the others were clipped.
_CLIPPED = 0.995


def explained(
    part: Image.Image, seen: Sampled, further: Sequence[Floats] = (), blurs: Sequence[float] = _BLURS
) -> Floats:
    """What the known pixels, and `further` terms of the same size, let one expect at each of the sent ones.

    `blurs`: how far the sent ones may be blurred or sharpened, in pixels.
    """
    levels: NDArray[np.uint8] = np.asarray(part)
    reference = levels.astype(np.float32)
    inside = (seen.rows, seen.columns)
    down, across = np.gradient(reference, axis=0), np.gradient(reference, axis=1)
    rows, columns = reference.shape
    u = np.linspace(-1, 1, columns, dtype=np.float32)[None, seen.columns]
    v = np.linspace(-1, 1, rows, dtype=np.float32)[seen.rows, None]
    blurred = [
        np.asarray(part.filter(ImageFilter.GaussianBlur(blur)), dtype=np.float32)[inside] for blur in blurs
    ]
    known, across, down = levels[inside], across[inside], down[inside]
    # Of a large part every few pixels are enough to find a dozen weights by.
    some = (slice(None), slice(None, None, max(1, known.size // _ENOUGH)))
    hats = _hats(known)
    moved = [term[some] for term in (across, down, across * u, across * v, down * u, down * v)]
    besides = [*blurred, *(term[inside] for term in further)]
    terms = [*(hats[known[some]].transpose(2, 0, 1)), *(term[some] for term in besides), *moved]
    # Levels that are too rare to say what became of them follow the straight line that fits the others.
    straight = _line(known[some], seen.cells[some])
    weights = _weights(
        np.stack([term.ravel() for term in terms], axis=-1),
        seen.cells[some].ravel(),
        straight[known[some]].ravel(),
    )
    curve, others, moves = weights[:_KNOTS], weights[_KNOTS:-6], weights[-6:]
    fitted: Floats = np.take(straight + hats @ curve, known)
    for weight, term in zip(others, besides, strict=True):
        fitted += weight * term
    fitted += across * (moves[0] + moves[2] * u + moves[3] * v)
    fitted += down * (moves[1] + moves[4] * u + moves[5] * v)
    # What would be darker than black or brighter than white was clipped.
    return np.clip(fitted, 0, 255)


def colour_terms(colours: Image.Image, size: tuple[int, int]) -> list[Floats]:
    """Hat functions of red and of blue: with those of grey, any brightness curve of each channel is a sum of them.

    What clients do to each channel by itself (clipping, above all) is no matter of grey levels alone.
    """
    fitting = colours if colours.size == size else colours.resize(size, Image.Resampling.BILINEAR)
    knots = np.linspace(0, 255, _KNOTS, dtype=np.float32)
    channels = [np.asarray(fitting.getchannel(name), dtype=np.float32) for name in "RB"]
    return [
        np.maximum(0, 64 - np.abs(channel - knot) * (64 / (knots[1] - knots[0])))
        for channel in channels
        for knot in knots
    ]


def _weights(terms: Floats, seen: Floats, expected: Floats) -> Floats:
    """By how much each of the terms, of shape (pixels, terms), changes the expected levels into the seen ones."""
    weights: Floats = solve(terms, seen - expected).astype(np.float32)
    fitted = expected + terms @ weights
    within = (fitted >= 0) & (fitted <= 255)
    if np.count_nonzero(within) < _CLIPPED * len(within):
        # What was clipped says no more than that it was: without it, the others are explained better.
        weights = solve(terms[within], (seen - expected)[within]).astype(np.float32)
    return weights


def _line(known: NDArray[np.uint8], seen: Floats) -> Floats:
    """The brightness that each of the 256 levels has become, by a straight line."""
    levels = known.astype(np.float32)
    spread = float(levels.var())
    mean, seen_mean = float(levels.mean()), float(seen.mean())
    slope = float(((levels - mean) * (seen - seen_mean)).mean()) / spread if spread > 1 else 0.0
    return (seen_mean + slope * (np.arange(256, dtype=np.float32) - mean)).astype(np.float32)


def _hats(known: NDArray[np.uint8]) -> Floats:
    """Hat functions over the range of `known`, for each of the 256 levels: any brightness curve, clipping
    included, is a sum of them."""
    low, high = float(known.min()), float(known.max())
    spread = max(high - low, 1.0) / (_KNOTS - 1)
    position = (np.arange(256, dtype=np.float32)[:, None] - low) / spread
    knots = np.arange(_KNOTS, dtype=np.float32)[None, :]
    hats: Floats = (np.maximum(0, 1 - np.abs(position - knots)) * 64).astype(np.float32)
    return hats
