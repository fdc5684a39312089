"""What the index says about a picture."""

from dataclasses import dataclass
from typing import Literal

from mock_server.imaging.geometry import Box, Placement

MatchMethod = Literal["sha256", "pixels", "perceptual"]


@dataclass(frozen=True, slots=True)
class PictureFacts:
    """What is known of a picture; `width` and `height` in upright pixels.

    `blank`: nothing can be seen on it. `sharpness`: variance of the Laplacian of the grey picture, halved
    as long as its longer side keeps SMALL_SIDE pixels.
    """

    format: str
    width: int
    height: int
    byte_count: int
    sha256: str
    blank: bool
    sharpness: float


@dataclass(frozen=True, slots=True)
class ImageMatch:
    """A reference that the sent picture shows. The lower `score`, the surer; it is at most `limit`."""

    id: str
    method: MatchMethod
    score: float
    limit: float
    placement: Placement


@dataclass(frozen=True, slots=True)
class ImageNearMiss:
    """A reference that came near and is not it; `region`: where they differ, in pixels of the sent picture.

    `reason`: "other_scene", "other_text" (a line of text differs), "other_detail" (something else does),
    "other_colours", "too_small" (too few pixels to a character to be sure), "cut_off" (part of a declared
    region lies outside), "unreadable" (its file is gone).
    """

    id: str
    score: float
    limit: float
    reason: str
    region: Box | None = None


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What was found for one picture, best first, and the three that came nearest without being it."""

    facts: PictureFacts
    matches: tuple[ImageMatch, ...] = ()
    near_misses: tuple[ImageNearMiss, ...] = ()


@dataclass(frozen=True, slots=True)
class Collision:
    """Two references that no picture could tell apart."""

    a: str
    b: str
    score: float


@dataclass(frozen=True, slots=True)
class TooSmall:
    """A reference whose own text has too few pixels to a character, `cell`, to be told from a neighbour."""

    id: str
    box: Box
    cell: float
