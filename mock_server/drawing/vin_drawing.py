"""VINs where they are found: stamped on bodywork, on a sticker, behind the windscreen."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mock_server.drawing import raster
from mock_server.drawing.camera import Shot, expose
from mock_server.drawing.drawn_picture import Drawing, Truth, VinTruth
from mock_server.drawing.glyphs import SMALL, STYLES, Lettering, text_mask, text_width
from mock_server.drawing.raster import Colour, Matrix, Pixels, Point, Rect, Size

VIN_STYLES = ("plate", "pricked", "sticker", "dashboard", "label")
"""Stamped or dot-peened on metal, printed on a sticker, behind glass; or a label whose text is not a VIN."""

_Tag = tuple[Image.Image, Rect]
"""The carrier of a text, flat and seen from the front (RGBA), and the bounding box of the text in it."""
_Print = tuple[str, float, float, float]
"""A line of small print: text, left, top, height in pixels."""


def draw_vin(
    text: str, *, style: str = "plate", size: Size = (1024, 576), seed: int = 0, shot: Shot | None = None
) -> Drawing:
    """A picture of a VIN in one of `VIN_STYLES`. With the style `label`, the text is not a VIN."""
    rng, shot = np.random.default_rng(seed), shot or Shot()
    tag, rect = _tag(text, style, rng)
    if style == "dashboard":
        base = _dashboard(size, rng)
        corners = _seen_corners(size, tag, rng, wide=0.62, rotate=shot.rotate - 1.0, flat=0.72, middle=0.60)
        pixels, matrix = _lay_down(base, tag, corners, depth=0.004)
        pixels = _behind_glass(pixels, rng)
    else:
        base = _bodywork(size, rng)
        rotate = shot.rotate + rng.uniform(-1.2, 1.2)
        corners = _seen_corners(size, tag, rng, wide=0.84, rotate=rotate)
        pixels, matrix = _lay_down(base, tag, corners, depth=0.003)
    if shot.night:
        pixels = pixels * np.float32(1 - 0.55 * shot.night)
    box = raster.box_of(matrix, rect, size)
    truth = Truth(text=text) if style == "label" else Truth(vin=VinTruth(text, box))
    return Drawing(expose(pixels, shot, box, rng), truth, shot.quality)


def _tag(text: str, style: str, rng: np.random.Generator) -> _Tag:
    match style:
        case "sticker":
            return _sticker(text, rng)
        case "label":
            return _label(text, rng)
        case _:
            return _metal_plate(text, rng, pricked=style == "pricked")


def _metal_plate(text: str, rng: np.random.Generator, *, pricked: bool) -> _Tag:
    """A metal plate with rivets and a stamped or dot-peened text."""
    size = (1800, 520)
    tones: tuple[Colour, ...] = ((176, 178, 180), (188, 184, 172), (58, 60, 64))
    tone = tones[0] if pricked else tones[int(rng.integers(len(tones)))]
    is_dark = tone[0] < 100
    pixels = raster.brighten(raster.fill(size, tone), _brushed(size, rng) * np.float32(0.10))
    sheen = np.clip(1 - np.abs(np.linspace(-0.6, 1.6, size[0])) * 1.2, 0, 1)[None, :]
    pixels = raster.blend(pixels, (255, 255, 255), np.repeat(sheen, size[1], 0).astype(np.float32), 0.22)
    ink, rect = _centred(text, size, 0.84, STYLES["pricked" if pricked else "stamped"], 0.56)
    paint: Colour = (206, 208, 210) if is_dark else (40, 40, 42)
    pixels = raster.blend(pixels, paint, raster.blur(ink, 1.2), 0.80 if is_dark else 0.62)
    pixels = raster.emboss(pixels, raster.blur(ink, 2.4), 1.4 if is_dark else -1.6)
    caption = _small_print(size, [("VEHICLE IDENTIFICATION NUMBER", 160, 84, 52), ("DO NOT REMOVE", 1240, 400, 44)])
    pixels = raster.blend(pixels, (214, 214, 214) if is_dark else (52, 52, 54), caption, 0.8)
    pixels = raster.emboss(pixels, raster.blur(raster.frame(size, 14, 34, 9), 4), 1.4)
    for x in (70, size[0] - 70):
        pixels = _add_rivet(pixels, (x, size[1] / 2), 34)
    return raster.cut_out(pixels, 42), rect


def _sticker(text: str, rng: np.random.Generator) -> _Tag:
    """The certification label of a door jamb, with a bar code."""
    size = (1800, 980)
    pixels = raster.brighten(raster.fill(size, (237, 237, 237)), raster.smooth_noise(rng, size, 500) * np.float32(0.08))
    month, year = int(rng.integers(1, 13)), int(rng.integers(16, 26))
    weight = int(rng.integers(1600, 2900))
    small = _small_print(
        size,
        [
            (f"DATE OF MFR:  {month:02d}/{year}", 90, 90, 54),
            (f"GVWR: {weight} KG ({round(weight * 2.2046)} LB)", 860, 90, 54),
            (f"GAWR FRT: {weight // 2} KG", 90, 180, 54),
            (f"GAWR RR: {weight // 2 + 40} KG", 860, 180, 54),
            ("THIS VEHICLE CONFORMS TO ALL APPLICABLE FEDERAL MOTOR", 90, 290, 46),
            ("VEHICLE SAFETY STANDARDS IN EFFECT ON THE DATE SHOWN ABOVE.", 90, 348, 46),
            ("VIN:", 90, 426, 44),
            ("TYPE: PASSENGER CAR", 90, 884, 48),
            (f"COLOR: {int(rng.integers(100, 999))}   TRIM: K{int(rng.integers(10, 99))}", 900, 884, 48),
        ],
    )
    ink, rect = _centred(text, size, 0.80, STYLES["printed"], 0.565)
    bars = raster.stencil(size, lambda draw: _draw_barcode(draw, text, (180, 670, 1620, 850)))
    ink = np.maximum(np.maximum(small, ink), bars)
    pixels = raster.blend(pixels, (22, 22, 24), raster.blur(ink, 1.0), 0.93)
    return raster.cut_out(raster.blend(pixels, (22, 22, 24), raster.frame(size, 34, 30, 7), 0.9), 40), rect


def _label(text: str, rng: np.random.Generator) -> _Tag:
    """The yellow label of a fuel flap."""
    size = (1800, 760)
    pixels = raster.brighten(raster.fill(size, (236, 196, 36)), raster.smooth_noise(rng, size, 400) * np.float32(0.10))
    ink, rect = _centred(text, size, 0.82, SMALL, 0.5)
    return raster.cut_out(
        raster.blend(pixels, (24, 22, 18), np.maximum(ink, raster.frame(size, 40, 40, 14)), 0.93), 60
    ), rect


def _centred(text: str, size: Size, share: float, lettering: Lettering, middle: float) -> tuple[Pixels, Rect]:
    """A line of text over `share` of the width, less for a short text; also its bounding box."""
    units = text_width(text, lettering)
    height = min(size[0] * share / units, size[1] * 0.42)
    left, top = (size[0] - units * height) / 2, size[1] * middle - height / 2
    ink = text_mask(size, (left, top), height, text, lettering)
    return ink, (left, top, left + units * height, top + height)


def _small_print(size: Size, lines: Sequence[_Print]) -> Pixels:
    def write(draw: ImageDraw.ImageDraw) -> None:
        for text, left, top, height in lines:
            font = ImageFont.load_default(height)
            draw.text((left, top), text, fill=255, font=font, stroke_width=height / 60)

    return raster.stencil(size, write)


def _draw_barcode(draw: ImageDraw.ImageDraw, text: str, box: Rect) -> None:
    """Bars similar to a code of `text`; scanners cannot read them."""
    bits = "".join(f"{ord(char) * 37 % 512:09b}1" for char in text)
    step = (box[2] - box[0]) / len(bits)
    for index, bit in enumerate(bits):
        if bit == "1":
            draw.rectangle((box[0] + index * step, box[1], box[0] + (index + 0.9) * step, box[3]), fill=255)


def _brushed(size: Size, rng: np.random.Generator) -> Pixels:
    """The fine horizontal lines of brushed metal, about -1 to 1."""
    lines = rng.normal(0, 1, (size[1], max(2, size[0] // 60))).astype(np.float32)
    image = Image.fromarray(np.clip(lines * 40 + 128, 0, 255).astype(np.uint8))
    fine = (np.asarray(image.resize(size, Image.Resampling.BICUBIC), np.float32) - 128) / np.float32(128)
    return fine + (raster.smooth_noise(rng, size, size[0] / 3) - np.float32(0.5)) * np.float32(0.6)


def _add_rivet(pixels: Pixels, at: Point, radius: float) -> Pixels:
    head = raster.blur(raster.stencil(raster.size_of(pixels), lambda draw: draw.circle(at, radius, fill=255)), 2)
    pixels = raster.blend(pixels, (20, 20, 22), np.roll(raster.blur(head, 10), 8, axis=0), 0.5)
    return raster.emboss(raster.blend(pixels, (170, 172, 176), head), raster.blur(head, radius / 3), 6.0)


def _bodywork(size: Size, rng: np.random.Generator) -> Pixels:
    """A painted panel close up, with a fold and a bolt."""
    tones: tuple[Colour, ...] = (
        *((150, 154, 158), (118, 26, 30), (34, 52, 86)),
        *((196, 196, 192), (46, 48, 52), (54, 84, 66)),
    )
    tone = tones[int(rng.integers(len(tones)))]
    light: Colour = (min(255, tone[0] + 34), min(255, tone[1] + 34), min(255, tone[2] + 34))
    dark = raster.dim(tone, 0.5)
    fold = 0.12 + 0.06 * float(rng.random())
    stops = ((0.0, dark), (fold, dark), (fold + 0.012, light), (fold + 0.10, tone), (0.8, tone), (1.0, dark))
    shade = raster.smooth_noise(rng, size, size[0] / 2.2) * np.float32(0.36) - np.float32(0.18)
    pixels = raster.brighten(raster.gradient(size, stops), shade)
    pixels = _add_rivet(pixels, (size[0] * 0.09, size[1] * 0.88), size[0] * 0.018)
    dust = raster.smooth_noise(rng, size, size[0] / 90) * raster.smooth_noise(rng, size, size[0] / 6)
    return raster.blend(pixels, (150, 140, 122), dust, 0.22)


def _dashboard(size: Size, rng: np.random.Generator) -> Pixels:
    """The top of a dashboard, with air vents."""
    width, height = size
    pixels = raster.gradient(
        size, ((0.0, (20, 22, 25)), (0.22, (40, 42, 46)), (0.6, (62, 63, 66)), (1.0, (44, 45, 48)))
    )
    grain = rng.normal(0, 1, (height, width)).astype(np.float32)
    pixels = raster.brighten(pixels, raster.blur(np.clip(grain * 0.2 + 0.5, 0, 1), 1.4) - np.float32(0.5))

    def vents(draw: ImageDraw.ImageDraw) -> None:
        for index in range(16):
            x = width * (0.06 + index * 0.058)
            draw.rounded_rectangle((x, height * 0.13, x + width * 0.040, height * 0.16), radius=6, fill=255)

    return raster.blend(pixels, (6, 6, 7), raster.stencil(size, vents), 0.9)


def _behind_glass(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """The windscreen over the picture: reflections, and the black border with dots at the bottom."""
    width, height = size = raster.size_of(pixels)
    trees = np.clip((raster.smooth_noise(rng, size, width / 3) - 0.5) * 5, 0, 1)
    slope = np.linspace(1.2, -0.3, width)[None, :] + np.linspace(0.5, -0.5, height)[:, None]
    pixels = raster.blend(pixels, (178, 204, 226), trees * np.clip(slope, 0, 1).astype(np.float32), 0.26)
    line = np.linspace(-1.3, 2.1, width)[None, :] - np.linspace(0.2, 0.8, height)[:, None]
    band = np.clip(1 - np.abs(line) * 3.4, 0, 1).astype(np.float32)
    pixels = raster.blend(pixels, (255, 255, 255), band, 0.13)

    def border(draw: ImageDraw.ImageDraw) -> None:
        draw.rectangle((0, height * 0.93, width, height), fill=255)
        for row, radius in enumerate((0.0085, 0.0065, 0.0045)):
            for column in range(62):
                x, y = width * (column + 0.5 * (row % 2)) / 60, height * (0.915 - row * 0.026)
                draw.circle((x, y), radius * width, fill=255)

    return raster.blend(pixels, (8, 8, 9), raster.stencil(size, border), 0.95)


def _lay_down(base: Pixels, tag: Image.Image, corners: list[Point], depth: float) -> tuple[Pixels, Matrix]:
    """`base` with the tag on it and its shadow; also the matrix from the tag's pixels to those of the picture.

    `depth`: how far the tag stands out, as a fraction of the width.
    """
    size = raster.size_of(base)
    matrix = raster.homography(raster.corners_of(tag.size), corners)
    layer = raster.from_image(raster.warp(tag, matrix, size))
    cover = layer[..., 3]
    lift = max(1, round(depth * size[0]))
    shadow = np.roll(np.roll(raster.blur(cover, lift * 1.2), lift, axis=0), lift // 2, axis=1)
    return raster.blend(raster.blend(base, (0, 0, 0), shadow, 0.6), layer[..., :3], cover), matrix


def _seen_corners(
    size: Size,
    tag: Image.Image,
    rng: np.random.Generator,
    *,
    wide: float,
    rotate: float,
    flat: float = 1.0,
    middle: float = 0.52,
) -> list[Point]:
    """The corners of the tag in the picture, seen a little from one side.

    `wide`: its width as a fraction of the picture's. `flat`: how much of its height remains when it is seen from above.
    """
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
    return raster.apply(raster.rotation(rotate, (size[0] / 2, size[1] / 2)), corners)
