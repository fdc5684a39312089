"""What the index takes (pictures to recognise, and where their texts stand) and returns.

Imports neither Pillow nor numpy.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mock_server.imaging.geometry import Box, Placement

Bytes = bytes | memoryview
"""The bytes of an image file."""

MatchMethod = Literal["sha256", "pixels", "perceptual"]

# A box may hold two lines below this aspect ratio, and with this many characters; a VIN stands on one line. The pixels
# decide: a plate of the United States, boxed at its rim, is 2.0 times as wide as it is high and has one line.
_TWO_LINES_BELOW = 2.2
_MIN_TWO_LINE_CHARACTERS = 5
_VIN_LENGTH = 17


@dataclass(frozen=True, slots=True)
class Region:
    """Where a text stands: `box` in upright pixels of its picture; `characters`: how many, 0 if unknown."""

    box: Box
    characters: int = 0

    @property
    def may_have_two_lines(self) -> bool:
        """Whether the box has the shape, and the text the length, of two lines."""
        is_tall = self.box.width < _TWO_LINES_BELOW * self.box.height
        return is_tall and self.characters >= _MIN_TWO_LINE_CHARACTERS and self.characters != _VIN_LENGTH

    def pitch(self, lines: int) -> float:
        """Width in pixels of one character with its spacing, as the box and the number of characters give it."""
        if not self.characters:
            return min(self.box.width / 6, self.box.height * 0.6)
        return self.box.width / -(-self.characters // lines)


@dataclass(frozen=True, slots=True)
class Reference:
    """A picture to recognise; `source` is its file or its bytes."""

    id: str
    source: Path | bytes
    regions: tuple[Region, ...] = ()


@dataclass(frozen=True, slots=True)
class PictureFacts:
    """Facts about one picture; `width` and `height` in upright pixels.

    `blank`: it shows nothing. `sharpness`: variance of the Laplacian of the grey picture, halved as often as its longer
    side keeps SMALL_SIDE pixels.
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
    """A reference that the sent picture shows. The lower the `score`, the surer; it is at most `limit`."""

    id: str
    method: MatchMethod
    score: float
    limit: float
    placement: Placement


@dataclass(frozen=True, slots=True)
class ImageNearMiss:
    """A reference that is similar and does not match; `region`: where they differ, in pixels of the sent picture.

    `reason`: "other_scene", "other_text" (a line of text differs), "other_detail" (something else differs),
    "other_colours", "other_surroundings" (only what surrounds the texts differs), "too_small" (too few pixels per
    character to be sure), "cut_off" (a part of a declared region lies outside the sent picture), "unreadable" (the file
    of the reference is gone).
    """

    id: str
    score: float
    limit: float
    reason: str
    region: Box | None = None


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The matches of one picture, best first, and the three nearest references that do not match."""

    facts: PictureFacts
    matches: tuple[ImageMatch, ...] = ()
    near_misses: tuple[ImageNearMiss, ...] = ()


@dataclass(frozen=True, slots=True)
class Collision:
    """Two references, by their ids, that no sent picture could tell apart."""

    a: str
    b: str
    score: float


@dataclass(frozen=True, slots=True)
class TooSmall:
    """A reference with a declared text of few pixels per character: it may not be told from a similar one.

    `is_certain`: nothing smaller than this ever matches, and a picture sent unchanged is found by its bytes alone.
    """

    id: str
    box: Box
    character: float
    is_certain: bool


@dataclass(frozen=True, slots=True)
class TooFaint:
    """A reference with a declared text that hardly differs from its ground; `contrast` in grey levels."""

    id: str
    box: Box
    contrast: float
