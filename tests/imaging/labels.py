"""Drawn pictures for tests of large texts: leaves of many sizes, and labels of one line."""

import random

from PIL import Image, ImageDraw, ImageFont

from mock_server.imaging.geometry import Box

Colour = tuple[int, int, int]


def leaves(size: tuple[int, int], seed: int, ground: Colour) -> Image.Image:
    """Leaves of many sizes and colours."""
    rng = random.Random(seed)
    picture = Image.new("RGB", size, ground)
    draw = ImageDraw.Draw(picture)
    for _ in range(900):
        x, y, reach = rng.uniform(0, size[0]), rng.uniform(0, size[1]), rng.uniform(6, 50)
        colour = tuple(round(rng.uniform(20, 230)) for _ in range(3))
        draw.ellipse((x - reach, y - reach * 0.6, x + reach, y + reach * 0.6), fill=colour)
    return picture


def write_label(picture: Image.Image, text: str, box: Box, paper: Colour, ink: Colour) -> None:
    """Draw a label that fills a box, with one character in each equal part of its width."""
    draw = ImageDraw.Draw(picture)
    draw.rounded_rectangle((box.xmin, box.ymin, box.xmax, box.ymax), 8, paper)
    step = box.width * 0.94 / len(text)
    face = ImageFont.load_default(min(round(box.height * 0.8), round(step * 1.3)))
    for place, character in enumerate(text):
        middle = (box.xmin + 0.03 * box.width + (place + 0.5) * step, (box.ymin + box.ymax) / 2)
        draw.text(middle, character, ink, face, anchor="mm")
