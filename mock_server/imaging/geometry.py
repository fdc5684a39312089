"""Rectangles in pictures, and where one picture lies inside another."""

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels of an upright picture: top-left and bottom-right corner, x to the right, y down."""

    xmin: int
    ymin: int
    xmax: int
    ymax: int

    @property
    def width(self) -> int:
        return self.xmax - self.xmin

    @property
    def height(self) -> int:
        return self.ymax - self.ymin

    def clamped(self, width: int, height: int) -> Self:
        """The part of this box that lies inside a picture of `width` x `height` pixels."""
        return type(self)(
            min(max(self.xmin, 0), width),
            min(max(self.ymin, 0), height),
            min(max(self.xmax, 0), width),
            min(max(self.ymax, 0), height),
        )


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the pixels of a known picture lie in the picture that was sent.

    First the known picture is turned as EXIF `orientation` 1-8 says, then scaled and shifted, both per axis:
    `sent = scale * turned + shift`. `known` and `sent` are (width, height) in upright pixels.
    """

    known: tuple[int, int]
    sent: tuple[int, int]
    orientation: int = 1
    scale: tuple[float, float] = (1.0, 1.0)
    shift: tuple[float, float] = (0.0, 0.0)

    def map(self, box: Box) -> Box:
        """`box` of the known picture in pixels of the sent one, rounded and clamped to it."""
        xs, ys = self._turned(box)
        corners = [
            [self.scale[axis] * value + self.shift[axis] for value in values]
            for axis, values in ((0, xs), (1, ys))
        ]
        rounded = [[round(value) for value in sorted(values)] for values in corners]
        return Box(rounded[0][0], rounded[1][0], rounded[0][1], rounded[1][1]).clamped(*self.sent)

    def _turned(self, box: Box) -> tuple[tuple[float, float], tuple[float, float]]:
        width, height = self.known
        xs: tuple[float, float] = (box.xmin, box.xmax)
        ys: tuple[float, float] = (box.ymin, box.ymax)
        flipped_x = (width - xs[0], width - xs[1])
        flipped_y = (height - ys[0], height - ys[1])
        return {
            1: (xs, ys),
            2: (flipped_x, ys),
            3: (flipped_x, flipped_y),
            4: (xs, flipped_y),
            5: (ys, xs),
            6: (flipped_y, xs),
            7: (flipped_y, flipped_x),
            8: (ys, flipped_x),
        }[self.orientation]
