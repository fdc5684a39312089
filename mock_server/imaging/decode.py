"""From bytes to an upright grey picture, within bounds.

All sizes and coordinates of this package are in upright pixels: as a viewer shows the picture, EXIF orientation
applied. `inspect` reads the header only; `decode` makes the working copy that everything else looks at.
"""

import hashlib
from dataclasses import dataclass
from io import BytesIO
from math import ceil

import numpy as np
import xxhash
from PIL import Image, ImageFile, ImageFilter

from mock_server.errors import TooManyPixelsError
from mock_server.imaging.formats import Bytes, sniff
from mock_server.imaging.open_image import DEFAULT_MAX_PIXELS, guarded, loaded, opened
from mock_server.imaging.pixel_transforms import (
    Grey,
    blank_and_sharpness,
    fitted,
    flat,
    grey,
    halved,
    orientation,
    pixel_digest,
    upright,
)
from mock_server.imaging.results import PictureFacts

# The longer side of a working copy is between this and twice this (smaller pictures stay as they are):
# enough for a plate that fills a tenth of the frame, and the size at which a JPEG decodes four to eight
# times cheaper.
WORKING_SIDE = 1000
# The longer side of a preview is between this and twice this, if the picture has so many pixels: enough for the coarse
# search and registration, and for people. Sharpness and blankness are measured at this size, too.
SMALL_SIDE = 256
THUMBNAIL_SIDE = 128
_COLOURS_SIDE = 32


@dataclass(frozen=True, slots=True)
class PictureHeader:
    """What a header alone says; `width` and `height` in upright pixels."""

    format: str
    width: int
    height: int
    byte_count: int


class Picture:
    """A decoded picture. `preview`: small upright RGB copy, `small` the same in grey.

    What only some need (the working copy, full size, the digest of all pixels) is made when it is asked for.
    """

    __slots__ = ("_data", "_full", "_working", "facts", "preview", "small")

    def __init__(
        self,
        facts: PictureFacts,
        preview: Image.Image,
        small: Image.Image,
        data: Bytes,
        full: Image.Image | None,
    ) -> None:
        self.facts = facts
        self.preview = preview
        self.small = small
        self._data = data
        self._full = full
        self._working: tuple[Image.Image, float] | None = None

    @property
    def working(self) -> Image.Image:
        """The upright grey copy at which texts are compared; a JPEG is decoded once more for it."""
        return self._worked()[0]

    @property
    def zoom(self) -> float:
        """Pixels of the working copy to one upright pixel."""
        return self._worked()[1]

    def _worked(self) -> tuple[Image.Image, float]:
        if self._working is None:
            self._working = guarded(self.facts.format, self._made_working)
        return self._working

    def _made_working(self) -> tuple[Image.Image, float]:
        return _working(
            self._opened() if self._full is None else None, self._full, self.facts.format, self.size
        )

    def _opened(self) -> ImageFile.ImageFile:
        return opened(sniff(self._data), self._data)

    @property
    def grey(self) -> Grey:
        """The working copy as an array of shape (height, width)."""
        return np.asarray(self.working)

    @property
    def size(self) -> tuple[int, int]:
        """Upright width and height of the picture itself."""
        return self.facts.width, self.facts.height

    def full(self) -> Image.Image:
        """The upright picture in RGB at its full size, decoded once."""
        if self._full is None:
            self._full = guarded(self.facts.format, lambda: flat(upright(loaded(self._opened()))))
        return self._full

    def content(self) -> bytes:
        """XXH3-128 of the bytes: what a picture sent again is known by at once."""
        return xxhash.xxh3_128_digest(self._data)

    def pixels(self) -> bytes:
        """A digest of the upright pixels in RGB: equal for a lossless copy in another format."""
        return pixel_digest(self.full())

    def at(self, zoom: float) -> tuple[Image.Image, float]:
        """A grey copy of at least this zoom, with its zoom: the working copy if it is fine enough, or full
        size."""
        return (self.working, self.zoom) if zoom <= self.zoom * 1.01 else (self.full().convert("L"), 1.0)

    def colours(self) -> Image.Image:
        """The preview in 32 x 32 cells."""
        return self.preview.resize((_COLOURS_SIDE, _COLOURS_SIDE), Image.Resampling.BOX)

    def working_colours(self) -> Image.Image:
        """The working copy in RGB."""
        full, size = self.full(), self.working.size
        return full if full.size == size else full.resize(size, Image.Resampling.BOX)

    def thumbnail(self) -> bytes:
        """A JPEG of at most THUMBNAIL_SIDE pixels on the longer side."""
        return _thumbnail(self.preview)


def inspect(data: Bytes, *, max_pixels: int = DEFAULT_MAX_PIXELS) -> PictureHeader:
    """Format and upright size from the header alone; raises the errors of `ImageError`."""
    return _inspected(data, max_pixels)[0]


def decode(data: Bytes, *, max_pixels: int = DEFAULT_MAX_PIXELS, sha256: str | None = None) -> Picture:
    """The whole picture, upright and grey; raises the errors of `ImageError`.

    `sha256` spares computing it where the caller has it already.
    """
    header, image = _inspected(data, max_pixels)
    preview, full = guarded(header.format, lambda: _preview(image, header.format))
    small = _undithered(preview.convert("L"), header.format)
    facts = PictureFacts(
        header.format,
        header.width,
        header.height,
        header.byte_count,
        sha256 or hashlib.sha256(data).hexdigest(),
        *blank_and_sharpness(small),
    )
    return Picture(facts, preview, small, data, full)


def grey_copy(data: Bytes, *, max_pixels: int = DEFAULT_MAX_PIXELS) -> Image.Image:
    """The working copy alone, for half of the cost; raises the errors of `ImageError`."""
    header, image = _inspected(data, max_pixels)
    size = (header.width, header.height)
    if header.format in ("JPEG", "MPO"):
        return guarded(header.format, lambda: _working(image, None, header.format, size))[0]
    return guarded(header.format, lambda: _working(None, flat(upright(loaded(image))), header.format, size))[
        0
    ]


def thumbnail(data: Bytes, *, max_pixels: int = DEFAULT_MAX_PIXELS) -> bytes:
    """A JPEG of at most THUMBNAIL_SIDE pixels on the longer side; raises the errors of `ImageError`."""
    header, image = _inspected(data, max_pixels)
    return _thumbnail(guarded(header.format, lambda: _preview(image, header.format))[0])


def _inspected(data: Bytes, max_pixels: int) -> tuple[PictureHeader, ImageFile.ImageFile]:
    format = sniff(data)
    image = guarded(format, lambda: opened(format, data))
    width, height = image.size
    if width * height > max_pixels:
        raise TooManyPixelsError(width * height, max_pixels)
    if format != "TIFF" and orientation(image) >= 5:
        width, height = height, width
    return PictureHeader(_name(image, format), width, height, len(data)), image


def _name(image: ImageFile.ImageFile, format: str) -> str:
    return "MPO" if format == "JPEG" and "mp" in image.info else format


def _preview(image: ImageFile.ImageFile, format: str) -> tuple[Image.Image, Image.Image | None]:
    """The preview, and the full RGB picture where that had to be decoded for it."""
    if format not in ("JPEG", "MPO"):
        full = flat(upright(loaded(image)))
        return halved(full, SMALL_SIDE), full
    share = min(1.0, SMALL_SIDE / max(image.size))
    image.draft("RGB", (ceil(image.width * share), ceil(image.height * share)))
    return halved(flat(upright(loaded(image))), SMALL_SIDE), None


def _undithered(grey: Image.Image, format: str) -> Image.Image:
    """A palette's dithering is noise of the finest grain, and as strong as strokes of small text."""
    return grey.filter(ImageFilter.GaussianBlur(0.8)) if format == "GIF" else grey


def _working(
    image: ImageFile.ImageFile | None, full: Image.Image | None, format: str, size: tuple[int, int]
) -> tuple[Image.Image, float]:
    """The working copy of an opened JPEG or of a decoded picture, and its pixels to one upright pixel."""
    reduction = max(1, max(size) // WORKING_SIDE)
    if image is not None:
        width, height = image.size
        drafted = image.draft("L", (width // reduction, height // reduction))
        return grey(upright(loaded(image))), drafted[1][2] / width if drafted else 1.0
    assert full is not None, "one of the two is given"
    working = _undithered(full.convert("L"), format)
    return (working, 1.0) if reduction == 1 else (working.reduce(reduction), 1 / reduction)


def _thumbnail(preview: Image.Image) -> bytes:
    out = BytesIO()
    fitted(preview, THUMBNAIL_SIDE).save(out, "JPEG", quality=80)
    return out.getvalue()
