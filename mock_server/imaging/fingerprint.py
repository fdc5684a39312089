"""The fingerprint of a reference: what is stored to find the picture again and to tell it from similar ones."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mock_server.imaging.anchors import MAX_ANCHORS, Anchor, anchor
from mock_server.imaging.array_store import StoredArray, in_memory
from mock_server.imaging.colours import palette
from mock_server.imaging.decode import Picture
from mock_server.imaging.geometry import Box, Frame
from mock_server.imaging.open_image import can_draft
from mock_server.imaging.pixel_transforms import Grey, pixel_digest
from mock_server.imaging.registration import mosaic
from mock_server.imaging.results import PictureFacts, Region
from mock_server.imaging.text_detection import CHARACTER_WIDTH, has_two_lines, slope, text_height, text_lines
from mock_server.imaging.thumbnails import FrameThumbnail, reference_thumbnails

# --- Stored patches -------------------------------------------------------------------------------------------------

# Pixels stored per character. Finer detail does not help to tell characters apart, and costs memory and time.
_CHARACTER_PIXELS = 16.0
# Pixels of one patch at most; a box many times as large as its text gets fewer per character.
_MAX_PIXELS = 14_000
# Margin around a box, as a share of its height, for the alignment.
_MARGIN = 0.15
# Share of the picture at each edge that no patch includes: letterbox bars mix foreign pixels into it.
_EDGE = 0.01
# Smallest (width, height) of a box in pixels.
_MIN_BOX = (8, 5)
# Standard deviation in grey levels below which a declared box shows no text and is not compared.
_MIN_CONTRAST = 6.0
# Contrast of a text in grey levels below which a warning is given, and the percentiles that it is measured between.
FAINT_CONTRAST = 30.0
_INK_AND_GROUND = (5, 95)

# --- Size of the characters -----------------------------------------------------------------------------------------

# A character and its spacing are at most this many times as wide as the text is high. Where a declared box gives more,
# it is larger than its text, or the characters are set wide apart.
_MAX_PITCH = 1.25
# The angle in radians from which a line is measured along its slope, and its height over the pitch of its characters.
_MIN_SLOPE = 0.1
_HEIGHT_OVER_PITCH = 1.5

# --- Lines of text within a box -------------------------------------------------------------------------------------

# A line within a declared box is compared by itself if it fills at most this share of the box's area (against the rest
# of the box, a faint text's own contrast would count for nothing) and at least this share of its width (a narrower line
# is only a part of the text).
_MAX_LINE_AREA = 0.25
_MIN_LINE_WIDTH = 0.5


@dataclass(frozen=True, slots=True)
class Patch:
    """A part of a reference with a text in it, at the resolution at which it is compared.

    `frame` in fractions of the picture. In pixels of the patch: `pitch` from one character to the next, `character` the
    size of one, which is not more than that. `is_declared`: it is the part in a declared box, else a line that was
    detected in such a box.
    """

    frame: Frame
    pitch: float
    character: float
    is_declared: bool
    stored: StoredArray

    @property
    def pixels(self) -> Grey:
        """The pixels; they may be read from a file."""
        return self.stored.read()

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the pixels."""
        rows, columns = self.stored.shape
        return rows, columns


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Everything stored of one picture. `content`: XXH3-128 of its bytes. Arrays may be read from a file.

    `pixels`: a digest of its pixels; of a JPEG, of those of its preview, for which not all have to be decoded.
    `frames`: the parts that the thumbnails show.
    """

    facts: PictureFacts
    content: bytes
    pixels: bytes
    stored_palette: StoredArray
    stored_mosaic: StoredArray
    frames: tuple[Frame, ...]
    stored_thumbnails: StoredArray
    patches: tuple[Patch, ...]
    anchors: tuple[Anchor, ...]

    @property
    def palette(self) -> NDArray[np.uint8]:
        """The colours of the whole picture."""
        return self.stored_palette.read()

    @property
    def thumbnails(self) -> tuple[FrameThumbnail, ...]:
        """The first one shows the whole picture."""
        return tuple(map(FrameThumbnail, self.frames, self.stored_thumbnails.read()))

    @property
    def mosaic(self) -> Grey:
        """The whole picture as square cells."""
        return self.stored_mosaic.read()

    @property
    def size(self) -> tuple[int, int]:
        """Upright width and height."""
        return self.facts.width, self.facts.height

    def pitch_at(self, box: Box) -> float:
        """Upright pixels from one character to the next, in the declared text in `box`; 0 where none shows."""
        patch = self._declared_in(box)
        if patch is None:
            return 0.0
        # A patch has whole pixels, so the ratio is not exact.
        pitch: float = round(patch.pitch * patch.frame.width * self.facts.width / patch.shape[1], 1)
        return pitch

    def contrast_at(self, box: Box) -> float:
        """Between ink and ground of the declared text in `box`, in grey levels; 0 where none shows."""
        patch = self._declared_in(box)
        if patch is None:
            return 0.0
        pixels, (rows, columns) = patch.pixels, patch.shape
        inner = pixels[rows // 4 : rows - rows // 4, columns // 10 : columns - columns // 10]
        dark, light = np.percentile(inner, _INK_AND_GROUND)
        return float(light - dark)

    def _declared_in(self, box: Box) -> Patch | None:
        """The declared text with its middle in a box."""
        for patch in self.patches:
            frame = patch.frame.scaled(*self.size)
            x, y = frame.left + frame.width / 2, frame.top + frame.height / 2
            if patch.is_declared and box.xmin <= x <= box.xmax and box.ymin <= y <= box.ymax:
                return patch
        return None

    @property
    def is_declared(self) -> bool:
        """Whether any of its texts was declared."""
        return any(patch.is_declared for patch in self.patches)


def fingerprint(picture: Picture, regions: tuple[Region, ...]) -> Fingerprint:
    """The fingerprint of a decoded picture with these declared regions."""
    thumbnails = reference_thumbnails(picture.small)
    return Fingerprint(
        picture.facts,
        picture.content(),
        pixel_digest(picture.preview) if can_draft(picture.facts.format) else picture.pixels(),
        in_memory(palette(picture.preview)),
        in_memory(mosaic(picture.small)),
        tuple(one.frame for one in thumbnails),
        in_memory(np.stack([one.pixels for one in thumbnails])),
        () if picture.facts.blank else _patches(picture, regions),
        () if picture.facts.blank else _anchors(picture, regions),
    )


def _anchors(picture: Picture, regions: tuple[Region, ...]) -> tuple[Anchor, ...]:
    boxes = [(region.box.clamped(*picture.size), region.characters) for region in regions[:MAX_ANCHORS]]
    large = [one for one in boxes if _is_large_enough(one[0])]
    return tuple(anchor(picture.working, picture.zoom, box, characters) for box, characters in large)


def _patches(picture: Picture, regions: tuple[Region, ...]) -> tuple[Patch, ...]:
    boxes = [region.box.clamped(*picture.size) for region in regions]
    return tuple(
        patch
        for region, box in zip(regions, boxes, strict=True)
        if _is_large_enough(box)
        for patch in _patches_in(picture, box, region)
        if patch.pixels.std() >= _MIN_CONTRAST
    )


def _is_large_enough(box: Box) -> bool:
    return box.width >= _MIN_BOX[0] and box.height >= _MIN_BOX[1]


def _patches_in(picture: Picture, box: Box, region: Region) -> list[Patch]:
    """The patch of a declared box, and one of the line of text in it if the box is much larger than that."""
    inside = _crop(picture, box)
    patches = [_declared_patch(picture, box, _pitch(inside, region))]
    line = _line_within(inside, box)
    if line is not None and _is_large_enough(line):
        patches.append(_line_patch(picture, line))
    return patches


def _pitch(inside: Image.Image, region: Region) -> float:
    """Upright pixels from one character to the next, along the text; `inside`: the pixels of the region's box."""
    if not region.may_have_two_lines:
        return region.pitch(1)
    if has_two_lines(inside):
        return region.pitch(2)
    angle = abs(slope(inside))
    if angle < _MIN_SLOPE:
        return region.pitch(1)
    # The box around a slanted line of length l and height h has the width and height (l + h)(cos + sin) in sum.
    across_and_down = (region.box.width + region.box.height) / (math.cos(angle) + math.sin(angle))
    return across_and_down / (region.characters + _HEIGHT_OVER_PITCH)


def _crop(picture: Picture, box: Box) -> Image.Image:
    """A box cut out of the working copy."""
    x_scale, y_scale = picture.working.width / picture.size[0], picture.working.height / picture.size[1]
    return picture.working.crop((box.xmin * x_scale, box.ymin * y_scale, box.xmax * x_scale, box.ymax * y_scale))


def _line_within(inside: Image.Image, box: Box) -> Box | None:
    """The surest line of text in a box that is several times as large; `inside`: the pixels of the box."""
    lines = text_lines(inside, 1)
    if not lines:
        return None
    line = lines[0].box(box.width, box.height)
    if line.width < _MIN_LINE_WIDTH * box.width or line.width * line.height > _MAX_LINE_AREA * box.width * box.height:
        return None
    return Box(box.xmin + line.xmin, box.ymin + line.ymin, box.xmin + line.xmax, box.ymin + line.ymax)


def _declared_patch(picture: Picture, box: Box, pitch: float) -> Patch:
    """The patch of a declared box, cut from the full-size picture where the working copy is too coarse."""
    frame, zoom = with_margin(box.frame, picture.size), picture.zoom
    height = text_height(picture.working.crop(frame.scaled(zoom, zoom).edges(*picture.working.size))) / zoom
    pitch, character = min(pitch, _MAX_PITCH * height), min(pitch, height)
    image, zoom = picture.at(min(1.0, patch_scale(frame, character)))
    return _cut_patch(picture, frame, image, zoom, (pitch, character), is_declared=True)


def _line_patch(picture: Picture, line: Box) -> Patch:
    """The patch of a detected line, cut from the working copy."""
    pitch = line.height * CHARACTER_WIDTH
    frame = with_margin(line.frame, picture.size)
    return _cut_patch(picture, frame, picture.working, picture.zoom, (pitch, pitch), is_declared=False)


def with_margin(text: Frame, size: tuple[int, int]) -> Frame:
    """The place of a text with the margin around it, in pixels of a picture of this (width, height)."""
    width, height = size
    margin = _MARGIN * text.height
    edge_x, edge_y = max(1.0, _EDGE * width), max(1.0, _EDGE * height)
    left, right = max(edge_x, text.left - margin), min(width - edge_x, text.left + text.width + margin)
    top, bottom = max(edge_y, text.top - margin), min(height - edge_y, text.top + text.height + margin)
    return Frame(left, top, right - left, bottom - top)


def patch_scale(frame: Frame, character: float) -> float:
    """Pixels of a patch for each pixel of the picture, at most; `character`: the size of one in the picture."""
    return min(_CHARACTER_PIXELS / character, math.sqrt(_MAX_PIXELS / (frame.width * frame.height)))


def _cut_patch(
    picture: Picture, frame: Frame, image: Image.Image, zoom: float, sizes: tuple[float, float], *, is_declared: bool
) -> Patch:
    """`frame` cut from a copy with this zoom; `sizes`: pitch and size of a character in upright pixels."""
    pitch, character = sizes
    scale = min(zoom, patch_scale(frame, character))
    size = (max(2, round(frame.width * scale)), max(2, round(frame.height * scale)))
    edges = frame.scaled(zoom, zoom).edges(*image.size)
    pixels = in_memory(np.asarray(image.resize(size, Image.Resampling.BICUBIC, box=edges)))
    width, height = picture.size
    reached = size[0] / frame.width
    return Patch(frame.scaled(1 / width, 1 / height), pitch * reached, character * reached, is_declared, pixels)
