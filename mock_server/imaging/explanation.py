"""Explains to people why a picture matches or does not: in one line, and as two pictures side by side."""

from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageDraw, ImageFont

from mock_server.imaging.build_index import read
from mock_server.imaging.decode import decode
from mock_server.imaging.geometry import Box
from mock_server.imaging.pixel_transforms import fitted
from mock_server.imaging.results import Bytes, ImageMatch, ImageNearMiss, Reference, SearchResult

# Layout of the picture, in pixels: longer side of a panel, gap between panels, height of the caption and of its text.
_PANEL_SIDE = 640
_GAP = 12
_CAPTION = 22
_FONT_SIZE = 13
_MATCH_COLOUR = "#2da44e"
_MISS_COLOUR = "#cf222e"


@dataclass(frozen=True, slots=True)
class Explanation:
    """The result of a search, and the reference that matches best or is nearest."""

    search: SearchResult
    reference: Reference | None = None

    @property
    def nearest(self) -> ImageMatch | ImageNearMiss | None:
        """The best match, else the nearest reference."""
        found = self.search.matches or self.search.near_misses
        return found[0] if found else None

    @property
    def regions(self) -> tuple[Box, ...]:
        """In pixels of the sent picture: the declared texts of a match, or where the nearest reference differs."""
        if isinstance(self.nearest, ImageMatch) and self.reference is not None:
            return tuple(self.nearest.placement.map(region.box) for region in self.reference.regions)
        return (self.nearest.region,) if isinstance(self.nearest, ImageNearMiss) and self.nearest.region else ()

    @property
    def summary(self) -> str:
        """The explanation in one line."""
        if self.nearest is None:
            return "no known picture comes near"
        if isinstance(self.nearest, ImageNearMiss):
            verdict = f"nearest {self.nearest.id}: {self.nearest.reason.replace('_', ' ')}"
        else:
            verdict = f"is {self.nearest.id}, by {self.nearest.method}"
            if self.nearest.method != "perceptual":
                return verdict
        return f"{verdict} (score {self.nearest.score:.2f}, limit {self.nearest.limit:.2f})"


def side_by_side(explanation: Explanation, sent: Bytes, max_pixels: int) -> bytes:
    """A PNG of the sent picture beside the reference, with the regions marked; raises the errors of `ImageError`."""
    reference = explanation.reference
    colour = _MATCH_COLOUR if explanation.search.matches else _MISS_COLOUR
    panels = [_panel(sent, explanation.regions, colour, "sent", max_pixels)]
    if reference is not None:
        boxes = tuple(region.box for region in reference.regions)
        panels.append(_panel(read(reference), boxes, colour, reference.id, max_pixels))
    width = sum(panel.width for panel in panels) + _GAP * (len(panels) - 1)
    page = Image.new("RGB", (width, max(panel.height for panel in panels) + _CAPTION), "white")
    left = 0
    for panel in panels:
        page.paste(panel, (left, _CAPTION))
        left += panel.width + _GAP
    ImageDraw.Draw(page).text((4, 4), explanation.summary, "black", ImageFont.load_default(_FONT_SIZE))
    out = BytesIO()
    page.save(out, "PNG")
    return out.getvalue()


def _panel(data: Bytes, boxes: tuple[Box, ...], colour: str, title: str, max_pixels: int) -> Image.Image:
    picture = decode(data, max_pixels=max_pixels)
    # A copy, because a small picture is returned as it is.
    panel = fitted(picture.full(), _PANEL_SIDE).copy()
    factor = panel.width / picture.size[0]
    draw = ImageDraw.Draw(panel)
    for box in boxes:
        left, top, right, bottom = (value * factor for value in (box.xmin, box.ymin, box.xmax, box.ymax))
        draw.rectangle((left - 1, top - 1, max(right, left) + 1, max(bottom, top) + 1), None, colour, 2)
    draw.text((4, 2), title, colour, ImageFont.load_default(_FONT_SIZE))
    return panel
