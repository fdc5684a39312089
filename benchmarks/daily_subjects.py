"""What the daily changes are made to: photographs with plates and VINs of real proportions, and drawn pictures.

Each subject is a scene whose text can be drawn anew. A seed determines everything of it except the text.
"""

import random
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PIL import Image, ImageDraw, ImageOps

from benchmarks import styles
from benchmarks.corpus import Drawn, Scene, colour, font, plate, quad, sensor, softened, write
from mock_server.drawing.draw import Kind
from mock_server.drawing.draw import draw as draw_picture
from mock_server.imaging.geometry import Box

# Longer side of a photograph, in pixels: those of telephones are larger, and sent smaller.
_LONGER = 1280
# Width over height of plates: United States, Europe, India and Japan.
_PLATES = (2.0, 4.7, 4.2, 2.0)


def kinds(photos: Sequence[Path]) -> list[Callable[[int], Scene]]:
    """The kinds of subjects by turns; without photographs the drawn ones."""
    drawn = [drawn_picture, styles.street, styles.dashboard]
    if not photos:
        return [styles.drawn_scene, *drawn]
    make = partial(styles.snapshot, names=photos)
    return [make, styles.drawn_scene, partial(close_up, names=photos), make, partial(sticker, names=photos), *drawn]


def close_up(seed: int, names: Sequence[Path]) -> Scene:
    """A photograph with a plate or a VIN over a third to two thirds of its width, boxed at the plate's rim."""
    rng = random.Random(seed * 13 + 7)
    length = rng.choice([6, 7, 7, 8, 17])
    share, shape = rng.uniform(0.33, 0.66), rng.choice(_PLATES) if length < 17 else rng.uniform(10, 14)
    contrast = rng.randint(70, 210)

    def label(width: int, height: int, text: str) -> Image.Image:
        if shape > 2.0 or length == 17:
            return plate(text, width, height, seed, contrast=contrast)
        return _american(text, width, height, seed, contrast)

    return _laid_in("close-up", seed, names[seed % len(names)], length, share, shape, label)


def sticker(seed: int, names: Sequence[Path]) -> Scene:
    """A photograph with a vehicle's certification label, of which the VIN is one line among others."""
    rng = random.Random(seed * 17 + 3)
    share, shape = rng.uniform(0.35, 0.7), rng.uniform(1.8, 2.6)
    at = rng.uniform(0.3, 0.6)

    def label(width: int, height: int, text: str) -> Image.Image:
        picture = Image.new("RGB", (width, height), colour(random.Random(seed), 205, 250))
        draw = ImageDraw.Draw(picture)
        for place in range(7):
            top = height * (0.06 + 0.13 * place)
            if abs(top / height - at) > 0.13:
                line = "".join(random.Random(seed + place).choices("ABCDEGHKLMNOPRSTUVW 0123456789", k=26))
                draw.text((0.04 * width, top), line, (30, 30, 35), font(seed, round(height * 0.07)))
        x, bars = 0.1 * width, random.Random(seed)
        while x < 0.9 * width:
            bar = bars.uniform(0.002, 0.008) * width
            draw.rectangle((x, 0.85 * height, x + bar, 0.98 * height), (20, 20, 20))
            x += bar * bars.uniform(1.6, 2.6)
        write(draw, text, (0, round(at * height), width, round((at + 0.13) * height)), seed, (25, 25, 30))
        return picture

    return _laid_in("sticker", seed, names[seed % len(names)], 17, share, shape, label, (at, at + 0.13))


def drawn_picture(seed: int) -> Scene:
    """A plate close up or a VIN, as the commands `image plate` and `image vin` draw them."""
    rng = random.Random(seed * 19 + 1)
    kind: Kind = "plate" if rng.random() < 0.6 else "vin"
    region = rng.choice(("us-ca", "de", "gb", "fr", "it", "in"))

    def draw(text: str) -> Drawn:
        drawing = draw_picture(kind, text=text, seed=seed, region=region if kind == "plate" else None)
        truth = drawing.truth.plates[0] if kind == "plate" else drawing.truth.vin
        assert truth is not None, "a drawn text has its truth"
        assert truth.box is not None, "a drawn text has its box"
        return Drawn(drawing.image.convert("RGB"), text, truth.box)

    return Scene("drawn plate" if kind == "plate" else "drawn VIN", seed, 7 if kind == "plate" else 17, draw)


def _american(text: str, width: int, height: int, seed: int, contrast: int) -> Image.Image:
    """A plate with one line of text between two of small print."""
    rng = random.Random(seed)
    level = rng.randint(190, 250)
    ink = tuple(max(0, level - contrast - rng.randint(0, 40)) for _ in range(3))
    picture = Image.new("RGB", (width, height), (level, level, min(255, level + 5)))
    draw = ImageDraw.Draw(picture)
    draw.rounded_rectangle((2, 2, width - 3, height - 3), height // 9, outline=ink, width=max(1, height // 60))
    for y, words in ((0.12, rng.choice(("California", "New York", "TEXAS"))), (0.9, "Empire State 07/25")):
        draw.text((width / 2, y * height), words, ink, font(seed + 1, max(4, height // 7)), anchor="mm")
    cell = 0.86 * width / len(text)
    face = font(seed, round(min(0.62 * height, 1.4 * cell)))
    for place, character in enumerate(text):
        draw.text((0.07 * width + (place + 0.5) * cell, 0.52 * height), character, ink, face, anchor="mm")
    return picture


def _laid_in(
    style: str,
    seed: int,
    name: Path,
    length: int,
    share: float,
    shape: float,
    label: Callable[[int, int, str], Image.Image],
    rows: tuple[float, float] = (0.0, 1.0),
) -> Scene:
    """A photograph with a label in slight perspective.

    `share`: the label's width in that of the photograph. `shape`: its width over its height. `label`: draws it at a
    width and a height. `rows`: the part of its height that the box declares.
    """
    rng = random.Random(seed * 23 + 11)

    is_mirrored = rng.random() < 0.5
    places = [rng.random() for _ in range(2)]
    moves = [(rng.uniform(-0.04, 0.04), rng.uniform(-0.04, 0.04)) for _ in range(4)]
    blur, noise = rng.choice((0.0, 0.5, 0.8)), rng.uniform(0.5, 4)

    def draw(text: str) -> Drawn:
        picture = Image.open(name).convert("RGB")
        factor = min(1.0, _LONGER / max(picture.size))
        picture = picture.resize((round(picture.width * factor), round(picture.height * factor)))
        picture = ImageOps.mirror(picture) if is_mirrored else picture
        wide = min(share * picture.width, 0.8 * shape * picture.height)
        high = wide / shape
        x = (0.03 + 0.94 * places[0]) * (picture.width - wide)
        y = (0.05 + 0.9 * places[1]) * (picture.height - high)
        corners = [(x, y), (x + wide, y), (x + wide, y + high), (x, y + high)]
        moved = [(cx + dx * high, cy + dy * high) for (cx, cy), (dx, dy) in zip(corners, moves, strict=True)]
        quad(picture, label(round(1.5 * wide), round(1.5 * high), text), moved)
        sides = [(moved[0], moved[3]), (moved[1], moved[2])]
        ends = [(top + row * (bottom - top), x) for row in rows for (x, top), (_, bottom) in sides]
        down, across = [end[0] for end in ends], [end[1] for end in ends]
        box = Box(round(min(across)), round(min(down)), round(max(across)), round(max(down)))
        return Drawn(sensor(softened(picture, blur), seed, noise), text, box)

    return Scene(style, seed, length, draw)
