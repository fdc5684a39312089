"""Opens image files with the reader of their own format. Any error of a decoder means that the file is damaged."""

from collections.abc import Callable
from functools import cache
from importlib import import_module
from io import BytesIO
from typing import TypeVar, cast

from PIL import Image, ImageFile

from mock_server.errors import ImageError, TooManyPixelsError, TruncatedImageError, UnsupportedImageError
from mock_server.imaging.formats import Bytes
from mock_server.imaging.geometry import Orientation

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

Reader = Callable[[BytesIO], ImageFile.ImageFile]
T = TypeVar("T")


def open_image(format: str, data: Bytes) -> ImageFile.ImageFile:
    """The picture with its header read; raises UnsupportedImageError where the reader is not installed.

    `Image.open` is not used: it compares the size with Pillow's global limit, and its warning could only be switched
    off for the whole process.
    """
    return _reader(format)(BytesIO(data))


def load(image: ImageFile.ImageFile) -> Image.Image:
    """The picture with its pixels decoded."""
    image.load()
    return image


def orientation_of(image: Image.Image) -> Orientation:
    """The EXIF orientation; upright where there is none, or where the metadata is damaged."""
    try:
        return Orientation(image.getexif().get(_EXIF_ORIENTATION, 1))
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
