"""Vehicle identification numbers where they are found: riveted plates, door-jamb stickers, behind the windscreen."""

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mock_server.imaging.geometry import Box
from mock_server.imaging.synth.camera import Shot, box_around, exposed, streaks
from mock_server.imaging.synth.glyphs import (
    PRICKED,
    PRINTED,
    SMALL,
    STAMPED,
    Lettering,
    draw_text,
    text_width,
)
from mock_server.imaging.synth.pixels import (
    Colour,
    Matrix,
    Pixels,
    Rect,
    blurred,
    from_image,
    gradient,
    homography,
    lit,
    mapped,
    over,
    smooth_noise,
    to_image,
    turned,
    warped,
)
from mock_server.imaging.synth.truth import Truth, VinTruth


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
    """Where a line as wide as `room` (part of the width) stands, and its height."""
    height = size[0] * room / text_width(text, lettering)
    left = size[0] * (1 - room) / 2
    top = size[1] * middle - height / 2
    return (left, top, left + size[0] * room, top + height), height


def metal_tag(text: str, rng: np.random.Generator, *, pricked: bool = False) -> tuple[Image.Image, Rect]:
    """A stamped metal plate with rivets (RGBA, flat) and the rectangle of the number on it."""
    size = (1800, 520)
    tone: Colour = ((176, 178, 180), (188, 184, 172), (58, 60, 64))[
        int(rng.integers(3)) if not pricked else 0
    ]
    pixels = np.ones((size[1], size[0], 3), np.float32) * (np.array(tone, np.float32) / 255)
    pixels = pixels * (1 + streaks(size, rng)[..., None] * np.float32(0.10))
    pixels = over(
        pixels,
        (255, 255, 255),
        np.repeat(
            np.clip(1 - np.abs(np.linspace(-0.6, 1.6, size[0])) * 1.2, 0, 1)[None, :], size[1], 0
        ).astype(np.float32),
        0.22,
    )
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
        pixels = _riveted(pixels, (x, size[1] / 2), 34)
    return _cut(pixels, 42), rect


def _riveted(pixels: Pixels, at: tuple[float, float], radius: float) -> Pixels:
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
    pixels = np.ones((size[1], size[0], 3), np.float32) * np.float32(0.93)
    pixels *= 1 + (smooth_noise(rng, size, 500)[..., None] - np.float32(0.5)) * np.float32(0.08)
    month, year = int(rng.integers(1, 13)), int(rng.integers(16, 26))
    weight = int(rng.integers(1600, 2900))
    small = [
        (f"DATE OF MFR:  {month:02d}/{year}", 90, 90, 54),
        (f"GVWR: {weight} KG ({round(weight * 2.2046)} LB)", 860, 90, 54),
        (f"GAWR FRT: {weight // 2} KG", 90, 180, 54),
        (f"GAWR RR: {weight // 2 + 40} KG", 860, 180, 54),
        ("THIS VEHICLE CONFORMS TO ALL APPLICABLE FEDERAL MOTOR", 90, 290, 46),
        ("VEHICLE SAFETY STANDARDS IN EFFECT ON THE DATE SHOWN ABOVE.", 90, 348, 46),
        ("VIN:", 90, 436, 54),
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
    pixels = np.ones((size[1], size[0], 3), np.float32) * np.array((0.93, 0.77, 0.14), np.float32)
    pixels *= 1 + (smooth_noise(rng, size, 400)[..., None] - np.float32(0.5)) * np.float32(0.10)
    rect, height = _centred(text, size, 0.82, SMALL, 0.5)
    ink = _written(size, [(text, rect[0], rect[1], height, SMALL)])
    frame = _layer(size)
    ImageDraw.Draw(frame).rounded_rectangle(
        (40, 40, size[0] - 40, size[1] - 40), radius=40, outline=255, width=14
    )
    return _cut(over(pixels, (24, 22, 18), np.maximum(ink, from_image(frame)), 0.93), 60), rect


def _bodywork(size: tuple[int, int], rng: np.random.Generator) -> Pixels:
    """A painted panel close up, with a fold and a bolt or two."""
    tones: tuple[Colour, ...] = (
        (150, 154, 158),
        (118, 26, 30),
        (34, 52, 86),
        (196, 196, 192),
        (46, 48, 52),
        (54, 84, 66),
    )
    tone = tones[int(rng.integers(len(tones)))]
    lighter: Colour = (min(255, tone[0] + 34), min(255, tone[1] + 34), min(255, tone[2] + 34))
    darker: Colour = (round(tone[0] * 0.5), round(tone[1] * 0.5), round(tone[2] * 0.5))
    fold = 0.12 + 0.06 * float(rng.random())
    pixels = gradient(
        size,
        (
            (0.0, darker),
            (fold, darker),
            (fold + 0.012, lighter),
            (fold + 0.10, tone),
            (0.8, tone),
            (1.0, darker),
        ),
    )
    pixels *= (0.82 + 0.36 * smooth_noise(rng, size, size[0] / 2.2))[..., None]
    pixels = _riveted(pixels, (size[0] * 0.09, size[1] * 0.88), size[0] * 0.018)
    return over(pixels, (92, 80, 62), np.clip(smooth_noise(rng, size, size[0] / 30) * 2 - 1.05, 0, 1), 0.35)


def _dashboard(size: tuple[int, int], rng: np.random.Generator) -> Pixels:
    """A dashboard's top seen through the windscreen, with the dotted border of the glass below."""
    width, height = size
    pixels = gradient(
        size, ((0.0, (20, 22, 25)), (0.22, (40, 42, 46)), (0.6, (62, 63, 66)), (1.0, (44, 45, 48)))
    )
    grain = rng.normal(0, 1, (height, width)).astype(np.float32)
    pixels *= (1 + blurred(np.clip(grain * 0.2 + 0.5, 0, 1), 1.4) - np.float32(0.5))[..., None]
    vent = _layer(size)
    draw = ImageDraw.Draw(vent)
    for index in range(16):
        x = width * (0.06 + index * 0.058)
        draw.rounded_rectangle((x, height * 0.13, x + width * 0.040, height * 0.16), radius=6, fill=255)
    return over(pixels, (6, 6, 7), from_image(vent), 0.9)


def _behind_glass(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """The windscreen over the picture: sky and trees mirrored in it, its black border and the border's dots."""
    height, width = pixels.shape[:2]
    size = (width, height)
    trees = np.clip((smooth_noise(rng, size, width / 3) - 0.5) * 5, 0, 1)
    slope = np.clip(
        np.linspace(1.2, -0.3, width)[None, :] + np.linspace(0.5, -0.5, height)[:, None], 0, 1
    ).astype(np.float32)
    pixels = over(pixels, (178, 204, 226), trees * slope, 0.26)
    band = np.clip(
        1 - np.abs(np.linspace(-1.3, 2.1, width)[None, :] - np.linspace(0.2, 0.8, height)[:, None]) * 3.4,
        0,
        1,
    )
    pixels = over(pixels, (255, 255, 255), band.astype(np.float32), 0.13)
    border = _layer(size)
    draw = ImageDraw.Draw(border)
    draw.rectangle((0, height * 0.93, width, height), fill=255)
    for row, radius in enumerate((0.0085, 0.0065, 0.0045)):
        y = height * (0.915 - row * 0.026)
        for column in range(62):
            x = width * (column + 0.5 * (row % 2)) / 60
            reach = radius * width
            draw.ellipse((x - reach, y - reach, x + reach, y + reach), fill=255)
    return over(pixels, (8, 8, 9), from_image(border), 0.95)


def _set_down(
    base: Pixels, tag: Image.Image, corners: list[tuple[float, float]], depth: float
) -> tuple[Pixels, Matrix]:
    """`tag` laid on `base` with its corners at these places, with a shadow; also the matrix that took it there."""
    size = (base.shape[1], base.shape[0])
    matrix = homography([(0, 0), (tag.width, 0), (tag.width, tag.height), (0, tag.height)], corners)
    seen = from_image(warped(tag, matrix, size))
    cover = seen[..., 3]
    lift = max(1, round(depth * size[0]))
    shadow = np.roll(np.roll(blurred(cover, lift * 1.2), lift, axis=0), lift // 2, axis=1)
    return over(over(base, (0, 0, 0), shadow, 0.6), seen[..., :3].copy(), cover), matrix


def _quad(
    size: tuple[int, int],
    tag: Image.Image,
    wide: float,
    rng: np.random.Generator,
    rotate: float,
    flat: float = 1.0,
    middle: float = 0.52,
) -> list[tuple[float, float]]:
    """Corners of the tag in the picture: `wide` of its width, seen from a little aside and turned by `rotate`."""
    width = size[0] * wide
    height = width * tag.height / tag.width * flat
    left, top = (size[0] - width) / 2, size[1] * middle - height / 2
    lean = rng.uniform(-1, 1)
    near, far = height * (1 + 0.05 * lean), height * (1 - 0.05 * lean)
    centre = top + height / 2
    corners = [
        (left, centre - near / 2),
        (left + width, centre - far / 2),
        (left + width * (1 + (1 - flat) * 0.06), centre + far / 2),
        (left - width * (1 - flat) * 0.06, centre + near / 2),
    ]
    turn = turned(rotate, (size[0] / 2, size[1] / 2))
    return mapped(turn, corners)


def paint_vin(
    text: str, style: str, size: tuple[int, int], shot: Shot, rng: np.random.Generator
) -> tuple[Image.Image, Truth]:
    """A picture of a number in one of `VIN_STYLES` and its truth; style `label` shows text that is no VIN."""
    if style == "dashboard":
        tag, rect = metal_tag(text, rng)
        base, matrix = _set_down(
            _dashboard(size, rng), tag, _quad(size, tag, 0.62, rng, shot.rotate - 1.0, 0.72, 0.60), 0.004
        )
        pixels = _behind_glass(base, rng)
    else:
        tag, rect = _TAGS[style](text, rng)
        pixels, matrix = _set_down(
            _bodywork(size, rng),
            tag,
            _quad(size, tag, 0.84, rng, shot.rotate + rng.uniform(-1.2, 1.2)),
            0.003,
        )
    if shot.night:
        pixels = pixels * np.float32(1 - 0.55 * shot.night)
    around = box_around(matrix, rect)
    left, top, right, bottom = (round(value) for value in around)
    box = Box(left, top, right, bottom).clamped(*size)
    image = exposed(pixels, shot, box, rng)
    return image, Truth(text=text) if style == "label" else Truth(vin=VinTruth(text, box))


_TAGS: dict[str, Callable[[str, np.random.Generator], tuple[Image.Image, Rect]]] = {
    "plate": metal_tag,
    "pricked": lambda text, rng: metal_tag(text, rng, pricked=True),
    "sticker": sticker,
    "label": label,
}
VIN_STYLES = ("plate", "pricked", "sticker", "dashboard", "label")
"""How a number is shown: stamped or dot-peened on metal, printed on a sticker, behind glass; or a label without one."""
