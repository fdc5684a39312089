"""Small pictures of every format that the mock reads, and damaged copies of them."""

import random
from functools import cache
from typing import Any

from PIL import Image, features

from tests.hostile.mutation import changed_bytes
from tests.support import encoded

_SIZES = ((16, 12), (33, 20), (64, 48))


@cache
def seed_pictures() -> tuple[bytes, ...]:
    """Undamaged pictures: each format in the variants that Pillow can write."""
    pictures: list[bytes] = []
    for number, size in enumerate(_SIZES):
        noise = random.Random(number).randbytes(size[0] * size[1] * 3)
        image = Image.frombytes("RGB", size, noise)
        image.paste((200, 30, 30), (2, 2, 10 + number, 8))
        for mode, format, options in _variants():
            # Saving leaves settings of the format in an image, so that each file gets copies.
            more = [image.rotate(90), image.rotate(180)] if options.get("save_all") else []
            pictures.append(encoded(image.convert(mode), format, append_images=more, **options))
    return tuple(pictures)


def _variants() -> list[tuple[str, str, dict[str, Any]]]:
    exif = Image.Exif()
    exif[0x0112] = 6
    frames = {"save_all": True}
    variants: list[tuple[str, str, dict[str, Any]]] = [
        ("RGB", "JPEG", {}),
        ("L", "JPEG", {"progressive": True}),
        ("CMYK", "JPEG", {"quality": 30}),
        ("RGB", "JPEG", {"exif": exif.tobytes(), "progressive": True}),
        ("RGB", "MPO", frames),
        ("RGB", "PNG", {}),
        ("P", "PNG", {"transparency": 0}),
        ("RGBA", "PNG", frames),
        ("I;16", "PNG", {}),
        ("1", "PNG", {}),
        ("P", "GIF", frames),
        ("L", "GIF", {}),
        ("RGB", "BMP", {}),
        ("P", "BMP", {}),
        ("1", "BMP", {}),
        ("RGB", "TIFF", {}),
        ("RGB", "TIFF", {"compression": "tiff_lzw"}),
        ("RGB", "TIFF", {"compression": "tiff_adobe_deflate", "exif": exif}),
        ("1", "TIFF", {"compression": "group4"}),
        ("RGB", "TIFF", {"compression": "jpeg"}),
        ("RGB", "TIFF", frames),
        ("RGB", "WEBP", {}),
        ("RGBA", "WEBP", {"lossless": True}),
        ("RGB", "WEBP", frames),
    ]
    if features.check("avif"):
        variants += [("RGB", "AVIF", {"speed": 10}), ("RGBA", "AVIF", {"speed": 10})]
    return variants


def changed_picture(rng: random.Random) -> bytes:
    """A damaged picture, or the head of one with the rest of another."""
    data = rng.choice(seed_pictures())
    if rng.random() < 0.1:
        other = rng.choice(seed_pictures())
        data = data[: rng.randint(0, len(data))] + other[rng.randint(0, len(other)) :]
    if rng.random() < 0.95:
        # Most damage in the pixels is only seen as noise, so that the headers get more of it.
        head = rng.choice((64, 256, len(data)))
        data = changed_bytes(data[:head], rng, most=4) + data[head:]
    return data
