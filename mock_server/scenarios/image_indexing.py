"""Building the index of the pictures of a loaded directory; mistakes name the file and the line."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from mock_server.core.library import Index, references_of
from mock_server.errors import ImageError, Mistake
from mock_server.imaging.lazy_index import LazyIndex
from mock_server.scenarios.lint_images import check_index, unreadable_picture
from mock_server.scenarios.load import Loaded
from mock_server.scenarios.parse_results import raise_if_wrong

if TYPE_CHECKING:
    from mock_server.imaging.index import ImageIndex, Reference

logger = logging.getLogger(__name__)


def index_of(
    loaded: Loaded,
    *,
    max_pixels: int,
    previous: Index | None = None,
    cache: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> "tuple[ImageIndex, tuple[Mistake, ...]]":
    """The index of a loaded directory, and warnings; unchanged pictures are taken from `previous`.

    Raises FixturesError with every picture that cannot be decoded, or every pair of pictures that look the same.
    """
    # Imported here: the image libraries load slowly, and a start with a lazy index does not need them.
    from mock_server.imaging.index import ImageIndex

    references = references_of(loaded.set)
    try:
        if previous is None:
            index = ImageIndex.build(references, cache=cache, max_pixels=max_pixels, progress=progress)
        else:
            index = previous.updated(references, cache=cache, progress=progress)
    except ImageError:
        raise_if_wrong(_unreadable_pictures(loaded, max_pixels))
        raise
    found = sorted(set(check_index(loaded.parsed, loaded.set.accounts, index)))
    raise_if_wrong(found)
    return index, tuple(found)


def lazy_index(loaded: Loaded, *, max_pixels: int, cache: Path | None) -> LazyIndex:
    """The index of pictures that have not changed since `index_of` found no mistake in them, made when first needed."""

    def make() -> "ImageIndex":
        from mock_server.imaging.index import ImageIndex

        references = references_of(loaded.set)
        try:
            return ImageIndex.build(references, cache=cache, max_pixels=max_pixels)
        except (ImageError, OSError):
            # A picture has changed since the start. Hot reload reports it; until then the others are served.
            usable = [reference for reference in references if _usable(reference, max_pixels)]
            return ImageIndex.build(usable, cache=cache, max_pixels=max_pixels)

    return LazyIndex(make)


def _usable(reference: "Reference", max_pixels: int) -> bool:
    error = _decoding_error(reference.source, max_pixels)
    if error:
        logger.warning("%s cannot be read any more and is not recognised: %r", reference.id, error)
    return error is None


def _unreadable_pictures(loaded: Loaded, max_pixels: int) -> list[Mistake]:
    mistakes: dict[str, Mistake] = {}
    for one in loaded.parsed:
        for id in one.scenario.when.images:
            if id not in mistakes:
                error = _decoding_error(loaded.set.images[id], max_pixels)
                if isinstance(error, ImageError):
                    mistakes[id] = unreadable_picture(one, one.position_of(id), error)
    return list(mistakes.values())


def _decoding_error(source: Path | bytes, max_pixels: int) -> ImageError | OSError | None:
    """The error of decoding a picture; None if it can be decoded."""
    from mock_server.imaging.decode import decode

    try:
        decode(source if isinstance(source, bytes) else source.read_bytes(), max_pixels=max_pixels)
    except (ImageError, OSError) as error:
        return error
    return None
