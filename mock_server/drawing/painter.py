"""Surfaces of vehicles: paint and glass that mirror their surroundings, laid part after part into a layer."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from mock_server.drawing.car_bodies import Body, Point
from mock_server.drawing.pixel_effects import (
    Colour,
    Pixels,
    blurred,
    colour,
    dimmed,
    from_image,
    over,
    put_over,
    smooth_noise,
)

_BIG = 2
MARGIN = 160.0
"""Room around a vehicle in its layer, in millimetres (mirrors stick out)."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What bodywork mirrors: the sky overhead, the sky low down, what stands at the horizon, the ground."""

    zenith: Colour
    haze: Colour
    skyline: Colour
    ground: Colour
    light: float = 1.0


class Painter:
    """Paints one vehicle into growing `pixels` and `cover`, `scale` pixels a millimetre.

    `x` and `y` are each pixel's millimetres from the middle and above the ground; `origin` is where both are 0.
    """

    def __init__(self, body: Body, scale: float, world: Surroundings, rng: np.random.Generator) -> None:
        self.body, self.scale, self.world, self.rng = body, scale, world, rng
        self.width = round(2 * (body.half_width + MARGIN) * scale)
        self.height = round((body.height + MARGIN) * scale)
        self.origin = (self.width / 2, self.height - MARGIN / 2 * scale)
        self.pixels = np.zeros((self.height, self.width, 3), np.float32)
        self.cover = np.zeros((self.height, self.width), np.float32)
        rows, columns = np.mgrid[0 : self.height, 0 : self.width].astype(np.float32)
        self.y: Pixels = (np.float32(self.origin[1]) - rows) / np.float32(scale)
        self.x: Pixels = (columns - np.float32(self.origin[0])) / np.float32(scale)
        self._skyline = self._roofs_and_trees()

    def _roofs_and_trees(self) -> Pixels:
        """How high what stands behind the camera reaches, along the vehicle's width."""
        size = (self.width, 4)
        wide = smooth_noise(self.rng, size, self.width / 5)[1]
        fine = smooth_noise(self.rng, size, max(self.width / 40, 2.0))[1]
        return np.asarray(0.02 + 0.16 * wide + 0.03 * fine, np.float32)[None, :]

    def mask(self, outlines: Iterable[Sequence[Point]], soft: float = 0.0) -> Pixels:
        """Where the outlines (millimetres) are filled; the edge `soft` millimetres wide."""
        shapes = [list(outline) for outline in outlines]
        return self._drawn(shapes, lambda draw, points: draw.polygon(points, fill=255), soft, 0.0)

    def line(self, paths: Iterable[Sequence[Point]], wide: float) -> Pixels:
        """Where lines `wide` millimetres run along the paths."""
        thick = max(1, round(wide * self.scale * _BIG))
        return self._drawn(
            [list(path) for path in paths],
            lambda draw, points: draw.line(points, fill=255, width=thick, joint="curve"),
            0.0,
            wide,
        )

    def _drawn(
        self,
        shapes: list[list[Point]],
        put: Callable[[ImageDraw.ImageDraw, list[Point]], None],
        soft: float,
        wide: float,
    ) -> Pixels:
        """Draw the shapes larger than they are and reduce them; only the part of the layer that they touch."""
        mask = np.zeros((self.height, self.width), np.float32)
        pixels = [[self._pixel(point) for point in shape] for shape in shapes]
        margin = (3 * soft + wide) * self.scale + 2
        xs, ys = [x for shape in pixels for x, _ in shape], [y for shape in pixels for _, y in shape]
        left, top = max(int(min(xs) - margin), 0), max(int(min(ys) - margin), 0)
        right, bottom = (
            min(int(max(xs) + margin) + 1, self.width),
            min(int(max(ys) + margin) + 1, self.height),
        )
        if left >= right or top >= bottom:
            return mask
        image = Image.new("L", ((right - left) * _BIG, (bottom - top) * _BIG))
        draw = ImageDraw.Draw(image)
        for shape in pixels:
            put(draw, [((x - left) * _BIG, (y - top) * _BIG) for x, y in shape])
        reduced = from_image(image.resize((right - left, bottom - top), Image.Resampling.BOX))
        mask[top:bottom, left:right] = blurred(reduced, soft * self.scale)
        return mask

    def _pixel(self, point: Point) -> Point:
        return self.origin[0] + point[0] * self.scale, self.origin[1] - point[1] * self.scale

    def lay(self, paint: Pixels | Colour, mask: Pixels, strength: float = 1.0) -> None:
        """Cover what is there with `paint` where `mask` says."""
        put_over(self.pixels, paint, mask, strength)
        np.maximum(self.cover, mask * np.float32(strength), out=self.cover)

    def tint(self, rgb: Colour, mask: Pixels, strength: float) -> None:
        """Colour only what is there already."""
        put_over(self.pixels, rgb, mask * (self.cover > 0.5), strength)

    def finished(self) -> tuple[Pixels, Pixels]:
        """Colours and cover. Soft edges were mixed with the empty layer's black, which is taken out again."""
        return np.clip(self.pixels / np.maximum(self.cover, 0.02)[..., None], 0, 1), self.cover

    def mirrored(self, up: Pixels) -> Pixels:
        """What a surface sees whose mirror direction rises by `up` (-1 ground, 0 horizon, 1 zenith)."""
        world = self.world
        ground, skyline = world.ground, world.skyline
        sky_stops = np.array([0.0, 0.35, 1.0])
        sky = _ramp(np.clip(up - self._skyline, 0, 1), sky_stops, (world.haze, world.haze, world.zenith))
        low_stops = np.array([-1.0, -0.3, -0.02, 0.03, 0.2])
        tones = (
            dimmed(ground, 0.4),
            ground,
            dimmed(ground, 0.75),
            dimmed(skyline, 0.4),
            dimmed(skyline, 0.8),
        )
        low = _ramp(up, low_stops, tones)
        edge = np.clip((up - self._skyline) / 0.025 + 0.5, 0, 1)[..., None]
        return np.asarray(low + (sky - low) * edge, np.float32)

    def paintwork(self, mask: Pixels, paint: Colour, rise: Pixels, side: Pixels, gloss: float = 1.0) -> None:
        """Cover `mask` with car paint whose surface looks up by `rise` and outwards by `side` (-1 to 1)."""
        facing = np.sqrt(np.clip(1 - rise**2 - side**2, 0.02, 1))
        shine = gloss * np.clip(0.13 + 0.75 * (1 - facing) ** 2.0, 0, 0.8)[..., None]
        shade = (0.62 + 0.40 * rise + 0.08 * facing - 0.18 * np.abs(side) ** 3) * np.float32(self.world.light)
        base = colour(paint) * np.clip(shade, 0.10, 1.15)[..., None]
        mirror = self.mirrored(np.asarray(2 * facing * rise, np.float32))
        glint = np.clip((rise - 0.80) / 0.15, 0, 1)[..., None] * np.float32(0.35 * gloss * self.world.light)
        self.lay(np.asarray(base * (1 - shine * 0.6) + mirror * shine + glint * mirror, np.float32), mask)

    def glazing(self, mask: Pixels, rise: float = 0.30) -> None:
        """Cover `mask` with dark glass that mirrors the sky, with seats and the far window dimly behind it."""
        top, bottom = extent(mask)
        rows = np.arange(self.height, dtype=np.float32)[:, None]
        depth = np.clip((rows - top) / max(bottom - top, 1), 0, 1)
        behind = colour((30, 33, 37)) * np.ones_like(self.pixels)
        far_window = np.clip(1 - np.abs(depth - 0.34) * 3.4, 0, 1) * (
            np.abs(self.x) < self.body.half_width * 0.52
        )
        behind = blurred(behind + colour(self.world.haze) * 0.36 * far_window[..., None], 20 * self.scale)
        for seat in self._seats(top, bottom):
            behind = over(behind, (17, 18, 21), blurred(seat, 5 * self.scale), 0.92)
        tilt = np.float32(rise) - depth * np.float32(0.32) + self.x / self.body.half_width * np.float32(0.06)
        sheen = np.clip(0.46 - depth * 0.30, 0.08, 1)[..., None]
        self.lay(np.asarray(behind * (1 - sheen * 0.4) + self.mirrored(tilt) * sheen, np.float32), mask)

    def _seats(self, top: float, bottom: float) -> list[Pixels]:
        tall = bottom - top
        seats = []
        for middle in (-0.40, 0.40):
            image = Image.new("L", (self.width, self.height))
            draw = ImageDraw.Draw(image)
            x = self.origin[0] + middle * self.body.half_width * self.scale
            wide = 120 * self.scale
            head = (x - wide, top + tall * 0.34, x + wide, top + tall * 0.60)
            back = (x - wide * 2.2, top + tall * 0.66, x + wide * 2.2, bottom + tall)
            draw.rounded_rectangle(head, radius=50 * self.scale, fill=255)
            draw.rounded_rectangle(back, radius=90 * self.scale, fill=255)
            seats.append(from_image(image))
        return seats


def extent(mask: Pixels) -> tuple[float, float]:
    """First and last row of a mask that hold ink."""
    rows = np.flatnonzero(mask.max(axis=1) > 0.5)
    return (float(rows[0]), float(rows[-1])) if len(rows) else (0.0, 1.0)


def _ramp(
    value: Pixels, stops: "np.ndarray[tuple[int], np.dtype[np.float64]]", tones: Sequence[Colour]
) -> Pixels:
    """The colours of `tones` at `stops`, between them mixed."""
    table = np.stack([colour(tone) for tone in tones])
    channels = [np.interp(value, stops, table[:, channel]) for channel in range(3)]
    return np.stack(channels, axis=-1).astype(np.float32)
