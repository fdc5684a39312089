"""Finding the files of a fixtures directory: `mock.yaml`, scenario files, pictures."""

import os
import re
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from mock_server.errors import Mistake
from mock_server.scenarios.node import UnreadableError

MAX_BYTES = 4 * 1024 * 1024
_SEARCHED_BYTES = 64 * 1024
"""How much of a file in the wrong place is searched for a scenario."""
MOCK_FILE = "mock.yaml"
SCENARIO_DIRECTORY = "scenarios"
_ENDINGS = (".yaml", ".yml")
_PICTURE_ENDINGS = frozenset(
    {".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif", ".mpo", ".heic", ".heif"}
)
_LEADS_OUT = "a symbolic link that leads out of the fixtures directory"

Signature = tuple[int, int, int]
"""Modification time (ns), size and inode of a file: another signature means that the file has changed."""


@dataclass(frozen=True, slots=True)
class FixtureFile:
    """A file to read: where it is, its path below the directory, and its name in mistakes."""

    path: Path
    id: str
    shown: str
    signature: Signature

    def read(self) -> bytes:
        """The content. Raises UnreadableError."""
        try:
            return self.path.read_bytes()
        except OSError as error:
            raise UnreadableError(_reason(error)) from error


class Directory:
    """A fixtures directory: as the user wrote it (`given`, used in mistakes) and as an absolute path (`root`).

    Hidden files and directories are skipped: editors and container platforms keep their own files there.
    """

    def __init__(self, given: Path, root: Path) -> None:
        self.given = given
        self.root = root
        self.real = Path(os.path.realpath(root))
        self._inside: dict[Path, bool] = {}

    def shown(self, id: str) -> str:
        """The name in mistakes of `id`, a path below the directory."""
        return str(self.given / id)

    def mock_file(self) -> tuple[FixtureFile | None, list[Mistake]]:
        """`mock.yaml`, if there is one that can be read."""
        if not os.path.lexists(self.root / MOCK_FILE):
            return None, []
        try:
            return self._file(self.root / MOCK_FILE), []
        except UnreadableError as error:
            return None, [error.mistake(self.shown(MOCK_FILE))]

    def scenario_files(self) -> tuple[list[FixtureFile], list[Mistake]]:
        """All scenario files in order of their paths."""
        files: list[FixtureFile] = []
        mistakes: list[Mistake] = []
        for path in self._walk(self.root / SCENARIO_DIRECTORY, frozenset(), mistakes):
            try:
                files.append(self._file(path))
            except UnreadableError as error:
                mistakes.append(error.mistake(self.shown(self.id(path))))
        return sorted(files, key=lambda file: file.id.split("/")), mistakes

    def id(self, path: Path) -> str:
        """The path below the directory, with forward slashes."""
        return path.relative_to(self.root).as_posix()

    def contains(self, path: Path) -> bool:
        """Whether `path`, after following symbolic links, lies in the directory."""
        if path.is_symlink():
            # Not Path.resolve(), which raises for a loop of links.
            return Path(os.path.realpath(path)).is_relative_to(self.real)
        parent = path.parent
        if parent not in self._inside:
            self._inside[parent] = Path(os.path.realpath(parent)).is_relative_to(self.real)
        return self._inside[parent]

    def _walk(self, directory: Path, above: frozenset[Path], mistakes: list[Mistake]) -> Iterator[Path]:
        if not directory.is_dir():
            return
        real = Path(os.path.realpath(directory))
        if not real.is_relative_to(self.real):
            mistakes.append(Mistake(self.shown(self.id(directory)), 1, 1, _LEADS_OUT))
            return
        if real in above:
            mistakes.append(
                Mistake(self.shown(self.id(directory)), 1, 1, "a symbolic link back to where it stands")
            )
            return
        try:
            paths = list(directory.iterdir())
        except OSError as error:
            mistakes.append(UnreadableError(_reason(error)).mistake(self.shown(self.id(directory))))
            return
        for path in paths:
            if path.name.startswith("."):
                continue
            if path.name.endswith(_ENDINGS):
                yield path
            elif path.is_dir():
                yield from self._walk(path, above | {real}, mistakes)

    def _file(self, path: Path) -> FixtureFile:
        if not self.contains(path):
            raise UnreadableError(_LEADS_OUT)
        try:
            facts = path.stat()
        except OSError as error:
            raise UnreadableError(_reason(error)) from error
        if stat.S_ISDIR(facts.st_mode):
            raise UnreadableError("a directory where a file is wanted")
        if not stat.S_ISREG(facts.st_mode):
            raise UnreadableError("not a regular file")
        if facts.st_size > MAX_BYTES:
            what = f"the file has {facts.st_size:,} bytes; at most {MAX_BYTES:,} are read"
            raise UnreadableError(what, "scenarios may be spread over as many files as you like")
        id = self.id(path)
        return FixtureFile(path, id, self.shown(id), (facts.st_mtime_ns, facts.st_size, facts.st_ino))

    def misplaced(self) -> list[Mistake]:
        """Warnings of files that look like fixtures but are in the wrong place."""
        try:
            paths = sorted(self.root.iterdir())
        except OSError as error:
            return [Mistake(str(self.given), 1, 1, _reason(error))]
        odd = [
            Mistake(self.shown(path.name), 1, 1, "this file is not read", hint, warning=True)
            for path in paths
            if (hint := _right_place(path))
        ]
        if not odd and not (self.root / MOCK_FILE).exists() and not (self.root / SCENARIO_DIRECTORY).exists():
            what = f'neither "{MOCK_FILE}" nor "{SCENARIO_DIRECTORY}" is here'
            odd.append(Mistake(str(self.given), 1, 1, what, warning=True))
        return odd


def why_unusable(root: Path) -> str:
    """One sentence that says why `root` cannot be a fixtures directory; empty if it can."""
    try:
        names = sorted(os.listdir(root))  # noqa: PTH208 -- the names only
    except NotADirectoryError:
        return f"{root} is not a directory"
    except FileNotFoundError:
        return f"there is no directory {root}"
    except OSError as error:
        return f"{root} cannot be read: {(error.strerror or str(error)).lower()}"
    if "mock.yml" in names and MOCK_FILE not in names:
        return f"{root / 'mock.yml'} is not read: its name must be {MOCK_FILE}"
    if SCENARIO_DIRECTORY in names:
        return ""
    for name in names:
        if _right_place(root / name):
            place = root / SCENARIO_DIRECTORY
            return (
                f"{root / name} is not read: scenario files must be in {place}; mount a flat directory there"
            )
    if MOCK_FILE in names:
        return ""
    visible = [name for name in names if not name.startswith(".")]
    if not visible:
        return f"{root} is empty: it must contain {MOCK_FILE} or {SCENARIO_DIRECTORY}/"
    shown = ", ".join(visible[:3]) + (", …" if len(visible) > 3 else "")
    return f"{root} contains neither {MOCK_FILE} nor {SCENARIO_DIRECTORY}/, only {shown}"


def _right_place(path: Path) -> str:
    """Where a file beside `mock.yaml` belongs; empty if it is not a fixture file."""
    if path.name == "mock.yml":
        return f'call it "{MOCK_FILE}"'
    if path.name == MOCK_FILE or path.suffix not in _ENDINGS or not path.is_file():
        return ""
    try:
        with path.open("rb") as file:
            is_scenario = re.search(rb"^scenario:", file.read(_SEARCHED_BYTES), re.MULTILINE)
    except OSError:
        return ""
    return f'scenarios go into "{SCENARIO_DIRECTORY}"' if is_scenario else ""


def _reason(error: OSError) -> str:
    return f"it cannot be read: {(error.strerror or str(error)).lower()}"


def picture_id(file_id: str, written: str) -> str | None:
    """The path below the directory that `written` means in the file `file_id`; None if it lies outside."""
    if written.startswith(("/", "\\")) or PurePosixPath(written).is_absolute() or "\0" in written:
        return None
    id = os.path.normpath((PurePosixPath(file_id).parent / written).as_posix()).replace(os.sep, "/")
    return None if id == ".." or id.startswith("../") else id


def unnamed_pictures(root: Path, named: Collection[str]) -> dict[str, Path]:
    """The pictures in `images/` that no scenario names, by id, without links that lead out of the directory."""
    folder, inside = root / "images", root.resolve()
    files = (path for path in sorted(folder.rglob("*")) if path.suffix.lower() in _PICTURE_ENDINGS)
    pictures = {path.relative_to(root).as_posix(): path for path in files if path.is_file()}
    return {
        id: path for id, path in pictures.items() if id not in named and path.resolve().is_relative_to(inside)
    }
