"""Why a picture matches or does not, for people: in words, and as two pictures side by side."""

from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageDraw, ImageFont

from mock_server.imaging.decode import decode
from mock_server.imaging.formats import Bytes
from mock_server.imaging.geometry import Box
from mock_server.imaging.open_image import DEFAULT_MAX_PIXELS
from mock_server.imaging.results import MatchMethod, SearchResult

_SIDE = 640
_GAP = 12
_CAPTION = 22
_ALIKE = "#2da44e"
_DIFFERENT = "#cf222e"


@dataclass(frozen=True, slots=True)
class Explanation:
    """What was found, by which stage and how surely, and what came nearest.

    `id`, `score`, `limit`: of the best match, or else of what came nearest; None where nothing did.
    `reason`: why that
    is not a match. `region`: where the two differ, or for a match where its regions lie, in pixels of the
    sent picture."""

    search: SearchResult
    method: MatchMethod | None
    id: str | None
    score: float | None
    limit: float | None
    reason: str | None
    regions: tuple[Box, ...]


def explained(search: SearchResult, regions: tuple[Box, ...]) -> Explanation:
    """The explanation of a search; `regions` are those of the best match, in pixels of the sent picture."""
    if search.matches:
        best = search.matches[0]
        return Explanation(search, best.method, best.id, best.score, best.limit, None, regions)
    if search.near_misses:
        near = search.near_misses[0]
        differs = (near.region,) if near.region else ()
        return Explanation(search, None, near.id, near.score, near.limit, near.reason, differs)
    return Explanation(search, None, None, None, None, None, ())


def side_by_side(
    explanation: Explanation,
    sent: Bytes,
    known: Bytes | None,
    known_regions: tuple[Box, ...] = (),
    *,
    max_pixels: int = DEFAULT_MAX_PIXELS,
) -> bytes:
    """A PNG of the sent picture beside the known one, with the regions marked; raises the errors of
    `ImageError`."""
    matched = explanation.reason is None and explanation.id is not None
    colour = _ALIKE if matched else _DIFFERENT
    panels = [_panel(sent, explanation.regions, colour, "sent", max_pixels)]
    if known is not None:
        panels.append(_panel(known, known_regions, colour, explanation.id or "", max_pixels))
    width = sum(panel.width for panel in panels) + _GAP * (len(panels) - 1)
    page = Image.new("RGB", (width, max(panel.height for panel in panels) + _CAPTION), "white")
    left = 0
    for panel in panels:
        page.paste(panel, (left, _CAPTION))
        left += panel.width + _GAP
    ImageDraw.Draw(page).text((4, 4), summary(explanation), "black", ImageFont.load_default(13))
    out = BytesIO()
    page.save(out, "PNG")
    return out.getvalue()


def summary(explanation: Explanation) -> str:
    """The verdict in one line."""
    if explanation.id is None:
        return "no known picture comes near"
    if explanation.reason is None:
        verdict = f"is {explanation.id}, by {explanation.method}"
    else:
        verdict = f"nearest {explanation.id}: {explanation.reason.replace('_', ' ')}"
    if explanation.method in ("sha256", "pixels"):
        return verdict
    return f"{verdict} (score {explanation.score:.2f}, limit {explanation.limit:.2f})"


def _panel(data: Bytes, boxes: tuple[Box, ...], colour: str, title: str, max_pixels: int) -> Image.Image:
    picture = decode(data, max_pixels=max_pixels).full()
    factor = min(1.0, _SIDE / max(picture.size))
    size = (max(1, round(picture.width * factor)), max(1, round(picture.height * factor)))
    panel = picture.resize(size, Image.Resampling.BILINEAR, reducing_gap=3.0)
    draw = ImageDraw.Draw(panel)
    for box in boxes:
        edges = [value * factor for value in (box.xmin, box.ymin, box.xmax, box.ymax)]
        draw.rectangle(
            (edges[0] - 1, edges[1] - 1, max(edges[2], edges[0]) + 1, max(edges[3], edges[1]) + 1),
            None,
            colour,
            2,
        )
    draw.text((4, 2), title, colour, ImageFont.load_default(13))
    return panel
