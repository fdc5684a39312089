"""Image files opened by their own format's reader, within bounds; whatever a decoder stumbles over is damage."""

from collections.abc import Callable
from functools import cache
from importlib import import_module
from io import BytesIO
from typing import TypeVar, cast

from PIL import Image, ImageFile

from mock_server.errors import ImageError, TooManyPixelsError, TruncatedImageError, UnsupportedImageError
from mock_server.imaging.formats import Bytes

DEFAULT_MAX_PIXELS = 64_000_000

# Pillow's module and class for each format that is read.
_READERS = {
    "JPEG": ("JpegImagePlugin", "JpegImageFile"),
    "PNG": ("PngImagePlugin", "PngImageFile"),
    "WEBP": ("WebPImagePlugin", "WebPImageFile"),
    "GIF": ("GifImagePlugin", "GifImageFile"),
    "BMP": ("BmpImagePlugin", "BmpImageFile"),
    "TIFF": ("TiffImagePlugin", "TiffImageFile"),
    "AVIF": ("AvifImagePlugin", "AvifImageFile"),
}

Reader = Callable[[BytesIO], ImageFile.ImageFile]
T = TypeVar("T")


def opened(format: str, data: Bytes) -> ImageFile.ImageFile:
    """The picture with its header read.

    Straight to the format's own reader: `Image.open` would judge the size by Pillow's own global limit, with
    a warning that only the host process could switch off.
    """
    reader = _heif_reader() if format == "HEIF" else _reader(format)
    if reader is None:
        raise UnsupportedImageError(format)
    return reader(BytesIO(data))


def loaded(image: ImageFile.ImageFile) -> Image.Image:
    """The picture with its pixels decoded."""
    image.load()
    return image


def guarded(format: str, work: Callable[[], T]) -> T:
    """Run a decoder: whatever it stumbles over in bytes that carry a known signature is damage to them."""
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
    return cast("Reader", getattr(import_module(f"PIL.{module}"), name))


@cache
def _heif_reader() -> Reader | None:
    """pillow-heif comes with an extra: without it iPhone photos are a foreign format."""
    try:
        return cast("Reader", import_module("pillow_heif.as_plugin").HeifImageFile)
    except ImportError:
        return None
