"""Reads what the header of a picture says, and how long the picture takes to decode. No pixel is decoded.

Sizes are in upright pixels: as a viewer shows the picture, with its EXIF orientation applied.
"""

from dataclasses import dataclass

from PIL import ImageFile

from mock_server.errors import TooComplexImageError, TooManyPixelsError
from mock_server.imaging.file_structure import examine
from mock_server.imaging.open_image import DEFAULT_MAX_PIXELS, guarded, open_image, orientation_in_file, sniff
from mock_server.imaging.results import Bytes

# A baseline JPEG may have this many times the limit of pixels, since it is decoded at half its size or less: 256
# instead of 64 million, more than the cameras of phones have. A limit below the default applies to every format as it
# is.
_DRAFT_ALLOWANCE = 4
# A JPEG may have this many scans times pixels: 20 scans of the largest picture.
_MAX_SCANNED = 20
# Seconds for each unit of `PictureHeader.cost`, measured on one core.
_SECONDS_PER_PASS = 50e-9
_PASSES_PER_BYTE = 0.5


@dataclass(frozen=True, slots=True)
class PictureHeader:
    """What the header and the structure of the file say; `width` and `height` in upright pixels.

    `passes`: how long a decoder works on each pixel, in units of what it takes for a PNG.
    """

    format: str
    width: int
    height: int
    byte_count: int
    passes: float = 1.0

    @property
    def seconds(self) -> float:
        """About how long one core decodes the picture."""
        return (self.width * self.height * self.passes + self.byte_count * _PASSES_PER_BYTE) * _SECONDS_PER_PASS


def inspect(data: Bytes, *, max_pixels: int = DEFAULT_MAX_PIXELS) -> PictureHeader:
    """Format and upright size from the header alone; raises the errors of `ImageError`."""
    return read_header(data, max_pixels)[0]


def read_header(data: Bytes, max_pixels: int) -> tuple[PictureHeader, ImageFile.ImageFile]:
    """The same, and the opened picture."""
    format = sniff(data)
    structure = guarded(format, lambda: examine(format, data))
    image = guarded(format, lambda: open_image(format, data))
    size = image.size
    # To decode a progressive JPEG takes the memory of all its pixels at any size.
    limit = max_pixels if image.info.get("progressive") else pixel_limit(format, max_pixels)
    if size[0] * size[1] > limit:
        raise TooManyPixelsError(size[0] * size[1], limit)
    scanned = _MAX_SCANNED * max(max_pixels, DEFAULT_MAX_PIXELS)
    if structure.scans * size[0] * size[1] > scanned:
        raise TooComplexImageError("scans", structure.scans, scanned // (size[0] * size[1]))
    # Pillow turns a TIFF by itself and reports the upright size.
    if format != "TIFF":
        size = orientation_in_file(image, data).apply_to_size(size)
    name = "MPO" if format == "JPEG" and "mp" in image.info else format
    return PictureHeader(name, *size, len(data), structure.passes), image


def pixel_limit(format: str, max_pixels: int) -> int:
    """The most pixels that a picture of this format may have where `max_pixels` is the limit for others."""
    is_raised = can_draft(format) and max_pixels >= DEFAULT_MAX_PIXELS
    return _DRAFT_ALLOWANCE * max_pixels if is_raised else max_pixels


def can_draft(format: str) -> bool:
    """Whether the format can be decoded at a fraction of its size."""
    return format in ("JPEG", "MPO")
