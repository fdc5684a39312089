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
from mock_server.imaging.opening import DEFAULT_MAX_PIXELS, guarded, loaded, opened
from mock_server.imaging.pixels import (
    SMALL_SIDE,
    Grey,
    blank_and_sharpness,
    fitted,
    flat,
    grey,
    orientation,
    pixel_digest,
    reduced,
    upright,
)

# The longer side of a working copy is between this and twice this (smaller pictures stay as they are):
# enough for a plate that fills a tenth of the frame, and the size at which a JPEG decodes four to eight
# times cheaper.
WORKING_SIDE = 1000
# A preview has at least so many pixels on its longer side, if the picture has them.
PREVIEW_SIDE = 128
_COLOURS_SIDE = 32


@dataclass(frozen=True, slots=True)
class PictureHeader:
    """What a header alone says; `width` and `height` in upright pixels."""

    format: str
    width: int
    height: int
    byte_count: int


@dataclass(frozen=True, slots=True)
class PictureFacts:
    """What is known of a picture; `width` and `height` in upright pixels.

    `blank`: nothing can be seen on it. `sharpness`: variance of the Laplacian of the grey picture, at most
    SMALL_SIDE pixels on the longer side.
    """

    format: str
    width: int
    height: int
    byte_count: int
    sha256: str
    blank: bool
    sharpness: float


class Picture:
    """A decoded picture. `working`: upright grey copy, `zoom` working pixels to one upright pixel.

    What few need (full size, colours, the digest of all pixels) is made when it is asked for.
    """

    __slots__ = ("_data", "_full", "_preview", "facts", "small", "working", "zoom")

    def __init__(
        self, facts: PictureFacts, working: Image.Image, small: Image.Image, zoom: float, data: Bytes
    ) -> None:
        self.facts = facts
        self.working = working
        self.small = small
        self.zoom = zoom
        self._data = data
        self._full: Image.Image | None = None
        self._preview: Image.Image | None = None

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
            self._full = guarded(self.facts.format, self._decoded_whole)
        return self._full

    def _decoded_whole(self) -> Image.Image:
        return flat(upright(loaded(opened(sniff(self._data), self._data))))

    def keep_full(self, full: Image.Image) -> None:
        """Spare the second decoding where the whole picture had to be decoded anyway."""
        self._full = full

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

    def preview(self) -> Image.Image:
        """A small upright RGB copy, made once; a JPEG is decoded in a reduced size for it."""
        if self._preview is None:
            if self._full is not None or self.facts.format not in ("JPEG", "MPO"):
                self._preview = reduced(self.full(), 2 * PREVIEW_SIDE)
            else:
                self._preview = guarded(self.facts.format, lambda: _preview(self._data))
        return self._preview

    def colours(self) -> Image.Image:
        """The preview in 32 x 32 cells."""
        return self.preview().resize((_COLOURS_SIDE, _COLOURS_SIDE), Image.Resampling.BOX)

    def thumbnail(self) -> bytes:
        """A JPEG of at most PREVIEW_SIDE pixels on the longer side."""
        return _thumbnail(self.preview())


def inspect(data: Bytes, *, max_pixels: int = DEFAULT_MAX_PIXELS) -> PictureHeader:
    """Format and upright size from the header alone; raises the errors of `ImageError`."""
    return _inspected(data, max_pixels)[0]


def decode(data: Bytes, *, max_pixels: int = DEFAULT_MAX_PIXELS, sha256: str | None = None) -> Picture:
    """The whole picture, upright and grey; raises the errors of `ImageError`.

    `sha256` spares computing it where the caller has it already.
    """
    header, image = _inspected(data, max_pixels)
    working, zoom, full = guarded(header.format, lambda: _working(image, header))
    small = reduced(working, SMALL_SIDE)
    facts = PictureFacts(
        header.format,
        header.width,
        header.height,
        header.byte_count,
        sha256 or hashlib.sha256(data).hexdigest(),
        *blank_and_sharpness(small),
    )
    picture = Picture(facts, working, small, zoom, data)
    if full is not None:
        picture.keep_full(full)
    return picture


def thumbnail(data: Bytes, *, max_pixels: int = DEFAULT_MAX_PIXELS) -> bytes:
    """A JPEG of at most PREVIEW_SIDE pixels on the longer side; raises the errors of `ImageError`."""
    header = inspect(data, max_pixels=max_pixels)
    return _thumbnail(guarded(header.format, lambda: _preview(data)))


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


def _working(
    image: ImageFile.ImageFile, header: PictureHeader
) -> tuple[Image.Image, float, Image.Image | None]:
    """The upright grey working copy, its zoom, and the full RGB picture where that had to be made anyway."""
    reduction = max(1, max(header.width, header.height) // WORKING_SIDE)
    if header.format in ("JPEG", "MPO"):
        width, height = image.size
        drafted = image.draft("L", (width // reduction, height // reduction))
        zoom = drafted[1][2] / width if drafted else 1.0
        return grey(upright(loaded(image))), zoom, None
    full = flat(upright(loaded(image)))
    working = full.convert("L")
    if header.format == "GIF":
        # A palette's dithering is noise of the finest grain, and as strong as strokes of small text.
        working = working.filter(ImageFilter.GaussianBlur(0.8))
    return (working, 1.0, full) if reduction == 1 else (working.reduce(reduction), 1 / reduction, full)


def _preview(data: Bytes) -> Image.Image:
    image = opened(sniff(data), data)
    share = min(1.0, PREVIEW_SIDE / max(image.size))
    image.draft("RGB", (ceil(image.width * share), ceil(image.height * share)))
    return reduced(flat(upright(loaded(image))), 2 * PREVIEW_SIDE)


def _thumbnail(preview: Image.Image) -> bytes:
    out = BytesIO()
    fitted(preview, PREVIEW_SIDE).save(out, "JPEG", quality=80)
    return out.getvalue()
