"""The pictures of references, read again from their sources where their fingerprints do not suffice."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cached_property, lru_cache, partial

from PIL import Image

from mock_server.errors import ImageError
from mock_server.imaging.build_index import Entry, read
from mock_server.imaging.decode import decode, grey_copy
from mock_server.imaging.text_detection import TextLine, likely_lines

# Grey working copies of references kept in memory, 1 to 3 MB each.
_GREY_COPIES = 16
# References of which the likely lines are kept, at most 8 KB each.
_LINES = 1024


class ReferenceImage:
    """The working copy of a reference, read on demand; None where its source is gone."""

    def __init__(
        self,
        read_grey: Callable[[], Image.Image],
        read_colours: Callable[[], Image.Image],
        find_lines: Callable[[], tuple[TextLine, ...]],
    ) -> None:
        self._read_grey, self._read_colours, self._find_lines = read_grey, read_colours, find_lines

    @cached_property
    def grey(self) -> Image.Image | None:
        with suppress(OSError, ImageError):
            return self._read_grey()
        return None

    @cached_property
    def colours(self) -> Image.Image | None:
        """The same in RGB."""
        with suppress(OSError, ImageError):
            return self._read_colours()
        return None

    @cached_property
    def lines(self) -> tuple[TextLine, ...]:
        """The lines that may be text."""
        with suppress(OSError, ImageError):
            return self._find_lines()
        return ()

    def part(self, box: tuple[float, float, float, float], size: tuple[int, int]) -> Image.Image | None:
        """A part of the copy in RGB, resized."""
        return None if self.colours is None else self.colours.resize(size, Image.Resampling.BILINEAR, box=box)


class ReferenceImages:
    """The images of an index by position, some of them kept in memory. Thread-safe."""

    def __init__(self, entries: Sequence[Entry], max_pixels: int) -> None:
        # Not bound methods: a cycle of references would keep a replaced index alive.
        self._grey = lru_cache(_GREY_COPIES)(partial(_read_grey, entries, max_pixels))
        self._lines = lru_cache(_LINES)(partial(_find_lines, self._grey))
        self._colours = partial(_read_colours, entries, max_pixels)

    def __call__(self, position: int) -> ReferenceImage:
        return ReferenceImage(
            partial(self._grey, position), partial(self._colours, position), partial(self._lines, position)
        )


def _read_grey(entries: Sequence[Entry], max_pixels: int, position: int) -> Image.Image:
    return grey_copy(read(entries[position].reference), max_pixels=max_pixels)


def _read_colours(entries: Sequence[Entry], max_pixels: int, position: int) -> Image.Image:
    return decode(read(entries[position].reference), max_pixels=max_pixels).working_colours()


def _find_lines(grey: Callable[[int], Image.Image], position: int) -> tuple[TextLine, ...]:
    return likely_lines(grey(position))
