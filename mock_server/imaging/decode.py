"""Decodes pictures to upright, grey, reduced copies, within a limit of pixels.

All sizes and coordinates of this package are in upright pixels: as a viewer shows the picture, with its EXIF
orientation applied. `decode` makes the copies that everything else works on.
"""

import hashlib
import math
from dataclasses import replace
from io import BytesIO

import numpy as np
import xxhash
from PIL import Image, ImageFile, ImageFilter

from mock_server.imaging.open_image import (
    DEFAULT_MAX_PIXELS,
    PictureHeader,
    can_draft,
    guarded,
    open_image,
    orientation_of,
    read_header,
    sniff,
)
from mock_server.imaging.pixel_transforms import (
    Grey,
    blank_and_sharpness,
    fitted,
    halving_factor,
    pixel_digest,
    to_grey,
    to_rgb,
)
from mock_server.imaging.results import Bytes, PictureFacts

# Sizes are in pixels of the longer side. Smaller pictures keep their own size.

# A working copy has between this and twice this: enough for a plate over a tenth of the frame, and a JPEG decodes four
# to eight times faster at this size.
WORKING_SIDE = 1000
# A preview has between this and twice this: enough for the coarse search and registration, and for people. Sharpness
# and blankness are measured at this size, too.
SMALL_SIDE = 256
# Thumbnails for people.
THUMBNAIL_SIDE = 128
_THUMBNAIL_QUALITY = 80
# Standard deviation in pixels of the blur that removes a GIF's dithering, which is as strong as strokes of small text.
_DITHERING = 0.8


class ExpensivePicture(Exception):
    """A picture that would take longer to decode than the caller wants to wait."""


class Picture:
    """A decoded picture. `preview`: small upright RGB copy; `small`: the same in grey.

    The working copy, the full-size picture and the digest of its pixels are made on first use.
    """

    __slots__ = ("_data", "_full", "_working", "facts", "preview", "small")

    def __init__(
        self, facts: PictureFacts, preview: Image.Image, small: Image.Image, data: Bytes, full: Image.Image | None
    ) -> None:
        self.facts = facts
        self.preview = preview
        self.small = small
        self._data = data
        self._full = full
        self._working: Image.Image | None = None

    @property
    def working(self) -> Image.Image:
        """The upright grey copy in which texts are compared; a JPEG is decoded once more for it.

        It has the same size whichever way it is made, so that what is found in one copy can be cut out of another.
        """
        if self._working is None:
            self._working = guarded(self.facts.format, self._make_working)
        return self._working

    @property
    def zoom(self) -> float:
        """Pixels of the working copy for each upright pixel."""
        return 1 / self._reduction

    @property
    def _reduction(self) -> int:
        return halving_factor(self.size, WORKING_SIDE)

    @property
    def working_size(self) -> tuple[int, int]:
        """The size of the working copy, for which nothing is decoded."""
        return -(-self.size[0] // self._reduction), -(-self.size[1] // self._reduction)

    def reduced_working(self, factor: int) -> Image.Image:
        """The working copy reduced by a whole number; a JPEG is decoded as small as that if it can be."""
        is_power = factor & (factor - 1) == 0
        if factor == 1 or not is_power or self._working is not None or self._full is not None:
            return self.working.reduce(factor)
        return guarded(self.facts.format, lambda: self._drafted_grey(factor * self._reduction))

    def _make_working(self) -> Image.Image:
        if self._full is None:
            return self._drafted_grey(self._reduction)
        grey = _without_dithering(self._full.convert("L"), self.facts.format)
        return _halved_to(grey, self.size, self._reduction)

    def _drafted_grey(self, factor: int) -> Image.Image:
        """A grey copy of a JPEG, decoded at 1 / `factor` of its size, a power of two, or reduced to that."""
        image = self._open()
        image.draft("L", (max(1, image.width // factor), max(1, image.height // factor)))
        # A decoder reduces at most eight times, and not at all if the shorter side would vanish.
        return _halved_to(to_grey(_load_upright(image)), self.size, factor)

    def _open(self) -> ImageFile.ImageFile:
        return open_image(sniff(self._data), self._data)

    @property
    def grey(self) -> Grey:
        """The working copy as an array of shape (height, width)."""
        return np.asarray(self.working)

    @property
    def size(self) -> tuple[int, int]:
        """Upright width and height of the picture itself."""
        return self.facts.width, self.facts.height

    @property
    def full_zoom(self) -> float:
        """Pixels of the full picture for each upright pixel: a half where all of them would take too much memory."""
        is_large = self.facts.width * self.facts.height > DEFAULT_MAX_PIXELS
        return 0.5 if is_large and can_draft(self.facts.format) else 1.0

    def full(self) -> Image.Image:
        """The upright picture in RGB at `full_zoom`, decoded once."""
        if self._full is None:
            self._full = guarded(self.facts.format, self._make_full)
        return self._full

    def _make_full(self) -> Image.Image:
        image, factor = self._open(), round(1 / self.full_zoom)
        if factor > 1:
            image.draft("RGB", (max(1, image.width // factor), max(1, image.height // factor)))
        return to_rgb(_halved_to(_load_upright(image), self.size, factor))

    def content(self) -> bytes:
        """XXH3-128 of the bytes, by which a picture is found that is sent again unchanged."""
        return xxhash.xxh3_128_digest(self._data)

    def pixels(self) -> bytes:
        """A digest of the upright pixels in RGB: equal for a lossless copy in another format."""
        return pixel_digest(self.full())

    def at(self, zoom: float) -> tuple[Image.Image, float]:
        """A grey copy of at least this zoom, with its zoom: the working copy if it is fine enough, else full size."""
        return (self.working, self.zoom) if zoom <= self.zoom * 1.01 else (self.full_grey(), self.full_zoom)

    def full_grey(self) -> Image.Image:
        """The upright picture in grey at `full_zoom`."""
        return self.full().convert("L")

    def working_colours(self) -> Image.Image:
        """The working copy in RGB."""
        return _halved_to(self.full(), self.size, self._reduction)

    def between(self, top: int, bottom: int) -> "Picture":
        """The picture without the rows above `top` and from `bottom` on, in upright pixels."""
        facts = replace(self.facts, height=bottom - top)

        def cut(image: Image.Image) -> Image.Image:
            scale = image.height / self.size[1]
            return image.crop((0, round(top * scale), image.width, round(bottom * scale)))

        return Picture(facts, cut(self.preview), cut(self.small), self._data, cut(self.full()))

    def thumbnail(self) -> bytes:
        """A JPEG of at most THUMBNAIL_SIDE pixels on the longer side."""
        out = BytesIO()
        fitted(self.preview, THUMBNAIL_SIDE).save(out, "JPEG", quality=_THUMBNAIL_QUALITY)
        return out.getvalue()


def decode(
    data: Bytes, *, max_pixels: int = DEFAULT_MAX_PIXELS, sha256: str | None = None, most_seconds: float = math.inf
) -> Picture:
    """The decoded picture; raises the errors of `ImageError`. `sha256`: its digest, where the caller has it already.

    Raises ExpensivePicture instead of decoding one that would take one core about `most_seconds`.
    """
    header, image = read_header(data, max_pixels)
    if header.seconds > most_seconds:
        raise ExpensivePicture
    preview, full = guarded(header.format, lambda: _preview(image, header))
    small = _without_dithering(preview.convert("L"), header.format)
    facts = PictureFacts(
        header.format,
        header.width,
        header.height,
        header.byte_count,
        sha256 or hashlib.sha256(data).hexdigest(),
        *blank_and_sharpness(small),
    )
    return Picture(facts, preview, small, data, full)


def _load_upright(image: ImageFile.ImageFile) -> Image.Image:
    # Loading comes first: it turns a TIFF and removes the tag.
    image.load()
    return orientation_of(image).apply_to_image(image)


def _preview(image: ImageFile.ImageFile, header: PictureHeader) -> tuple[Image.Image, Image.Image | None]:
    """The preview, and the full-size RGB picture where it had to be decoded for that."""
    is_drafted = can_draft(header.format)
    if is_drafted:
        share = min(1.0, SMALL_SIDE / max(image.size))
        image.draft("RGB", (math.ceil(image.width * share), math.ceil(image.height * share)))
    decoded, size = to_rgb(_load_upright(image)), (header.width, header.height)
    return _halved_to(decoded, size, halving_factor(size, SMALL_SIDE)), None if is_drafted else decoded


def _without_dithering(grey: Image.Image, format: str) -> Image.Image:
    return grey.filter(ImageFilter.GaussianBlur(_DITHERING)) if format == "GIF" else grey


def _halved_to(image: Image.Image, size: tuple[int, int], factor: int) -> Image.Image:
    """`image`, a copy of a picture of this size that may be reduced already, reduced to 1 / `factor` of the picture."""
    left = factor // round(max(size) / max(image.size))
    return image if left == 1 else image.reduce(left)
