"""What carries a vehicle identification number, seen from the front and flat: metal plates, stickers, labels."""

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mock_server.drawing.camera import streaks
from mock_server.drawing.glyphs import draw_text, text_width
from mock_server.drawing.lettering import PRICKED, PRINTED, SMALL, STAMPED, Lettering
from mock_server.drawing.pixel_effects import (
    Colour,
    Pixels,
    Rect,
    blurred,
    filled,
    from_image,
    lit,
    over,
    smooth_noise,
    tinted,
    to_image,
)


def _layer(size: tuple[int, int]) -> Image.Image:
    return Image.new("L", size)


def _written(size: tuple[int, int], lines: list[tuple[str, float, float, float, Lettering]]) -> Pixels:
    """A mask with lines of text: text, left, top, height (pixels), lettering."""
    mask = _layer(size)
    for text, left, top, height, lettering in lines:
        draw_text(mask, (left, top), height, text, lettering)
    return from_image(mask)


def _small_print(size: tuple[int, int], lines: list[tuple[str, float, float, float]]) -> Pixels:
    mask = _layer(size)
    draw = ImageDraw.Draw(mask)
    for text, left, top, height in lines:
        draw.text((left, top), text, fill=255, font=ImageFont.load_default(height), stroke_width=height / 60)
    return from_image(mask)


def _centred(
    text: str, size: tuple[int, int], room: float, lettering: Lettering, middle: float
) -> tuple[Rect, float]:
    """Where a line as wide as `room` (part of the width) stands, unless it is too short for that; its height."""
    height = min(size[0] * room / text_width(text, lettering), size[1] * 0.42)
    wide = text_width(text, lettering) * height
    left, top = (size[0] - wide) / 2, size[1] * middle - height / 2
    return (left, top, left + wide, top + height), height


def metal_tag(text: str, rng: np.random.Generator, *, pricked: bool = False) -> tuple[Image.Image, Rect]:
    """A stamped metal plate with rivets (RGBA, flat) and the rectangle of the number on it."""
    size = (1800, 520)
    tones: tuple[Colour, ...] = ((176, 178, 180), (188, 184, 172), (58, 60, 64))
    tone = tones[int(rng.integers(len(tones))) if not pricked else 0]
    pixels = tinted(filled(size, tone), streaks(size, rng) * np.float32(0.10))
    sheen = np.clip(1 - np.abs(np.linspace(-0.6, 1.6, size[0])) * 1.2, 0, 1)[None, :]
    pixels = over(pixels, (255, 255, 255), np.repeat(sheen, size[1], 0).astype(np.float32), 0.22)
    lettering = PRICKED if pricked else STAMPED
    rect, height = _centred(text, size, 0.84, lettering, 0.56)
    ink = _written(size, [(text, rect[0], rect[1], height, lettering)])
    dark = tone[0] < 100
    pixels = over(
        pixels, (206, 208, 210) if dark else (40, 40, 42), blurred(ink, 1.2), 0.80 if dark else 0.62
    )
    pixels = lit(pixels, blurred(ink, 2.4), -1.6 if not dark else 1.4)
    caption = _small_print(
        size, [("VEHICLE IDENTIFICATION NUMBER", 160, 84, 52), ("DO NOT REMOVE", 1240, 400, 44)]
    )
    pixels = over(pixels, (214, 214, 214) if dark else (52, 52, 54), caption, 0.8)
    rim = _layer(size)
    ImageDraw.Draw(rim).rounded_rectangle(
        (14, 14, size[0] - 14, size[1] - 14), radius=34, outline=255, width=9
    )
    pixels = lit(pixels, blurred(from_image(rim), 4), 1.4)
    for x in (70, size[0] - 70):
        pixels = riveted(pixels, (x, size[1] / 2), 34)
    return _cut(pixels, 42), rect


def riveted(pixels: Pixels, at: tuple[float, float], radius: float) -> Pixels:
    """A round rivet's head at a place."""
    size = (pixels.shape[1], pixels.shape[0])
    mask = _layer(size)
    ImageDraw.Draw(mask).ellipse((at[0] - radius, at[1] - radius, at[0] + radius, at[1] + radius), fill=255)
    head = blurred(from_image(mask), 2)
    pixels = over(pixels, (20, 20, 22), np.roll(blurred(head, 10), 8, axis=0), 0.5)
    pixels = over(pixels, (170, 172, 176), head)
    return lit(pixels, blurred(head, radius / 3), 6.0)


def _cut(pixels: Pixels, radius: int) -> Image.Image:
    image = to_image(pixels).convert("RGBA")
    shape = _layer((image.width * 2, image.height * 2))
    ImageDraw.Draw(shape).rounded_rectangle(
        (0, 0, shape.width - 1, shape.height - 1), radius=radius * 2, fill=255
    )
    image.putalpha(shape.resize(image.size, Image.Resampling.BOX))
    return image


def sticker(text: str, rng: np.random.Generator) -> tuple[Image.Image, Rect]:
    """A door-jamb certification label (RGBA, flat) and the rectangle of the number on it."""
    size = (1800, 980)
    pixels = tinted(filled(size, (237, 237, 237)), smooth_noise(rng, size, 500) * np.float32(0.08))
    month, year = int(rng.integers(1, 13)), int(rng.integers(16, 26))
    weight = int(rng.integers(1600, 2900))
    small: list[tuple[str, float, float, float]] = [
        (f"DATE OF MFR:  {month:02d}/{year}", 90, 90, 54),
        (f"GVWR: {weight} KG ({round(weight * 2.2046)} LB)", 860, 90, 54),
        (f"GAWR FRT: {weight // 2} KG", 90, 180, 54),
        (f"GAWR RR: {weight // 2 + 40} KG", 860, 180, 54),
        ("THIS VEHICLE CONFORMS TO ALL APPLICABLE FEDERAL MOTOR", 90, 290, 46),
        ("VEHICLE SAFETY STANDARDS IN EFFECT ON THE DATE SHOWN ABOVE.", 90, 348, 46),
        ("VIN:", 90, 426, 44),
        ("TYPE: PASSENGER CAR", 90, 884, 48),
        (f"COLOR: {int(rng.integers(100, 999))}   TRIM: K{int(rng.integers(10, 99))}", 900, 884, 48),
    ]
    rect, height = _centred(text, size, 0.80, PRINTED, 0.565)
    ink = np.maximum(_small_print(size, small), _written(size, [(text, rect[0], rect[1], height, PRINTED)]))
    bars = _layer(size)
    _barcode(ImageDraw.Draw(bars), text, (180, 670, 1620, 850))
    ink = np.maximum(ink, from_image(bars))
    pixels = over(pixels, (22, 22, 24), blurred(ink, 1.0), 0.93)
    frame = _layer(size)
    ImageDraw.Draw(frame).rounded_rectangle(
        (34, 34, size[0] - 34, size[1] - 34), radius=30, outline=255, width=7
    )
    pixels = over(pixels, (22, 22, 24), from_image(frame), 0.9)
    return _cut(pixels, 40), rect


def _barcode(draw: ImageDraw.ImageDraw, text: str, box: Rect) -> None:
    """Bars that look like a code of `text`; they need not scan."""
    bits = "".join(f"{ord(char) * 37 % 512:09b}1" for char in text)
    step = (box[2] - box[0]) / len(bits)
    for index, bit in enumerate(bits):
        if bit == "1":
            draw.rectangle((box[0] + index * step, box[1], box[0] + (index + 0.9) * step, box[3]), fill=255)


def label(text: str, rng: np.random.Generator) -> tuple[Image.Image, Rect]:
    """A yellow fuel-flap label with lettering that is no VIN (RGBA, flat)."""
    size = (1800, 760)
    pixels = tinted(filled(size, (236, 196, 36)), smooth_noise(rng, size, 400) * np.float32(0.10))
    rect, height = _centred(text, size, 0.82, SMALL, 0.5)
    ink = _written(size, [(text, rect[0], rect[1], height, SMALL)])
    frame = _layer(size)
    ImageDraw.Draw(frame).rounded_rectangle(
        (40, 40, size[0] - 40, size[1] - 40), radius=40, outline=255, width=14
    )
    return _cut(over(pixels, (24, 22, 18), np.maximum(ink, from_image(frame)), 0.93), 60), rect


TAGS: dict[str, Callable[[str, np.random.Generator], tuple[Image.Image, Rect]]] = {
    "plate": metal_tag,
    "pricked": lambda text, rng: metal_tag(text, rng, pricked=True),
    "sticker": sticker,
    "label": label,
}
"""Style to the flat thing that carries a text."""
