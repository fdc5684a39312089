"""Building the index of the pictures of a loaded directory; mistakes name the file and the line."""

import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from mock_server.core.library import Index, references_of
from mock_server.errors import FingerprintsLostError, FixturesError, ImageError, Mistake
from mock_server.imaging.lazy_index import LazyIndex
from mock_server.scenarios.lint_images import check_index, unreadable_picture
from mock_server.scenarios.load import Loaded
from mock_server.scenarios.source import raise_if_wrong

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

    Raises FixturesError with every picture that cannot be decoded, or every pair of pictures that look the same, and
    where the disk does not give back what it has stored.
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
        users = {id: one for one in reversed(loaded.parsed) for id in one.scenario.when.images}
        unreadable = [
            unreadable_picture(users[id], users[id].position_of(id), error)
            for id, error in _unreadable(references, max_pixels).items()
            if isinstance(error, ImageError)
        ]
        raise_if_wrong(unreadable)
        raise
    except FingerprintsLostError as error:
        raise FixturesError([Mistake(str(loaded.set.root), 0, 0, str(error))]) from error
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
            unreadable = _unreadable(references, max_pixels)
            for id, error in unreadable.items():
                logger.warning("%s cannot be read any more and is not recognised: %r", id, error)
            usable = [reference for reference in references if reference.id not in unreadable]
            return ImageIndex.build(usable, cache=cache, max_pixels=max_pixels)

    return LazyIndex(make)


def _unreadable(references: "Iterable[Reference]", max_pixels: int) -> dict[str, ImageError | OSError]:
    """The errors of the pictures that cannot be decoded, by id."""
    from mock_server.imaging.build_index import read
    from mock_server.imaging.decode import decode

    errors: dict[str, ImageError | OSError] = {}
    for reference in references:
        try:
            decode(read(reference), max_pixels=max_pixels)
        except (ImageError, OSError) as error:
            errors[reference.id] = error
    return errors
