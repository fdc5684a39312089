"""The styles of the scenes. Limits were tuned on `TUNING` only; `HELD_OUT` checks them."""

import random
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

from benchmarks.corpus import Drawn, Scene, clouds, colour, plate, quad, sensor, softened, tinted, write
from mock_server.drawing.draw import draw as draw_picture
from mock_server.imaging.geometry import Box


def street(seed: int, size: tuple[int, int] = (1280, 960)) -> Scene:
    """A car from behind on textured ground, with a plate in slight perspective and camera noise."""
    rng = random.Random(seed)
    width, height = size
    length = rng.choice([6, 7, 7, 8])
    wide = rng.uniform(0.14, 0.34) * width
    high = wide / rng.uniform(3.2, 4.6)
    x, y = rng.uniform(0.2, 0.75 - wide / width) * width, rng.uniform(0.45, 0.78) * height
    skew = [(rng.uniform(-0.06, 0.06) * high, rng.uniform(-0.06, 0.06) * high) for _ in range(4)]
    contrast, noise, blur = rng.randint(90, 210), rng.uniform(1, 5), rng.uniform(0, 0.9)

    @lru_cache(1)
    def ground() -> Image.Image:
        noise_rng = np.random.default_rng(seed)
        picture = tinted(
            clouds(noise_rng, width, height, rng.uniform(0.9, 1.5)), colour(rng, 0, 110), colour(rng, 110, 255)
        )
        draw = ImageDraw.Draw(picture)
        body = (x - wide * 1.1, y - high * 5, x + wide * 2.1, y + high * 2.2)
        paint = colour(rng, 20, 220)
        draw.rounded_rectangle(body, high, fill=paint)
        draw.rounded_rectangle(
            (body[0] + wide * 0.4, body[1] - high * 1.5, body[2] - wide * 0.4, body[1] + high * 2),
            high,
            fill=colour(rng, 10, 70),
        )
        for side in (body[0] + wide * 0.05, body[2] - wide * 0.55):
            draw.rounded_rectangle((side, y - high * 2, side + wide * 0.5, y - high), high / 4, fill=(190, 30, 25))
        for _ in range(40):
            cx, cy, r = rng.uniform(0, width), rng.uniform(0, height * 0.4), rng.uniform(5, 60)
            draw.ellipse((cx - r, cy - r, cx + r, cy + r * rng.uniform(0.4, 1.4)), fill=colour(rng, 20, 235))
        return picture

    def draw(text: str) -> Drawn:
        picture = ground().copy()
        corners = [(x, y), (x + wide, y), (x + wide, y + high), (x, y + high)]
        moved = [(cx + dx, cy + dy) for (cx, cy), (dx, dy) in zip(corners, skew, strict=True)]
        quad(picture, plate(text, round(wide * 1.3), round(high * 1.3), seed, contrast=contrast), moved)
        return Drawn(
            sensor(softened(picture, blur), seed + len(text), noise),
            text,
            Box(round(x), round(y), round(x + wide), round(y + high)),
        )

    return Scene("street", seed, length, draw)


def dashboard(seed: int, size: tuple[int, int] = (1024, 768)) -> Scene:
    """A VIN stamped on metal behind glass, with low contrast."""
    rng = random.Random(seed)
    width, height = size
    wide = rng.uniform(0.45, 0.8) * width
    high = wide / rng.uniform(9, 13)
    x, y = rng.uniform(0.05, 0.95 - wide / width) * width, rng.uniform(0.3, 0.7) * height
    light, ink, noise = rng.randint(110, 225), rng.randint(10, 70), rng.uniform(1, 5)

    @lru_cache(1)
    def ground() -> Image.Image:
        noise_rng = np.random.default_rng(seed)
        picture = tinted(clouds(noise_rng, width, height, 1.3), colour(rng, 0, 60), colour(rng, 60, 190))
        draw = ImageDraw.Draw(picture)
        draw.rectangle(
            (x - high, y - high * 0.6, x + wide + high, y + high * 1.6), fill=(light, light, min(255, light + 6))
        )
        for _ in range(14):
            bar = rng.uniform(0, width)
            draw.line(
                (bar, 0, bar + rng.uniform(-200, 200), height * 0.25),
                fill=colour(rng, 60, 255),
                width=rng.randint(1, 9),
            )
        return picture

    def draw(text: str) -> Drawn:
        picture = ground().copy()
        area = (round(x), round(y), round(x + wide), round(y + high))
        write(ImageDraw.Draw(picture), text, area, seed, (max(0, light - ink - 40),) * 3)
        return Drawn(sensor(softened(picture, rng.choice([0.0, 0.6])), seed, noise), text, Box(*area))

    return Scene("dashboard", seed, 17, draw)


def flat(seed: int) -> Scene:
    """A test picture of the simplest kind: plain text on an even or graded ground."""
    rng = random.Random(seed)
    width, height = rng.choice([(400, 200), (320, 120), (640, 480), (520, 110), (200, 60), (600, 300)])
    length = rng.choice([6, 7, 17 if width >= 400 else 7])
    ground, ink = rng.choice(
        [
            ((255, 255, 255), (0, 0, 0)),
            ((240, 240, 200), (20, 20, 60)),
            (colour(rng, 150, 255), colour(rng, 0, 80)),
            (colour(rng, 0, 70), colour(rng, 180, 255)),
        ]
    )
    graded = rng.random() < 0.3
    wide = int(width * rng.uniform(0.6, 0.9))
    high = int(min(height * 0.6, wide / length * 2.2))
    x, y = rng.randint(4, width - wide - 4), rng.randint(2, height - high - 2)
    framed = rng.random() < 0.5

    def draw(text: str) -> Drawn:
        picture = Image.new("RGB", (width, height), ground)
        if graded:
            ramp = np.linspace(0.55, 1, width, dtype=np.float32)[None, :, None]
            picture = Image.fromarray((np.asarray(picture) * ramp).astype(np.uint8))
        drawer = ImageDraw.Draw(picture)
        if framed:
            drawer.rectangle((x, y, x + wide, y + high), outline=ink, width=2)
        write(drawer, text, (x, y, x + wide, y + high), seed, ink)
        return Drawn(picture, text, Box(x, y, x + wide, y + high))

    return Scene("flat", seed, length, draw)


def crop(seed: int) -> Scene:
    """A plate that fills the frame, as a detector cuts it out."""
    rng = random.Random(seed)
    width = rng.choice([520, 320, 240, 180])
    height = round(width / rng.uniform(2.4, 4.8))
    length = rng.choice([6, 7, 8])
    contrast, noise, blur = rng.randint(70, 200), rng.uniform(1, 6), rng.uniform(0, 1.0)
    edge = round(height * rng.uniform(0.03, 0.12))

    def draw(text: str) -> Drawn:
        shade = clouds(np.random.default_rng(seed), width, height, 0.8)
        picture = tinted(shade, (20, 20, 25), (120, 110, 100))
        inner = (edge, edge, width - edge, height - edge)
        picture.paste(plate(text, width - 2 * edge, height - 2 * edge, seed, contrast=contrast), inner[:2])
        lit = np.asarray(picture, np.float32) * (0.75 + 0.25 * shade[..., None])
        lit_picture = Image.fromarray(lit.clip(0, 255).astype(np.uint8))
        return Drawn(sensor(softened(lit_picture, blur), seed, noise), text, Box(*inner))

    return Scene("crop", seed, length, draw)


def lines(seed: int, size: tuple[int, int] = (1280, 720)) -> Scene:
    """Hard-edged geometry with gradients, a tilted plate in Pillow's own font, and no noise."""
    rng = random.Random(seed * 7 + 3)
    width, height = size
    length = rng.choice([5, 6, 7, 8])
    wide = rng.uniform(0.12, 0.4) * width
    high = wide / rng.uniform(2.6, 5)
    x, y = rng.uniform(0.05, 0.9 - wide / width) * width, rng.uniform(0.3, 0.8) * height
    rise = rng.uniform(-0.25, 0.25) * high

    @lru_cache(1)
    def ground() -> Image.Image:
        picture = Image.linear_gradient("L").resize(size).convert("RGB")
        picture = ImageOps.colorize(picture.convert("L"), colour(rng, 60, 200), colour(rng, 60, 255))
        draw = ImageDraw.Draw(picture)
        for _ in range(rng.randint(12, 60)):
            points = [
                (rng.uniform(-0.1, 1.1) * width, rng.uniform(-0.1, 1.1) * height) for _ in range(rng.randint(3, 5))
            ]
            draw.polygon(points, fill=colour(rng)) if rng.random() < 0.5 else draw.line(
                points, fill=colour(rng), width=rng.randint(1, 20)
            )
        return picture

    def draw(text: str) -> Drawn:
        picture = ground().copy()
        label = Image.new("RGB", (round(wide * 2), round(high * 2)), (252, 252, 248))
        drawer = ImageDraw.Draw(label)
        face = ImageFont.load_default(max(6, round(min(high * 1.4, wide * 2 / length * 1.25))))
        step = 2 * wide * 0.92 / length
        for place, character in enumerate(text):
            drawer.text((wide * 0.08 + (place + 0.5) * step, high), character, (15, 15, 15), face, anchor="mm")
        quad(picture, label, [(x, y), (x + wide, y + rise), (x + wide, y + high + rise), (x, y + high)])
        top, bottom = min(y, y + rise), max(y + high, y + high + rise)
        return Drawn(picture, text, Box(round(x), round(top), round(x + wide), round(bottom)))

    return Scene("lines", seed, length, draw)


def photograph(seed: int, folder: Path) -> Scene:
    """A photograph from `folder` with a plate or a VIN label laid into it in perspective."""
    rng = random.Random(seed * 11 + 5)
    names = sorted(folder.iterdir())
    name = names[seed % len(names)]
    length = rng.choice([7, 7, 17])

    @lru_cache(1)
    def ground() -> Image.Image:
        picture = Image.open(name).convert("RGB")
        return ImageOps.mirror(picture) if seed // len(names) % 2 else picture

    def draw(text: str) -> Drawn:
        picture = ground().copy()
        width, height = picture.size
        local = random.Random(seed)
        wide = local.uniform(0.16, 0.4) * width if length < 17 else local.uniform(0.4, 0.8) * width
        high = wide / (local.uniform(2.5, 4.5) if length < 17 else local.uniform(9, 12))
        x, y = (local.uniform(0.02, 0.98 - wide / width) * width, local.uniform(0.05, 0.95 - high / height) * height)
        label = plate(text, round(wide * 1.5), round(high * 1.5), seed, contrast=local.randint(60, 210))
        corners = [(x, y), (x + wide, y), (x + wide, y + high), (x, y + high)]
        moved = [(cx + local.uniform(-0.12, 0.12) * high, cy + local.uniform(-0.12, 0.12) * high) for cx, cy in corners]
        quad(picture, label, moved)
        picture = sensor(softened(picture, local.choice([0, 0.5, 0.8])), seed, local.uniform(0.5, 4))
        return Drawn(picture, text, Box(round(x), round(y), round(x + wide), round(y + high)))

    return Scene("photo", seed, length, draw)


def snapshot(seed: int, names: Sequence[Path]) -> Scene:
    """One of some photographs with a plate or a VIN of the size that it has on photographs of cars."""
    rng = random.Random(seed * 11 + 5)
    name = names[seed % len(names)]
    length = rng.choice([6, 7, 7, 8, 17])

    def draw(text: str) -> Drawn:
        picture = Image.open(name).convert("RGB")
        if seed // len(names) % 2:
            picture = ImageOps.mirror(picture)
        width, height = picture.size
        local = random.Random(seed)
        wide = local.uniform(0.07, 0.2) * width if length < 17 else local.uniform(0.25, 0.6) * width
        wide = max(wide, 10.5 * length)
        high = wide / (local.choice([2.0, 3.2, 4.2, 4.7]) if length < 17 else local.uniform(9, 12))
        x, y = local.uniform(0.04, 0.96 - wide / width) * width, local.uniform(0.3, 0.9 - high / height) * height
        label = plate(text, round(wide * 1.5), round(high * 1.5), seed, contrast=local.randint(80, 210))
        corners = [(x, y), (x + wide, y), (x + wide, y + high), (x, y + high)]
        moved = [(cx + local.uniform(-0.08, 0.08) * high, cy + local.uniform(-0.08, 0.08) * high) for cx, cy in corners]
        quad(picture, label, moved)
        picture = sensor(softened(picture, local.choice([0, 0.5, 0.8])), seed, local.uniform(0.5, 4))
        return Drawn(picture, text, Box(round(x), round(y), round(x + wide), round(y + high)))

    return Scene("snapshot", seed, length, draw)


def drawn_scene(seed: int) -> Scene:
    """A car with a plate, as the command `image scene` draws it."""
    region = random.Random(seed).choice(("us-ca", "de", "gb", "fr", "it", "nl"))

    def draw(text: str) -> Drawn:
        drawing = draw_picture("scene", text=text, seed=seed, region=region, size=(1280, 960))
        box = drawing.truth.plates[0].box
        assert box is not None, "a scene with a text has its box"
        return Drawn(drawing.image.convert("RGB"), text, box)

    return Scene("drawn scene", seed, 7, draw)


TUNING = (street, dashboard, flat, crop)
HELD_OUT = (lines,)
