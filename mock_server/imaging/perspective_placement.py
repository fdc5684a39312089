"""Where a reference lies in a sent picture that shows its texts in perspective."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mock_server.imaging.geometry import Affine, Corners, Frame, Placement

# Weight of the reference's corners as they lie without perspective, beside 1 for those of the texts. One line of text
# says little about what is far above or below it.
_REFERENCE_WEIGHT = 0.02
# Part of its size that the reference keeps at least: it is not seen from behind.
_MIN_NEARNESS = 0.5

_Points = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TextPlace:
    """Where a text lies in a picture: `part`, in fractions of the reference, has these `corners` in pixels."""

    part: Frame
    corners: Corners
    is_in_perspective: bool

    def mapped(self, affine: Affine) -> "TextPlace":
        """The same place in another picture, to which `affine` maps the pixels."""
        return replace(self, corners=tuple(affine.point(*corner) for corner in self.corners))


def in_perspective(level: Placement, texts: Sequence[TextPlace]) -> Placement:
    """The placement of an upright reference whose texts have these corners in the sent picture.

    `level`: without perspective, which says where everything else lies. It is returned where there are no texts.
    """
    if not texts:
        return level
    (xx, yy), (xy, yx), (x0, y0) = level.scale, level.skew, level.shift
    expected = Affine(xx, xy, x0, yx, yy, y0)
    whole = Frame(0, 0, *level.reference_size)
    known, sent = list(whole.corners), [expected.point(*corner) for corner in whole.corners]
    for text in texts:
        known += text.part.scaled(whole.width, whole.height).corners
        sent += text.corners
    weights = [_REFERENCE_WEIGHT] * 4 + [1.0] * (len(known) - 4)
    xx, xy, x0, yx, yy, y0, by_x, by_y = _homography(np.array(known), np.array(sent), np.array(weights))
    if min(1 + by_x * x + by_y * y for x, y in whole.corners) < _MIN_NEARNESS:
        return level
    return replace(level, scale=(xx, yy), skew=(xy, yx), shift=(x0, y0), perspective=(by_x, by_y))


def _homography(known: _Points, sent: _Points, weights: _Points) -> list[float]:
    """The first eight values of the matrix that best maps known points to sent ones, row by row; the ninth is 1.

    Of all values of `u * (1 + by_x * x + by_y * y) = xx * x + xy * y + x0`, and likewise v, by least squares.
    """
    (x, y), one, none = known.T, np.ones(len(known)), np.zeros((len(known), 3))
    terms = np.stack([x, y, one], axis=1)
    across = np.hstack([terms, none, -sent[:, :1] * terms[:, :2]])
    down = np.hstack([none, terms, -sent[:, 1:] * terms[:, :2]])
    equations = np.vstack([across, down]) * np.tile(weights, 2)[:, None]
    # Values of one size keep the equations well conditioned.
    sizes = np.abs(equations).max(axis=0)
    found = np.linalg.lstsq(equations / sizes, sent.T.ravel() * np.tile(weights, 2), rcond=None)[0]
    values: list[float] = (found / sizes).tolist()
    return values
