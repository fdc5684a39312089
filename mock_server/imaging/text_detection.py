"""Detects lines of text and measures the height of text; neither reads any.

A line of text is a row of vertical strokes that is several times as long as it is high, with calmer ground above and
below. Windows of that shape slide over the picture at several scales. A grille or a fence can pass for a line of text.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mock_server.imaging.box_filters import window_means
from mock_server.imaging.geometry import Box
from mock_server.imaging.lucas_kanade import Floats
from mock_server.imaging.pixel_transforms import Grey

# --- Detection ------------------------------------------------------------------------------------------------------

# Longer sides in pixels of the copies that are searched, each 1.4 times smaller than the one before: the search finds
# one height of line on each copy.
_SCALES = (640, 450, 320, 225, 160, 110, 80)
# The same of the copies on which smaller lines are searched, where no text is declared.
_FINER_SCALES = (1280, 900)
# Stroke energy is measured in cells of this many pixels a side.
_CELL = 3
# Height of a line in cells, and its least length in windows that are as long as they are high.
_LINE_HEIGHT = 4
_MIN_WINDOWS = 4
# Share of the energy above and below that is subtracted from the line's own.
_SURROUNDINGS_WEIGHT = 0.7
# Mean contrast between neighbouring pixels, in grey levels, above which a place is a line at all.
_MIN_STRENGTH = 1.0
# A line goes on over cells with this share of its energy, and over gaps of this many cells between words.
_EXTENT_ENERGY = 0.35
_MAX_GAP = 7
# Lines of a picture, of each kind, that are looked at, and what they need to be likely text: on the tuning photographs,
# plates have a strength of 9 and a clearness of 0.66 at least; nine tenths of the other lines have less.
_LIKELY_LINES = 24
_LIKELY_STRENGTH = 2.0
_LIKELY_CLEARNESS = 0.5
# A line with this strength is likely text, however little it stands out: a plate on gravel.
_STRONG = 5.0
# A line covers another one if they have this share of the smaller one in common. Of likely lines, it must also be at
# most so many times as high: a row of shelves and wheels may have a plate in it.
_SAME_LINE = 0.4
_SAME_HEIGHT = 2.5
# Width of a character with its spacing over the height of its line.
CHARACTER_WIDTH = 0.55
# The same over the measured height of the text itself.
_WIDTH_OVER_HEIGHT = 0.8
# The box of a line is higher than its window by this share of its height at either edge.
_SLACK = 0.25

# --- Slope and height of text ---------------------------------------------------------------------------------------

# Width in pixels at most at which a region is measured: more than twenty per character, even of a VIN.
_MEASURED_WIDTH = 480
# Angles in degrees at which a slanted text is looked for.
_ANGLES = range(-54, 55, 3)
# An edge is a step of this many grey levels, and of this share of the strongest steps.
_MIN_STEP = 8.0
_SHARE_OF_STRONGEST_STEP = 0.25
# A row of pixels belongs to the text if it has this share of the edges of the rows with the most.
_SHARE_OF_MOST_EDGES = 0.5
# Two lines of text: rows that are apart by more than this share of the region's height, are at least this high each and
# together, and of similar height. A plate's number with the state's name above has lines of 0.45 and 0.1.
_MAX_ROW_GAP = 0.04
_MIN_ROW_HEIGHT = 0.2
_MIN_ROWS_HEIGHT = 0.5
_SIMILAR_HEIGHT = 0.5


@dataclass(frozen=True, slots=True)
class TextLine:
    """A possible line of text: its edges in fractions of the picture.

    `strength`: its stroke energy in grey levels, less a share of that above and below; `clearness`: the same as a share
    of its stroke energy. Text on even ground has nearly 1, a row of a texture 0.3. `character`: the size of one as a
    share of the picture's height, where it was measured.
    """

    left: float
    top: float
    right: float
    bottom: float
    strength: float
    clearness: float
    character: float = 0.0

    def box(self, width: int, height: int) -> Box:
        """The line in pixels of a picture of this size."""
        return Box(
            round(self.left * width), round(self.top * height), round(self.right * width), round(self.bottom * height)
        )

    @property
    def is_likely(self) -> bool:
        """Whether it is text rather than a row of a texture."""
        stands_out = self.strength >= _LIKELY_STRENGTH and self.clearness >= _LIKELY_CLEARNESS
        return stands_out or self.strength >= _STRONG

    @property
    def area(self) -> float:
        return (self.right - self.left) * (self.bottom - self.top)

    def covers(self, other: "TextLine") -> bool:
        """Whether the two have much of the smaller one in common."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return width > 0 and height > 0 and width * height > _SAME_LINE * min(self.area, other.area)

    def repeats(self, other: "TextLine") -> bool:
        """Whether it covers another line that is not much smaller."""
        return self.covers(other) and self.bottom - self.top <= _SAME_HEIGHT * (other.bottom - other.top)


def likely_lines(image: Image.Image) -> tuple[TextLine, ...]:
    """The lines of a grey picture that are likely text: the surest first, then small ones that are no part of those."""
    lines = _chosen(_candidates(image, _LIKELY_LINES, _SCALES), _LIKELY_LINES, TextLine.repeats)
    small = _chosen(_candidates(image, _LIKELY_LINES, _FINER_SCALES), _LIKELY_LINES, TextLine.repeats)
    small = tuple(line for line in small if not any(other.repeats(line) for other in lines))
    likely = (line for line in (*lines, *small) if line.is_likely)
    return tuple(replace(line, character=_character(line, image)) for line in likely)


def _character(line: TextLine, image: Image.Image) -> float:
    """The size of a character as the height of the text gives it: a line is often found higher than its text."""
    box = line.box(*image.size)
    if box.width < 3 or box.height < 3:
        return 0.0
    measured = text_height(image.crop((box.xmin, box.ymin, box.xmax, box.ymax))) / image.height
    return min(CHARACTER_WIDTH * (line.bottom - line.top), _WIDTH_OVER_HEIGHT * measured)


def text_lines(image: Image.Image, count: int, scales: Sequence[int] = _SCALES) -> tuple[TextLine, ...]:
    """Up to `count` possible lines of text in a grey picture, the surest first."""
    return _chosen(_candidates(image, count, scales), count, TextLine.covers)


def _candidates(image: Image.Image, count: int, scales: Sequence[int]) -> list[TextLine]:
    """Up to `count` possible lines of text of each size, some of them the same line."""
    candidates: list[TextLine] = []
    copy = image
    # Pictures are never enlarged, so several copies of a small one would be the same.
    factors = dict.fromkeys(min(1.0, side / max(image.size)) for side in scales)
    for factor in factors:
        size = (round(image.width * factor), round(image.height * factor))
        if size[0] >= _LINE_HEIGHT * _CELL * _MIN_WINDOWS and size[1] >= _LINE_HEIGHT * _CELL:
            copy = copy.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
            candidates += _lines_at_one_scale(np.asarray(copy, dtype=np.float32), count)
    return candidates


def _chosen(
    candidates: Sequence[TextLine], count: int, excludes: Callable[[TextLine, TextLine], bool]
) -> tuple[TextLine, ...]:
    """The surest of the candidates that no surer one `excludes`."""
    chosen: list[TextLine] = []
    for line in sorted(candidates, key=lambda line: -line.strength):
        if not any(excludes(other, line) for other in chosen):
            chosen.append(line)
        if len(chosen) == count:
            break
    return tuple(chosen)


def _lines_at_one_scale(grey: Floats, count: int) -> list[TextLine]:
    energy = window_means(_stroke_energy(grey), _LINE_HEIGHT, _LINE_HEIGHT)
    width = energy.shape[1] - _LINE_HEIGHT * (_MIN_WINDOWS - 1)
    if width < 1 or energy.shape[0] <= 2 * _LINE_HEIGHT:
        return []
    windows = np.stack([energy[:, _LINE_HEIGHT * step :][:, :width] for step in range(_MIN_WINDOWS)])
    weakest, mean = windows.min(axis=0), windows.mean(axis=0)
    # Every window along the line must have strokes, and the ground above and below must be calmer.
    around = np.maximum(mean[: -2 * _LINE_HEIGHT], mean[2 * _LINE_HEIGHT :])
    strengths = weakest[_LINE_HEIGHT:-_LINE_HEIGHT] - _SURROUNDINGS_WEIGHT * around
    lines = []
    for _ in range(count):
        row, column = (int(value) for value in np.unravel_index(int(np.argmax(strengths)), strengths.shape))
        strength = float(strengths[row, column])
        if strength <= _MIN_STRENGTH:
            break
        first, last = _extent(energy[row + _LINE_HEIGHT], column)
        clearness = strength / float(weakest[row + _LINE_HEIGHT, column])
        lines.append(_line(first, last, row, grey.shape, (strength, clearness)))
        rows = slice(max(0, row - _LINE_HEIGHT), row + _LINE_HEIGHT + 1)
        strengths[rows, max(0, first - _LINE_HEIGHT * _MIN_WINDOWS) : last + 1] = 0
    return lines


def _stroke_energy(grey: Floats) -> Floats:
    """Mean contrast from each pixel to its right neighbour, in cells.

    The picture is padded with its own edge pixels, so that a line at its edge has calm surroundings too.
    """
    height, width = (side // _CELL * _CELL for side in grey.shape)
    padded = np.pad(grey[:height, :width], _LINE_HEIGHT * _CELL, mode="edge")
    contrast = np.abs(np.diff(padded, axis=1, append=padded[:, -1:]))
    cells: Floats = contrast.reshape(padded.shape[0] // _CELL, _CELL, -1, _CELL).mean(axis=(1, 3))
    return cells


def _extent(energy: Floats, column: int) -> tuple[int, int]:
    """First and last cell of the line through `column`, given the energies of its row."""
    first, last = column, column + _LINE_HEIGHT * (_MIN_WINDOWS - 1)
    strong = np.flatnonzero(energy >= _EXTENT_ENERGY * float(energy[first : last + 1].mean()))
    for place in strong[strong > last]:
        if place - last > _MAX_GAP:
            break
        last = int(place)
    for place in strong[strong < first][::-1]:
        if first - place > _MAX_GAP:
            break
        first = int(place)
    return first, last


def _line(first: int, last: int, row: int, shape: tuple[int, ...], strengths: tuple[float, float]) -> TextLine:
    # From cells of the padded copy to fractions of the picture.
    height, width = shape[0] / _CELL, shape[1] / _CELL
    slack = _LINE_HEIGHT * _SLACK
    return TextLine(
        max(0.0, (first - _LINE_HEIGHT) / width),
        max(0.0, (row - slack) / height),
        min(1.0, last / width),
        min(1.0, (row + _LINE_HEIGHT + slack) / height),
        *strengths,
    )


def text_height(region: Image.Image) -> float:
    """Height in pixels of the text in a grey picture of its region; several lines count together.

    A row of pixels through text crosses many edges; one through a plate's frame crosses few. The whole height of the
    region where something else crosses as many edges as the text.
    """
    rows = _rows_of_text(region)
    return max(1, int(np.count_nonzero(rows))) * region.width / _measured_size(region)[0]


def has_two_lines(region: Image.Image) -> bool:
    """Whether a grey picture of a text's region shows two lines of similar height; False where that is not clear."""
    rows = _rows_of_text(region)
    text = np.flatnonzero(rows)
    gaps = np.flatnonzero(np.diff(text) > 1 + _MAX_ROW_GAP * len(rows))
    firsts, lasts = text[[0, *(gaps + 1)]], text[[*gaps, -1]]
    *_, second, first = [0.0, 0.0, *sorted((lasts - firsts + 1) / len(rows))]
    is_similar = second >= max(_MIN_ROW_HEIGHT, _SIMILAR_HEIGHT * first)
    return bool(is_similar and first + second >= _MIN_ROWS_HEIGHT)


def slope(region: Image.Image) -> float:
    """The angle in radians by which the text of a grey picture of its region descends to the right.

    Along the right angle, the edges of the characters gather in few rows.
    """
    levels: Floats = np.asarray(region.resize(_measured_size(region), Image.Resampling.BOX), dtype=np.float32)
    if min(levels.shape) < 3:
        return 0.0
    edges = np.abs(np.diff(levels, axis=1))
    edges = np.minimum(edges, np.percentile(edges, 98))
    across = np.arange(edges.shape[1]) - edges.shape[1] / 2
    down = np.arange(edges.shape[0])

    def gathered(angle: float) -> float:
        rows = np.round(down[:, None] - np.tan(angle) * across).astype(np.int64)
        profile = np.bincount((rows - rows.min()).ravel(), edges.ravel())
        return float(np.vdot(profile, profile))

    angle: float = max(np.radians(_ANGLES).tolist(), key=gathered)
    return angle


def _measured_size(region: Image.Image) -> tuple[int, int]:
    width = min(region.width, _MEASURED_WIDTH)
    return width, max(1, round(region.height * width / region.width))


def _rows_of_text(region: Image.Image) -> NDArray[np.bool_]:
    """Which rows of pixels of the region, reduced to `_measured_size`, belong to text."""
    levels = np.asarray(region.resize(_measured_size(region), Image.Resampling.BOX))
    if min(levels.shape) < 3:
        return np.ones(levels.shape[0], dtype=np.bool_)
    edges = np.convolve(_edges_per_row(levels), np.full(3, 1 / 3), "same")
    rows: NDArray[np.bool_] = edges >= _SHARE_OF_MOST_EDGES * np.percentile(edges, 95)
    return rows


def _edges_per_row(levels: Grey) -> Floats:
    """How many vertical edges each row of pixels crosses."""
    values: Floats = levels.astype(np.float32)
    values = np.float32(0.5) * (values[:-1] + values[1:])
    steps = np.abs(values[:, 2:] - values[:, :-2])
    strong = steps > max(_MIN_STEP, _SHARE_OF_STRONGEST_STEP * float(np.percentile(steps, 98)))
    crossings = strong[:, 1:] & ~strong[:, :-1]
    counts: Floats = crossings.sum(axis=1).astype(np.float32)
    return counts
