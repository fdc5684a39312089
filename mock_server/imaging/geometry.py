"""Boxes, frames, EXIF orientations, and where one picture lies inside another. Imports neither Pillow nor numpy."""

from dataclasses import dataclass, replace
from enum import IntEnum
from itertools import product
from math import ceil, floor
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image


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

    @property
    def frame(self) -> "Frame":
        return Frame(self.xmin, self.ymin, self.width, self.height)

    def clamped(self, width: int, height: int) -> Self:
        """The part of this box that lies inside a picture of `width` x `height` pixels."""
        return type(self)(
            min(max(self.xmin, 0), width),
            min(max(self.ymin, 0), height),
            min(max(self.xmax, 0), width),
            min(max(self.ymax, 0), height),
        )

    def overlaps(self, other: "Box") -> bool:
        """Whether the two have a pixel in common."""
        return self.xmin < other.xmax and other.xmin < self.xmax and self.ymin < other.ymax and other.ymin < self.ymax


Corners = tuple[tuple[float, float], ...]
"""The corners (x, y) of a quadrilateral, clockwise from top left."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A rectangle with fractional edges, in pixels of a picture or in fractions of its width and height.

    It may reach beyond the picture: the frame of a reference in a crop of it does.
    """

    left: float
    top: float
    width: float
    height: float

    def part(self, part: "Frame") -> "Frame":
        """A part of this frame, given in fractions of its width and height."""
        inside = part.scaled(self.width, self.height)
        return Frame(self.left + inside.left, self.top + inside.top, inside.width, inside.height)

    def scaled(self, x_scale: float, y_scale: float) -> "Frame":
        """The same frame after the picture was resized by these factors."""
        return Frame(self.left * x_scale, self.top * y_scale, self.width * x_scale, self.height * y_scale)

    def edges(self, width: int, height: int) -> tuple[float, float, float, float]:
        """Left, top, right and bottom, within a picture of this size."""
        right, bottom = self.left + self.width, self.top + self.height
        return max(0.0, self.left), max(0.0, self.top), min(float(width), right), min(float(height), bottom)

    @property
    def corners(self) -> Corners:
        right, bottom = self.left + self.width, self.top + self.height
        return (self.left, self.top), (right, self.top), (right, bottom), (self.left, bottom)


@dataclass(frozen=True, slots=True)
class Affine:
    """A map of points: `x' = xx * x + xy * y + x0` and `y' = yx * x + yy * y + y0`."""

    xx: float
    xy: float
    x0: float
    yx: float
    yy: float
    y0: float

    @property
    def coefficients(self) -> tuple[float, float, float, float, float, float]:
        """As Pillow takes a map from the pixels of its output to those of its input."""
        return self.xx, self.xy, self.x0, self.yx, self.yy, self.y0

    @property
    def determinant(self) -> float:
        """How many times as large an area becomes."""
        return self.xx * self.yy - self.xy * self.yx

    def point(self, x: float, y: float) -> tuple[float, float]:
        """Where a point comes to lie."""
        return self.xx * x + self.xy * y + self.x0, self.yx * x + self.yy * y + self.y0

    def bounds(self, left: float, top: float, right: float, bottom: float) -> Box:
        """The smallest box of whole pixels in which a rectangle comes to lie."""
        x, y = zip(*(self.point(*corner) for corner in product((left, right), (top, bottom))), strict=True)
        return Box(floor(min(x)), floor(min(y)), ceil(max(x)), ceil(max(y)))

    def after(self, first: "Affine") -> "Affine":
        """The map that applies `first`, then this one."""
        return Affine(
            self.xx * first.xx + self.xy * first.yx,
            self.xx * first.xy + self.xy * first.yy,
            *self.point(first.x0, first.y0)[:1],
            self.yx * first.xx + self.yy * first.yx,
            self.yx * first.xy + self.yy * first.yy,
            *self.point(first.x0, first.y0)[1:],
        )

    @property
    def inverse(self) -> "Affine":
        """The map that undoes this one."""
        area = self.determinant
        xx, xy, yx, yy = self.yy / area, -self.xy / area, -self.yx / area, self.xx / area
        return Affine(xx, xy, -xx * self.x0 - xy * self.y0, yx, yy, -yx * self.x0 - yy * self.y0)


def scaling(factor: float) -> Affine:
    """The map to a picture so many times as fine."""
    return Affine(factor, 0, 0, 0, factor, 0)


# Pillow's `Image.Transpose` for each EXIF orientation except 1.
_TRANSPOSE = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}


class Orientation(IntEnum):
    """One of the eight turns and mirrorings, numbered as in EXIF tag 0x0112; named after the edge that becomes the top.

    Each is a transposition (5 to 8), then a mirroring of the columns (2, 3, 6, 7), then of the rows (3, 4, 7, 8).
    """

    UPRIGHT = 1
    MIRRORED = 2
    UPSIDE_DOWN = 3
    UPSIDE_DOWN_MIRRORED = 4
    LEFT_MIRRORED = 5
    LEFT = 6
    RIGHT_MIRRORED = 7
    RIGHT = 8

    @property
    def inverse(self) -> "Orientation":
        """The orientation that undoes this one."""
        return {6: Orientation.RIGHT, 8: Orientation.LEFT}.get(self, self)

    @property
    def is_transposed(self) -> bool:
        """Whether width and height change places."""
        return self >= 5

    @property
    def _mirrors_columns(self) -> bool:
        return self in (2, 3, 6, 7)

    @property
    def _mirrors_rows(self) -> bool:
        return self in (3, 4, 7, 8)

    def apply_to_image(self, image: "Image.Image") -> "Image.Image":
        """`image` turned; the image itself for 1."""
        # Imported here, because every start imports this module and not every start needs Pillow.
        from PIL import Image

        return image if self == 1 else image.transpose(Image.Transpose[_TRANSPOSE[self]])

    def apply_to_grid(self, grid: "NDArray[Any]") -> "NDArray[Any]":
        """A view of an array of shape (rows, columns), turned."""
        if self.is_transposed:
            grid = grid.T
        if self._mirrors_columns:
            grid = grid[:, ::-1]
        return grid[::-1] if self._mirrors_rows else grid

    def apply_to_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """Width and height after turning."""
        return size[::-1] if self.is_transposed else size

    def apply_to_frame(self, frame: Frame, size: tuple[float, float] = (1, 1)) -> Frame:
        """Where `frame` of a picture of this (width, height) lies once the picture is turned."""
        left, top, width, height = frame.left, frame.top, frame.width, frame.height
        if self.is_transposed:
            left, top, width, height = top, left, height, width
            size = size[::-1]
        if self._mirrors_columns:
            left = size[0] - left - width
        if self._mirrors_rows:
            top = size[1] - top - height
        return Frame(left, top, width, height)


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the pixels of a reference picture lie in the picture that was sent.

    The reference is turned by `orientation`, then scaled and shifted per axis: `sent = scale * turned + shift`. A
    picture that is turned a little has a `skew`: how much x changes with the turned y, and y with the turned x. One in
    `perspective` (by_x, by_y) has both divided by `1 + by_x * x + by_y * y`. Sizes are (width, height) in upright
    pixels.
    """

    reference_size: tuple[int, int]
    sent_size: tuple[int, int]
    orientation: Orientation = Orientation.UPRIGHT
    scale: tuple[float, float] = (1.0, 1.0)
    shift: tuple[float, float] = (0.0, 0.0)
    skew: tuple[float, float] = (0.0, 0.0)
    perspective: tuple[float, float] = (0.0, 0.0)

    def moved_down(self, rows: int, sent_size: tuple[int, int]) -> "Placement":
        """The same in a sent picture of this size, of which the placement knows the part below so many rows."""
        by_x, by_y = self.perspective
        return replace(
            self,
            sent_size=sent_size,
            scale=(self.scale[0], self.scale[1] + rows * by_y),
            shift=(self.shift[0], self.shift[1] + rows),
            skew=(self.skew[0], self.skew[1] + rows * by_x),
        )

    def map(self, box: Box) -> Box:
        """The box around `box` of the reference in the sent picture, in whole pixels and clamped to it."""
        frame = self.orientation.apply_to_frame(box.frame, self.reference_size)
        across, down = zip(*(self._point(*corner) for corner in frame.corners), strict=True)
        edges = (round(edge) for edge in (min(across), min(down), max(across), max(down)))
        return Box(*edges).clamped(*self.sent_size)

    def _point(self, x: float, y: float) -> tuple[float, float]:
        """Where a point of the turned reference lies in the sent picture."""
        distance = 1 + self.perspective[0] * x + self.perspective[1] * y
        return (
            (self.scale[0] * x + self.skew[0] * y + self.shift[0]) / distance,
            (self.scale[1] * y + self.skew[1] * x + self.shift[1]) / distance,
        )
