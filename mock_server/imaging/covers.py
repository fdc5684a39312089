"""Finds what was laid over a picture: bars and captions at its edges, and covers such as a blurred face or a sticker.

All of them differ from what the reference predicts, over an area that no changed character has: a bar fills the whole
width, a caption is as long as several characters and lies at an edge, and a cover is larger than a character of small
text and smoother than text. The limits were set on one half of the photographs and drawings of `benchmarks/unboxed.py`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mock_server.imaging.lucas_kanade import Floats

Area = tuple[float, float, float, float]
"""Left, top, right and bottom in fractions of the reference."""

# Shorter side in pixels of a picture that something may have been laid over: in a smaller one, a cover is like a
# character.
SMALLEST = 240

# Pixels a side of the blocks that areas consist of. A block differs if this share of its pixels do, which is measured
# as residual over contrast.
_BLOCK = 6
_MIN_BLOCK = 0.12
_DIFFERENT = 0.12
# Where more of the picture differs, it shows something else.
_MAX_DIFFERENT = 0.35

# A row of a bar differs over this share of the width; the height of a bar as a share of the picture's.
_BAR_ROW = 0.5
_MIN_BAR, _MAX_BAR = 0.025, 0.16

# Share of the height, or of the width, at each edge in which captions stand.
_STRIP = 0.15
# Least length of a caption as a share of the longer side, and in its heights; how much of its length differs. Its words
# are at most so far apart, as a share of the longer side. A long one may have two lines. Beside a caption or a bar, a
# shorter one may stand.
_MIN_LENGTH, _MIN_ASPECT = 0.06, 2.2
_CLEAR_LENGTH, _CLEAR_ASPECT = 0.1, 1.5
_MIN_LENGTH_BESIDE, _MIN_ASPECT_BESIDE = 0.025, 1.3
_MIN_FILLED = 0.4
_WORD_GAP = 0.04

# Shorter side of a cover as a share of the picture's longer side, and its longer side as a share of the shorter; the
# ratio of its sides at most.
_MIN_COVER, _MAX_COVER = 0.032, 0.5
_MAX_COVER_ASPECT = 2.4
# A cover that differs clearly: the share of it that does, and the share that may have detail. A pixel has detail if it
# differs from its neighbour by this share of the range of the levels, and by so many.
_MIN_COVER_FILLED = 0.4
_MAX_DETAILED = 0.35
_DETAIL, _MIN_DETAIL = 0.15, 8.0
# A cover that only softens the picture: residual over contrast, the share that has it, and the energy of the steps from
# pixel to pixel as a share of that in the reference.
_SOFTENED = 0.03
_MIN_SOFTENED_FILLED = 0.25
_MAX_ENERGY = 0.4
# Levels of blocks of one colour, and from one to the next: such a cover goes on where the reference has its level.
_FLAT, _SAME_LEVEL = 10.0, 4.0

# The share of the blocks that are neither flat nor taken, for bars and captions, and for covers. Where less is left,
# the picture is a drawing of a few things, of which one may be another one: a large character is like a cover.
_MIN_LEFT, _MIN_LEFT_OF_COVERED = 0.03, 0.2

# Calm ground: the energy of the steps from pixel to pixel in any of its blocks at most, and how many times as much what
# was laid over has. No character was changed there, so that may have any shape, but its shorter side is at most this
# share of the picture's longer one: a car is larger.
_MAX_STROKES = 64.0
_STRONGER = 6.0
_MAX_ON_CALM = 0.15

# What an area is enlarged by, as a share of the longer side: a codec changes what lies near.
_AROUND = 0.012

_Run = tuple[int, int, int, int]


def find_covers(cells: Floats, predicted: Floats, difference: Floats, visible: Area) -> tuple[Area, ...]:
    """The areas of a reference that something was laid over.

    `cells`: what the sent picture shows of the `visible` part of the reference; `predicted`: what it would show without
    covers; `difference`: residual over contrast, one value for each window of both.
    """
    if min(cells.shape) < SMALLEST:
        return ()
    padded = np.pad(difference, _margins(cells, difference))
    grid = _Grid(_blocks(padded > _DIFFERENT).mean(axis=(1, 3)) >= _MIN_BLOCK, visible)
    if grid.differs.mean() > _MAX_DIFFERENT:
        return ()
    on_calm_ground = tuple(_on_calm_ground(grid, cells, predicted))
    lines = [*_bars(grid), *_captions(grid, _MIN_LENGTH, _MIN_ASPECT), *_captions(grid, _CLEAR_LENGTH, _CLEAR_ASPECT)]
    if lines:
        lines += _captions(grid, _MIN_LENGTH_BESIDE, _MIN_ASPECT_BESIDE)
    covers = [*_clear_covers(grid, cells)]
    softened = _Grid(_blocks(padded > _SOFTENED).mean(axis=(1, 3)) >= _MIN_BLOCK, visible)
    softened.differs[grid.taken] = False
    lines += _captions(softened, _MIN_LENGTH, _MIN_ASPECT)
    covers += _soft_covers(softened, cells, predicted)
    has_detail = np.ptp(_blocks(predicted), axis=(1, 3)) > _FLAT
    left = (has_detail & ~grid.taken & ~softened.taken).mean()
    return (*on_calm_ground, *(lines if left >= _MIN_LEFT else ()), *(covers if left >= _MIN_LEFT_OF_COVERED else ()))


@dataclass(frozen=True, slots=True)
class _Grid:
    """Blocks that differ; those of an area that was found are cleared."""

    differs: NDArray[np.bool_]
    visible: Area
    taken: NDArray[np.bool_] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "taken", np.zeros_like(self.differs))

    @property
    def longer(self) -> int:
        return int(max(self.differs.shape))

    def take(self, left: int, top: int, right: int, bottom: int) -> Area:
        """The area of these blocks, which are cleared."""
        self.differs[top:bottom, left:right] = False
        self.taken[top:bottom, left:right] = True
        rows, columns = self.differs.shape
        x, y = self.visible[:2]
        across, down = (self.visible[2] - x) / columns, (self.visible[3] - y) / rows
        around_x, around_y = _AROUND * self.longer * across, _AROUND * self.longer * down
        return (
            max(0.0, x + left * across - around_x),
            max(0.0, y + top * down - around_y),
            min(1.0, x + right * across + around_x),
            min(1.0, y + bottom * down + around_y),
        )


def _margins(cells: Floats, difference: Floats) -> list[tuple[int, int]]:
    """How many cells at each edge have no value of the difference."""
    missing = [one - other for one, other in zip(cells.shape, difference.shape, strict=True)]
    return [(number // 2, number - number // 2) for number in missing]


def _blocks(values: NDArray[Any]) -> NDArray[Any]:
    """The values as an array of the shape (rows of blocks, rows, columns of blocks, columns)."""
    rows, columns = (side // _BLOCK for side in values.shape)
    return values[: rows * _BLOCK, : columns * _BLOCK].reshape(rows, _BLOCK, columns, _BLOCK)


def _bars(grid: _Grid) -> Iterator[Area]:
    """Bars at the upper and at the lower edge."""
    rows, columns = grid.differs.shape
    for is_below in (False, True):
        is_bar = grid.differs.mean(axis=1) >= _BAR_ROW
        is_bar = is_bar[::-1] if is_below else is_bar
        # The residual of the outermost windows is not known.
        is_bar[0] |= is_bar[1]
        height = rows if is_bar.all() else int(np.argmin(is_bar))
        if _MIN_BAR * rows <= height <= _MAX_BAR * rows:
            yield grid.take(0, rows - height, columns, rows) if is_below else grid.take(0, 0, columns, height)


def _captions(grid: _Grid, length: float, aspect: float) -> Iterator[Area]:
    """Lines of text that lie at one edge: along the upper and the lower one, then up the left and the right one."""
    gap = max(1, round(_WORD_GAP * grid.longer))
    for axis, reach in ((0, (1, gap // 2 + 1)), (1, (gap // 2 + 1, 1))):
        side = grid.differs.shape[axis]
        strip = _STRIP * side
        for group in _groups(grid.differs, reach):
            left, top, right, bottom = group
            (first, last), (start, end) = ((top, bottom), (left, right))[:: 1 - 2 * axis]
            filled = grid.differs[top:bottom, left:right].any(axis=axis).mean()
            is_long = end - start >= max(length * grid.longer, aspect * (last - first))
            if is_long and filled >= _MIN_FILLED and (last <= strip or first >= side - strip):
                # Its first and last characters may hardly differ from the ground.
                x, y = (last - first) * (1 - axis), (last - first) * axis
                rows, columns = grid.differs.shape
                yield grid.take(max(0, left - x), max(0, top - y), min(columns, right + x), min(rows, bottom + y))


def _on_calm_ground(grid: _Grid, cells: Floats, predicted: Floats) -> Iterator[Area]:
    """Places where the reference, as far as their height around them, has no strokes beside those laid over it."""
    own, laid_over = (_blocks(_steps(levels) ** 2).mean(axis=(1, 3)) for levels in (predicted, cells - predicted))
    for left, top, right, bottom in _groups(grid.differs, (1, 1)):
        space = min(right - left, bottom - top)
        around = slice(max(0, top - space), bottom + space), slice(max(0, left - space), right + space)
        strokes = laid_over[top:bottom, left:right][grid.differs[top:bottom, left:right]].mean()
        is_calm = own[around].max() <= min(_MAX_STROKES, strokes / _STRONGER)
        if is_calm and space <= _MAX_ON_CALM * grid.longer:
            yield grid.take(left, top, right, bottom)


def _clear_covers(grid: _Grid, cells: Floats) -> Iterator[Area]:
    """Compact places that differ clearly and are smoother than text."""
    steps, blocks = _steps(cells), _blocks(cells)
    levels, is_flat = blocks.mean(axis=(1, 3)), np.ptp(blocks, axis=(1, 3)) <= _FLAT
    for group in _groups(grid.differs, (1, 1)):
        left, top, right, bottom = group = _with_level(group, levels, is_flat)
        place = slice(top, bottom), slice(left, right)
        pixels = slice(top * _BLOCK, bottom * _BLOCK), slice(left * _BLOCK, right * _BLOCK)
        detail = max(_MIN_DETAIL, _DETAIL * float(np.ptp(np.percentile(cells[pixels], (5, 95)))))
        is_smooth = (steps[pixels] >= detail).mean() <= _MAX_DETAILED
        filled = (grid.differs | is_flat)[place].mean()
        if _is_compact(group, grid) and is_smooth and filled >= _MIN_COVER_FILLED:
            yield grid.take(*group)


def _soft_covers(grid: _Grid, cells: Floats, predicted: Floats) -> Iterator[Area]:
    """Compact places in which the picture was softened."""
    energies, usual = (_blocks(_steps(levels) ** 2).mean(axis=(1, 3)) for levels in (cells, predicted))
    for group in _groups(grid.differs, (2, 2)):
        left, top, right, bottom = group
        place = slice(top, bottom), slice(left, right)
        is_soft = energies[place].mean() <= _MAX_ENERGY * usual[place].mean()
        if _is_compact(group, grid) and is_soft and grid.differs[place].mean() >= _MIN_SOFTENED_FILLED:
            yield grid.take(*group)


def _steps(levels: Floats) -> Floats:
    """The larger difference of each pixel to the next one across and down."""
    steps: Floats = np.maximum(
        np.abs(np.diff(levels, axis=1, append=levels[:, -1:])), np.abs(np.diff(levels, axis=0, append=levels[-1:]))
    )
    return steps


def _is_compact(group: _Run, grid: _Grid) -> bool:
    """Whether a group has the size and shape of a cover."""
    low, high = sorted((group[2] - group[0], group[3] - group[1]))
    return low >= _MIN_COVER * grid.longer and high <= min(
        _MAX_COVER * min(grid.differs.shape), _MAX_COVER_ASPECT * low
    )


def _with_level(group: _Run, levels: Floats, is_flat: NDArray[np.bool_]) -> _Run:
    """A group of one colour with the blocks of that colour beside it; any other group as it is."""
    left, top, right, bottom = group
    place = slice(top, bottom), slice(left, right)
    if is_flat[place].mean() < 0.5:
        return group
    has_level = is_flat & (np.abs(levels - np.median(levels[place][is_flat[place]])) <= _SAME_LEVEL)
    has_level[place] = True
    same = next(one for one in _groups(has_level, (0, 0)) if one[0] <= left < one[2] and one[1] <= top < one[3])
    return same if max(same[2] - same[0], same[3] - same[1]) <= 2 * max(right - left, bottom - top) else group


def _groups(differs: NDArray[np.bool_], reach: tuple[int, int]) -> list[_Run]:
    """The edges (left, top, right, bottom) of groups of blocks; `reach`: (rows, columns) around each that join them."""
    near = _grown(differs, reach)
    left_over = {(int(row), int(column)) for row, column in np.argwhere(near)}
    found = []
    while left_over:
        group = np.array(_taken_group(left_over))
        group = group[differs[group[:, 0], group[:, 1]]]
        (top, left), (bottom, right) = group.min(axis=0).tolist(), (group.max(axis=0) + 1).tolist()
        found.append((left, top, right, bottom))
    return found


def _grown(blocks: NDArray[np.bool_], reach: tuple[int, int]) -> NDArray[np.bool_]:
    """The blocks and those within half of `reach` (rows, columns)."""
    rows, columns = blocks.shape
    padded = np.pad(blocks, ((reach[0], reach[0]), (reach[1], reach[1])))
    moves = [(y, x) for y in range(2 * reach[0] + 1) for x in range(2 * reach[1] + 1)]
    grown: NDArray[np.bool_] = np.logical_or.reduce([padded[y : y + rows, x : x + columns] for y, x in moves])
    return grown


def _taken_group(left_over: set[tuple[int, int]]) -> list[tuple[int, int]]:
    """A group of neighbours (row, column), which is taken from the blocks that are left over."""
    waiting = [left_over.pop()]
    group = []
    while waiting:
        row, column = waiting.pop()
        group.append((row, column))
        near = {(row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)} & left_over
        left_over -= near
        waiting += near
    return group
