"""The overview of a whole reference: a small copy, aligned with the sent picture, and where the two differ.

What was laid over the sent picture must not move the alignment or bend the fit, so pixels that show something else
altogether have no part in either. Values were set as described in `undeclared_comparison`.
"""

from dataclasses import replace

import numpy as np
from PIL import Image

from mock_server.imaging.box_filters import window_means
from mock_server.imaging.geometry import Frame
from mock_server.imaging.lucas_kanade import Floats, LucasKanade, SampledGrid, on_a_line, sample
from mock_server.imaging.photometric_fit import predict
from mock_server.imaging.undeclared_comparison import FAINT_CONTRAST

# Longer side of the overview in pixels: a plate over a tenth of the frame still has six pixels per character in it.
OVERVIEW = 640
# The only blur allowed for, in pixels: reduced to this size, no client's picture is blurred more.
_BLUR = 0.8
# Longer side in pixels at which it is aligned, which is finer than the mosaic, the Lucas-Kanade steps, and the move in
# pixels that ends them.
ALIGNED = 200
_STEPS = 2
_CONVERGED = 0.03

# A pixel that is so many grey levels off shows something else, for the alignment and for each fit: a cover of hardly
# another grey stands out only once the others no longer bend the curve. In a noisy picture it is so many times as far
# off as usual. Fits follow where so many levels are the difference of this share of all pixels.
_OTHERS = (40.0, 20.0, 12.0)
_TIMES_USUAL = 4.0
_LEAST_OTHER, _MIN_OTHER = 20.0, 0.003

# Side in overview pixels of the windows in which the residual is averaged.
WINDOW = 5
# The contrast around a window is measured over this many blocks, each of this many overview pixels a side.
BLOCK = 3
_SURROUNDINGS = 7


def small_copy(image: Image.Image) -> Image.Image:
    """The copy of a picture that its overview is sampled from."""
    factor = min(1.0, OVERVIEW / max(image.size))
    size = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
    return image if factor == 1 else image.resize(size, Image.Resampling.BILINEAR)


def overview_of(copy: Image.Image, frame: Frame, side: int) -> Image.Image:
    """The reference at most `side` pixels long, and no finer than its frame in the sent picture."""
    factor = min(1.0, side / max(copy.size), frame.width / copy.width, frame.height / copy.height)
    size = (max(8, round(copy.width * factor)), max(8, round(copy.height * factor)))
    return sampled(copy, size)


def sampled(copy: Image.Image, size: tuple[int, int]) -> Image.Image:
    """A copy of the reference, sampled as the sent picture is: another filter would leave a residual on every edge."""
    samples = sample(copy, Frame(0, 0, *copy.size), *size)
    assert samples is not None, "all of a picture lies inside it"
    return Image.fromarray(samples.cells.astype(np.uint8))


def aligned_frame(overview: Image.Image, image: Image.Image, frame: Frame) -> Frame:
    """The frame after a few steps. The last one: on a whole picture, a step can lower the correlation and be right."""
    levels = np.asarray(overview, dtype=np.float32)
    solver = LucasKanade(levels)
    for _ in range(_STEPS):
        samples = sample(image, frame, overview.width, overview.height)
        if samples is None:
            break
        frame, moved = solver.step(frame, _without_others(levels, samples))
        if moved < _CONVERGED:
            break
    return frame


def _without_others(levels: Floats, samples: SampledGrid) -> SampledGrid:
    """The samples, in which pixels that show something else have the levels that the reference predicts."""
    reference, cells = levels[samples.rows, samples.columns], samples.cells
    for _ in _OTHERS:
        predicted = on_a_line(reference, reference, cells)
        cells = np.where(np.abs(samples.cells - predicted) > _OTHERS[0], predicted, samples.cells)
    return replace(samples, cells=cells)


def predicted_cells(overview: Image.Image, samples: SampledGrid) -> Floats:
    """The cells that the overview predicts, fitted without those that show something else altogether.

    A straight line, which those bend less than a curve, is the other start; the fit that explains more pixels counts.
    """
    predicted = predict(overview, samples, blurs=(_BLUR,))
    if _share_of_others(predicted, samples) < _MIN_OTHER:
        return predicted
    straight = _without_others(np.asarray(overview, dtype=np.float32), samples)
    starts = (predicted, predict(overview, straight, blurs=(_BLUR,)))
    return min(
        (_refitted(overview, samples, start) for start in starts), key=lambda fit: _share_of_others(fit, samples)
    )


def _share_of_others(predicted: Floats, samples: SampledGrid) -> float:
    return float((np.abs(samples.cells - predicted) > _LEAST_OTHER).mean())


def _refitted(overview: Image.Image, samples: SampledGrid, predicted: Floats) -> Floats:
    for limit in _OTHERS:
        residual = np.abs(samples.cells - predicted)
        is_other = residual > max(limit, _TIMES_USUAL * float(np.median(residual)))
        predicted = predict(
            overview, replace(samples, cells=np.where(is_other, predicted, samples.cells)), blurs=(_BLUR,)
        )
    return predicted


def relative_difference(cells: Floats, predicted: Floats) -> Floats:
    """Residual energy over the variance around it, one value per window."""
    energy = window_means((cells - predicted) ** 2, WINDOW, WINDOW)
    # The surroundings are smooth, so they are measured in blocks and enlarged.
    padded, squares = (
        np.pad(np.asarray(Image.fromarray(values).reduce(BLOCK)), _SURROUNDINGS // 2, mode="edge")
        for values in (predicted, predicted * predicted)
    )
    mean = window_means(padded, _SURROUNDINGS, _SURROUNDINGS)
    variance = window_means(squares, _SURROUNDINGS, _SURROUNDINGS) - mean * mean
    enlarged = Image.fromarray(variance).resize(energy.shape[::-1], Image.Resampling.BILINEAR)
    difference: Floats = energy / (np.asarray(enlarged, dtype=np.float32) + np.float32(FAINT_CONTRAST))
    return difference
