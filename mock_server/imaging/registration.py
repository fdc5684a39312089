"""Image registration: the scale and shift per axis that lay a reference picture over another one.

Both are sampled as square grids of cells (for the reference, this is its mosaic), so the aspect ratio does not
matter. Each level of a coarse-to-fine pyramid refines the frame by Lucas-Kanade steps.

Tuned values were chosen on the tuning styles of `benchmarks/styles.py`. In the sweep of `docs/matching.md`, halving or
doubling them changed no match.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mock_server.imaging.geometry import Frame
from mock_server.imaging.lucas_kanade import (
    Alignment,
    Floats,
    LucasKanade,
    SampledGrid,
    align,
    correlate,
    on_a_line,
    sample,
)

# Cells a side of the finest level, and of the mosaic that is stored for each reference.
MOSAIC = 96
# (cells a side, Lucas-Kanade steps at most) of each level.
_LEVELS = ((24, 4), (48, 3), (MOSAIC, 10))
# Share of a side that is left out at each edge: letterbox bars and crops mix foreign pixels into the outermost cells.
_MARGIN = 1 / 24
# Pixels per cell of the reduced copy that a grid is sampled from. Below one, aliasing looks like a shift.
_OVERSAMPLING = 1.5
# Share of the cells that must lie inside the image. Fewer cells give high correlations by chance.
_MIN_COMMON_CELLS = 0.6
# A step that moves a frame by less than this, in cells, is the last one.
_CONVERGED = 0.01
# A start that correlates this well on the coarsest and on the finest level skips the levels between.
_CLOSE_COARSE = 0.9
_CLOSE_FINE = 0.98
# A picture that correlates less may have covers: a cell is covered if the reference, with a gain and an offset, is so
# many times the usual residual off, at least so many grey levels. So often it is fitted anew; steps on each level; at
# least this share of the cells is left, and correlates by so much after one fit, at the start and on each level. Other
# scenes seldom do, and cost one fit.
_UNCOVERED = 0.95
_COVERED, _MIN_COVERED_LEVELS = 3.7, 12.0
_REFITS = 3
_COVERED_STEPS = (8, 3, 3)
_MIN_LEFT = 0.75
_MIN_LEFT_FIRST, _MIN_LEFT_START, _MIN_LEFT_CORRELATION = 0.88, 0.88, 0.9
# Below these, before refinement and after it on the coarsest and on the middle level, the picture shows another scene.
# Lower values cost time; the finest level decides. The same scene had at least 0.59, 0.93 and 0.90 under 1,152 changes.
_MIN_START = 0.55
_MIN_COARSER = (0.9, 0.85)


def mosaic(image: Image.Image) -> NDArray[np.uint8]:
    """An 8-bit grey image resized to MOSAIC x MOSAIC cells."""
    return np.asarray(image.resize((MOSAIC, MOSAIC), Image.Resampling.BILINEAR, reducing_gap=3.0))


class Pyramid:
    """A grey image with reduced copies, so that coarse grids are sampled at a fraction of the cost."""

    def __init__(self, image: Image.Image) -> None:
        self.image = image
        self._copies = {1: image}
        self._samples: dict[tuple[int, Frame], SampledGrid | None] = {}

    def at_scale_of(self, side: int, frame: Frame) -> tuple[Image.Image, Frame, int]:
        """The copy to sample `frame` from as `side` x `side` cells, the frame in it, and its reduction factor."""
        factor = 1
        while min(frame.width, frame.height) >= 2 * factor * _OVERSAMPLING * side:
            factor *= 2
        if factor not in self._copies:
            self._copies[factor] = self.image.reduce(factor)
        return self._copies[factor], frame.scaled(1 / factor, 1 / factor), factor

    def sampled(self, side: int, frame: Frame) -> SampledGrid | None:
        """`frame` as `side` x `side` cells, kept: many references start from the same frame."""
        key = side, frame
        if key not in self._samples:
            copy, reduced, _ = self.at_scale_of(side, frame)
            self._samples[key] = sample(copy, reduced, side, side, round(side * _MARGIN), _MIN_COMMON_CELLS)
        return self._samples[key]


def register(
    reference: NDArray[np.uint8], image: Pyramid, *starts: Frame, may_be_covered: bool = False
) -> Alignment | None:
    """Find the frame of a reference, given by its mosaic, in a grey image; None where it shows another scene.

    The best of `starts` is refined, on the finest level alone if it is already close. `may_be_covered`: where that
    fails, repeat it without the cells that something may have been laid over.
    """
    result = _register(reference, image, starts)
    is_sure = result is not None and result.correlation >= _UNCOVERED
    if may_be_covered and not is_sure and _Level(reference, image, _LEVELS[0][0]).may_be_covered(starts[0]):
        return _register_covered(reference, image, starts[0]) or result
    return result


def _register(reference: NDArray[np.uint8], image: Pyramid, starts: Sequence[Frame]) -> Alignment | None:
    *coarser, (fine_side, fine_steps) = _LEVELS
    coarse, fine = _Level(reference, image, coarser[0][0]), _Level(reference, image, fine_side)
    rated = [(coarse.correlation(start), start) for start in dict.fromkeys(starts)]
    correlation, start = max(rated, key=lambda pair: pair[0])
    if correlation < _MIN_START:
        return None
    if correlation < _CLOSE_COARSE or fine.correlation(start) < _CLOSE_FINE:
        frame = start
        for (side, steps), least in zip(coarser, _MIN_COARSER, strict=True):
            refined = _Level(reference, image, side).refine(frame, steps, least)
            if refined is None or refined.correlation < least:
                return None
            frame = refined.frame
        start = max(start, frame, key=fine.correlation)
    return fine.refine(start, fine_steps)


def _register_covered(reference: NDArray[np.uint8], image: Pyramid, start: Frame) -> Alignment | None:
    """The frame in a picture of which something was laid over a part; `correlation` is that of the rest."""
    frame, result = start, None
    for (side, _), steps in zip(_LEVELS, _COVERED_STEPS, strict=True):
        result = _Level(reference, image, side).refine_covered(frame, steps)
        if result is None:
            return None
        frame = result.frame
    return result


class _Level:
    """One level of the pyramid: a reference and an image, compared on a grid of `side` x `side` cells."""

    def __init__(self, reference: NDArray[np.uint8], image: Pyramid, side: int) -> None:
        self._mosaic = reference
        self._image = image
        self._side = side
        self._margin = round(side * _MARGIN)

    @cached_property
    def _reference(self) -> Floats:
        # Resampled as `sample` does: a different filter would look like a shift.
        cells = Image.fromarray(self._mosaic).resize((self._side, self._side), Image.Resampling.BILINEAR)
        return np.asarray(cells, dtype=np.float32)

    def correlation(self, frame: Frame) -> float:
        """The correlation where the frame lies; 0 where too little of it is inside the image."""
        samples = self._sample(frame)
        return 0.0 if samples is None else samples.correlation(self._reference)

    def refine(self, start: Frame, steps: int, goal: float = -1.0) -> Alignment | None:
        """The best frame after up to `steps` steps from `start`; None where too little of it is inside the image.

        `goal`: as in `align`.
        """
        copy, frame, factor = self._image.at_scale_of(self._side, start)
        aligned = align(
            self._reference, copy, frame, steps, _CONVERGED, self._margin, _MIN_COMMON_CELLS, goal, self._sample(start)
        )
        return None if aligned is None else replace(aligned, frame=aligned.frame.scaled(factor, factor))

    def may_be_covered(self, frame: Frame) -> bool:
        """Whether the frame shows the reference but for some of the cells."""
        samples = self._sample(frame)
        left = None if samples is None else _uncovered(self._reference[samples.rows, samples.columns], samples.cells, 1)
        return left is not None and left[1] >= _MIN_LEFT_FIRST

    def refine_covered(self, frame: Frame, steps: int) -> Alignment | None:
        """The frame after so many steps that leave out what is covered; None where too much is, or the rest differs."""
        solver = LucasKanade(self._reference)
        for step in range(steps + 1):
            samples = self._sample(frame)
            left = (
                None if samples is None else _uncovered(self._reference[samples.rows, samples.columns], samples.cells)
            )
            if samples is None or left is None or left[1] < _MIN_LEFT_START:
                return None
            moved_frame, moved = solver.step(frame, replace(samples, cells=left[0]))
            if step == steps or moved < _CONVERGED:
                return Alignment(frame, samples, left[1]) if left[1] >= _MIN_LEFT_CORRELATION else None
            frame = moved_frame
        return None

    def _sample(self, frame: Frame) -> SampledGrid | None:
        return self._image.sampled(self._side, frame)


def _uncovered(reference: Floats, cells: Floats, fits: int = _REFITS) -> tuple[Floats, float] | None:
    """The cells with those that are covered as the reference predicts them, and the correlation of the others.

    None where too few are left.
    """
    is_left = np.ones(cells.shape, np.bool_)
    for _ in range(fits):
        predicted = on_a_line(reference, reference[is_left], cells[is_left])
        residual = np.abs(cells - predicted)
        is_left = residual <= max(_MIN_COVERED_LEVELS, _COVERED * float(np.median(residual)))
        if is_left.mean() < _MIN_LEFT:
            return None
    return np.where(is_left, cells, predicted), correlate(reference[is_left], cells[is_left])
