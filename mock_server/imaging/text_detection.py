"""Where a line of text may stand, for pictures whose author gave no box.

Text is a row of vertical strokes that goes on for a while and is calmer above and below. Windows of that
shape are
slid over the picture at several sizes. This proposes; it does not read, and a grille may pass for a plate.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from mock_server.imaging.box_filters import window_means
from mock_server.imaging.decode import decode
from mock_server.imaging.formats import Bytes
from mock_server.imaging.geometry import Box
from mock_server.imaging.open_image import DEFAULT_MAX_PIXELS
from mock_server.imaging.registration import Floats

# The picture is seen in cells of so many pixels a side; a line of text is so many cells high.
_PIXELS = 3
_LINE = 4
# A line is at least so many windows of its own height long.
_WINDOWS = 4
_SIDES = (640, 450, 320, 225, 160, 110, 80)
_CALM = 0.7
_GAP = 7
_STRONG = 9.0
_PROPOSALS = 6


@dataclass(frozen=True, slots=True)
class TextLine:
    """A possible line of text: its edges in fractions of the picture, and how much it looks like one."""

    left: float
    top: float
    right: float
    bottom: float
    strength: float

    def box(self, width: int, height: int) -> Box:
        """The same in pixels of a picture of this size."""
        return Box(
            round(self.left * width),
            round(self.top * height),
            round(self.right * width),
            round(self.bottom * height),
        )

    def covers(self, other: "TextLine") -> bool:
        """Whether the two have most of the smaller one in common."""
        across = min(self.right, other.right) - max(self.left, other.left)
        down = min(self.bottom, other.bottom) - max(self.top, other.top)
        if across <= 0 or down <= 0:
            return False
        return across * down > 0.4 * min(_area(self), _area(other))


def propose_box(
    data: Bytes, *, characters: int | None = None, max_pixels: int = DEFAULT_MAX_PIXELS
) -> Box | None:
    """The likeliest plate or VIN line of a picture, in upright pixels; None where nothing looks like text.

    `characters`: how many the text has; a line that could not hold so many is not proposed, for a wrong box is
    worse than none. Raises the errors of `ImageError`.
    """
    picture = decode(data, max_pixels=max_pixels)
    width, height = picture.size
    lines = text_lines(picture.working, _PROPOSALS)
    if not lines or lines[0].strength < _STRONG:
        return None
    # What a plate or a VIN plate says beside its number is fainter, but above all it is smaller.
    strong = [line.box(width, height) for line in lines if line.strength >= 0.3 * lines[0].strength]
    if not characters:
        return strong[0]
    fitting = [box for box in strong if _fits(box, characters)]
    return max(fitting, key=lambda box: box.height, default=None)


def _fits(box: Box, characters: int) -> bool:
    """Whether a line could hold so many characters, which are a third to once as wide as they are high."""
    return 0.33 * characters <= box.width / max(box.height, 1) <= characters


def text_lines(image: Image.Image, most: int) -> tuple[TextLine, ...]:
    """Up to so many possible lines of text in a grey picture, the likeliest first."""
    candidates: list[TextLine] = []
    copy = image
    for side in _SIDES:
        factor = min(1.0, side / max(image.size))
        size = (round(image.width * factor), round(image.height * factor))
        if size[0] >= _LINE * _PIXELS * _WINDOWS and size[1] >= _LINE * _PIXELS:
            copy = copy.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
            candidates += _lines_of_one_size(np.asarray(copy, dtype=np.float32), most)
    chosen: list[TextLine] = []
    for line in sorted(candidates, key=lambda line: -line.strength):
        if not any(line.covers(other) for other in chosen):
            chosen.append(line)
        if len(chosen) == most:
            break
    return tuple(chosen)


def _lines_of_one_size(grey: Floats, most: int) -> list[TextLine]:
    cells = _strokes(grey)
    energy = window_means(cells, _LINE, _LINE)
    width = energy.shape[1] - _LINE * (_WINDOWS - 1)
    if width < 1 or energy.shape[0] <= 2 * _LINE:
        return []
    shifted = np.stack([energy[:, _LINE * step : _LINE * step + width] for step in range(_WINDOWS)])
    lowest, mean = shifted.min(axis=0), shifted.mean(axis=0)
    likeness = lowest[_LINE:-_LINE] - _CALM * np.maximum(mean[: -2 * _LINE], mean[2 * _LINE :])
    found = []
    for _ in range(most):
        row, column = (int(value) for value in np.unravel_index(int(np.argmax(likeness)), likeness.shape))
        strength = float(likeness[row, column])
        if strength <= 1:
            break
        first, last = _extent(energy[row + _LINE], column)
        found.append(_line(first, last, row, grey.shape, strength))
        likeness[max(0, row - _LINE) : row + _LINE + 1, max(0, first - _LINE * _WINDOWS) : last + 1] = 0
    return found


def _strokes(grey: Floats) -> Floats:
    """Contrast from each pixel to the next, in cells of a few pixels.

    Even margins all around: a line that touches the picture's edge has calm neighbours too.
    """
    height, width = (side // _PIXELS * _PIXELS for side in grey.shape)
    padded = np.pad(grey[:height, :width], _LINE * _PIXELS, mode="edge")
    contrast = np.abs(np.diff(padded, axis=1, append=padded[:, -1:]))
    cells: Floats = contrast.reshape(padded.shape[0] // _PIXELS, _PIXELS, -1, _PIXELS).mean(axis=(1, 3))
    return cells


def _extent(energy: Floats, column: int) -> tuple[int, int]:
    """How far a line goes on to the left and right of where it is surest: first and last window of its
    row."""
    least = 0.35 * float(energy[column : column + _LINE * (_WINDOWS - 1) + 1].mean())
    first, last = column, column + _LINE * (_WINDOWS - 1)
    strong = np.flatnonzero(energy >= least)
    # A gap of up to this is the space between two characters or two groups of them.
    for place in strong[strong > last]:
        if place - last > _GAP:
            break
        last = int(place)
    for place in strong[strong < first][::-1]:
        if first - place > _GAP:
            break
        first = int(place)
    return first, last


def _line(first: int, last: int, row: int, shape: tuple[int, ...], strength: float) -> TextLine:
    # Back from the padded copy; the line's true height is a little more than the window that fits it best.
    height, width = shape[0] / _PIXELS, shape[1] / _PIXELS
    slack = _LINE * 0.25
    return TextLine(
        max(0.0, (first - _LINE) / width),
        max(0.0, (row - slack) / height),
        min(1.0, last / width),
        min(1.0, (row + _LINE + slack) / height),
        strength,
    )


def _area(line: TextLine) -> float:
    return (line.right - line.left) * (line.bottom - line.top)
