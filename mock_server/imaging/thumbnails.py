"""Normalised 16 x 16 thumbnails, by which the coarse search compares pictures.

A picture has one of its whole frame and one of the part inside each even border: a client's letterbox bars change the
first and not the second.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mock_server.imaging.geometry import Frame
from mock_server.imaging.lucas_kanade import Floats
from mock_server.imaging.pixel_transforms import Grey

# Cells a side.
THUMBNAIL_CELLS = 16
# Grey levels that a border may differ from its mean level: what a codec does to even ground.
_BORDER_TOLERANCE = 14
# Share of the picture that must be left inside a border; a smaller rest is content on an even ground.
_MIN_INNER_AREA = 0.1
# Share that a moderate crop takes from each side. The whole frame and the frame without this share are near enough to
# every crop between the two.
_CROP = 0.045

# Cells of a sent picture within so many times the usual distance from their median show the picture; those farther
# away may show what was laid over it.
_USUAL = 4.5

Edges = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class FrameThumbnail:
    """A part of a picture, in fractions of it, and its thumbnail with mean 0 and norm 1.

    Half precision is enough: it changes a correlation by less than 0.001.
    """

    frame: Frame
    pixels: NDArray[np.float16]


def query_thumbnails(small: Image.Image) -> tuple[FrameThumbnail, ...]:
    """Those of `bordered_thumbnails`, and one of the whole frame without cells that differ most from the others.

    A bar or a cover on a picture of little contrast would otherwise decide what the picture looks like.
    """
    thumbnails = bordered_thumbnails(small)
    cells = thumbnails[0].pixels.astype(np.float32)
    middle = np.median(cells)
    is_usual = np.abs(cells - middle) <= _USUAL * np.median(np.abs(cells - middle))
    if is_usual.all():
        return thumbnails
    return (*thumbnails, FrameThumbnail(thumbnails[0].frame, _normalised(np.where(is_usual, cells, middle))))


def bordered_thumbnails(small: Image.Image) -> tuple[FrameThumbnail, ...]:
    """Thumbnails of a grey picture's whole frame, of the part inside an even border, and inside another one within.

    The first border may be letterbox bars; the second is the even ground that many drawn pictures have.
    """
    inner = (0, 0, small.width, small.height)
    parts = [inner]
    for _ in range(2):
        inner = _inside_border(small, inner)
        inner_area = (inner[2] - inner[0]) * (inner[3] - inner[1])
        if inner == parts[-1] or inner_area < _MIN_INNER_AREA * small.width * small.height:
            break
        parts.append(inner)
    return tuple(_thumbnail(small, part) for part in parts)


def reference_thumbnails(small: Image.Image) -> tuple[FrameThumbnail, ...]:
    """The same, and a thumbnail of what a crop leaves of the picture."""
    width, height = small.size
    across, down = round(width * _CROP), round(height * _CROP)
    return (*bordered_thumbnails(small), _thumbnail(small, (across, down, width - across, height - down)))


def _thumbnail(small: Image.Image, edges: Edges) -> FrameThumbnail:
    width, height = small.size
    left, top, right, bottom = edges
    # Cut out before resizing: the filter reaches beyond the edges and would mix letterbox bars into the outer cells.
    part = small.crop(edges).resize((THUMBNAIL_CELLS, THUMBNAIL_CELLS), Image.Resampling.BILINEAR, reducing_gap=3.0)
    frame = Frame(left / width, top / height, (right - left) / width, (bottom - top) / height)
    return FrameThumbnail(frame, _normalised(np.asarray(part, dtype=np.float32)))


def _normalised(cells: Floats) -> NDArray[np.float16]:
    centred: Floats = cells - cells.mean()
    pixels: Floats = centred / np.float32(max(float(np.linalg.norm(centred)), 1e-3))
    return pixels.astype(np.float16)


def _inside_border(small: Image.Image, edges: Edges) -> Edges:
    """What a border of one even grey leaves of the part `edges`; all of it where there is no such border."""
    part = small.crop(edges)
    level = _border_level(np.asarray(part))
    if level is None:
        return edges
    content = part.point([abs(grey - level) > _BORDER_TOLERANCE for grey in range(256)]).getbbox()
    if content is None:
        return edges
    left, top = edges[:2]
    return left + content[0], top + content[1], left + content[2], top + content[3]


def _border_level(part: Grey) -> int | None:
    """The grey level of the first edge that is even."""
    for edge in (part[0], part[-1], part[:, 0], part[:, -1]):
        low, high = int(edge.min()), int(edge.max())
        if high - low <= 2 * _BORDER_TOLERANCE:
            return (low + high) // 2
    return None
