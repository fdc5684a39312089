"""Finding the files of a fixtures directory: `mock.yaml`, scenario files, pictures."""

import os
import re
import stat
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from mock_server.disk_cache import Signature, signature_of
from mock_server.errors import FixturesError, Mistake
from mock_server.suggest import quoted, suggest

# Limits: far above any real directory, and small enough to be reached within seconds.
MAX_BYTES = 4 * 1024 * 1024
"""The size of a fixture file."""
MAX_PICTURE_BYTES = 256 * 1024 * 1024
MAX_FILES = 20_000
MAX_DIRECTORIES = 5_000
"""Directories are counted once for each path that leads to them: links may multiply the paths."""
_SEARCHED_BYTES = 64 * 1024
"""How much of a file in the wrong place is searched for a scenario."""
MOCK_FILE = "mock.yaml"
SCENARIO_DIRECTORY = "scenarios"
_ENDINGS = (".yaml", ".yml")
_SIMILAR_ENDINGS = (*_ENDINGS, ".json")
PICTURE_ENDINGS = frozenset(
    {".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif", ".mpo", ".heic", ".heif"}
)
_LEADS_OUT = "a symbolic link that leads out of the fixtures directory"


class UnreadableError(Exception):
    """Why a file, or the rest of it, cannot be read. `place` is a line and a column."""

    def __init__(self, what: str, hint: str = "", place: tuple[int, int] = (1, 1)) -> None:
        self.what = what
        self.hint = hint
        self.place = place
        super().__init__(what)

    def mistake(self, file: str) -> Mistake:
        """This error as a mistake in `file`."""
        return Mistake(file, *self.place, self.what, self.hint)


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

    def files(self, mistakes: list[Mistake]) -> list[FixtureFile]:
        """`mock.yaml` and all scenario files, in order of their paths; the others are added to `mistakes`."""
        found = [self.mock_file(mistakes), *(self._file(path, mistakes) for path in self._walk(mistakes))]
        return sorted((file for file in found if file), key=lambda file: file.id.split("/"))

    def mock_file(self, mistakes: list[Mistake]) -> FixtureFile | None:
        """`mock.yaml`, if there is one that can be read."""
        path = self.root / MOCK_FILE
        return self._file(path, mistakes) if os.path.lexists(path) else None

    def contains(self, path: Path) -> bool:
        """Whether `path`, after following symbolic links, lies in the directory."""
        if path.is_symlink():
            # Not Path.resolve(), which raises for a loop of links.
            return Path(os.path.realpath(path)).is_relative_to(self.real)
        parent = path.parent
        if parent not in self._inside:
            self._inside[parent] = Path(os.path.realpath(parent)).is_relative_to(self.real)
        return self._inside[parent]

    def _walk(self, mistakes: list[Mistake]) -> Iterator[Path]:
        """The paths of all scenario files."""
        pending = [self.root / SCENARIO_DIRECTORY]
        directories = files = 0
        while pending:
            directory = pending.pop()
            if not os.path.isdir(directory):  # noqa: PTH112 -- Path.is_dir() raises where an entry may not be entered
                if directory.suffix.lower() in _SIMILAR_ENDINGS:
                    mistakes.append(self._warning(directory, f'scenario files end in "{_ENDINGS[0]}"'))
                continue
            directories += 1
            if directories > MAX_DIRECTORIES or files > MAX_FILES:
                what = f"more than {MAX_DIRECTORIES:,} directories or {MAX_FILES:,} files"
                hint = "symbolic links may lead to one directory by many paths"
                mistakes.append(Mistake(self._shown(self.root / SCENARIO_DIRECTORY), 1, 1, what, hint))
                return
            for path in self._visible(directory, mistakes):
                if path.name.endswith(_ENDINGS):
                    files += 1
                    yield path
                else:
                    pending.append(path)

    def _visible(self, directory: Path, mistakes: list[Mistake]) -> list[Path]:
        """The entries of a directory that are not hidden."""
        with self._report(directory, mistakes):
            real = Path(os.path.realpath(directory))
            if not real.is_relative_to(self.real):
                raise UnreadableError(_LEADS_OUT)
            if directory.is_symlink() and any(parent.samefile(real) for parent in directory.parents):
                raise UnreadableError("a symbolic link to a directory that contains it")
            return [path for path in directory.iterdir() if not path.name.startswith(".")]
        return []

    def _file(self, path: Path, mistakes: list[Mistake]) -> FixtureFile | None:
        with self._report(path, mistakes):
            if not self.contains(path):
                raise UnreadableError(_LEADS_OUT)
            facts = path.stat()
            if stat.S_ISDIR(facts.st_mode):
                raise UnreadableError("a directory, but this must be a file")
            if not stat.S_ISREG(facts.st_mode):
                raise UnreadableError("not a regular file")
            if facts.st_size > MAX_BYTES:
                what = f"the file has {facts.st_size:,} bytes; at most {MAX_BYTES:,} are read"
                raise UnreadableError(what, "scenarios may be spread over as many files as you like")
            id = path.relative_to(self.root).as_posix()
            return FixtureFile(path, id, self._shown(path), signature_of(facts))
        return None

    def unnamed_pictures(self, named: Collection[str]) -> dict[str, Path]:
        """The pictures in `images/` that are not in `named`, by id, without links that lead out of the directory."""
        # os.walk() leaves out directories that cannot be read.
        files = [Path(folder, name) for folder, _, names in os.walk(self.root / "images") for name in names]
        pictures = {path.relative_to(self.root).as_posix(): path for path in sorted(files) if self._is_picture(path)}
        return {id: path for id, path in pictures.items() if id not in named}

    def _is_picture(self, path: Path) -> bool:
        if path.suffix.lower() not in PICTURE_ENDINGS:
            return False
        try:
            return self.contains(path) and path.is_file() and path.stat().st_size <= MAX_PICTURE_BYTES
        except OSError:
            # No permission.
            return False

    def misplaced(self) -> list[Mistake]:
        """Warnings of files that look like fixtures but are in the wrong place.

        Raises FixturesError if the directory does not exist or cannot be read.
        """
        try:
            paths = sorted(self.root.iterdir())
        except OSError as error:
            is_missing = isinstance(error, FileNotFoundError | NotADirectoryError)
            what = "there is no such fixtures directory" if is_missing else _reason(error)
            raise FixturesError([Mistake(str(self.given), 0, 0, what)]) from error
        odd = [self._warning(path, hint) for path in paths if (hint := _right_place(path))]
        if not odd and not {MOCK_FILE, SCENARIO_DIRECTORY} & {path.name for path in paths}:
            what = f'neither "{MOCK_FILE}" nor "{SCENARIO_DIRECTORY}" is here'
            odd.append(Mistake(str(self.given), 1, 1, what, warning=True))
        return odd

    def _warning(self, path: Path, hint: str) -> Mistake:
        return Mistake(self._shown(path), 1, 1, "this file is not read", hint, warning=True)

    @contextmanager
    def _report(self, path: Path, mistakes: list[Mistake]) -> Iterator[None]:
        """Add an error of reading `path` to `mistakes`."""
        try:
            yield
        except UnreadableError as error:
            mistakes.append(error.mistake(self._shown(path)))
        except OSError as error:
            mistakes.append(Mistake(self._shown(path), 1, 1, _reason(error)))

    def _shown(self, path: Path) -> str:
        """The name of a path in mistakes."""
        return str(self.given / path.relative_to(self.root))


def why_unusable(root: Path) -> str:
    """One sentence that says why `root` cannot be a fixtures directory; empty if it can."""
    try:
        names = sorted(os.listdir(root))  # noqa: PTH208 -- only the names are needed, not a Path for each of them
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
            return f"{root / name} is not read: scenario files must be in {place}; mount a flat directory there"
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


def outside(written: str, what: str) -> tuple[str, str]:
    """The mistake of a path that leads out of the fixtures directory, and a hint; `what` is named in the plural."""
    return f"{quoted(written)} lies outside the fixtures directory", f"{what} are kept inside it"


def path_problem(directory: Directory, id: str, written: str, what: str) -> tuple[str, str] | None:
    """What is wrong with the path of a file, and a hint; `what` is the kind of file, such as picture."""
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


def picture_id(file_id: str, written: str) -> str | None:
    """The path below the directory that `written` means in the file `file_id`; None if it lies outside."""
    if written.startswith(("/", "\\")) or PurePosixPath(written).is_absolute() or "\0" in written:
        return None
    id = os.path.normpath((PurePosixPath(file_id).parent / written).as_posix()).replace(os.sep, "/")
    return None if id == ".." or id.startswith("../") else id
