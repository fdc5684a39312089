"""Checks of the paths that scenarios name: pictures, and files with the body of a reply."""

from pathlib import Path, PurePosixPath

from mock_server.scenarios.discovery import Directory
from mock_server.suggest import quoted, suggest


def outside(written: str, what: str) -> tuple[str, str]:
    """The mistake of a path that leads out of the fixtures directory, and a hint; `what` is named in the plural."""
    return f"{quoted(written)} lies outside the fixtures directory", f"{what} are kept inside it"


def path_problem(directory: Directory, id: str, written: str, what: str) -> tuple[str, str] | None:
    """What is wrong with the path of a file, and a hint; `what` is the kind of file that is wanted."""
    try:
        place = directory.root / id
        if not directory.contains(place):
            return f"{quoted(written)} leads out of the fixtures directory", "it goes through a symbolic link"
        if place.is_dir():
            return f"{quoted(written)} is a directory, not a {what}", ""
        if not place.is_file():
            hint = 'write "/" between the parts of a path' if "\\" in written else _nearest(place.parent, written)
            return f"there is no {what} {quoted(written)}", hint
    except PermissionError:
        return f"{quoted(written)} cannot be read: permission denied", ""
    except (OSError, ValueError):
        return "no file can have this name", ""
    return None


def _nearest(folder: Path, written: str) -> str:
    """A hint with the file that was probably meant, or with some files of the folder."""
    if not folder.is_dir():
        return f"there is no directory {quoted(PurePosixPath(written).parent)}"
    names = sorted(entry.name for entry in folder.iterdir() if entry.is_file() and not entry.name.startswith("."))
    if not names:
        return "that directory is empty"
    hint = suggest(PurePosixPath(written).name, names)
    more = ", …" if len(names) > 5 else ""
    return hint if hint.startswith("did you") else f"found there: {', '.join(names[:5])}{more}"
