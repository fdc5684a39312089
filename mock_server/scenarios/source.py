"""Documents of fixture files: where each comes from, where its parts are (lines, or JSON pointers), and its content."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mock_server.core.account import Account
from mock_server.core.library import Defaults
from mock_server.core.scenario import Scenario
from mock_server.disk_cache import Signature, signature_of
from mock_server.errors import FixturesError, Mistake
from mock_server.scenarios.discovery import UnreadableError

if TYPE_CHECKING:
    from mock_server.scenarios.yaml_reader import Node, Place


DocumentPath = tuple[str | int, ...]
"""The keys and list positions that lead to a value."""


@dataclass(slots=True)
class FileSource:
    """Document number `number` of a YAML file; `file` is its name in mistakes, `path` where it can be read again.

    The nodes take more memory than the scenario, and are kept while it is parsed. The file is read again in the rare
    case that a place is needed later.
    """

    file: str
    path: str = ""
    number: int = 0
    # Node is not imported here, and the cache on disk resolves the types of all fields.
    node: Any = field(default=None, init=False, compare=False, repr=False)

    def mistake(
        self, path: DocumentPath, what: str, hint: str = "", *, warning: bool = False, at_key: bool = False
    ) -> Mistake:
        """A mistake at `path`; `at_key`: the mistake is the key, not its value."""
        return Mistake(self.file, *self._find(path, at_key=at_key)[1], what, hint, warning)

    def line(self, path: DocumentPath) -> int:
        """The line of the value at `path`; of its key if the value has parts."""
        return self._find(path)[1].line

    def has(self, path: DocumentPath, key: str) -> bool:
        """Whether `key` is written in the mapping at `path`, with a value or without."""
        content = self._find(path)[0].content
        return isinstance(content, dict) and key in content

    def forget_places(self) -> None:
        """Release the nodes of a document that can be read again."""
        if self.path:
            self.node = None

    def _find(self, path: DocumentPath, *, at_key: bool = False) -> "tuple[Node, Place]":
        """The node at `path`. Steps that the document does not have are skipped: short forms leave them out."""
        node: Node = self.node or _read_again(self.path, self.number)
        place = node.place
        for step in path:
            content = node.content
            if isinstance(step, str) and isinstance(content, dict) and step in content:
                entry = content[step]
                node = entry.node
                place = entry.place if at_key or not isinstance(node.content, str) else node.place
            elif isinstance(step, int) and isinstance(content, list) and step < len(content):
                node = content[step]
                place = node.place
        return node, place


@dataclass(frozen=True, slots=True)
class PostedSource:
    """A document that came as JSON: its places are JSON pointers."""

    document: object

    def mistake(
        self, path: DocumentPath, what: str, hint: str = "", *, warning: bool = False, at_key: bool = False
    ) -> Mistake:
        """A mistake at `path`."""
        return Mistake(pointer(*existing_path(self.document, path)) or "/", 0, 0, what, hint, warning)

    def line(self, path: DocumentPath) -> int:
        """A pointer has no line."""
        return 0

    def has(self, path: DocumentPath, key: str) -> bool:
        """JSON has no keys without values: null is a value, and means "not given"."""
        return False

    def forget_places(self) -> None:
        """Its places are in the document."""


Source = FileSource | PostedSource


def pointer(*steps: str | int) -> str:
    """A JSON pointer (RFC 6901)."""
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in steps)


def existing_path(document: object, path: DocumentPath) -> DocumentPath:
    """`path` without the steps that `document` does not have, because a short form leaves them out."""
    steps: list[str | int] = []
    for step in path:
        match document, step:
            case Mapping(), str() if step in document:
                document = document[step]
            case list(), int() if step < len(document):
                document = document[step]
            case _:
                continue
        steps.append(step)
    return tuple(steps)


def remove_parts(document: object, paths: Iterable[DocumentPath]) -> object:
    """A copy of `document` without the values at `paths`. Instead of an item, its whole list is left out."""
    dropped = {_out_of_lists(path) for path in paths}

    def copy(value: object, path: DocumentPath) -> object:
        if isinstance(value, Mapping):
            return {key: copy(item, (*path, key)) for key, item in value.items() if (*path, key) not in dropped}
        if isinstance(value, list):
            return [copy(item, (*path, number)) for number, item in enumerate(value)]
        return value

    return copy(document, ())


def _out_of_lists(path: DocumentPath) -> DocumentPath:
    while path and isinstance(path[-1], int):
        path = path[:-1]
    return path


def _read_again(path: str, number: int) -> "Node":
    """The document's node; an empty one if the file has changed in the meantime."""
    # The YAML library takes long to load, and a start that reads nothing new does not need it.
    from mock_server.scenarios.yaml_reader import START, Node

    try:
        return _documents(path, signature_of(Path(path).stat()))[number]
    except (OSError, UnreadableError, IndexError):
        return Node(START, None)


# A file may have thousands of documents, each with a mistake.
@lru_cache(maxsize=2)
def _documents(path: str, signature: Signature) -> "list[Node]":
    """The nodes of a file's documents. Raises OSError and UnreadableError."""
    from mock_server.scenarios.yaml_reader import decode, read

    return read(decode(Path(path).read_bytes()), [])


NAMELESS = "scenario-without-a-name"


@dataclass(frozen=True, slots=True)
class ParsedScenario:
    """A scenario, its source, and its pictures: the path as written, and the picture's id if the path has one.

    `is_complete` is false if wrong parts of the document were left out.
    """

    scenario: Scenario
    source: Source
    pictures: tuple[tuple[str, str | None], ...] = ()
    is_complete: bool = True

    @property
    def place(self) -> str:
        """File and line, for messages."""
        return (
            f"{self.source.file}:{self.scenario.line}" if isinstance(self.source, FileSource) else "added at run time"
        )

    def at_picture(self, number: int, what: str, hint: str = "", *, warning: bool = False) -> Mistake:
        """A mistake at a picture; `number` is its position in `when.image`."""
        return self.source.mistake(("when", "image", number), what, hint, warning=warning)

    def position_of(self, id: str) -> int:
        """The first position of a picture in `when.image`."""
        return next(number for number, (_, picture) in enumerate(self.pictures) if picture == id)


_NO_DEFAULTS = Defaults()  # of nearly every file


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """The content of one fixture file, and what is wrong in it; `accounts` is None if it does not list any.

    `uses_environment`: the content has values of variables, which are not written to disk.
    """

    scenarios: tuple[ParsedScenario, ...] = ()
    accounts: tuple[Account, ...] | None = None
    defaults: Defaults = _NO_DEFAULTS
    mistakes: tuple[Mistake, ...] = ()
    uses_environment: bool = False


def raise_if_wrong(mistakes: Sequence[Mistake]) -> None:
    """Raise FixturesError unless all mistakes are warnings."""
    if any(not mistake.warning for mistake in mistakes):
        raise FixturesError(mistakes)
