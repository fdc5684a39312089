"""Photometric fit: predicts the pixels of a sent picture from a reference by one least-squares regression.

The terms are a free tone curve, clipping, two Gaussian blurs (a negative weight sharpens), and first-order terms of
what is left of misalignment. What the regression cannot explain is the residual that decides whether two texts are
the same.

Tuned values were chosen on the tuning styles of `benchmarks/styles.py`. A model that is too free explains a changed
stroke away; one that is too stiff leaves a residual wherever a client changed the tones.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from mock_server.imaging.lucas_kanade import Floats, SampledGrid, gradients, least_squares, on_a_line

# Knots of the piecewise linear tone curve.
_KNOTS = 7
# Height of a hat function, so that its weights are of the size of the other terms'. It sets how strongly rare grey
# levels are damped towards a straight line.
_HAT_HEIGHT = 64
# Standard deviations, in pixels, of the blurs among the terms.
_BLURS = (0.7, 1.5)
# Distance in characters of the places between which a tone curve varies smoothly: closer ones would explain a stroke
# away. At each place it has a constant, a gain and a curvature of the standardised grey levels, with these weights.
_PLACE_DISTANCE = 1.5
_POWER_WEIGHTS = (64, 32, 32)
# Pixels that are enough to find a dozen weights by; of larger parts only every few columns are used.
_MAX_PIXELS = 8000
# Percentiles of the pixels between which the tone curve of a whole picture is straight.
_PERCENTILES = (0, 2, 10, 25, 40, 50, 60, 75, 90, 98, 100)
# Every so manyth pixel is enough.
_CURVE_STEP = 7


@dataclass(frozen=True, slots=True)
class ToneCurve:
    """Of a whole picture: levels of the reference, and those that they have in the sent picture; both increase."""

    reference: NDArray[np.float64]
    sent: NDArray[np.float64]

    @classmethod
    def of(cls, reference: Floats, predicted: Floats) -> Self:
        """The curve from a reference's pixels to those predicted for the sent picture."""
        return cls(
            *(
                np.percentile(pixels.ravel()[::_CURVE_STEP].astype(np.float64), _PERCENTILES)
                for pixels in (reference, predicted)
            )
        )

    def apply(self, levels: Floats) -> Floats:
        """Levels of the reference as the sent picture has them."""
        return np.interp(levels, self.reference, self.sent).astype(np.float32)

    def inverse(self, levels: Floats) -> Floats:
        """Levels of the sent picture as the reference has them."""
        return np.interp(levels, self.sent, self.reference).astype(np.float32)


def predict(
    part: Image.Image, samples: SampledGrid, extra_terms: Sequence[Floats] = (), blurs: Sequence[float] = _BLURS
) -> Floats:
    """The grey levels that `part` of a reference predicts for the pixels sampled from the sent picture.

    `extra_terms`: arrays as large as `part`. `blurs`: the standard deviations of the blurs to allow for, in pixels.
    """
    levels: NDArray[np.uint8] = np.asarray(part)
    inside = (samples.rows, samples.columns)
    reference = levels[inside]
    free = [np.asarray(part.filter(ImageFilter.GaussianBlur(blur)), dtype=np.float32)[inside] for blur in blurs]
    free += [term[inside] for term in extra_terms]
    shifts = _shift_terms(levels.astype(np.float32), samples)
    # The same pixels of every term: all of a small part, every few columns of a large one.
    some = (slice(None), slice(None, None, max(1, reference.size // _MAX_PIXELS)))
    hats = _hats(reference)
    terms = [*(hats[reference[some]].transpose(2, 0, 1)), *(term[some] for term in (*free, *shifts))]
    # Grey levels that are too rare to fit follow the straight line through the others.
    line = on_a_line(np.arange(256, dtype=np.float32), reference[some].astype(np.float32), samples.cells[some])
    target = samples.cells[some] - line[reference[some]]
    weights = least_squares(np.stack([term.ravel() for term in terms], axis=-1), target.ravel()).astype(np.float32)
    predicted: Floats = np.take(line + hats @ weights[:_KNOTS], reference)
    for weight, term in zip(weights[_KNOTS:], (*free, *shifts), strict=True):
        predicted += weight * term
    # Predictions darker than black or brighter than white were clipped.
    return np.clip(predicted, 0, 255)


def colour_terms(colours: Image.Image, size: tuple[int, int]) -> list[Floats]:
    """Extra terms for a reference part in RGB: hat functions of red and of blue.

    With those of grey they span any tone curve per channel. Clients clip and saturate each channel by itself, which no
    tone curve of grey levels explains.
    """
    resized = colours if colours.size == size else colours.resize(size, Image.Resampling.BILINEAR)
    knots = np.linspace(0, 255, _KNOTS, dtype=np.float32)
    channels = [np.asarray(resized.getchannel(name), dtype=np.float32) for name in "RB"]
    return [
        np.maximum(0, _HAT_HEIGHT - np.abs(channel - knot) * (_HAT_HEIGHT / (knots[1] - knots[0])))
        for channel in channels
        for knot in knots
    ]


def local_tone_terms(part: Image.Image, character: float) -> list[Floats]:
    """Extra terms for a reference part: a tone curve that varies smoothly from place to place.

    Adaptive equalisation (CLAHE) has a curve for each tile of the picture; shadows and reflections change a part of a
    text. `character`: the size of one in pixels.
    """
    levels: Floats = np.asarray(part, dtype=np.float32)
    level = (levels - levels.mean()) / max(1.0, float(levels.std()))
    powers = [np.ones_like(level), level, level * level - 1]
    across, down = (_places(size, _PLACE_DISTANCE * character) for size in part.size)
    return [
        weight * power * row[:, None] * column[None, :]
        for column in across
        for row in down
        for power, weight in zip(powers, _POWER_WEIGHTS, strict=True)
    ]


def _places(size: int, distance: float) -> Floats:
    """Hat functions over so many pixels, about `distance` apart, of shape (places, pixels)."""
    count = max(2, round(size / distance) + 1)
    position = np.linspace(0, count - 1, size, dtype=np.float32)
    hats: Floats = np.maximum(0, 1 - np.abs(position - np.arange(count, dtype=np.float32)[:, None]))
    return hats


def _shift_terms(reference: Floats, samples: SampledGrid) -> list[Floats]:
    """First-order terms of a small shift, scale and shear, for the sampled pixels."""
    inside = (samples.rows, samples.columns)
    y_gradient, x_gradient = (slopes[inside] for slopes in gradients(reference))
    rows, columns = reference.shape
    u = np.linspace(-1, 1, columns, dtype=np.float32)[None, samples.columns]
    v = np.linspace(-1, 1, rows, dtype=np.float32)[samples.rows, None]
    return [x_gradient, y_gradient, x_gradient * u, x_gradient * v, y_gradient * u, y_gradient * v]


def _hats(reference: NDArray[np.uint8]) -> Floats:
    """Hat functions over the range of `reference`, of shape (256 levels, knots); their sums are the tone curves."""
    low, high = float(reference.min()), float(reference.max())
    spacing = max(high - low, 1.0) / (_KNOTS - 1)
    position = (np.arange(256, dtype=np.float32)[:, None] - low) / spacing
    knots = np.arange(_KNOTS, dtype=np.float32)[None, :]
    hats: Floats = (np.maximum(0, 1 - np.abs(position - knots)) * _HAT_HEIGHT).astype(np.float32)
    return hats
