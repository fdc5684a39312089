"""What clients do to a photo every day beside re-encoding it: cut out, screenshot, turn, squash, cover, light.

Each change gets the picture and the box of its text, and returns the sent bytes with the true place of each pixel.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from benchmarks.changes import saved
from benchmarks.light_changes import clahe, faint, night, of_screen, warm
from benchmarks.sent_pictures import Sent, corner_moves, rng_of, scaling, warped_to
from mock_server.imaging.geometry import Box


@dataclass(frozen=True)
class DailyChange:
    """`make(image, box)` changes a picture whose text is in `box`."""

    name: str
    group: str
    make: Callable[[Image.Image, Box], Sent]


# --- Cut out --------------------------------------------------------------------------------------------------------


def _cut(image: Image.Image, edges: tuple[float, float, float, float], longer: int = 0, quality: int = 88) -> Sent:
    left, top, right, bottom = (round(edge) for edge in edges)
    left, top, right, bottom = max(0, left), max(0, top), min(image.width, right), min(image.height, bottom)
    part = image.crop((left, top, right, bottom))
    factor = longer / max(part.size) if longer else 1.0
    size = (max(1, round(part.width * factor)), max(1, round(part.height * factor)))
    scale = (size[0] / part.width, size[1] / part.height)
    if longer:
        part = part.resize(size, Image.Resampling.BICUBIC)
    return Sent(saved(part, quality=quality), scaling(*scale, -left * scale[0], -top * scale[1]))


def _share(share: float) -> Callable[[Image.Image, Box], Sent]:
    """A crop to this share of width and height, at a random place that has the box in it."""

    def make(image: Image.Image, box: Box) -> Sent:
        rng = rng_of(image, box, f"share {share}")
        edges = []
        for low, high, size in ((box.xmin, box.xmax, image.width), (box.ymin, box.ymax, image.height)):
            length = min(size, max(share * size, 1.1 * (high - low)))
            space = 0.02 * (high - low)
            first, last = max(0.0, high + space - length), min(low - space, size - length)
            start = rng.uniform(first, last) if last > first else max(0.0, min(first, size - length))
            edges.append((start, start + length))
        (left, right), (top, bottom) = edges
        return _cut(image, (left, top, right, bottom))

    return make


def _around(width: float, height: float, longer: int = 0) -> Callable[[Image.Image, Box], Sent]:
    """A crop around the box of so many times its width and height."""

    def make(image: Image.Image, box: Box) -> Sent:
        x, y = (box.xmin + box.xmax) / 2, (box.ymin + box.ymax) / 2
        across, down = width * box.width / 2, height * box.height / 2
        return _cut(image, (x - across, y - down, x + across, y + down), longer)

    return make


# --- Screenshots ----------------------------------------------------------------------------------------------------


def _screenshot(style: str) -> Callable[[Image.Image, Box], Sent]:
    """A telephone's gallery in the dark or the light, or a browser's window, with the picture in it."""
    ground, ink = {"dark": ("#000000", "white"), "light": ("#ffffff", "black"), "browser": ("#dee1e6", "black")}[style]

    def make(image: Image.Image, box: Box) -> Sent:
        width, height = (1080, 2160) if style != "browser" else (1440, 900)
        room = (width, height - 420) if style != "browser" else (width - 80, height - 170)
        page = Image.new("RGB", (width, height), ground)
        draw = ImageDraw.Draw(page)
        factor = min(room[0] / image.width, room[1] / image.height)
        size = (round(image.width * factor), round(image.height * factor))
        left, top = (width - size[0]) // 2, (150 if style == "browser" else 210) + (room[1] - size[1]) // 2
        page.paste(image.resize(size, Image.Resampling.BICUBIC), (left, top))
        face = ImageFont.load_default(34 if style != "browser" else 17)
        if style == "browser":
            draw.rectangle((0, 0, width, 110), "white")
            draw.rounded_rectangle((120, 62, 1200, 100), 19, "#eef0f4")
            draw.text((150, 70), "https://photos.example.com/album/2024/IMG_20240611_081522.jpg", ink, face)
            draw.text((40, 18), "Photos - Album      x     +", ink, face)
        else:
            draw.text((50, 20), "08:41", ink, face)
            draw.text((width - 260, 20), "LTE  87 %", ink, face)
            draw.text((60, 120), "<   IMG_0815   11 June, 08:15", ink, face)
            for number, word in enumerate(("Share", "Edit", "Info", "Delete")):
                draw.text((70 + 260 * number, height - 110), word, ink, face)
                draw.ellipse((95 + 260 * number, height - 170, 135 + 260 * number, height - 130), outline=ink, width=4)
        return Sent(saved(page, "PNG"), scaling(size[0] / image.width, size[1] / image.height, left, top))

    return make


# --- Shapes ---------------------------------------------------------------------------------------------------------


def _stretched(width: float | None, height: float | None) -> Callable[[Image.Image, Box], Sent]:
    """Resized by a factor for each axis, or to 640 x 640 where there is none."""

    def make(image: Image.Image, box: Box) -> Sent:
        x, y = (width or 640 / image.width, height or 640 / image.height)
        size = (round(image.width * x), round(image.height * y))
        data = saved(image.resize(size, Image.Resampling.BILINEAR), quality=90)
        return Sent(data, scaling(size[0] / image.width, size[1] / image.height))

    return make


def _turned(degrees: float) -> Callable[[Image.Image, Box], Sent]:
    """Turned about the middle, as a hand straightens a picture; to the left or to the right."""

    def make(image: Image.Image, box: Box) -> Sent:
        angle = np.radians(degrees) * rng_of(image, box, "turn").choice((-1, 1))
        cos, sin = np.cos(angle), np.sin(angle)
        x, y = image.width / 2, image.height / 2
        matrix = np.array([[cos, -sin, x - cos * x + sin * y], [sin, cos, y - sin * x - cos * y], [0, 0, 1]])
        return warped_to(image, matrix)

    return make


def _perspective(share: float) -> Callable[[Image.Image, Box], Sent]:
    """Each corner moved by up to a share of the picture's width and height."""

    def make(image: Image.Image, box: Box) -> Sent:
        return warped_to(image, corner_moves(image, share, rng_of(image, box, "perspective")))

    return make


# --- Covers ---------------------------------------------------------------------------------------------------------


def _patches(image: Image.Image, box: Box, name: str) -> list[tuple[int, int, int, int]]:
    """Three or four places of a face's size that do not touch the box."""
    rng, side, places = rng_of(image, box, name), 0.09 * image.width, []
    for _ in range(60):
        width = side * rng.uniform(0.7, 1.5)
        x, y = rng.uniform(0, image.width - width), rng.uniform(0, image.height - 1.2 * width)
        place = (round(x), round(y), round(x + width), round(y + 1.2 * width))
        if not box.overlaps(Box(*place)):
            places.append(place)
    return places[: rng.choice((3, 4))]


def _faces_blurred(image: Image.Image, box: Box) -> Sent:
    changed = image.copy()
    for place in _patches(image, box, "faces"):
        changed.paste(image.crop(place).filter(ImageFilter.GaussianBlur(0.012 * image.width)), place)
    return Sent(saved(changed, quality=90), scaling())


def _faces_black(image: Image.Image, box: Box) -> Sent:
    changed = image.copy()
    for place in _patches(image, box, "faces"):
        ImageDraw.Draw(changed).rectangle(place, "black")
    return Sent(saved(changed, quality=90), scaling())


def _captioned(style: str) -> Callable[[Image.Image, Box], Sent]:
    """A dash-cam's bar, a CCTV's caption or a timestamp, at the edge that is farther from the box."""

    def make(image: Image.Image, box: Box) -> Sent:
        changed = image.copy()
        draw = ImageDraw.Draw(changed)
        size = max(10, round(image.height * 0.035))
        face = ImageFont.load_default(size)
        is_below = box.ymin + box.ymax < image.height
        y = image.height - round(1.7 * size) if is_below else round(0.3 * size)
        if style == "dash-cam":
            draw.rectangle((0, y - 0.4 * size, image.width, y + 1.6 * size), "black")
            draw.text((size, y), "2024-06-11 08:15:22  52 KM/H  N48.137 E11.575", "white", face)
        elif style == "cctv":
            other = round(0.3 * size) if is_below else image.height - round(1.7 * size)
            for x, top, words in ((size, y, "CAM 03 GATE WEST"), (size, other, "11/06/2024 08:15:22.41")):
                if not box.overlaps(Box(0, top - size, image.width // 2, top + 2 * size)):
                    draw.text((x, top), words, "white", face, stroke_width=1, stroke_fill="black")
        else:
            draw.text((image.width - 10 * size, y), "11.06.2024 08:15", "#ffb020", face)
        return Sent(saved(changed, quality=90), scaling())

    return make


DAILY: tuple[DailyChange, ...] = (
    DailyChange("crop to the vehicle", "crop", _around(3.2, 9.0)),
    DailyChange("crop 70 %", "crop", _share(0.7)),
    DailyChange("crop 50 %", "crop", _share(0.5)),
    DailyChange("crop 30 %", "crop", _share(0.3)),
    DailyChange("crop of 2.5 plates", "crop", _around(2.5, 2.5)),
    DailyChange("the plate alone", "crop", _around(1.15, 1.15)),
    DailyChange("the plate at 640 px", "crop", _around(1.15, 1.15, 640)),
    DailyChange("screenshot, dark", "screenshot", _screenshot("dark")),
    DailyChange("screenshot, light", "screenshot", _screenshot("light")),
    DailyChange("screenshot, browser", "screenshot", _screenshot("browser")),
    DailyChange("squashed to 640 x 640", "shape", _stretched(None, None)),
    DailyChange("stretched by 15 %", "shape", _stretched(1.15, 1.0)),
    DailyChange("turned by 0.5", "turn", _turned(0.5)),
    DailyChange("turned by 1", "turn", _turned(1.0)),
    DailyChange("turned by 2", "turn", _turned(2.0)),
    DailyChange("turned by 3", "turn", _turned(3.0)),
    DailyChange("faces blurred", "cover", _faces_blurred),
    DailyChange("faces blacked out", "cover", _faces_black),
    DailyChange("dash-cam bar", "cover", _captioned("dash-cam")),
    DailyChange("CCTV caption", "cover", _captioned("cctv")),
    DailyChange("timestamp", "cover", _captioned("timestamp")),
    DailyChange("CLAHE 2, 8 x 8", "CLAHE", clahe(2.0, 8)),
    DailyChange("CLAHE 4, 8 x 8", "CLAHE", clahe(4.0, 8)),
    DailyChange("CLAHE 3, 4 x 4", "CLAHE", clahe(3.0, 4)),
    DailyChange("night mode", "night", night(0.6, 0.7, 80)),
    DailyChange("night mode, strong", "night", night(0.45, 1.0, 140)),
    DailyChange("dark and faint", "night", faint),
    DailyChange("warm white balance", "white balance", warm(1.12, 0.78)),
    DailyChange("very warm", "white balance", warm(1.25, 0.65)),
    DailyChange("photo of a screen", "screen", of_screen(0.012, 0.04, 0.02)),
    DailyChange("photo of a screen, moire", "screen", of_screen(0.02, 0.07, 1.1)),
    DailyChange("perspective 2 %", "perspective", _perspective(0.02)),
    DailyChange("perspective 3 %", "perspective", _perspective(0.03)),
)
