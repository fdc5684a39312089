"""Licence plates seen from the front, flat, as they leave the press."""

from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mock_server.drawing.glyphs import draw_text, text_width
from mock_server.drawing.lettering import SMALL
from mock_server.drawing.pixel_effects import (
    Colour,
    Pixels,
    Rect,
    blurred,
    from_image,
    gradient,
    lit,
    over,
    smooth_noise,
    to_image,
)
from mock_server.drawing.plate_designs import DESIGNS, WHITE, Band, Caption, PlateDesign, plain

SCALE = 3
"""Pixels a millimetre of a flat plate."""


@dataclass(frozen=True, slots=True)
class FlatPlate:
    """A flat plate: its picture with rounded corners (RGBA) and where the text stands in it, in pixels."""

    image: Image.Image
    text_rect: Rect


def two_line_split(text: str) -> tuple[str, str]:
    """The two lines of `text`: cut at the separator nearest to the middle, or in the middle."""
    cuts = [index for index, char in enumerate(text) if char in " -"]
    if not cuts:
        return text[: len(text) // 2], text[len(text) // 2 :]
    cut = min(cuts, key=lambda index: abs(index - len(text) / 2))
    return text[:cut], text[cut + 1 :]


def flat_plate(
    text: str,
    region: str,
    rng: np.random.Generator,
    *,
    two_line: bool = False,
    dirt: float = 0.3,
    front: bool = False,
) -> FlatPlate:
    """The plate of `region` with `text`. Raises KeyError for an unknown region or a character without a glyph.

    `front`: the plate of a vehicle's front, which is another one in some countries.
    """
    design = DESIGNS[region]
    if front and region == "gb":
        design = replace(design, sky=plain(WHITE))
    if two_line:
        design = replace(
            design,
            size=(280.0, 200.0) if design.size[0] > 400 else design.size,
            letter=design.letter * 0.98,
            captions=(),
        )
    size = (round(design.size[0] * SCALE), round(design.size[1] * SCALE))
    pixels = gradient(size, design.sky)
    for band in design.bands:
        pixels = _banded(pixels, band, two_line)
    for caption in design.captions:
        pixels = _captioned(pixels, caption)
    lines = two_line_split(text) if two_line else (_displayed(text, design),)
    ink, rect = _text_layer(lines, design, size, two_line)
    pixels = over(pixels, design.ink, ink)
    pixels, relief = _rimmed(pixels, design, size)
    relief = np.maximum(relief, ink * np.float32(0.9))
    pixels = lit(pixels, blurred(relief, SCALE * 0.55), 0.9)
    pixels = _finished(pixels, design, size, rng, dirt)
    return FlatPlate(_rounded(pixels, size), rect)


def _displayed(text: str, design: PlateDesign) -> str:
    return text.replace("-", design.separator) if design.separator else text


def _layer(size: tuple[int, int]) -> Image.Image:
    return Image.new("L", size)


def _text_layer(
    lines: tuple[str, ...], design: PlateDesign, size: tuple[int, int], two_line: bool
) -> tuple[Pixels, Rect]:
    """The ink of the text as a mask, and the rectangle around it."""
    left = sum(band.width for band in design.bands if not band.right) * SCALE
    right = size[0] - sum(band.width for band in design.bands if band.right) * SCALE
    if two_line:
        left = 0.0 if not design.bands else left
    height = design.letter * SCALE
    mask = _layer(size)
    rects: list[Rect] = []
    for number, line in enumerate(lines):
        middle = size[1] * (design.middle if len(lines) == 1 else (0.28, 0.73)[number])
        natural = text_width(line, design.lettering) * height
        room = (right - left) * (0.90 if len(lines) == 1 else 0.84)
        stretch = min(1.0, room / natural)
        # Lines shorter than the field are spread a little, as presses do.
        if len(lines) == 1 and natural < room * 0.8:
            stretch = min(1.22, room * 0.86 / natural)
        at = ((left + right - natural * stretch) / 2, middle - height / 2)
        draw_text(mask, at, height, line, design.lettering, stretch)
        rects.append((at[0], at[1], at[0] + natural * stretch, at[1] + height))
    xs, ys = [r[0] for r in rects] + [r[2] for r in rects], [r[1] for r in rects] + [r[3] for r in rects]
    return blurred(from_image(mask), 0.6), (min(xs), min(ys), max(xs), max(ys))


def _banded(pixels: Pixels, band: Band, two_line: bool) -> Pixels:
    height, width = pixels.shape[:2]
    wide = band.width * SCALE
    edge = width - wide if band.right else 0.0
    mask = _layer((width, height))
    ImageDraw.Draw(mask).rectangle((edge, 0, edge + wide, height), fill=255)
    pixels = over(pixels, band.fill, from_image(mask))
    middle = edge + wide / 2
    if band.stars:
        stars = _layer((width, height))
        for index in range(12):
            angle = index * np.pi / 6
            _star(
                stars,
                (middle + np.cos(angle) * wide * 0.27, height * 0.30 + np.sin(angle) * wide * 0.27),
                wide * 0.055,
            )
        pixels = over(pixels, (246, 208, 40), from_image(stars))
    for index, stripe in enumerate(band.flag):
        flag = _layer((width, height))
        tall = height * 0.26 / len(band.flag)
        top = height * 0.18 + index * tall
        ImageDraw.Draw(flag).rectangle((edge + wide * 0.2, top, edge + wide * 0.8, top + tall), fill=255)
        pixels = over(pixels, stripe, from_image(flag))
    if band.letters:
        letters = _layer((width, height))
        tall = min(
            height * 0.22,
            wide * 0.62 / max(text_width(band.letters, SMALL), 0.5)
            if len(band.letters) > 1
            else height * 0.2,
        )
        at = (middle - text_width(band.letters, SMALL) * tall / 2, height * 0.78 - tall / 2)
        draw_text(letters, at, tall, band.letters, SMALL)
        ink: Colour = (244, 244, 244) if sum(band.fill) < 400 else (20, 60, 150)
        pixels = over(pixels, ink, from_image(letters))
    return pixels


def _star(mask: Image.Image, at: tuple[float, float], radius: float) -> None:
    points = []
    for index in range(10):
        reach = radius if index % 2 == 0 else radius * 0.42
        angle = -np.pi / 2 + index * np.pi / 5
        points.append((at[0] + np.cos(angle) * reach, at[1] + np.sin(angle) * reach))
    ImageDraw.Draw(mask).polygon(points, fill=255)


def _captioned(pixels: Pixels, caption: Caption) -> Pixels:
    height, width = pixels.shape[:2]
    mask = _layer((width, height))
    font = ImageFont.load_default(caption.height * SCALE)
    draw = ImageDraw.Draw(mask)
    x = width / 2 if caption.x is None else caption.x * SCALE
    heavy = caption.height * SCALE / 40
    draw.text((x, caption.y * SCALE), caption.text, fill=255, font=font, anchor="mm", stroke_width=heavy)
    if caption.script:
        # A slant makes the plain letters pass for the script of these plates.
        slant = 0.22
        mask = mask.transform(
            mask.size,
            Image.Transform.AFFINE,
            (1, slant, -slant * caption.y * SCALE, 0, 1, 0),
            Image.Resampling.BICUBIC,
        )
    return over(pixels, caption.ink, from_image(mask))


def _rimmed(pixels: Pixels, design: PlateDesign, size: tuple[int, int]) -> tuple[Pixels, Pixels]:
    """The plate with its raised rim; also the rim as a relief."""
    inset = 2.2 * SCALE
    mask = _layer(size)
    ImageDraw.Draw(mask).rounded_rectangle(
        (inset, inset, size[0] - inset, size[1] - inset),
        radius=8 * SCALE,
        outline=255,
        width=round(2.4 * SCALE),
    )
    rim = blurred(from_image(mask), 0.8)
    return (over(pixels, design.rim, rim) if design.rim else pixels), rim * np.float32(0.6)


def _finished(
    pixels: Pixels, design: PlateDesign, size: tuple[int, int], rng: np.random.Generator, dirt: float
) -> Pixels:
    if design.holes:
        pixels = _bolted(pixels, size)
    if design.stickers:
        pixels = _stickered(pixels, size, rng)
    grime = smooth_noise(rng, size, size[0] / 5) * smooth_noise(rng, size, size[0] / 40)
    low = np.linspace(0.3, 1.0, size[1], dtype=np.float32)[:, None]
    return over(pixels, (104, 92, 76), np.clip(grime * low, 0, 1), dirt)


def _bolted(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    mask = _layer(size)
    draw = ImageDraw.Draw(mask)
    radius = 4.6 * SCALE
    for x, y in ((0.24, 0.085), (0.76, 0.085), (0.24, 0.915), (0.76, 0.915)):
        left, top = size[0] * x - radius, size[1] * y - radius
        draw.ellipse((left, top, left + 2 * radius, top + 2 * radius), fill=255)
    heads = blurred(from_image(mask), 1.5)
    pixels = over(pixels, (60, 60, 62), np.roll(blurred(heads, 5), 5, axis=0), 0.6)
    return lit(over(pixels, (164, 166, 170), heads), blurred(heads, 4), 2.2)


def _stickered(pixels: Pixels, size: tuple[int, int], rng: np.random.Generator) -> Pixels:
    year = ((198, 40, 44), (40, 110, 60), (234, 170, 30), (36, 70, 160))[int(rng.integers(4))]
    for left, text, fill in ((8.0, "MAR", (236, 196, 60)), (266.0, "2027", year)):
        mask, ink = _layer(size), _layer(size)
        box = (left * SCALE, 9.0 * SCALE, (left + 31) * SCALE, 27.0 * SCALE)
        ImageDraw.Draw(mask).rectangle(box, fill=255)
        tall = 9 * SCALE
        middle = ((box[0] + box[2] - text_width(text, SMALL) * tall) / 2, (box[1] + box[3] - tall) / 2)
        draw_text(ink, middle, tall, text, SMALL)
        pixels = over(over(pixels, fill, from_image(mask)), (24, 24, 28), from_image(ink))
    return pixels


def _rounded(pixels: Pixels, size: tuple[int, int]) -> Image.Image:
    image = to_image(pixels).convert("RGBA")
    shape = _layer((size[0] * 2, size[1] * 2))
    ImageDraw.Draw(shape).rounded_rectangle(
        (0, 0, size[0] * 2 - 1, size[1] * 2 - 1), radius=20 * SCALE, fill=255
    )
    image.putalpha(shape.resize(size, Image.Resampling.BOX))
    return image
