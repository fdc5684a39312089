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
from PIL import Image

from mock_server.imaging.box_filters import hot_windows, window_means, window_size
from mock_server.imaging.photometric_fit import colour_terms, explained
from mock_server.imaging.registration import Aligner, Floats, Frame, Sampled, correlate, sample

_STEPS = 3
# Energy (grey levels squared) that any codec leaves behind: below it, hot and cool are not worth telling
# apart.
_NOISE = 4.0
# Variance (grey levels squared) of the least contrast that a text can have.
_FAINT = 4.0
# What the ratio to the other windows weighs, beside the ratio to the contrast.
_SPREAD = 1.5
# A text that scores no better than this is aligned anew, from copies so many times as coarse, if they have as many
# pixels left on either axis.
_SURE = -1.5
_COARSER = (2, 4)
_LEAST_COARSE = 5
# The margin that a declared text is kept with, as a share of the height of what is kept.
RIM = 0.11
# The score from which on no colours could explain what differs.
HOPELESS = 3.5
# A text that varies by so much (grey levels squared) is seen where what is there correlates with it by this at least.
_SHOWN = 100.0
_LIKE = 0.75
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
        if not shown(
            _inner(np.asarray(part)[seen.rows, seen.columns], part.height), _inner(seen.cells, part.height)
        ):
            score = max(score, HOPELESS)
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
    """The windows or pixels within a declared box: its margin serves to align it, and no letter stands there."""
    rim = round(RIM * height)
    return windows[rim:-rim, rim:-rim] if 0 < 2 * rim < min(windows.shape) else windows


def shown(known: Floats, seen: Floats) -> bool:
    """Whether anything of what is known is seen, which a curve that makes it all one grey would explain as well."""
    return float(known.var()) < _SHOWN or correlate(known.astype(np.float32), seen) >= _LIKE


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
