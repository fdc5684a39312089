"""What is kept of a known picture: enough to find it again and to tell it from its neighbours."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mock_server.imaging.colours import palette
from mock_server.imaging.decode import Picture
from mock_server.imaging.geometry import Box
from mock_server.imaging.pixel_transforms import Grey
from mock_server.imaging.registration import Frame, mosaic
from mock_server.imaging.results import PictureFacts
from mock_server.imaging.text_detection import text_lines
from mock_server.imaging.text_height import letter_height
from mock_server.imaging.thumbnails import View, known_views

# Pixels kept to the size of a letter; finer detail tells no letter from another.
LETTER = 16.0
# Pixels kept of one region at most: of a box many times as large as its text, fewer to a letter.
_MOST_PIXELS = 14_000
# From one character to the next it is no further than this many times their height: a box that makes it more has
# much around its text, or the letters are set wide apart.
_CELL_OF_LETTER = 1.25
_MARGIN = 0.15
_RIM = 0.01
# How many lines of text are looked for where none is declared, and beside those that are.
_LINES = 3
_LINES_BESIDE = 1
# A line of text that fills no more than this share of a declared box says that the box is a generous one; one that is
# less than half as wide is no more than a part of the text.
_MUCH_ELSE = 0.25
_LINE_ACROSS = 0.5
# A line of text found without being told of it: its characters' width is about this part of its height.
_CELL_OF_HEIGHT = 0.55
_LEAST_LINE = (8, 5)
# Grey levels: a declared region that varies less shows no text, so its box cannot be meant for recognition.
_LEAST_CONTRAST = 6.0


@dataclass(frozen=True, slots=True)
class Region:
    """Where a text stands: `box` in upright pixels of its picture; `characters` in it, 0 unknown."""

    box: Box
    characters: int = 0

    def cell(self) -> float:
        """Width of one character in pixels, half a line's characters counting where the box is tall enough
        for two."""
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
class Patch:
    """A part of a picture at the resolution at which it is compared.

    `frame` in fractions of the picture, `cell` pixels *of the patch* from one character to the next, `letter` the
    size of a character, no more than that. `rank` 0: somebody said that the text stands here; from 1 on it only
    looks so, and less so with every step. Where anything was declared, 1 is a line within it, 2 and more are beside it.
    """

    frame: Frame
    cell: float
    letter: float
    rank: int
    pixels: NDArray[np.uint8]

    @property
    def declared(self) -> bool:
        """Whether somebody said that the text stands here."""
        return self.rank == 0


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Everything kept of one picture. `content`: XXH3-128 of its bytes; `pixels`: a digest of its pixels."""

    facts: PictureFacts
    content: bytes
    pixels: bytes
    palette: NDArray[np.uint8]
    mosaic: NDArray[np.uint8]
    views: tuple[View, ...]
    patches: tuple[Patch, ...]

    @property
    def size(self) -> tuple[int, int]:
        """Upright width and height."""
        return self.facts.width, self.facts.height

    @property
    def declared(self) -> bool:
        """Whether anybody said where the text stands."""
        return any(patch.declared for patch in self.patches)


def fingerprint(picture: Picture, regions: tuple[Region, ...]) -> Fingerprint:
    """The fingerprint of a decoded picture with its reading's regions."""
    return Fingerprint(
        picture.facts,
        picture.content(),
        picture.pixels(),
        palette(picture.colours()),
        mosaic(picture.small),
        known_views(picture.small),
        () if picture.facts.blank else _patches(picture, regions),
    )


def _patches(picture: Picture, regions: tuple[Region, ...]) -> tuple[Patch, ...]:
    boxes = [region.box.clamped(*picture.size) for region in regions]
    made = [
        patch
        for region, box in zip(regions, boxes, strict=True)
        if box.width >= _LEAST_LINE[0] and box.height >= _LEAST_LINE[1]
        for patch in _declared(picture, box, region)
    ]
    declared = [patch for patch in made if patch.pixels.std() >= _LEAST_CONTRAST]
    lines = text_lines(picture.working, _LINES_BESIDE + len(declared) if declared else _LINES)
    found = [line.box(*picture.size) for line in lines]
    beside = [box for box in found if not any(_overlap(box, other) for other in boxes)] if declared else found
    usable = [box for box in beside if box.width >= _LEAST_LINE[0] and box.height >= _LEAST_LINE[1]]
    first = 2 if declared else 1
    return (
        *declared,
        *(_patch(picture, box, box.height * _CELL_OF_HEIGHT, rank) for rank, box in enumerate(usable, first)),
    )


def _declared(picture: Picture, box: Box, region: Region) -> list[Patch]:
    """A declared box, and the line of text in it where it has much else in it.

    Against that, a faint text's own contrast would count for nothing.
    """
    made = [_patch(picture, box, region.cell(), rank=0)]
    line = _line_within(picture, box)
    if line is not None and line.width >= _LEAST_LINE[0] and line.height >= _LEAST_LINE[1]:
        made.append(_patch(picture, line, line.height * _CELL_OF_HEIGHT, rank=1))
    return made


def _line_within(picture: Picture, box: Box) -> Box | None:
    """The likeliest line of text in a box several times as large."""
    across, down = picture.working.width / picture.size[0], picture.working.height / picture.size[1]
    there = (box.xmin * across, box.ymin * down, box.xmax * across, box.ymax * down)
    lines = text_lines(picture.working.crop(there), 1)
    if not lines:
        return None
    line = lines[0].box(box.width, box.height)
    if (
        line.width < _LINE_ACROSS * box.width
        or line.width * line.height > _MUCH_ELSE * box.width * box.height
    ):
        return None
    return Box(box.xmin + line.xmin, box.ymin + line.ymin, box.xmin + line.xmax, box.ymin + line.ymax)


def _overlap(one: Box, other: Box) -> bool:
    return one.xmin < other.xmax and other.xmin < one.xmax and one.ymin < other.ymax and other.ymin < one.ymax


def _patch(picture: Picture, box: Box, cell: float, rank: int) -> Patch:
    """The box with a margin around it; from the picture's full size where the working copy is too coarse."""
    width, height = picture.size
    margin = _MARGIN * box.height
    # The outermost pixels mix with whatever a client puts around the picture: letterbox bars, above all.
    rim_x, rim_y = max(1.0, _RIM * width), max(1.0, _RIM * height)
    left, right = max(rim_x, box.xmin - margin), min(width - rim_x, box.xmax + margin)
    top, bottom = max(rim_y, box.ymin - margin), min(height - rim_y, box.ymax + margin)
    letter = cell
    if rank == 0:
        zoom = picture.zoom
        there = (round(left * zoom), round(top * zoom), round(right * zoom), round(bottom * zoom))
        tall = letter_height(picture.working.crop(there)) / zoom
        cell, letter = min(cell, _CELL_OF_LETTER * tall), min(cell, tall)
    wanted = min(LETTER / letter, (_MOST_PIXELS / ((right - left) * (bottom - top))) ** 0.5)
    image, zoom = picture.at(min(1.0, wanted)) if rank == 0 else (picture.working, picture.zoom)
    factor = min(zoom, wanted)
    size = (max(2, round((right - left) * factor)), max(2, round((bottom - top) * factor)))
    corners = (
        left * zoom,
        top * zoom,
        min(float(image.width), right * zoom),
        min(float(image.height), bottom * zoom),
    )
    pixels: Grey = np.asarray(image.resize(size, Image.Resampling.BICUBIC, box=corners))
    frame = Frame(left / width, top / height, (right - left) / width, (bottom - top) / height)
    kept = size[0] / (right - left)
    return Patch(frame, cell * kept, letter * kept, rank, pixels)
