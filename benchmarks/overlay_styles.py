"""What cameras and people lay over a photo, drawn from seeds: captions, bars, subtitles, watermarks, stickers, covers.

Fonts, inks, sizes and places vary. Nothing touches the plate.
"""

import random
from collections.abc import Callable

from PIL import Image, ImageColor, ImageDraw, ImageFilter, ImageFont

from benchmarks.changes import saved
from benchmarks.corpus import Drawn, font
from mock_server.imaging.geometry import Box

_WORDS = (
    "2024-06-11 08:15:22",
    "11.06.2024 08:15",
    "06/11/2024 8:15 AM",
    "11 JUN 2024",
    "Tue 11 Jun 2024 08:15:22 CEST",
    "'24 6 11",
    "2024:06:11 08:15:22.418",
)
_NAMES = ("CAM 03", "Camera 01", "GATE WEST", "CH4 ENTRANCE", "IPC", "Yard 2 - North", "REC", "DASHCAM PRO 4K")
_ROADS = (
    "2024/06/11 08:15:22   52 KM/H   N48.137 E11.575",
    "11-06-2024 08:15:22 033 MPH 70mai A810",
    "VIOFO A129  06/11/2024 08:15:22  N:51.5 W:0.12",
    "Speed 048 km/h   Limit 050   Site 0417   Lane 2",
)
_MARKS = ("(c) motors.example", "www.autohaus.example", "SAMPLE", "Parking Control", "Example Cars Ltd")
_INKS = ("#ffffff", "#ffffff", "#ffb020", "#ffd800", "#ff3020", "#20ff40", "#f08020", "#000000", "#30d0ff")

Overlay = Callable[[Image.Image, Box, random.Random], None]
"""Draws something over a picture, away from a box."""


def with_overlay(drawn: Drawn, kind: str, seed: int) -> bytes:
    """The picture of a scene with one overlay, as a client sends it."""
    rng = random.Random(f"{kind} {seed}")
    image = drawn.image.copy()
    OVERLAYS[kind](image, drawn.box, rng)
    if rng.random() < 0.3:
        factor = rng.uniform(0.7, 1.2)
        image = image.resize((round(factor * image.width), round(factor * image.height)), Image.Resampling.BICUBIC)
    return saved(image, quality=rng.choice((80, 85, 90, 95)))


def _text_size(words: str, face: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> tuple[int, int]:
    draw = ImageDraw.Draw(Image.new("L", (1, 1)))
    left, top, right, bottom = draw.textbbox((0, 0), words, font=face)
    return round(right - left), round(bottom - top)


def _write(image: Image.Image, box: Box, place: tuple[float, float], words: str, size: int, rng: random.Random) -> None:
    """Text with its corner or middle at a place (0 to 1 on either axis); not where the box is."""
    face = font(rng.randrange(1000), size)
    ink, style = rng.choice(_INKS), rng.choice(("plain", "plain", "outline", "shadow"))
    width, height = _text_size(words, face)
    space = rng.uniform(0.008, 0.03) * image.height
    x = space + place[0] * (image.width - width - 2 * space)
    y = space + place[1] * (image.height - 1.4 * height - 2 * space)
    if _touches(box, (x, y, x + width, y + 1.5 * height), 0.02 * image.height):
        return
    dark = "#000000" if ink != "#000000" else "#ffffff"
    draw = ImageDraw.Draw(image)
    if style == "shadow":
        draw.text((x + 1 + size // 20, y + 1 + size // 20), words, dark, face)
    stroke = max(1, size // 16) if style == "outline" else 0
    draw.text((x, y), words, ink, face, stroke_width=stroke, stroke_fill=dark)


def _touches(box: Box, edges: tuple[float, float, float, float], space: float) -> bool:
    return (
        edges[0] < box.xmax + space
        and edges[2] > box.xmin - space
        and edges[1] < box.ymax + space
        and edges[3] > box.ymin - space
    )


def _timestamp(image: Image.Image, box: Box, rng: random.Random) -> None:
    """One line in a corner or in the middle of the upper or lower edge."""
    place = (rng.choice((0.0, 0.0, 0.5, 1.0, 1.0)), float(_free_edge(image, box)))
    _write(image, box, place, rng.choice(_WORDS), _size(image, rng, 0.022, 0.055), rng)


def _two_lines(image: Image.Image, box: Box, rng: random.Random) -> None:
    """A camera's name and the time, one below the other in a corner."""
    size, x, edge = _size(image, rng, 0.022, 0.04), rng.choice((0.0, 1.0)), _free_edge(image, box)
    step = 1.6 * size / image.height
    seed = rng.random()
    for line, words in enumerate((rng.choice(_NAMES), rng.choice(_WORDS))):
        y = step * line if not edge else 1 - step * (1 - line)
        _write(image, box, (x, y), words, size, random.Random(seed))


def _corners(image: Image.Image, box: Box, rng: random.Random) -> None:
    """What a surveillance camera writes: a name in one corner and the time in another one."""
    corners = [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)]
    rng.shuffle(corners)
    size, seed = _size(image, rng, 0.025, 0.05), rng.random()
    for corner, words in zip(corners, (rng.choice(_WORDS), rng.choice(_NAMES)), strict=False):
        _write(image, box, corner, words, size, random.Random(seed))


def _bar(image: Image.Image, box: Box, rng: random.Random, alpha: float = 1.0) -> None:
    """A bar over the whole width at the upper or lower edge, with text."""
    high = rng.uniform(0.04, 0.1) * image.height
    is_below = _free_edge(image, box)
    top = round(image.height - high) if is_below else 0
    colour = rng.choice(("#000000", "#000000", "#202428", "#ffffff", "#10306a"))
    edges = (0, top, image.width, round(top + high))
    if _touches(box, edges, 0):
        return
    ground = Image.new("RGB", (image.width, edges[3] - top), colour)
    image.paste(Image.blend(image.crop(edges), ground, alpha), edges)
    face = font(rng.randrange(1000), round(0.6 * high))
    ink = "#000000" if sum(ImageColor.getrgb(colour)[:3]) > 380 else rng.choice(("#ffffff", "#ffd800", "#40ff60"))
    ImageDraw.Draw(image).text((0.4 * high, top + 0.5 * high), rng.choice(_ROADS), ink, face, anchor="lm")


def _clear_bar(image: Image.Image, box: Box, rng: random.Random) -> None:
    _bar(image, box, rng, rng.uniform(0.35, 0.75))


def _boxed_caption(image: Image.Image, box: Box, rng: random.Random) -> None:
    """A caption on a small ground of its own, in a corner."""
    size = _size(image, rng, 0.025, 0.045)
    face, words = font(rng.randrange(1000), size), rng.choice(_WORDS + _NAMES)
    width, high = _text_size(words, face)[0] + size, round(1.6 * size)
    space = round(rng.choice((0.0, 0.01, 0.03)) * image.height)
    x = rng.choice((space, image.width - width - space))
    y = image.height - high - space if _free_edge(image, box) else space
    edges = (x, y, x + width, y + high)
    if _touches(box, edges, 0.01 * image.height):
        return
    ground = Image.new("RGB", (width, high), rng.choice(("#000000", "#ffffff", "#404040")))
    image.paste(Image.blend(image.crop(edges), ground, rng.choice((0.5, 1.0))), edges)
    ImageDraw.Draw(image).text((x + size / 2, y + high / 2), words, rng.choice(_INKS[:6]), face, anchor="lm")


def _side(image: Image.Image, box: Box, rng: random.Random) -> None:
    """A line of text that runs up the left or the right edge."""
    turned = image.transpose(Image.Transpose.ROTATE_90)
    _write(
        turned,
        Box(box.ymin, image.width - box.xmax, box.ymax, image.width - box.xmin),
        (rng.choice((0.0, 0.5, 1.0)), 1.0 if box.xmin + box.xmax < image.width else 0.0),
        rng.choice(_WORDS + _MARKS),
        _size(image, rng, 0.022, 0.04),
        rng,
    )
    image.paste(turned.transpose(Image.Transpose.ROTATE_270))


def _watermark(image: Image.Image, box: Box, rng: random.Random) -> None:
    """A dealer's name, half transparent, somewhere in the picture."""
    over = image.copy()
    place = (rng.choice((0.0, 0.5, 1.0)), rng.choice((0.1, 0.5, 0.9)))
    _write(over, box, place, rng.choice(_MARKS), _size(image, rng, 0.03, 0.08), rng)
    image.paste(Image.blend(image, over, rng.uniform(0.3, 0.7)))


def _place(image: Image.Image, box: Box, rng: random.Random) -> tuple[int, int, int, int] | None:
    """A place of a face's size that does not touch the box."""
    for _ in range(40):
        width = rng.uniform(0.05, 0.13) * image.width
        height = width * rng.uniform(0.9, 1.35)
        x, y = rng.uniform(0, image.width - width), rng.uniform(0, image.height - height)
        edges = (round(x), round(y), round(x + width), round(y + height))
        if not _touches(box, edges, 0.01 * image.height):
            return edges
    return None


def _covered(make: Callable[[Image.Image, random.Random], Image.Image], round_: bool = False) -> Overlay:
    """One to three places covered by what `make` makes of them."""

    def draw(image: Image.Image, box: Box, rng: random.Random) -> None:
        for _ in range(rng.choice((1, 2, 3))):
            if (edges := _place(image, box, rng)) is None:
                continue
            part = image.crop(edges)
            mask = Image.new("L", part.size, 0 if round_ else 255)
            if round_:
                ImageDraw.Draw(mask).ellipse((0, 0, part.width - 1, part.height - 1), 255)
            image.paste(make(part, rng), edges, mask)

    return draw


def _blurred(part: Image.Image, rng: random.Random) -> Image.Image:
    return part.filter(ImageFilter.GaussianBlur(rng.uniform(0.09, 0.2) * part.width))


def _pixelated(part: Image.Image, rng: random.Random) -> Image.Image:
    cells = rng.choice((5, 6, 8, 10))
    small = part.resize((cells, round(cells * part.height / part.width)), Image.Resampling.BOX)
    return small.resize(part.size, Image.Resampling.NEAREST)


def _black(part: Image.Image, rng: random.Random) -> Image.Image:
    return Image.new("RGB", part.size, rng.choice(("#000000", "#000000", "#ffffff", "#808080", "#d02020")))


def _emoji(part: Image.Image, rng: random.Random) -> Image.Image:
    width, height = part.size
    face = Image.new("RGB", part.size, rng.choice(("#ffcc33", "#ffd93b", "#f6b26b", "#7fd34e")))
    draw = ImageDraw.Draw(face)
    for x in (0.33, 0.67):
        draw.ellipse(((x - 0.07) * width, 0.28 * height, (x + 0.07) * width, 0.46 * height), "#5a3a10")
    draw.arc((0.25 * width, 0.35 * height, 0.75 * width, 0.8 * height), 20, 160, "#5a3a10", max(2, width // 16))
    return face


def _free_edge(image: Image.Image, box: Box) -> bool:
    """Whether the lower edge is farther from the box than the upper one."""
    return box.ymin + box.ymax < image.height


def _size(image: Image.Image, rng: random.Random, low: float, high: float) -> int:
    return max(11, round(rng.uniform(low, high) * image.height))


OVERLAYS: dict[str, Overlay] = {
    "timestamp": _timestamp,
    "two lines": _two_lines,
    "captions in corners": _corners,
    "bar": _bar,
    "clear bar": _clear_bar,
    "caption on a ground": _boxed_caption,
    "text along a side": _side,
    "watermark": _watermark,
    "blurred": _covered(_blurred, round_=True),
    "blurred square": _covered(_blurred),
    "pixelated": _covered(_pixelated),
    "blacked out": _covered(_black),
    "emoji": _covered(_emoji, round_=True),
}
