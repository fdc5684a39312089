"""Licence plates, flat and seen from the front."""

from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mock_server.drawing import raster
from mock_server.drawing.designs import DESIGNS, Band, Caption, PlateDesign
from mock_server.drawing.glyphs import SMALL, draw_text, text_mask, text_width
from mock_server.drawing.raster import Colour, Pixels, Point, Rect, Size

SCALE = 3
"""Pixels of a flat plate per millimetre."""


@dataclass(frozen=True, slots=True)
class FlatPlate:
    """A flat plate: its image (RGBA, rounded corners) and the bounding box of its text, in its pixels."""

    image: Image.Image
    text_rect: Rect


def flat_plate(
    text: str, region: str, rng: np.random.Generator, *, two_line: bool = False, dirt: float = 0.3, front: bool = False
) -> FlatPlate:
    """The plate of `region` with `text`. Raises KeyError for an unknown region or character.

    `front`: the plate at the front of a vehicle, which has another colour in some countries.
    """
    design, size = DESIGNS[region], plate_size(region, two_line)
    year, clouds = random_details(region, size, rng)
    if front and region == "gb":
        design = replace(design, field=((0, (238, 240, 240)),))
    if two_line:
        design = replace(design, letter=design.letter * 0.98, captions=())
    pixels = raster.gradient(size, design.field)
    for band in design.bands:
        pixels = _add_band(pixels, band)
    for caption in design.captions:
        pixels = _add_caption(pixels, caption)
    lines = _two_lines(text) if two_line else (text.replace("-", design.separator or "-"),)
    ink, rect = _text_mask(lines, design, size)
    pixels = raster.blend(pixels, design.ink, ink)
    rim = raster.blur(raster.frame(size, 2.2 * SCALE, 8 * SCALE, round(2.4 * SCALE)), 0.8)
    if design.rim:
        pixels = raster.blend(pixels, design.rim, rim)
    relief = np.maximum(rim * np.float32(0.6), ink * np.float32(0.9))
    pixels = raster.emboss(pixels, raster.blur(relief, SCALE * 0.55), 0.9)
    if design.holes:
        pixels = _add_bolts(pixels)
    if design.stickers:
        pixels = _add_stickers(pixels, year)
    pixels = raster.blend(pixels, (104, 92, 76), clouds, dirt)
    return FlatPlate(raster.cut_out(pixels, 10 * SCALE), rect)


def plate_size(region: str, two_line: bool) -> Size:
    """Width and height of a flat plate."""
    width, height = DESIGNS[region].size
    if two_line and width > 400:
        width, height = 280, 200
    return round(width * SCALE), round(height * SCALE)


def random_details(region: str, size: Size, rng: np.random.Generator) -> tuple[Colour, Pixels]:
    """The colour of the year's sticker, and the mask of the dirt: clouds, more of them at the bottom."""
    colours: tuple[Colour, ...] = ((198, 40, 44), (40, 110, 60), (234, 170, 30), (36, 70, 160))
    year = colours[int(rng.integers(4))] if DESIGNS[region].stickers else colours[0]
    clouds = raster.smooth_noise(rng, size, size[0] / 5) * raster.smooth_noise(rng, size, size[0] / 40)
    low = np.linspace(0.3, 1.0, size[1], dtype=np.float32)[:, None]
    return year, np.clip(clouds * low, 0, 1)


def _two_lines(text: str) -> tuple[str, str]:
    """The text split at the separator nearest to its middle, or in its middle."""
    cuts = [index for index, char in enumerate(text) if char in " -" and 0 < index < len(text) - 1]
    if not cuts:
        return text[: len(text) // 2], text[len(text) // 2 :]
    cut = min(cuts, key=lambda index: abs(index - len(text) / 2))
    return text[:cut], text[cut + 1 :]


def _text_mask(lines: tuple[str, ...], design: PlateDesign, size: Size) -> tuple[Pixels, Rect]:
    """The mask of the text, and its bounding box."""
    left = sum(band.width for band in design.bands if not band.right) * SCALE
    right = size[0] - sum(band.width for band in design.bands if band.right) * SCALE
    height = design.letter * SCALE
    middles, share = ((design.middle,), 0.90) if len(lines) == 1 else ((0.28, 0.73), 0.84)
    mask = Image.new("L", size)
    rects: list[Rect] = []
    for line, middle in zip(lines, middles, strict=True):
        if not line:  # a text of one character
            continue
        natural = text_width(line, design.lettering) * height
        room = (right - left) * share
        stretch = min(1.0, room / natural)
        # A short line is stretched to fill the plate better, as on real ones.
        if len(lines) == 1 and natural < room * 0.8:
            stretch = min(1.22, room * 0.86 / natural)
        x, y = (left + right - natural * stretch) / 2, size[1] * middle - height / 2
        draw_text(ImageDraw.Draw(mask), (x, y), height, line, design.lettering, stretch)
        rects.append((x, y, x + natural * stretch, y + height))
    lefts, tops, rights, bottoms = zip(*rects, strict=True)
    return raster.blur(raster.from_image(mask), 0.6), (min(lefts), min(tops), max(rights), max(bottoms))


def _add_band(pixels: Pixels, band: Band) -> Pixels:
    size = raster.size_of(pixels)
    height, wide = size[1], band.width * SCALE
    edge = size[0] - wide if band.right else 0.0
    middle = edge + wide / 2
    pixels = raster.blend(pixels, band.fill, raster.rectangle(size, (edge, 0, edge + wide, height)))
    if band.stars:
        stars = raster.stencil(size, lambda draw: _draw_stars(draw, (middle, height * 0.30), wide))
        pixels = raster.blend(pixels, (246, 208, 40), stars)
    tall = height * 0.26 / max(len(band.flag), 1)
    for index, stripe in enumerate(band.flag):
        top = height * 0.18 + index * tall
        place = (edge + wide * 0.2, top, edge + wide * 0.8, top + tall)
        pixels = raster.blend(pixels, stripe, raster.rectangle(size, place))
    if band.letters:
        units = text_width(band.letters, SMALL)
        tall = min(height * 0.22, wide * 0.62 / max(units, 0.5) if len(band.letters) > 1 else height * 0.2)
        at = (middle - units * tall / 2, height * 0.78 - tall / 2)
        ink: Colour = (244, 244, 244) if sum(band.fill) < 400 else (20, 60, 150)
        pixels = raster.blend(pixels, ink, text_mask(size, at, tall, band.letters, SMALL))
    return pixels


def _draw_stars(draw: ImageDraw.ImageDraw, middle: Point, wide: float) -> None:
    """A ring of twelve five-pointed stars for a band of this width."""
    for index in range(12):
        angle = index * np.pi / 6
        x, y = middle[0] + np.cos(angle) * wide * 0.27, middle[1] + np.sin(angle) * wide * 0.27
        points = []
        for corner in range(10):
            reach = wide * 0.055 * (1 if corner % 2 == 0 else 0.42)
            turn = -np.pi / 2 + corner * np.pi / 5
            points.append((x + np.cos(turn) * reach, y + np.sin(turn) * reach))
        draw.polygon(points, fill=255)


def _add_caption(pixels: Pixels, caption: Caption) -> Pixels:
    width, height = raster.size_of(pixels)
    mask = Image.new("L", (width, height))
    tall, y = caption.height * SCALE, caption.y * SCALE
    ImageDraw.Draw(mask).text(
        (width / 2, y), caption.text, fill=255, font=ImageFont.load_default(tall), anchor="mm", stroke_width=tall / 40
    )
    if caption.script:
        # A slant makes the plain letters similar to the script on these plates.
        slant = (1, 0.22, -0.22 * caption.y * SCALE, 0, 1, 0)
        mask = mask.transform(mask.size, Image.Transform.AFFINE, slant, Image.Resampling.BICUBIC)
    return raster.blend(pixels, caption.ink, raster.from_image(mask))


def _add_bolts(pixels: Pixels) -> Pixels:
    size, radius = raster.size_of(pixels), 4.6 * SCALE

    def circles(draw: ImageDraw.ImageDraw) -> None:
        for x, y in ((0.24, 0.085), (0.76, 0.085), (0.24, 0.915), (0.76, 0.915)):
            left, top = size[0] * x - radius, size[1] * y - radius
            draw.ellipse((left, top, left + 2 * radius, top + 2 * radius), fill=255)

    heads = raster.blur(raster.stencil(size, circles), 1.5)
    pixels = raster.blend(pixels, (60, 60, 62), np.roll(raster.blur(heads, 5), 5, axis=0), 0.6)
    return raster.emboss(raster.blend(pixels, (164, 166, 170), heads), raster.blur(heads, 4), 2.2)


def _add_stickers(pixels: Pixels, year: Colour) -> Pixels:
    """The month at the top left and the year at the top right."""
    size = raster.size_of(pixels)
    for left, text, paint in ((8.0, "MAR", (236, 196, 60)), (266.0, "2027", year)):
        box = (left * SCALE, 9.0 * SCALE, (left + 31) * SCALE, 27.0 * SCALE)
        tall = 9 * SCALE
        at = ((box[0] + box[2] - text_width(text, SMALL) * tall) / 2, (box[1] + box[3] - tall) / 2)
        pixels = raster.blend(pixels, paint, raster.rectangle(size, box))
        pixels = raster.blend(pixels, (24, 24, 28), text_mask(size, at, tall, text, SMALL))
    return pixels
