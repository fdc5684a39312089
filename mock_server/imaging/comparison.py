"""Do two registered pictures show the same text? One changed character must stand out of all that does not
matter.

Both are brought to the resolution they share and aligned once more by themselves. Then one regression
explains the sent pixels from the known ones: a free brightness curve, blur or sharpening, and what is left of
misalignment. What it
cannot explain is looked at in windows of half a character: a changed character makes one of them hot, noise
warms all of them alike.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from mock_server.imaging.registration import Floats, Frame, Sampled, improved, sample, solve

_STEPS = 4
# Energy (grey levels squared) that any codec leaves behind: below it, hot and cool are not worth telling
# apart.
_NOISE = 4.0
_KNOTS = 7
_BLURS = (0.7, 1.5)


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
    contrast: float


def compare(
    known: Image.Image, cell: float, image: Image.Image, frame: Frame, *, faint: float = 4.0
) -> Comparison | None:
    """Compare `known` (grey, `cell` of its pixels to one character) with `frame` of `image`.

    None where the frame does not lie inside the image or holds too few pixels.
    """
    part, reduction = _shared(known, frame)
    if min(part.size) < 3:
        return None
    reference = np.asarray(part, dtype=np.float32)
    aligned = _aligned(reference, image, frame)
    if aligned is None:
        return None
    frame, seen = aligned
    wanted = reference[seen.rows, seen.columns]
    fitted = explained(part, seen)
    windows = hot_windows((seen.cells - fitted) ** 2, cell * reduction)
    variance = float(fitted.var())
    row, column = np.unravel_index(int(np.argmax(windows)), windows.shape)
    # A window is known by its first cell; its centre is half its size further.
    middle = ((fitted.shape[1] - windows.shape[1]) / 2, (fitted.shape[0] - windows.shape[0]) / 2)
    hottest = (
        (float(column) + middle[0] + seen.columns.start + 0.5) / reference.shape[1],
        (float(row) + middle[1] + seen.rows.start + 0.5) / reference.shape[0],
    )
    score = judged(float(windows.max()), float(np.median(windows)), variance + faint)
    return Comparison(score, frame, hottest, cell * reduction, float(wanted.std()))


def judged(hottest: float, median: float, variance: float) -> float:
    """The score of a part, from residual energies and the variance of what was explained (grey levels
    squared)."""
    peak, typical = (hottest + 0.1) / variance, (median + _NOISE) / variance
    return float(np.log(peak) + 0.5 * np.log(peak / typical))


def _shared(known: Image.Image, frame: Frame) -> tuple[Image.Image, float]:
    """`known` at the resolution both have, and the factor by which that is less than its own."""
    factor = min(1.0, float(np.sqrt((frame.width / known.width) * (frame.height / known.height))))
    if factor > 0.95:
        return known, 1.0
    size = (max(1, round(known.width * factor)), max(1, round(known.height * factor)))
    return known.resize(size, Image.Resampling.BILINEAR), factor


def _aligned(reference: Floats, image: Image.Image, frame: Frame) -> tuple[Frame, Sampled] | None:
    rows, columns = reference.shape
    for _ in range(_STEPS):
        seen = sample(image, frame, columns, rows)
        if seen is None:
            return None
        frame, moved = improved(frame, reference[seen.rows, seen.columns], seen, reference.shape)
        if moved < 0.02:
            break
    seen = sample(image, frame, columns, rows)
    return None if seen is None else (frame, seen)


def explained(part: Image.Image, seen: Sampled) -> Floats:
    """What the known pixels let one expect at each of the sent ones."""
    reference = np.asarray(part, dtype=np.float32)
    inside = (seen.rows, seen.columns)
    down, across = np.gradient(reference, axis=0), np.gradient(reference, axis=1)
    rows, columns = reference.shape
    u = np.broadcast_to(np.linspace(-1, 1, columns, dtype=np.float32)[None, :], reference.shape)
    v = np.broadcast_to(np.linspace(-1, 1, rows, dtype=np.float32)[:, None], reference.shape)
    terms = [
        *_curve(reference[inside]),
        *(
            np.asarray(part.filter(ImageFilter.GaussianBlur(blur)), dtype=np.float32)[inside]
            for blur in _BLURS
        ),
        *(term[inside] for term in (across, down, across * u, across * v, down * u, down * v)),
    ]
    matrix = np.stack(terms, axis=-1).reshape(-1, len(terms))
    weights = solve(matrix, seen.cells.ravel())
    fitted: Floats = np.dot(matrix, weights.astype(np.float32)).reshape(seen.cells.shape)
    return fitted


def _curve(values: Floats) -> list[Floats]:
    """Hat functions over the range of `values`: any brightness curve, clipping included, is a sum of them."""
    low, high = float(values.min()), float(values.max())
    spread = max(high - low, 1.0) / (_KNOTS - 1)
    position = (values - low) / spread
    return [(np.maximum(0, 1 - np.abs(position - knot)) * 64).astype(np.float32) for knot in range(_KNOTS)]


def hot_windows(energy: Floats, cell: float) -> NDArray[np.float32]:
    """Mean energy in windows of half a character, around every pixel where one fits."""
    return window_means(energy, max(2, round(cell / 2)), max(2, round(cell * 0.6)))


def window_means(values: Floats, wide: int, high: int) -> NDArray[np.float32]:
    """Means over windows of this size, one for every place where a window fits."""
    rows, columns = values.shape
    wide, high = min(columns, wide), min(rows, high)
    sums = np.zeros((rows + 1, columns + 1), dtype=np.float64)
    np.cumsum(np.cumsum(values, axis=0, dtype=np.float64), axis=1, out=sums[1:, 1:])
    totals = sums[high:, wide:] - sums[:-high, wide:] - sums[high:, :-wide] + sums[:-high, :-wide]
    means: NDArray[np.float32] = (totals / (wide * high)).astype(np.float32)
    return means
