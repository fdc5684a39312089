"""Finding fixture files and reading their text, with a plain line for each that cannot be read."""

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mock_server.errors import Mistake

MAX_BYTES = 4 * 1024 * 1024
_GLANCE = 64 * 1024
MOCK_FILE = "mock.yaml"
SCENARIO_DIRECTORY = "scenarios"
_ENDINGS = (".yaml", ".yml")
_UNPRINTABLE = "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")

Signature = tuple[int, int, int]
"""What tells whether a file has changed: modification time (ns), size, inode."""


@dataclass(frozen=True, slots=True)
class FixtureFile:
    """A file to read: where it is, its path below the directory, and how people are told of it."""

    path: Path
    id: str
    shown: str
    signature: Signature


class UnreadableError(Exception):
    """Why a file cannot be read."""

    def __init__(self, what: str, hint: str = "", line: int = 1, column: int = 1) -> None:
        self.what = what
        self.hint = hint
        self.line = line
        self.column = column
        super().__init__(what)

    def mistake(self, shown: str) -> Mistake:
        """This, said of the file that is shown as `shown`."""
        return Mistake(shown, self.line, self.column, self.what, self.hint)


class Directory:
    """A fixtures directory: as the user gave it, which is how it is shown, and as an absolute path.

    Hidden files and directories are passed over: editors and container platforms keep their own things there.
    """

    def __init__(self, given: Path, root: Path) -> None:
        self.given = given
        self.root = root
        self.real = Path(os.path.realpath(root))
        self._inside: dict[Path, bool] = {}

    def shown(self, id: str) -> str:
        """`id`, a path below the directory, as people are told of it."""
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
        """Whether `path`, symbolic links followed, lies in the directory."""
        if path.is_symlink():
            # Not Path.resolve(), which raises for links that lead round in a circle.
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

    def passed_over(self) -> list[Mistake]:
        """Warnings of files that look as if they were meant to be read, but stand in the wrong place."""
        try:
            paths = sorted(self.root.iterdir())
        except OSError as error:
            return [Mistake(str(self.given), 1, 1, _reason(error))]
        odd = [
            Mistake(self.shown(path.name), 1, 1, "this file is not read", hint, warning=True)
            for path in paths
            if (hint := _meant(path))
        ]
        if not odd and not (self.root / MOCK_FILE).exists() and not (self.root / SCENARIO_DIRECTORY).exists():
            what = f'neither "{MOCK_FILE}" nor "{SCENARIO_DIRECTORY}" is here'
            odd.append(Mistake(str(self.given), 1, 1, what, warning=True))
        return odd


def _meant(path: Path) -> str:
    """Where a file beside `mock.yaml` should stand, if it is one of ours."""
    if path.name == "mock.yml":
        return f'call it "{MOCK_FILE}"'
    if path.name == MOCK_FILE or path.suffix not in _ENDINGS or not path.is_file():
        return ""
    try:
        with path.open("rb") as file:
            is_scenario = re.search(rb"^scenario:", file.read(_GLANCE), re.MULTILINE)
    except OSError:
        return ""
    return f'scenarios go into "{SCENARIO_DIRECTORY}"' if is_scenario else ""


_LEADS_OUT = "a symbolic link that leads out of the fixtures directory"


def text_of(file: FixtureFile) -> str:
    """The file's text. Raises UnreadableError where there is none to be had."""
    try:
        data = file.path.read_bytes()
    except OSError as error:
        raise UnreadableError(_reason(error)) from error
    if data.startswith(_UTF16):
        raise UnreadableError("the file is UTF-16", "save it as UTF-8")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig", "replace")
        raise _at("the file is not UTF-8 here", "save it as UTF-8", before) from error
    # Compiling this takes longer than loading the module: not at the start, which may read no file.
    if unprintable := re.search(_UNPRINTABLE, text):
        what = f"a character that YAML does not allow (U+{ord(unprintable[0]):04X})"
        raise _at(what, "", text[: unprintable.start()])
    return text


def _at(what: str, hint: str, before: str) -> UnreadableError:
    return UnreadableError(what, hint, before.count("\n") + 1, len(before) - before.rfind("\n"))


def _reason(error: OSError) -> str:
    return f"it cannot be read: {(error.strerror or str(error)).lower()}"
