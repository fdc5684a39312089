"""Explains to people why a picture matches or does not: in one line, and as two pictures side by side."""

from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageDraw, ImageFont

from mock_server.imaging.decode import decode
from mock_server.imaging.geometry import Box
from mock_server.imaging.open_image import DEFAULT_MAX_PIXELS
from mock_server.imaging.pixel_transforms import fitted
from mock_server.imaging.results import Bytes, MatchMethod, SearchResult

# Layout of the picture, in pixels: longer side of a panel, gap between panels, height of the caption.
_PANEL_SIDE = 640
_GAP = 12
_CAPTION = 22
_FONT_SIZE = 13
_MATCH_COLOUR = "#2da44e"
_MISS_COLOUR = "#cf222e"


@dataclass(frozen=True, slots=True)
class Explanation:
    """The result of a search with the places that decided it.

    `id`, `score`, `limit`: of the best match, else of the nearest reference, else None. `reason`: why the nearest one
    does not match. `regions`, in pixels of the sent picture: the declared texts of a match, or where the nearest
    differs.
    """

    search: SearchResult
    method: MatchMethod | None
    id: str | None
    score: float | None
    limit: float | None
    reason: str | None
    regions: tuple[Box, ...]


def explain(search: SearchResult, regions: tuple[Box, ...]) -> Explanation:
    """The explanation of a search; `regions`: the declared texts of the best match, in pixels of the sent picture."""
    if search.matches:
        best = search.matches[0]
        return Explanation(search, best.method, best.id, best.score, best.limit, None, regions)
    if search.near_misses:
        near = search.near_misses[0]
        difference = (near.region,) if near.region else ()
        return Explanation(search, None, near.id, near.score, near.limit, near.reason, difference)
    return Explanation(search, None, None, None, None, None, ())


def summary(explanation: Explanation) -> str:
    """The explanation in one line."""
    if explanation.id is None:
        return "no known picture comes near"
    if explanation.reason is None:
        verdict = f"is {explanation.id}, by {explanation.method}"
    else:
        verdict = f"nearest {explanation.id}: {explanation.reason.replace('_', ' ')}"
    if explanation.method in ("sha256", "pixels"):
        return verdict
    return f"{verdict} (score {explanation.score:.2f}, limit {explanation.limit:.2f})"


def side_by_side(
    explanation: Explanation,
    sent: Bytes,
    reference: Bytes | None,
    reference_regions: tuple[Box, ...] = (),
    *,
    max_pixels: int = DEFAULT_MAX_PIXELS,
) -> bytes:
    """A PNG of the sent picture beside the reference, with the regions marked; raises the errors of `ImageError`."""
    is_match = explanation.reason is None and explanation.id is not None
    colour = _MATCH_COLOUR if is_match else _MISS_COLOUR
    panels = [_panel(sent, explanation.regions, colour, "sent", max_pixels)]
    if reference is not None:
        panels.append(_panel(reference, reference_regions, colour, explanation.id or "", max_pixels))
    width = sum(panel.width for panel in panels) + _GAP * (len(panels) - 1)
    page = Image.new("RGB", (width, max(panel.height for panel in panels) + _CAPTION), "white")
    left = 0
    for panel in panels:
        page.paste(panel, (left, _CAPTION))
        left += panel.width + _GAP
    ImageDraw.Draw(page).text((4, 4), summary(explanation), "black", ImageFont.load_default(_FONT_SIZE))
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
