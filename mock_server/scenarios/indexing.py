"""The index of the pictures of a loaded directory, with whatever is wrong with them told by file and line."""

from pathlib import Path

from mock_server.core.library import references_of
from mock_server.errors import ImageError, Mistake
from mock_server.imaging.decode import decode
from mock_server.imaging.index import ImageIndex
from mock_server.scenarios.checks import check_index
from mock_server.scenarios.load import Loaded, raise_if_wrong
from mock_server.scenarios.picture_checks import undecodable


def index_of(
    loaded: Loaded, *, max_pixels: int, previous: ImageIndex | None = None, cache: Path | None = None
) -> tuple[ImageIndex, tuple[Mistake, ...]]:
    """The index of a loaded directory, and warnings; built on `previous` where there is one.

    Raises FixturesError with every picture that cannot be decoded, or every pair that cannot be told apart.
    """
    references = references_of(loaded.set)
    try:
        if previous is None:
            index = ImageIndex.build(references, cache=cache, max_pixels=max_pixels)
        else:
            index = previous.updated(references, cache=cache)
    except ImageError:
        raise_if_wrong(_undecodable(loaded, max_pixels))
        raise
    told = sorted(set(check_index(loaded.parsed, loaded.set.accounts, index)))
    raise_if_wrong(told)
    return index, tuple(told)


def _undecodable(loaded: Loaded, max_pixels: int) -> list[Mistake]:
    mistakes: dict[str, Mistake] = {}
    for one in loaded.parsed:
        for id in one.scenario.when.images:
            if id in mistakes:
                continue
            source = loaded.set.images[id]
            try:
                decode(source if isinstance(source, bytes) else source.read_bytes(), max_pixels=max_pixels)
            except ImageError as error:
                mistakes[id] = undecodable(one, id, error)
    return list(mistakes.values())
