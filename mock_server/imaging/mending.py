"""Takes what was laid over a picture out of a comparison, except over text.

The covered areas of the reference are taken from the sent picture, so that they differ nowhere. A line of the reference
that is text stays as it is: where that is covered, the picture differs.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image

from mock_server.imaging.covers import Area
from mock_server.imaging.geometry import Frame
from mock_server.imaging.lucas_kanade import sample
from mock_server.imaging.photometric_fit import ToneCurve
from mock_server.imaging.text_detection import TextLine

# A line with this clearness and strength is text, unless there are more such lines than a picture has texts: those are
# a pattern. So is each line of which the product of both is this share of the largest one, if so much of it is covered.
_TEXT_CLEARNESS, _TEXT_STRENGTH = 0.6, 8.0
_MAX_TEXTS = 8
_SURE_SHARE = 0.4
_MIN_HIDDEN = 0.12
# What is detected may be lower than the text, by this share of it at either edge.
_TEXT_MARGIN = 0.25


def mend(
    reference: Image.Image,
    image: Image.Image,
    frame: Frame,
    areas: Sequence[Area],
    lines: Sequence[TextLine],
    tones: ToneCurve,
) -> Image.Image:
    """The reference with these areas of it taken from `frame` of an image, except for lines that are text.

    `tones`: what they are in the image.
    """
    copy = reference.copy()
    for area in areas:
        left, top, right, bottom = _pixels(area, copy)
        across, down = right - left, bottom - top
        part = Frame(left / copy.width, top / copy.height, across / copy.width, down / copy.height)
        samples = sample(image, frame.part(part), across, down) if min(across, down) > 0 else None
        if samples is not None:
            pixels = Image.fromarray(tones.inverse(samples.cells).astype(np.uint8))
            copy.paste(pixels, (left + samples.columns.start, top + samples.rows.start))
    for text in _texts(lines, areas):
        edges = _pixels(text, copy)
        copy.paste(reference.crop(edges), edges[:2])
    return copy


def _texts(lines: Sequence[TextLine], areas: Sequence[Area]) -> Iterator[Area]:
    """Where the lines lie that are text, or that may be and are covered."""
    sure = [line for line in lines if line.clearness >= _TEXT_CLEARNESS and line.strength >= _TEXT_STRENGTH]
    best = max((line.clearness * line.strength for line in lines), default=0.0)
    for line in lines:
        is_sure = line in sure and len(sure) <= _MAX_TEXTS
        may_be = line.clearness * line.strength >= _SURE_SHARE * best
        if is_sure or (may_be and any(_common(line, area) >= _MIN_HIDDEN * line.area for area in areas)):
            down = _TEXT_MARGIN * (line.bottom - line.top)
            yield line.left, max(0.0, line.top - down), line.right, min(1.0, line.bottom + down)


def _common(line: TextLine, area: Area) -> float:
    across = min(line.right, area[2]) - max(line.left, area[0])
    down = min(line.bottom, area[3]) - max(line.top, area[1])
    return max(0.0, across) * max(0.0, down)


def _pixels(area: Area, image: Image.Image) -> tuple[int, int, int, int]:
    width, height = image.size
    return round(area[0] * width), round(area[1] * height), round(area[2] * width), round(area[3] * height)
