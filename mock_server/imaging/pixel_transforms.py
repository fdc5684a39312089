"""Pixels of any mode made upright, flat (RGB) or smaller; nothing here knows of files."""

import numpy as np
import xxhash
from numpy.typing import NDArray
from PIL import Image

Grey = NDArray[np.uint8]

_EXIF_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 where there is none that makes sense: damaged metadata harms no picture."""
    try:
        value = image.getexif().get(_EXIF_ORIENTATION, 1)
    except Exception:
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def turned(image: Image.Image, orientation: int) -> Image.Image:
    """`image` turned as EXIF `orientation` 1-8 says."""
    return image if orientation == 1 else image.transpose(_TURNS[orientation])


def upright(image: Image.Image) -> Image.Image:
    """`image` as a viewer shows it."""
    return turned(image, orientation(image))


def flat(image: Image.Image) -> Image.Image:
    """RGB of any mode, transparency laid on white."""
    if image.mode == "RGB":
        return image
    if image.mode.startswith(("I", "F")):
        return _eight_bits(image).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        layers = image.convert("RGBA")
        laid = Image.new("RGB", image.size, "white")
        laid.paste(layers, mask=layers.getchannel("A"))
        return laid
    return image.convert("RGB")


def grey(image: Image.Image) -> Image.Image:
    """8-bit grey of any mode."""
    return image if image.mode == "L" else flat(image).convert("L")


def halved(image: Image.Image, side: int) -> Image.Image:
    """`image` halved as often as its longer side keeps at least `side` pixels, as JPEG decoders do for nothing."""
    factor = 1
    while max(image.size) >= 2 * factor * side:
        factor *= 2
    return image if factor == 1 else image.reduce(factor)


def reduced(image: Image.Image, side: int) -> Image.Image:
    """`image` shrunk by a whole number, so that its longer side is at most `side`: many times cheaper than exactly."""
    factor = -(-max(image.size) // side)
    return image if factor == 1 else image.reduce(factor)


def fitted(image: Image.Image, side: int) -> Image.Image:
    """`image` shrunk, never enlarged, so that its longer side is at most `side`; for people, who see no averaging."""
    longer = max(image.size)
    if longer <= side:
        return image
    size = (max(1, round(image.width * side / longer)), max(1, round(image.height * side / longer)))
    return image.resize(size, Image.Resampling.BILINEAR, reducing_gap=1.0)


def pixel_digest(image: Image.Image) -> bytes:
    """XXH3-128 over size and pixels of an RGB picture."""
    digest = xxhash.xxh3_128(repr(image.size).encode())
    digest.update(image.tobytes())
    return digest.digest()


def blank_and_sharpness(small: Image.Image) -> tuple[bool, float]:
    """Whether nothing can be seen on a grey picture, and the variance of its Laplacian."""
    values = np.asarray(small, dtype=np.int16)
    if min(values.shape) < 3:
        return bool(np.ptp(values) < 16), 0.0
    # Every other row says as much.
    laplacian = values[:-2:2, 1:-1] + values[2::2, 1:-1]
    laplacian += values[1:-1:2, :-2]
    laplacian += values[1:-1:2, 2:]
    laplacian -= values[1:-1:2, 1:-1] << 2
    spread = laplacian.ravel().astype(np.float32)
    sharpness = float(np.vdot(spread, spread)) / spread.size - (float(spread.sum()) / spread.size) ** 2
    # Sensor noise and compression are averaged away before asking whether anything is seen.
    smooth = np.asarray(small.reduce(3))
    return bool(np.ptp(smooth) < 24 and smooth.std() < 4), sharpness


def _eight_bits(image: Image.Image) -> Image.Image:
    """16-bit, 32-bit and floating-point grey brought to 8 bits; Pillow's own conversion would clip at 255."""
    values: NDArray[np.floating] = np.asarray(image).astype(np.float32)
    top = float(values.max(initial=0))
    if image.mode.startswith("I;16") or top > 255:
        values = values / 257 if top <= 65535 else values * (255 / top)
    elif image.mode == "F" and top <= 1:
        values = values * 255
    return Image.fromarray(np.clip(np.rint(values), 0, 255).astype(np.uint8))
