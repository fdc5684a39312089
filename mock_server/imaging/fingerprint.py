"""What is kept of a known picture: enough to find it again and to tell it from its neighbours, and no
more."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mock_server.imaging.decode import Picture
from mock_server.imaging.geometry import Box
from mock_server.imaging.registration import Floats, Frame, mosaic

THUMB = 16
# Pixels kept to one character of a reading; finer detail tells no letter from another.
CELL = 16.0
# A whole frame is compared at no more than this many pixels on its longer side.
WHOLE_SIDE = 640
_MARGIN = 0.15
_UNKNOWN_CHARACTERS = 8.0


@dataclass(frozen=True, slots=True)
class Region:
    """Where a text stands: `box` in upright pixels of its picture; `characters` in it, 0 unknown."""

    box: Box
    characters: int = 0

    def cell(self) -> float:
        """Width of one character, in pixels: of the widest line where the box is tall enough for two."""
        if not self.characters:
            return min(self.box.width / 6, self.box.height * 0.6)
        two_lines = self.box.width < 2.2 * self.box.height and self.characters > 4
        per_line = -(-self.characters // 2) if two_lines else self.characters
        return self.box.width / per_line


@dataclass(frozen=True, slots=True)
class Reference:
    """A picture to recognise; `source` is a file or the bytes themselves."""

    id: str
    source: Path | bytes
    regions: tuple[Region, ...] = ()


@dataclass(frozen=True, slots=True)
class View:
    """One way to see the whole picture: `frame` in fractions of it, and its thumbnail, mean 0 and norm 1."""

    frame: Frame
    thumb: Floats


@dataclass(frozen=True, slots=True)
class Patch:
    """A part of a picture at the resolution at which it is compared.

    `frame` in upright pixels of the picture, `cell` pixels *of the patch* to one character, `box` the region
    it is for."""

    box: Box | None
    frame: Frame
    cell: float
    pixels: NDArray[np.uint8]

    def image(self) -> Image.Image:
        return Image.fromarray(self.pixels)

    @property
    def zoom(self) -> float:
        """Pixels of the patch to one of the picture."""
        return float(self.pixels.shape[1] / self.frame.width)


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Everything kept of one picture; `size` upright width and height."""

    sha256: str
    pixels: bytes
    size: tuple[int, int]
    blank: bool
    mosaic: NDArray[np.uint8]
    views: tuple[View, ...]
    patches: tuple[Patch, ...]


def fingerprint(picture: Picture, regions: tuple[Region, ...]) -> Fingerprint:
    """The fingerprint of a decoded picture with its reading's regions."""
    return Fingerprint(
        picture.facts.sha256,
        picture.pixels(),
        picture.size,
        picture.facts.blank,
        mosaic(picture.small),
        views(picture.small),
        tuple(patch for region in regions if (patch := _patch(picture, region))),
    )


def views(small: Image.Image) -> tuple[View, ...]:
    """The whole frame, and what is left of it without even borders where there are some."""
    whole = Frame(0, 0, 1, 1)
    content = _content(np.asarray(small))
    frames = (whole,) if content == whole else (whole, content)
    return tuple(View(frame, _thumb(small, frame)) for frame in frames)


def whole_patch(picture: Picture) -> Patch:
    """The whole frame as a patch."""
    width, height = picture.size
    factor = min(1.0, WHOLE_SIDE / max(picture.working.size))
    size = (max(1, round(picture.working.width * factor)), max(1, round(picture.working.height * factor)))
    pixels = np.asarray(picture.working.resize(size, Image.Resampling.BILINEAR, reducing_gap=3.0))
    return Patch(None, Frame(0, 0, width, height), CELL, pixels)


def _thumb(small: Image.Image, frame: Frame) -> Floats:
    box = (
        frame.left * small.width,
        frame.top * small.height,
        (frame.left + frame.width) * small.width,
        (frame.top + frame.height) * small.height,
    )
    cells: Floats = np.asarray(
        small.resize((THUMB, THUMB), Image.Resampling.BILINEAR, box=box), dtype=np.float32
    )
    cells = (cells - cells.mean()).astype(np.float32)
    return (cells / max(float(np.linalg.norm(cells)), 1e-3)).astype(np.float32)


def _content(grey: NDArray[np.uint8]) -> Frame:
    """The frame inside even borders, in fractions; the whole frame where that would leave too little."""
    top, bottom = _borders(grey)
    left, right = _borders(grey[top : grey.shape[0] - bottom].T)
    height, width = grey.shape
    inner_width, inner_height = width - left - right, height - top - bottom
    if inner_width < 0.3 * width or inner_height < 0.3 * height:
        return Frame(0, 0, 1, 1)
    return Frame(left / width, top / height, inner_width / width, inner_height / height)


def _borders(grey: NDArray[np.uint8]) -> tuple[int, int]:
    """How many rows at the top and at the bottom are of one even grey each."""
    low, high = grey.min(axis=1).astype(np.int16), grey.max(axis=1).astype(np.int16)
    return _even(low, high), _even(low[::-1], high[::-1])


def _even(low: NDArray[np.int16], high: NDArray[np.int16]) -> int:
    tolerance = 14
    level = (int(low[0]) + int(high[0])) // 2
    uneven = (low < level - tolerance) | (high > level + tolerance)
    return int(np.argmax(uneven)) if uneven.any() else 0


def _patch(picture: Picture, region: Region) -> Patch | None:
    """The region with a margin around it; from the picture's full size where the working copy is too
    coarse."""
    box = region.box.clamped(*picture.size)
    if box.width < 2 or box.height < 2:
        return None
    margin = _MARGIN * box.height
    left, top = max(0.0, box.xmin - margin), max(0.0, box.ymin - margin)
    right = min(float(picture.size[0]), box.xmax + margin)
    bottom = min(float(picture.size[1]), box.ymax + margin)
    frame = Frame(left, top, right - left, bottom - top)
    cell = region.cell()
    image, zoom = picture.at(min(1.0, CELL / cell))
    factor = min(1.0, CELL / cell, zoom)
    size = (max(2, round(frame.width * factor)), max(2, round(frame.height * factor)))
    source = frame.scaled(zoom, zoom)
    corners = (
        source.left,
        source.top,
        min(float(image.width), source.left + source.width),
        min(float(image.height), source.top + source.height),
    )
    pixels = np.asarray(image.resize(size, Image.Resampling.BICUBIC, box=corners))
    return Patch(box, frame, cell * size[0] / frame.width, pixels)
