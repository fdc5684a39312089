"""Recognises the format of an image file, reads its header, and opens it with the reader of that format.

Sizes are in upright pixels: as a viewer shows the picture, with its EXIF orientation applied. Any error of a decoder
means that the file is damaged.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from io import BytesIO
from typing import TypeVar, cast

from PIL import Image, ImageFile

from mock_server.errors import (
    EmptyImageError,
    ImageError,
    NotAnImageError,
    TooComplexImageError,
    TooManyPixelsError,
    TruncatedImageError,
    UnsupportedImageError,
)
from mock_server.imaging.file_structure import examine, png_without_pixels
from mock_server.imaging.geometry import Orientation
from mock_server.imaging.results import Bytes

DEFAULT_MAX_PIXELS = 64_000_000

_EXIF_ORIENTATION = 0x0112

# Module and class of each reader.
_READERS = {
    "JPEG": ("PIL.JpegImagePlugin", "JpegImageFile"),
    "PNG": ("PIL.PngImagePlugin", "PngImageFile"),
    "WEBP": ("PIL.WebPImagePlugin", "WebPImageFile"),
    "GIF": ("PIL.GifImagePlugin", "GifImageFile"),
    "BMP": ("PIL.BmpImagePlugin", "BmpImageFile"),
    "TIFF": ("PIL.TiffImagePlugin", "TiffImageFile"),
    "AVIF": ("PIL.AvifImagePlugin", "AvifImageFile"),
    "HEIF": ("pillow_heif.as_plugin", "HeifImageFile"),
}

# Signatures that a file of a format may begin with: formats that are read, by Pillow's names.
_SUPPORTED = {
    "JPEG": (b"\xff\xd8\xff",),
    "PNG": (b"\x89PNG\r\n\x1a\n",),
    "GIF": (b"GIF87a", b"GIF89a"),
    "TIFF": (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+"),
}

# Formats of pictures or pages that are not read.
_UNSUPPORTED = {
    "PDF": (b"%PDF-",),
    "EPS": (b"%!PS",),
    "ICO": (b"\x00\x00\x01\x00",),
    "CUR": (b"\x00\x00\x02\x00",),
    "PSD": (b"8BPS",),
    "JPEG2000": (b"\x00\x00\x00\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51"),
    "JPEG XL": (b"\xff\x0a", b"\x00\x00\x00\x0cJXL \r\n\x87\n"),
    "JPEG XR": (b"II\xbc\x01",),
    "DDS": (b"DDS ",),
    "QOI": (b"qoif",),
    "EXR": (b"\x76\x2f\x31\x01",),
    "HDR": (b"#?RADIANCE",),
    "ICNS": (b"icns",),
    "XCF": (b"gimp xcf",),
    "FITS": (b"SIMPLE  =",),
    "WMF": (b"\xd7\xcd\xc6\x9a",),
    "RAF": (b"FUJIFILMCCD-RAW",),
    "RW2": (b"IIU\x00",),
    "ORF": (b"IIRO",),
    "FLIF": (b"FLIF",),
    "BPG": (b"BPG\xfb",),
    "PCX": (b"\x0a\x05\x01",),
    "DJVU": (b"AT&TFORM",),
}

_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
# Bytes that are enough to recognise any of them.
_HEAD = 512

# A baseline JPEG may have this many times the limit of pixels, since it is decoded at half its size or less: 256
# instead of 64 million, more than the cameras of phones have. A limit below the default applies to every format as it
# is.
_DRAFT_ALLOWANCE = 4
# A JPEG may have this many scans times pixels: 20 scans of the largest picture.
_MAX_SCANNED = 20
# Seconds for each unit of `PictureHeader.cost`, measured on one core.
_SECONDS_PER_PASS = 50e-9
_PASSES_PER_BYTE = 0.5

Reader = Callable[[BytesIO], ImageFile.ImageFile]
T = TypeVar("T")


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


def sniff(data: Bytes) -> str:
    """The format of `data`, by Pillow's name ("JPEG", "PNG", …, "HEIF").

    Raises EmptyImageError, NotAnImageError, and UnsupportedImageError for formats that are not read.
    """
    if not len(data):
        raise EmptyImageError
    head = bytes(data[:_HEAD])
    format = _by_signature(head, _SUPPORTED) or _riff(head) or _iso_media(head) or _bitmap(head, len(data))
    if format is None:
        raise _refusal(head)
    return format


def _by_signature(head: bytes, signatures: dict[str, tuple[bytes, ...]]) -> str | None:
    return next((format for format, starts in signatures.items() if head.startswith(starts)), None)


def _riff(head: bytes) -> str | None:
    return "WEBP" if head[:4] == b"RIFF" and head[8:12] == b"WEBP" else None


def _iso_media(head: bytes) -> str | None:
    """AVIF or HEIF: both use the ISO media container, whose first box lists brands."""
    if head[4:8] != b"ftyp":
        return None
    length = int.from_bytes(head[:4], "big")
    brands = [head[8:12], *(head[at : at + 4] for at in range(16, min(length, len(head)), 4))]
    # The brand "mif1" means any still picture, and AVIF files list it too, so AVIF comes first.
    if any(brand in _AVIF_BRANDS for brand in brands):
        return "AVIF"
    return "HEIF" if any(brand in _HEIF_BRANDS for brand in brands) else None


def _bitmap(head: bytes, size: int) -> str | None:
    """BMP: its two letters may also begin a text, so the length of its header must be valid, too."""
    if head[:2] != b"BM" or size < 26:
        return None
    return "BMP" if int.from_bytes(head[14:18], "little") in (12, 16, 40, 52, 56, 64, 108, 124) else None


def _refusal(head: bytes) -> UnsupportedImageError | NotAnImageError:
    if format := _by_signature(head, _UNSUPPORTED):
        return UnsupportedImageError(format)
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith(b"<svg") or (text.startswith((b"<?xml", b"<!doctype svg", b"<!--")) and b"<svg" in text):
        return UnsupportedImageError("SVG")
    if head[:1] == b"P" and head[1:2] in b"1234567" and head[2:3].isspace():
        return UnsupportedImageError("PNM")
    return NotAnImageError()


def open_image(format: str, data: Bytes) -> ImageFile.ImageFile:
    """The picture with its header read; raises UnsupportedImageError where the reader is not installed.

    `Image.open` is not used: it compares the size with Pillow's global limit, and its warning could only be switched
    off for the whole process.
    """
    return _reader(format)(BytesIO(data))


def orientation_of(image: Image.Image) -> Orientation:
    """The EXIF orientation; upright where there is none, or where the metadata is damaged."""
    try:
        return Orientation(image.getexif().get(_EXIF_ORIENTATION, 1))
    except Exception:
        return Orientation.UPRIGHT


def orientation_in_file(image: ImageFile.ImageFile, data: Bytes) -> Orientation:
    """The same for a file whose pixels are not decoded yet."""
    if image.format != "PNG":
        return orientation_of(image)
    # The EXIF of a PNG may stand behind the pixels, and Pillow decodes them in search of it.
    try:
        metadata = open_image("PNG", png_without_pixels(data))
        return Orientation(Image.Image.getexif(metadata).get(_EXIF_ORIENTATION, 1))
    except Exception:
        return Orientation.UPRIGHT


def guarded(format: str, work: Callable[[], T]) -> T:
    """The result of `work`, which decodes; an error of a decoder becomes TruncatedImageError."""
    try:
        return work()
    except ImageError:
        raise
    except Image.DecompressionBombError as error:
        raise TooManyPixelsError(0, DEFAULT_MAX_PIXELS) from error
    except MemoryError:
        raise
    except Exception as error:
        raise TruncatedImageError(f"{format}: {error}") from error


@cache
def _reader(format: str) -> Reader:
    module, name = _READERS[format]
    try:
        return cast("Reader", getattr(import_module(module), name))
    except ImportError:
        # pillow-heif is an optional dependency.
        raise UnsupportedImageError(format) from None
