"""The index of the pictures of a loaded directory, with whatever is wrong with them told by file and line."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from mock_server.core.library import Index, references_of
from mock_server.errors import ImageError, Mistake
from mock_server.imaging.lazy_index import LazyIndex
from mock_server.scenarios.lint import check_index
from mock_server.scenarios.lint_images import undecodable
from mock_server.scenarios.load import Loaded, raise_if_wrong

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
    """The index of a loaded directory, and warnings; built on `previous` where there is one.

    Raises FixturesError with every picture that cannot be decoded, or every pair that cannot be told apart.
    """
    # Loaded where it is asked for: see `deferred_index`.
    from mock_server.imaging.index import ImageIndex

    references = references_of(loaded.set)
    try:
        if previous is None:
            index = ImageIndex.build(references, cache=cache, max_pixels=max_pixels, progress=progress)
        else:
            index = previous.updated(references, cache=cache, progress=progress)
    except ImageError:
        raise_if_wrong(_undecodable(loaded, max_pixels))
        raise
    told = sorted(set(check_index(loaded.parsed, loaded.set.accounts, index)))
    raise_if_wrong(told)
    return index, tuple(told)


def deferred_index(loaded: Loaded, *, max_pixels: int, cache: Path | None) -> LazyIndex:
    """The index of a directory whose pictures are as they were when `index_of` found nothing wrong with them."""

    def make() -> "ImageIndex":
        from mock_server.imaging.index import ImageIndex

        references = references_of(loaded.set)
        try:
            return ImageIndex.build(references, cache=cache, max_pixels=max_pixels)
        except (ImageError, OSError):
            # Changed in the moment since they were looked at; what follows the files tells of it.
            usable = [reference for reference in references if _usable(reference, max_pixels)]
            return ImageIndex.build(usable, cache=cache, max_pixels=max_pixels)

    return LazyIndex(make)


def _usable(reference: "Reference", max_pixels: int) -> bool:
    error = _why_not(reference.source, max_pixels)
    if error:
        logger.warning("%s cannot be read any more and is not recognised: %r", reference.id, error)
    return error is None


def _undecodable(loaded: Loaded, max_pixels: int) -> list[Mistake]:
    mistakes: dict[str, Mistake] = {}
    for one in loaded.parsed:
        for id in one.scenario.when.images:
            if id not in mistakes:
                error = _why_not(loaded.set.images[id], max_pixels)
                if isinstance(error, ImageError):
                    mistakes[id] = undecodable(one, id, error)
    return list(mistakes.values())


def _why_not(source: Path | bytes, max_pixels: int) -> ImageError | OSError | None:
    """Why a picture cannot be decoded, if it cannot."""
    from mock_server.imaging.decode import decode

    try:
        decode(source if isinstance(source, bytes) else source.read_bytes(), max_pixels=max_pixels)
    except (ImageError, OSError) as error:
        return error
    return None
