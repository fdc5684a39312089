"""Vehicle identification numbers where they are found: on bodywork and behind the windscreen."""

import numpy as np
from PIL import Image, ImageDraw

from mock_server.drawing.camera import Shot, box_around, exposed
from mock_server.drawing.pixel_effects import (
    Colour,
    Matrix,
    Pixels,
    Point,
    blurred,
    from_image,
    gradient,
    homography,
    mapped,
    over,
    smooth_noise,
    tinted,
    turned,
    warped,
)
from mock_server.drawing.truth import Truth, VinTruth
from mock_server.drawing.vin_tags import TAGS, metal_tag, riveted
from mock_server.imaging.geometry import Box

VIN_STYLES = ("plate", "pricked", "sticker", "dashboard", "label")
"""How a number is shown: stamped or dot-peened on metal, printed on a sticker, behind glass; or a label without one."""


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
    pixels = tinted(pixels, smooth_noise(rng, size, size[0] / 2.2) * np.float32(0.36) - np.float32(0.18))
    pixels = riveted(pixels, (size[0] * 0.09, size[1] * 0.88), size[0] * 0.018)
    dust = smooth_noise(rng, size, size[0] / 90) * smooth_noise(rng, size, size[0] / 6)
    return over(pixels, (150, 140, 122), dust, 0.22)


def _dashboard(size: tuple[int, int], rng: np.random.Generator) -> Pixels:
    """A dashboard's top seen through the windscreen, with the dotted border of the glass below."""
    width, height = size
    pixels = gradient(
        size, ((0.0, (20, 22, 25)), (0.22, (40, 42, 46)), (0.6, (62, 63, 66)), (1.0, (44, 45, 48)))
    )
    grain = rng.normal(0, 1, (height, width)).astype(np.float32)
    pixels = tinted(pixels, blurred(np.clip(grain * 0.2 + 0.5, 0, 1), 1.4) - np.float32(0.5))
    vent = Image.new("L", size)
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
    border = Image.new("L", size)
    draw = ImageDraw.Draw(border)
    draw.rectangle((0, height * 0.93, width, height), fill=255)
    for row, radius in enumerate((0.0085, 0.0065, 0.0045)):
        y = height * (0.915 - row * 0.026)
        for column in range(62):
            x = width * (column + 0.5 * (row % 2)) / 60
            reach = radius * width
            draw.ellipse((x - reach, y - reach, x + reach, y + reach), fill=255)
    return over(pixels, (8, 8, 9), from_image(border), 0.95)


def _set_down(base: Pixels, tag: Image.Image, corners: list[Point], depth: float) -> tuple[Pixels, Matrix]:
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
) -> list[Point]:
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
        tag, rect = TAGS[style](text, rng)
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
