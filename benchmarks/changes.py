"""Changes that clients make to a picture: each returns the sent bytes, and where the original pixels lie in them."""

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from mock_server.imaging.geometry import Orientation, Placement


@dataclass(frozen=True)
class Change:
    """`make(image)` returns the sent bytes; `place(size)` the true placement of a picture of that size."""

    name: str
    kind: str
    make: Callable[[Image.Image], bytes]
    place: Callable[[tuple[int, int]], Placement]


def saved(image: Image.Image, format: str = "JPEG", **options: object) -> bytes:
    out = BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def same(size: tuple[int, int]) -> Placement:
    return Placement(size, size)


def codec(name: str, format: str, **options: object) -> Change:
    return Change(name, "codec", lambda image: saved(image, format, **options), same)


def filtered(name: str, change: Callable[[Image.Image], Image.Image], kind: str = "light", quality: int = 90) -> Change:
    return Change(name, kind, lambda image: saved(change(image), "JPEG", quality=quality), same)


def resized(factor: float, quality: int = 88, kind: str = "resize") -> Change:
    def size_of(size: tuple[int, int]) -> tuple[int, int]:
        return max(8, round(size[0] * factor)), max(8, round(size[1] * factor))

    def place(size: tuple[int, int]) -> Placement:
        sent = size_of(size)
        return Placement(size, sent, Orientation.UPRIGHT, (sent[0] / size[0], sent[1] / size[1]))

    return Change(
        f"resize {factor}",
        kind,
        lambda image: saved(image.resize(size_of(image.size), Image.Resampling.LANCZOS), "JPEG", quality=quality),
        place,
    )


def cropped(left: float, top: float, right: float, bottom: float, scale: float = 1.0) -> Change:
    def box(size: tuple[int, int]) -> tuple[int, int, int, int]:
        return (
            round(left * size[0]),
            round(top * size[1]),
            size[0] - round(right * size[0]),
            size[1] - round(bottom * size[1]),
        )

    def sent(size: tuple[int, int]) -> tuple[int, int]:
        cut = box(size)
        return round((cut[2] - cut[0]) * scale), round((cut[3] - cut[1]) * scale)

    def make(image: Image.Image) -> bytes:
        return saved(image.crop(box(image.size)).resize(sent(image.size), Image.Resampling.BICUBIC), "JPEG", quality=88)

    def place(size: tuple[int, int]) -> Placement:
        cut, out = box(size), sent(size)
        ratio = (out[0] / (cut[2] - cut[0]), out[1] / (cut[3] - cut[1]))
        return Placement(size, out, Orientation.UPRIGHT, ratio, (-cut[0] * ratio[0], -cut[1] * ratio[1]))

    return Change(f"crop {left},{top},{right},{bottom} x{scale}", "crop", make, place)


def padded(name: str, target: tuple[int, int], colour: tuple[int, int, int]) -> Change:
    """Letterboxed to an aspect ratio; the longer side keeps its length."""

    def geometry(size: tuple[int, int]) -> tuple[tuple[int, int], float, tuple[int, int]]:
        factor = max(size) / max(target)
        out = (round(target[0] * factor), round(target[1] * factor))
        ratio = min(out[0] / size[0], out[1] / size[1])
        inner = (round(size[0] * ratio), round(size[1] * ratio))
        return out, ratio, ((out[0] - inner[0]) // 2, (out[1] - inner[1]) // 2)

    def make(image: Image.Image) -> bytes:
        out, ratio, shift = geometry(image.size)
        page = Image.new("RGB", out, colour)
        page.paste(
            image.resize((round(image.width * ratio), round(image.height * ratio)), Image.Resampling.LANCZOS), shift
        )
        return saved(page, "JPEG", quality=88)

    def place(size: tuple[int, int]) -> Placement:
        out, ratio, shift = geometry(size)
        scale = (round(size[0] * ratio) / size[0], round(size[1] * ratio) / size[1])
        return Placement(size, out, Orientation.UPRIGHT, scale, (float(shift[0]), float(shift[1])))

    return Change(f"letterbox {name}", "letterbox", make, place)


def rotated(orientation: Orientation, *, is_tagged: bool) -> Change:
    """Turned as a viewer would show it, or stored turned with an EXIF tag that turns it back."""

    def make(image: Image.Image) -> bytes:
        if not is_tagged:
            return saved(orientation.apply_to_image(image), "JPEG", quality=90)
        exif = Image.Exif()
        exif[0x0112] = orientation.value
        return saved(orientation.inverse.apply_to_image(image), "JPEG", quality=90, exif=exif)

    def place(size: tuple[int, int]) -> Placement:
        return same(size) if is_tagged else Placement(size, orientation.apply_to_size(size), orientation)

    name = f"orientation {orientation.value} {'tagged' if is_tagged else 'bare'}"
    return Change(name, "orientation", make, place)


def gamma(image: Image.Image, exponent: float) -> Image.Image:
    table = [round(255 * (value / 255) ** exponent) for value in range(256)]
    return image.point(table * len(image.getbands()))


def noisy(image: Image.Image, sigma: float) -> Image.Image:
    rng = np.random.default_rng(image.width * 7919 + image.height)
    values = np.asarray(image, np.float32) + rng.normal(0, sigma, (image.height, image.width, len(image.getbands())))
    return Image.fromarray(values.clip(0, 255).astype(np.uint8))


def messenger(side: int, quality: int, name: str, kind: str = "chain") -> Change:
    """What a chat app does: shrunk to a longer side, sharpened a little, saved twice."""

    def factor(size: tuple[int, int]) -> float:
        return min(1.0, side / max(size))

    def out(size: tuple[int, int]) -> tuple[int, int]:
        return max(8, round(size[0] * factor(size))), max(8, round(size[1] * factor(size)))

    def make(image: Image.Image) -> bytes:
        small = image.resize(out(image.size), Image.Resampling.BILINEAR)
        first = Image.open(BytesIO(saved(small, "JPEG", quality=quality + 10)))
        return saved(first.filter(ImageFilter.UnsharpMask(1, 60, 2)), "JPEG", quality=quality)

    def place(size: tuple[int, int]) -> Placement:
        sent = out(size)
        return Placement(size, sent, Orientation.UPRIGHT, (sent[0] / size[0], sent[1] / size[1]))

    return Change(name, kind, make, place)


def camera_app(image: Image.Image) -> Image.Image:
    lively = ImageEnhance.Color(ImageEnhance.Contrast(image).enhance(1.15)).enhance(1.3)
    return ImageEnhance.Brightness(lively).enhance(1.06).filter(ImageFilter.UnsharpMask(1.5, 70, 2))


CHANGES: tuple[Change, ...] = (
    *(codec(f"jpeg {quality}", "JPEG", quality=quality) for quality in (95, 80, 60, 40)),
    codec("jpeg progressive 70", "JPEG", quality=70, progressive=True),
    codec("png", "PNG"),
    codec("webp 75", "WEBP", quality=75),
    codec("webp 50", "WEBP", quality=50),
    codec("avif 60", "AVIF", quality=60, speed=9),
    Change("gif", "codec", lambda image: saved(image.quantize(256), "GIF"), same),
    *(resized(factor) for factor in (0.35, 0.5, 0.71, 1.3, 2.0)),
    *(rotated(Orientation(number), is_tagged=True) for number in (3, 6)),
    *(rotated(Orientation(number), is_tagged=False) for number in range(2, 9)),
    filtered("grey", ImageOps.grayscale),
    Change("alpha", "light", lambda image: saved(image.convert("RGBA").resize(image.size), "PNG"), same),
    filtered("brighter 1.2", lambda image: ImageEnhance.Brightness(image).enhance(1.2)),
    filtered("darker 0.8", lambda image: ImageEnhance.Brightness(image).enhance(0.8)),
    filtered("contrast 1.3", lambda image: ImageEnhance.Contrast(image).enhance(1.3)),
    filtered("contrast 0.75", lambda image: ImageEnhance.Contrast(image).enhance(0.75)),
    filtered("gamma 0.8", lambda image: gamma(image, 0.8)),
    filtered("gamma 1.3", lambda image: gamma(image, 1.3)),
    filtered("blur 0.8", lambda image: image.filter(ImageFilter.GaussianBlur(0.8)), "detail"),
    filtered("blur 1.2", lambda image: image.filter(ImageFilter.GaussianBlur(1.2)), "detail"),
    filtered("noise 4", lambda image: noisy(image, 4), "detail"),
    filtered("noise 8", lambda image: noisy(image, 8), "detail"),
    filtered("unsharp", lambda image: image.filter(ImageFilter.UnsharpMask(2, 100, 2)), "detail"),
    cropped(0.05, 0.05, 0.05, 0.05),
    cropped(0.05, 0, 0, 0.03),
    cropped(0.02, 0.04, 0.01, 0.0, 0.7),
    padded("square black", (1, 1), (0, 0, 0)),
    padded("16:9 white", (16, 9), (255, 255, 255)),
    padded("9:16 black", (9, 16), (0, 0, 0)),
    messenger(1600, 70, "messenger 1600"),
    messenger(800, 60, "messenger 800"),
    filtered("camera app", camera_app, "chain", 80),
    resized(0.25, kind="hard"),
    messenger(480, 40, "messenger 480", "hard"),
)
