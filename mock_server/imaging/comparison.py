"""Do two registered pictures show the same text? One changed character must stand out of all that does not
matter.

Both are brought to the resolution they share and aligned once more by themselves. Then one regression
explains the sent pixels from the known ones: a free brightness curve, blur or sharpening, and what is left of
misalignment. What it
cannot explain is looked at in windows of half a character: a changed character makes one of them hot, noise
warms all of them alike.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from mock_server.imaging.registration import Aligner, Floats, Frame, Sampled, correlate, sample, solve
from mock_server.imaging.windows import hot_windows, window_means, window_size

_STEPS = 3
# Energy (grey levels squared) that any codec leaves behind: below it, hot and cool are not worth telling
# apart.
_NOISE = 4.0
# Variance (grey levels squared) of the least contrast that a text can have.
_FAINT = 4.0
# What the ratio to the other windows weighs, beside the ratio to the contrast.
_SPREAD = 1.5
_KNOTS = 7
_BLURS = (0.7, 1.5)
# A text that scores no better than this is aligned anew, from copies so many times as coarse, if they have as many
# pixels left on either axis.
_SURE = -1.5
_COARSER = (2, 4)
_LEAST_COARSE = 5
# The margin that a declared text is kept with, as a share of the height of what is kept.
RIM = 0.11
# The score from which on no colours could explain what differs.
HOPELESS = 3.5
_ENOUGH = 8000
# Where less than this share of the pixels is expected between black and white, the others were clipped.
_CLIPPED = 0.995
# A box may be larger than its text, but not so much that its variance is more than this many times the text's.
_MOST_AROUND = 10.0


@dataclass(frozen=True, slots=True)
class Comparison:
    """`score`: the lower, the more alike. `frame`: the part in pixels of the image it was found in.

    `hottest`: centre of the window that differs most, in fractions of the part. `cell`: pixels to one
    character at the resolution compared.
    """

    score: float
    frame: Frame
    hottest: tuple[float, float]
    cell: float


def compare(
    known: Image.Image,
    cell: float,
    image: Image.Image,
    frame: Frame,
    within: tuple[float, float],
    colours: Image.Image | None = None,
) -> Comparison | None:
    """Compare `known` (grey, `cell` of its pixels to one letter, a text and its margin) with `frame` of `image`.

    `colours`: the same in RGB, where they are to explain what grey does not. None where less than the share `within`
    of its height or width lies inside the image, or it has too few pixels.
    """
    part, reduction = shared(known, frame)
    if min(part.size) < 3:
        return None
    cell *= reduction
    further = colour_terms(colours, part.size) if colours else ()
    best: Comparison | None = None
    for start in _starts(part, image, frame):
        looked = _looked_at(part, image, start, within, further)
        if looked is None:
            continue
        there, seen, fitted = looked
        windows = _inner(hot_windows(seen.cells - fitted, cell), part.height)
        variance = _text_variance(fitted, cell) + _FAINT
        score = _judged(windows, variance, _elsewhere(windows, fitted, variance, cell, part.height))
        if best is None or score < best.score:
            best = Comparison(score, there, _hottest(windows, seen, part), cell)
        if best.score < _SURE:
            break
    return best


def _starts(part: Image.Image, image: Image.Image, frame: Frame) -> Iterator[Frame]:
    """Where to align from: where the frame lies, and where it comes to lie seen less sharply.

    From a stroke's width beside their places on, letters are only drawn further away.
    """
    yield frame
    for factor in _COARSER:
        if min(part.size) >= _LEAST_COARSE * factor:
            found = aligned(np.asarray(part.reduce(factor), dtype=np.float32), image, frame)
            if found is not None:
                yield found[0]


def _looked_at(
    part: Image.Image,
    image: Image.Image,
    start: Frame,
    within: tuple[float, float],
    further: Sequence[Floats],
) -> tuple[Frame, Sampled, Floats] | None:
    """Where the part lies, what is seen there and what was to be expected; None where too little is seen."""
    reference = np.asarray(part, dtype=np.float32)
    found = aligned(reference, image, start)
    if found is None:
        return None
    frame, seen = found
    if any(
        some < least * all for some, least, all in zip(seen.cells.shape, within, reference.shape, strict=True)
    ):
        return None
    return frame, seen, explained(part, seen, further)


def _hottest(windows: Floats, seen: Sampled, part: Image.Image) -> tuple[float, float]:
    """The centre of the hottest window, in fractions of the part."""
    row, column = np.unravel_index(int(np.argmax(windows)), windows.shape)
    # A window is known by its first cell; its centre is half its size further.
    middle = (
        (seen.cells.shape[1] - windows.shape[1]) / 2,
        (seen.cells.shape[0] - windows.shape[0]) / 2,
    )
    return (
        (float(column) + middle[0] + seen.columns.start + 0.5) / part.width,
        (float(row) + middle[1] + seen.rows.start + 0.5) / part.height,
    )


def _text_variance(cells: Floats, cell: float) -> float:
    """The variance of half the places of a character's size, where that is less than the whole part's.

    Dark ground at the corners of a slanted plate has more contrast than the plate's own characters.
    """
    size = (max(3, round(cell)), max(3, round(1.2 * cell)))
    means = window_means(cells, *size)
    local = float(np.median(window_means(cells * cells, *size) - means * means))
    whole = float(cells.var())
    return min(whole, max(local, whole / _MOST_AROUND))


def _inner(windows: Floats, height: int) -> Floats:
    """The windows that lie within a declared box: its margin serves to align it, and no letter stands there."""
    rim = round(RIM * height)
    return windows[rim:-rim, rim:-rim] if 0 < 2 * rim < min(windows.shape) else windows


def _elsewhere(windows: Floats, fitted: Floats, variance: float, cell: float, height: int) -> float:
    """The energy that is left at the other letters: the ground between letters set wide apart has none to compare
    with."""
    size = window_size(cell)
    means = window_means(fitted, *size)
    inked = _inner(window_means(fitted * fitted, *size) - means * means, height) >= variance
    quartile = float(np.percentile(windows, 75))
    return max(quartile, float(np.percentile(windows[inked], 75))) if inked.any() else quartile


def _judged(windows: Floats, variance: float, elsewhere: float) -> float:
    """The score of a part: how hot its hottest window is, for the contrast and for the other windows.

    `windows`: unexplained energies, `variance` of what was explained, `elsewhere`: the energy that is left where
    nothing differs; all in grey levels squared.
    """
    hottest = float(windows.max()) + 0.1
    return float(np.log(hottest / variance) + _SPREAD * np.log(hottest / (elsewhere + _NOISE)))


def shared(known: Image.Image, frame: Frame) -> tuple[Image.Image, float]:
    """`known` at the resolution both have, and the factor by which that is less than its own."""
    factor = min(1.0, float(np.sqrt((frame.width / known.width) * (frame.height / known.height))))
    if factor > 0.95:
        return known, 1.0
    size = (max(1, round(known.width * factor)), max(1, round(known.height * factor)))
    return known.resize(size, Image.Resampling.BILINEAR), factor


def aligned(reference: Floats, image: Image.Image, frame: Frame) -> tuple[Frame, Sampled] | None:
    """Where near `frame` the image is most like the known cells, and what it shows there."""
    rows, columns = reference.shape
    aligner = Aligner(reference)
    best: tuple[float, Frame, Sampled] | None = None
    for step in range(_STEPS + 1):
        seen = sample(image, frame, columns, rows)
        if seen is None:
            break
        likeness = correlate(reference[seen.rows, seen.columns], seen.cells)
        if best is None or likeness > best[0]:
            best = (likeness, frame, seen)
        if step == _STEPS:
            break
        frame, moved = aligner.improved(frame, seen)
        if moved < 0.04:
            break
    return None if best is None else best[1:]


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
