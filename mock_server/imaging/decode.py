"""From bytes to an upright grey picture, within bounds.

All sizes and coordinates of this package are in upright pixels: as a viewer shows the picture, EXIF
orientation
applied. `inspect` reads the header only; `decode` makes the working copy that everything else looks at.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from io import BytesIO
from typing import TypeVar, cast

import numpy as np
import xxhash
from numpy.typing import NDArray
from PIL import Image, ImageFile, ImageFilter

from mock_server.errors import ImageError, TooManyPixelsError, TruncatedImageError, UnsupportedImageError
from mock_server.imaging.formats import Bytes, sniff

DEFAULT_MAX_PIXELS = 64_000_000

# The longer side of a working copy is between this and twice this (smaller pictures stay as they are):
# enough for
# a plate that fills a tenth of the frame, and the size at which a JPEG decodes four to eight times cheaper.
WORKING_SIDE = 1000
# Sharpness, blankness and the coarse search look at a copy of at most this many pixels on the longer side.
SMALL_SIDE = 512

_EXIF_ORIENTATION = 0x0112
_PLUGINS = {
    "JPEG": "JpegImagePlugin",
    "PNG": "PngImagePlugin",
    "WEBP": "WebPImagePlugin",
    "GIF": "GifImagePlugin",
    "BMP": "BmpImagePlugin",
    "TIFF": "TiffImagePlugin",
    "AVIF": "AvifImagePlugin",
}
_CLASSES = {
    "JPEG": "JpegImageFile",
    "PNG": "PngImageFile",
    "WEBP": "WebPImageFile",
    "GIF": "GifImageFile",
    "BMP": "BmpImageFile",
    "TIFF": "TiffImageFile",
    "AVIF": "AvifImageFile",
}
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

Grey = NDArray[np.uint8]
T = TypeVar("T")


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
    512 pixels on the longer side.
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

    __slots__ = ("_data", "_full", "facts", "small", "working", "zoom")

    def __init__(
        self, facts: PictureFacts, working: Image.Image, small: Image.Image, zoom: float, data: Bytes
    ) -> None:
        self.facts = facts
        self.working = working
        self.small = small
        self.zoom = zoom
        self._data = data
        self._full: Image.Image | None = None

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
            self._full = _guarded(self.facts.format, lambda: _flat(_upright(_loaded(_opened(self._data)))))
        return self._full

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

    def colours(self) -> Image.Image:
        """A small upright RGB copy; a JPEG is decoded at an eighth for it."""
        if self._full is not None or self.facts.format not in ("JPEG", "MPO"):
            return self.full().resize((32, 32), Image.Resampling.BOX)
        return _guarded(self.facts.format, self._drafted_colours)

    def _drafted_colours(self) -> Image.Image:
        image = _opened(self._data)
        image.draft("RGB", (64, 64))
        return _flat(_upright(_loaded(image))).resize((32, 32), Image.Resampling.BOX)


def inspect(data: Bytes, *, max_pixels: int = DEFAULT_MAX_PIXELS) -> PictureHeader:
    """Format and upright size from the header alone; raises the errors of `ImageError`."""
    format = sniff(data)
    image = _guarded(format, lambda: _opened(data))
    width, height = image.size
    if width * height > max_pixels:
        raise TooManyPixelsError(width * height, max_pixels)
    if _orientation(image) >= 5 and format != "TIFF":
        width, height = height, width
    return PictureHeader(_name(image, format), width, height, len(data))


def decode(data: Bytes, *, max_pixels: int = DEFAULT_MAX_PIXELS, sha256: str | None = None) -> Picture:
    """The whole picture, upright and grey; raises the errors of `ImageError`.

    `sha256` spares computing it where the caller has it already.
    """
    header = inspect(data, max_pixels=max_pixels)
    image = _guarded(header.format, lambda: _opened(data))
    working, zoom, full = _guarded(header.format, lambda: _working(image, header))
    small = _fitted(working, SMALL_SIDE)
    facts = PictureFacts(
        header.format,
        header.width,
        header.height,
        header.byte_count,
        sha256 or hashlib.sha256(data).hexdigest(),
        *_blank_and_sharpness(small),
    )
    picture = Picture(facts, working, small, zoom, data)
    if full is not None:
        picture.keep_full(full)
    return picture


def thumbnail(data: Bytes, *, max_side: int = 128, max_pixels: int = DEFAULT_MAX_PIXELS) -> bytes:
    """A small upright JPEG of the picture; raises the errors of `ImageError`."""
    header = inspect(data, max_pixels=max_pixels)

    def made() -> Image.Image:
        image = _opened(data)
        image.draft("RGB", (max_side, max_side))
        return _fitted(_flat(_upright(_loaded(image))), max_side)

    out = BytesIO()
    _guarded(header.format, made).save(out, "JPEG", quality=80)
    return out.getvalue()


def pixel_digest(image: Image.Image) -> bytes:
    """XXH3-128 over size and pixels of an RGB picture."""
    digest = xxhash.xxh3_128(repr(image.size).encode())
    digest.update(image.tobytes())
    return digest.digest()


def turned(image: Image.Image, orientation: int) -> Image.Image:
    """`image` turned as EXIF `orientation` 1-8 says."""
    return image if orientation == 1 else image.transpose(_TURNS[orientation])


def _opened(data: Bytes) -> ImageFile.ImageFile:
    """The picture with its header read.

    Straight to the format's own reader: `Image.open` would judge the size by Pillow's own global limit, with
    a warning that only the host process could switch off.
    """
    format = sniff(data)
    if format == "HEIF":
        return _opened_heif(data)
    reader = getattr(import_module(f"PIL.{_PLUGINS[format]}"), _CLASSES[format])
    return cast("ImageFile.ImageFile", reader(BytesIO(data)))


def _opened_heif(data: Bytes) -> ImageFile.ImageFile:
    reader = _heif_reader()
    if reader is None:
        raise UnsupportedImageError("HEIF")
    return reader(BytesIO(data))


@cache
def _heif_reader() -> Callable[[BytesIO], ImageFile.ImageFile] | None:
    """pillow-heif comes with an extra: without it iPhone photos are a foreign format."""
    try:
        return cast(
            "Callable[[BytesIO], ImageFile.ImageFile]", import_module("pillow_heif.as_plugin").HeifImageFile
        )
    except ImportError:
        return None


def _guarded(format: str, work: Callable[[], T]) -> T:
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


def _name(image: ImageFile.ImageFile, format: str) -> str:
    return "MPO" if format == "JPEG" and "mp" in image.info else format


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 where there is none that makes sense: damaged metadata harms no picture."""
    try:
        value = image.getexif().get(_EXIF_ORIENTATION, 1)
    except Exception:
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _loaded(image: ImageFile.ImageFile) -> Image.Image:
    image.load()
    return image


def _upright(image: Image.Image) -> Image.Image:
    return turned(image, _orientation(image))


def _flat(image: Image.Image) -> Image.Image:
    """RGB of any mode, transparency laid on white."""
    if image.mode == "RGB":
        return image
    if image.mode.startswith(("I", "F")):
        return _eight_bits(image).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        layers = image.convert("RGBA")
        flat = Image.new("RGB", image.size, "white")
        flat.paste(layers, mask=layers.getchannel("A"))
        return flat
    return image.convert("RGB")


def _eight_bits(image: Image.Image) -> Image.Image:
    """16-bit, 32-bit and floating-point grey brought to 8 bits; Pillow's own conversion would clip at 255."""
    values: NDArray[np.floating] = np.asarray(image).astype(np.float32)
    top = float(values.max(initial=0))
    if image.mode.startswith("I;16") or top > 255:
        values = values / 257 if top <= 65535 else values * (255 / top)
    elif image.mode == "F" and top <= 1:
        values = values * 255
    return Image.fromarray(np.clip(np.rint(values), 0, 255).astype(np.uint8))


def _working(
    image: ImageFile.ImageFile, header: PictureHeader
) -> tuple[Image.Image, float, Image.Image | None]:
    """The upright grey working copy, its zoom, and the full RGB picture where that had to be made anyway."""
    reduction = max(1, max(header.width, header.height) // WORKING_SIDE)
    if header.format in ("JPEG", "MPO"):
        width, height = image.size
        drafted = image.draft("L", (width // reduction, height // reduction))
        zoom = drafted[1][2] / width if drafted else 1.0
        return _grey(_upright(_loaded(image))), zoom, None
    full = _flat(_upright(_loaded(image)))
    grey = full.convert("L")
    if header.format == "GIF":
        # A palette's dithering is noise of the finest grain, and as strong as strokes of small text.
        grey = grey.filter(ImageFilter.GaussianBlur(0.8))
    return (grey, 1.0, full) if reduction == 1 else (grey.reduce(reduction), 1 / reduction, full)


def _grey(image: Image.Image) -> Image.Image:
    return image if image.mode == "L" else _flat(image).convert("L")


def _fitted(image: Image.Image, side: int) -> Image.Image:
    """`image` shrunk, never enlarged, so that its longer side is at most `side`."""
    longer = max(image.size)
    if longer <= side:
        return image
    size = (max(1, round(image.width * side / longer)), max(1, round(image.height * side / longer)))
    return image.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)


def _blank_and_sharpness(small: Image.Image) -> tuple[bool, float]:
    values = np.asarray(small).astype(np.int16)
    if min(values.shape) < 3:
        return bool(np.ptp(values) < 16), 0.0
    middle = values[1:-1, 1:-1]
    laplacian = values[:-2, 1:-1] + values[2:, 1:-1] + values[1:-1, :-2] + values[1:-1, 2:] - 4 * middle
    spread = laplacian.ravel().astype(np.float32)
    sharpness = float(np.vdot(spread, spread)) / spread.size - float(spread.mean()) ** 2
    # Sensor noise and compression are averaged away before asking whether anything is seen.
    smooth = np.asarray(small.reduce(3), dtype=np.float32)
    return bool(np.ptp(smooth) < 24 and smooth.std() < 4), sharpness
