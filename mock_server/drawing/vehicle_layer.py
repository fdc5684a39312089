"""The layer on which a vehicle is painted: masks in millimetres, and paint and glass that mirror the surroundings."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from PIL import Image, ImageDraw

from mock_server.drawing import raster
from mock_server.drawing.designs import Body
from mock_server.drawing.raster import Colour, Pixels, Point, Spot

_MARGIN = 160.0
"""Millimetres around the body, for the mirrors."""
_SUPERSAMPLING = 2
Shader = Callable[[Spot], Pixels]
"""Computes the colours of a part of the layer."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a vehicle mirrors: the sky above, the sky at the horizon, objects at the horizon, the ground."""

    zenith: Colour
    haze: Colour
    skyline: Colour
    ground: Colour
    light: float = 1.0


class Layer:
    """One vehicle as colours (`pixels`) and opacity (`cover`), painted part by part.

    Lengths are millimetres, `scale` is pixels per millimetre. `origin` is the pixel of the vehicle's middle on the
    ground; `x` and `y` are the millimetres of each column and row from there. Masks have the size of the layer, or one
    column that stands for all. Colours are computed inside `window` only.
    """

    def __init__(self, body: Body, scale: float, world: Surroundings, rng: np.random.Generator) -> None:
        self.body, self.scale, self.world = body, scale, world
        self.width = round(2 * (body.half_width + _MARGIN) * scale)
        self.height = round((body.height + _MARGIN) * scale)
        self.origin = (self.width / 2, self.height - _MARGIN / 2 * scale)
        self.window: Spot = (slice(0, self.height), slice(0, self.width))
        self.pixels: Pixels = np.zeros((self.height, self.width, 3), np.float32)
        self.cover: Pixels = np.zeros((self.height, self.width), np.float32)
        rows, columns = np.ogrid[0 : self.height, 0 : self.width]
        self.y: Pixels = (np.float32(self.origin[1]) - rows.astype(np.float32)) / np.float32(scale)
        self.x: Pixels = (columns.astype(np.float32) - np.float32(self.origin[0])) / np.float32(scale)
        # How high the objects behind the camera reach, along the vehicle's width.
        wide = raster.smooth_noise(rng, (self.width, 4), self.width / 5)[1]
        fine = raster.smooth_noise(rng, (self.width, 4), max(self.width / 40, 2.0))[1]
        self._skyline = np.asarray(0.02 + 0.16 * wide + 0.03 * fine, np.float32)[None, :]

    def at(self, x: float, y: float) -> Point:
        """The pixel of a point."""
        return self.origin[0] + x * self.scale, self.origin[1] - y * self.scale

    def mask(self, outlines: Iterable[Sequence[Point]], soft: float = 0.0) -> Pixels:
        """A mask of the filled outlines, with edges blurred over `soft`."""
        return self._draw(outlines, lambda draw, points: draw.polygon(points, fill=255), soft)

    def line(self, paths: Iterable[Sequence[Point]], wide: float) -> Pixels:
        """A mask of lines along the paths."""
        thick = max(1, round(wide * self.scale * _SUPERSAMPLING))
        return self._draw(
            paths, lambda draw, points: draw.line(points, fill=255, width=thick, joint="curve"), margin=wide
        )

    def _draw(
        self,
        shapes: Iterable[Sequence[Point]],
        put: Callable[[ImageDraw.ImageDraw, list[Point]], None],
        soft: float = 0.0,
        margin: float = 0.0,
    ) -> Pixels:
        """Only the part of the layer around the shapes is drawn."""
        points = [[self.at(*point) for point in shape] for shape in shapes]
        xs, ys = zip(*(point for shape in points for point in shape), strict=True)
        reach = (3 * soft + margin) * self.scale + 2
        left, top = max(int(min(xs) - reach), 0), max(int(min(ys) - reach), 0)
        right, bottom = min(int(max(xs) + reach) + 1, self.width), min(int(max(ys) + reach) + 1, self.height)
        mask = np.zeros_like(self.cover)
        if left < right and top < bottom:
            image = Image.new("L", ((right - left) * _SUPERSAMPLING, (bottom - top) * _SUPERSAMPLING))
            draw = ImageDraw.Draw(image)
            for shape in points:
                put(draw, [((x - left) * _SUPERSAMPLING, (y - top) * _SUPERSAMPLING) for x, y in shape])
            reduced = raster.from_image(image.resize((right - left, bottom - top), Image.Resampling.BOX))
            mask[top:bottom, left:right] = raster.blur(reduced, soft * self.scale)
        return mask

    def part(self, values: Pixels, spot: Spot) -> Pixels:
        """A part of a mask; single rows and columns are repeated."""
        return np.broadcast_to(values, self.cover.shape)[spot]

    def lay(self, paint: Colour | Shader, mask: Pixels, strength: float = 1.0) -> None:
        """Cover the layer with `paint` where the mask is set."""
        spot = self._visible(mask)
        if spot is not None:
            colours = raster.colour(paint) if isinstance(paint, tuple) else paint(spot)
            self._blend(spot, colours, mask[spot] * np.float32(strength))
        np.maximum(self.cover, mask * np.float32(strength), out=self.cover)

    def tint(self, rgb: Colour, mask: Pixels, strength: float) -> None:
        """Colour the opaque parts of the layer where the mask is set."""
        mask = np.broadcast_to(mask, self.cover.shape)
        spot = self._visible(mask)
        if spot is not None:
            opaque = mask[spot] * (self.cover[spot] > 0.5)
            self._blend(spot, raster.colour(rgb), opaque * np.float32(strength))

    def _visible(self, mask: Pixels) -> Spot | None:
        """The part of the window in which the mask is set."""
        bounds = raster.bounds_of(mask[self.window])
        if bounds is None:
            return None
        (rows, columns), (top, left) = bounds, (part.start for part in self.window)
        return slice(top + rows.start, top + rows.stop), slice(left + columns.start, left + columns.stop)

    def _blend(self, spot: Spot, colours: Pixels, opacity: Pixels) -> None:
        below = self.pixels[spot]
        below += (colours - below) * opacity[..., None]

    def image(self) -> Image.Image:
        """The layer in RGBA. Pixels outside the window are transparent."""
        rows, columns = self.window
        image = raster.to_image(self.pixels[self.window]).convert("RGBA")
        image.putalpha(raster.to_image(self.cover[self.window]))
        whole = Image.new("RGBA", (self.width, self.height))
        whole.paste(image, (columns.start, rows.start))
        return whole

    def finish(self) -> None:
        """Remove the black of the empty layer from the colours of soft edges."""
        cover = np.maximum(self.cover[self.window], 0.02)[..., None]
        self.pixels[self.window] = np.clip(self.pixels[self.window] / cover, 0, 1)

    def mirror(self, up: Pixels, spot: Spot) -> Pixels:
        """What a surface mirrors in the directions `up` (-1 ground, 0 horizon, 1 zenith) of a part of the layer."""
        world, skyline = self.world, self._skyline[:, spot[1]]
        sky = _ramp(np.clip(up - skyline, 0, 1), (0.0, 0.35, 1.0), (world.haze, world.haze, world.zenith))
        ground, objects = world.ground, world.skyline
        near = (raster.dim(ground, 0.4), ground, raster.dim(ground, 0.75))
        tones = (*near, raster.dim(objects, 0.4), raster.dim(objects, 0.8))
        low = _ramp(up, (-1.0, -0.3, -0.02, 0.03, 0.2), tones)
        edge = np.clip((up - skyline) / 0.025 + 0.5, 0, 1)[..., None]
        return np.asarray(low + (sky - low) * edge, np.float32)

    def paintwork(
        self, mask: Pixels, paint: Colour, rise: Pixels, side: Pixels | None = None, gloss: float = 1.0
    ) -> None:
        """Cover the mask with car paint. `rise`: how much it faces up, `side`: how much it faces outwards, -1 to 1."""

        def shade(spot: Spot) -> Pixels:
            up = self.part(rise, spot)
            out = np.zeros_like(up) if side is None else self.part(side, spot)
            facing = np.sqrt(np.clip(1 - up**2 - out**2, 0.02, 1))
            shine = gloss * np.clip(0.13 + 0.75 * (1 - facing) ** 2.0, 0, 0.8)[..., None]
            light = (0.62 + 0.40 * up + 0.08 * facing - 0.18 * np.abs(out) ** 3) * np.float32(self.world.light)
            base = raster.colour(paint) * np.clip(light, 0.10, 1.15)[..., None]
            mirror = self.mirror(np.asarray(2 * facing * up, np.float32), spot)
            glint = np.clip((up - 0.80) / 0.15, 0, 1)[..., None] * np.float32(0.35 * gloss * self.world.light)
            return np.asarray(base * (1 - shine * 0.6) + mirror * shine + glint * mirror, np.float32)

        self.lay(shade, mask)

    def glazing(self, mask: Pixels) -> None:
        """Cover the mask with dark glass that mirrors the sky; seats and the far window are dim behind it."""
        top, bottom = extent(mask)
        depth = self.depth(top, bottom)
        far_window = np.clip(1 - np.abs(depth - 0.34) * 3.4, 0, 1) * (np.abs(self.x) < self.body.half_width * 0.52)
        tilt = np.float32(0.30) - depth * np.float32(0.32) + self.x / self.body.half_width * np.float32(0.06)

        def shade(spot: Spot) -> Pixels:
            area = raster.grow(spot, raster.reach_of_blur(20 * self.scale))
            light = raster.colour(self.world.haze) * 0.36 * self.part(far_window, area)[..., None]
            behind = raster.blur(raster.colour((30, 33, 37)) + light, 20 * self.scale)
            for seat in self._seats(top, bottom):
                behind = raster.blend(behind, (17, 18, 21), raster.blur(seat[area], 5 * self.scale), 0.92)
            rows, columns = (
                slice(inner.start - outer.start, inner.stop - outer.start)
                for inner, outer in zip(spot, area, strict=True)
            )
            sheen = np.clip(0.46 - depth[spot[0]] * 0.30, 0.08, 1)[..., None]
            mirror = self.mirror(self.part(tilt, spot), spot)
            return np.asarray(behind[rows, columns] * (1 - sheen * 0.4) + mirror * sheen, np.float32)

        self.lay(shade, mask)

    def _seats(self, top: float, bottom: float) -> list[Pixels]:
        tall = bottom - top

        def seat(draw: ImageDraw.ImageDraw, middle: float) -> None:
            x, wide = self.origin[0] + middle * self.body.half_width * self.scale, 120 * self.scale
            head = (x - wide, top + tall * 0.34, x + wide, top + tall * 0.60)
            back = (x - wide * 2.2, top + tall * 0.66, x + wide * 2.2, bottom + tall)
            draw.rounded_rectangle(head, radius=50 * self.scale, fill=255)
            draw.rounded_rectangle(back, radius=90 * self.scale, fill=255)

        return [raster.stencil((self.width, self.height), partial(seat, middle=middle)) for middle in (-0.40, 0.40)]

    def depth(self, top: float, bottom: float) -> Pixels:
        """0 at the row `top` and above, 1 at the row `bottom` and below."""
        rows = np.arange(self.height, dtype=np.float32)[:, None]
        return np.asarray(np.clip((rows - top) / max(bottom - top, 1), 0, 1), np.float32)


def extent(mask: Pixels) -> tuple[float, float]:
    """The first and the last row in which the mask is more than half opaque."""
    rows = np.flatnonzero(mask.max(axis=1) > 0.5)
    return (float(rows[0]), float(rows[-1])) if len(rows) else (0.0, 1.0)


def _ramp(values: Pixels, stops: Sequence[float], tones: Sequence[Colour]) -> Pixels:
    """The colours `tones` at the values `stops`, interpolated between them."""
    table = np.stack([raster.colour(tone) for tone in tones])
    channels = [np.interp(values, stops, table[:, channel]) for channel in range(3)]
    return np.stack(channels, axis=-1).astype(np.float32)
