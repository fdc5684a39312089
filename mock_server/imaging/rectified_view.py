"""The sent picture, straightened so that a reference lies level in it: only the part around the declared texts."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from PIL import Image

from mock_server.imaging.comparison import at_shared_resolution
from mock_server.imaging.decode import Picture
from mock_server.imaging.fingerprint import Fingerprint, Patch
from mock_server.imaging.geometry import Affine, Box, Frame, Placement, scaling
from mock_server.imaging.lucas_kanade import Alignment, sample
from mock_server.imaging.pixel_transforms import resampled
from mock_server.imaging.plane_alignment import TextPlace, align_affine, align_in_perspective, in_perspective

# Space around the texts, in heights of a text: for their alignment.
_SPACE = 0.5
# Pixels of the straightened part at most on the longer side; a larger part is straightened at a lower resolution.
_MAX_SIDE = 1600
# Share of the least move that counts from which the first step of an alignment is followed by more.
_CLEARLY_LESS = 0.7
# The picture's edge pixels are repeated by so much above and below it, in heights of a text. A text that is cut out
# closely and turned a little would lose rows of its margin otherwise. On the left and right, what is missing may be a
# part of a character.
_REPEATED = 0.12


class RectifiedView:
    """The part of a sent picture around a reference's texts, level and at the picture's own resolution.

    `affine` maps upright pixels of the reference to those of the working copy; it is refined at the first text.
    `correlation`: of that text with what is shown there. `least_move`: of a corner of that text, in pixels of the
    working copy. Where the text clearly moves less, `affine` is not refined.
    """

    def __init__(self, picture: Picture, reference: Fingerprint, affine: Affine, least_move: float = 0.0) -> None:
        self.picture = picture
        self._size = reference.size
        texts = [patch for patch in reference.patches if patch.is_declared]
        self._texts = texts
        self._boxes = [text.frame.scaled(*reference.size) for text in texts]
        self._source, self._source_zoom = picture.at(_zoom_needed(picture, reference, texts, affine))
        affine = scaling(self._source_zoom / picture.zoom).after(affine)
        least_move *= self._source_zoom / picture.zoom
        self.affine, self.correlation = _refined(texts[0], self._source, affine, reference.size, least_move)
        # How far a corner of the first text lies from where it would by the given map, in pixels of the working copy.
        self.moved = _distance(affine, self.affine, self._boxes[0]) * picture.zoom / self._source_zoom

    @property
    def in_working_copy(self) -> Affine:
        """The map from the reference's upright pixels to those of the working copy, as it was refined."""
        return scaling(self.picture.zoom / self._source_zoom).after(self.affine)

    @property
    def image(self) -> Image.Image:
        """The straightened part in grey."""
        return self._part[0]

    @property
    def frame(self) -> Frame:
        """The whole reference, in pixels of the straightened part."""
        return self._part[1]

    @cached_property
    def _part(self) -> tuple[Image.Image, Frame, Affine]:
        """The straightened part, the reference's frame in it, and the map from it to the source."""
        x_scale = float(np.hypot(self.affine.xx, self.affine.yx))
        y_scale = float(np.hypot(self.affine.xy, self.affine.yy))
        boxes, height = self._boxes, max(box.height for box in self._boxes)
        left, top = (min(getattr(box, edge) for box in boxes) - _SPACE * height for edge in ("left", "top"))
        width = max(box.left + box.width for box in boxes) + _SPACE * height - left
        high = max(box.top + box.height for box in boxes) + _SPACE * height - top
        limit = min(1.0, _MAX_SIDE / max(width * x_scale, high * y_scale))
        repeated = round(_REPEATED * height * y_scale) + 1
        x_scale, y_scale = x_scale * limit, y_scale * limit
        back = self.affine.after(Affine(1 / x_scale, 0, left, 0, 1 / y_scale, top))
        size = (max(8, round(width * x_scale)), max(8, round(high * y_scale)))
        image, (x, y) = _straightened(self._source, back, size, repeated)
        frame = Frame(-left * x_scale - x, -top * y_scale - y, self._size[0] * x_scale, self._size[1] * y_scale)
        return image, frame, back.after(Affine(1, 0, x, 0, 1, y))

    def full_size(self) -> tuple[Image.Image, float]:
        """The straightened part; it has the resolution that is needed already."""
        return self.image, 1.0

    def to_sent(self, frame: Frame, reference_size: tuple[int, int]) -> Affine:
        """From a reference of this size, with `frame` in the straightened part, to upright pixels of the picture."""
        x, y = frame.width / reference_size[0], frame.height / reference_size[1]
        return scaling(1 / self._source_zoom).after(self._part[2].after(Affine(x, 0, frame.left, 0, y, frame.top)))

    def placement(
        self, frame: Frame, reference_size: tuple[int, int], texts: Sequence[TextPlace] | None = None
    ) -> Placement:
        """Where something of this size lies in the sent picture, given its frame in the straightened part.

        `texts`: where the reference's texts lie there, if they were found in perspective. Where the list is empty, the
        placement is of the whole reference, and its texts are looked at once more.
        """
        affine = self.to_sent(frame, reference_size)
        level = Placement(
            reference_size,
            self.picture.size,
            scale=(affine.xx, affine.yy),
            shift=(affine.x0, affine.y0),
            skew=(affine.xy, affine.yx),
        )
        if texts is None:
            return level
        to_sent = scaling(1 / self._source_zoom).after(self._part[2])
        return in_perspective(level, [text.mapped(to_sent) for text in texts or self._texts_in_perspective(frame)])

    def _texts_in_perspective(self, frame: Frame) -> list[TextPlace]:
        """The texts that a homography lays better on the straightened part than `frame` of the whole reference does."""
        places = []
        for text in self._texts:
            text_frame = frame.part(text.frame)
            known, _ = at_shared_resolution(Image.fromarray(text.pixels), text_frame)
            samples = sample(self.image, text_frame, *known.size)
            if samples is None:
                continue
            start = Alignment(text_frame, samples, -1.0)
            aligned = align_in_perspective(np.asarray(known, dtype=np.float32), self.image, start)
            if aligned is not None and aligned.corners is not None:
                places.append(TextPlace(text.frame, aligned.corners, True))
        return places


def _zoom_needed(picture: Picture, reference: Fingerprint, texts: list[Patch], affine: Affine) -> float:
    """The zoom of the picture at which its texts have the resolution of the reference's."""
    finest = max(text.shape[1] / (text.frame.width * reference.size[0]) for text in texts)
    scale = float(np.sqrt(abs(affine.determinant)))
    return min(1.0, picture.zoom * finest / scale) if scale < finest else picture.zoom


def _refined(
    text: Patch, source: Image.Image, affine: Affine, size: tuple[int, int], least_move: float
) -> tuple[Affine, float]:
    """`affine`, from a reference of this size to the source, refined at one text; the correlation of the two there."""
    frame = text.frame.scaled(*size)
    rows, columns = text.shape
    cell = Affine(frame.width / columns, 0, frame.left, 0, frame.height / rows, frame.top)
    to_source = affine.after(cell)
    # A corner moves by three parts at most on either axis: the text's shift, and two changes of its shape.
    negligible = _CLEARLY_LESS * least_move / (3 * float(np.sqrt(abs(to_source.determinant))))
    aligned, correlation = align_affine(text.pixels, source, to_source, negligible)
    return aligned.after(cell.inverse), correlation


def _distance(one: Affine, other: Affine, box: Frame) -> float:
    """How far apart the corners of a box lie at most under two maps."""
    return max(float(np.hypot(*np.subtract(one.point(*corner), other.point(*corner)))) for corner in box.corners)


def _straightened(
    source: Image.Image, back: Affine, size: tuple[int, int], repeated: int
) -> tuple[Image.Image, tuple[int, int]]:
    """The part of a level area of this size that lies inside the source, and its top left corner.

    `back` maps the area to the source, whose upper and lower edges are repeated by `repeated` pixels.
    """
    inside = _visible(back.inverse, source.size, size, repeated)
    to_source = back.after(Affine(1, 0, inside.xmin, 0, 1, inside.ymin))
    image = resampled(source, to_source, (inside.width, inside.height), Image.Resampling.BICUBIC)
    return image, (inside.xmin, inside.ymin)


def _visible(to_part: Affine, source: tuple[int, int], size: tuple[int, int], repeated: int) -> Box:
    """The part of a straightened area of this size in which every pixel lies inside the source."""
    left, top, right, bottom = -1, -repeated, source[0] + 1, source[1] + repeated
    upper_left, upper_right, lower_right, lower_left = (
        to_part.point(x, y) for x, y in ((left, top), (right, top), (right, bottom), (left, bottom))
    )
    xmin = max(0.0, *(_crossing(upper_left, lower_left, y, 1) for y in (0, size[1])))
    xmax = min(float(size[0]), *(_crossing(upper_right, lower_right, y, 1) for y in (0, size[1])))
    ymin = max(0.0, *(_crossing(upper_left, upper_right, x, 0) for x in (0, size[0])))
    ymax = min(float(size[1]), *(_crossing(lower_left, lower_right, x, 0) for x in (0, size[0])))
    first = (int(np.ceil(xmin)), int(np.ceil(ymin)))
    return Box(*first, max(first[0] + 1, int(xmax)), max(first[1] + 1, int(ymax)))


def _crossing(one: tuple[float, float], other: tuple[float, float], at: float, axis: int) -> float:
    """The other coordinate of a line through two points where the coordinate `axis` has this value."""
    share = (at - one[axis]) / (other[axis] - one[axis])
    return one[1 - axis] + share * (other[1 - axis] - one[1 - axis])
