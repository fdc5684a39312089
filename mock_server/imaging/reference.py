"""What is given to the index: pictures to recognise, and where their texts stand."""

from dataclasses import dataclass
from pathlib import Path

from mock_server.imaging.geometry import Box

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
