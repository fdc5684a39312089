"""Paths of pictures in scenario files: what they name, and whether that may be used."""

import os
from collections.abc import Collection, Sequence
from pathlib import Path as Folder
from pathlib import PurePosixPath

from mock_server.scenarios.discovery import Directory
from mock_server.scenarios.issue import Issue, Path
from mock_server.suggest import quoted, suggest

_ENDINGS = frozenset(
    {".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif", ".mpo", ".heic", ".heif"}
)


def picture_id(file_id: str, written: str) -> str | None:
    """The path below the directory that `written` in the file `file_id` means; None if it lies outside."""
    if written.startswith(("/", "\\")) or PurePosixPath(written).is_absolute() or "\0" in written:
        return None
    id = os.path.normpath((PurePosixPath(file_id).parent / written).as_posix()).replace(os.sep, "/")
    return None if id == ".." or id.startswith("../") else id


def path_issue(directory: Directory, id: str | None, written: str, path: Path) -> Issue | None:
    """Why the picture cannot be used, as far as the file system can tell."""
    if id is None:
        return Issue(
            path, f"{quoted(written)} lies outside the fixtures directory", "pictures are kept inside it"
        )
    try:
        return _place_issue(directory, id, written, path)
    except (OSError, ValueError):
        return Issue(path, "no file can have this name")


def _place_issue(directory: Directory, id: str, written: str, path: Path) -> Issue | None:
    place = directory.root / id
    if not directory.contains(place):
        return Issue(
            path, f"{quoted(written)} leads out of the fixtures directory", "it goes through a symbolic link"
        )
    if place.is_dir():
        return Issue(path, f"{quoted(written)} is a directory, not a picture")
    if not place.is_file():
        return Issue(path, f"there is no picture {quoted(written)}", _nearest(directory, id, written))
    return None


def _nearest(directory: Directory, id: str, written: str) -> str:
    parent = (directory.root / id).parent
    if not parent.is_dir():
        return f"there is no directory {quoted(PurePosixPath(written).parent)}"
    names = sorted(
        entry.name for entry in parent.iterdir() if entry.is_file() and not entry.name.startswith(".")
    )
    hint = suggest(PurePosixPath(written).name, names)
    return hint if hint.startswith("did you") else _some_of(names)


def _some_of(names: Sequence[str]) -> str:
    if not names:
        return "that directory is empty"
    return f"found there: {', '.join(names[:5])}{', …' if len(names) > 5 else ''}"


def unnamed_pictures(root: Folder, named: Collection[str]) -> dict[str, Folder]:
    """The pictures in `images/` that no scenario names, by id; links that lead out of the directory are none."""
    folder, inside = root / "images", root.resolve()
    files = (path for path in sorted(folder.rglob("*")) if path.suffix.lower() in _ENDINGS)
    pictures = {path.relative_to(root).as_posix(): path for path in files if path.is_file()}
    return {
        id: path for id, path in pictures.items() if id not in named and path.resolve().is_relative_to(inside)
    }
