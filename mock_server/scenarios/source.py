"""Where a document comes from, and where its parts are: lines and columns of a file, or JSON pointers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mock_server.errors import Mistake
from mock_server.scenarios.node import Node, Place, UnreadableError

DocumentPath = tuple[str | int, ...]
"""The keys and list positions that lead to a value."""


@dataclass(slots=True)
class FileSource:
    """Document number `number` of a YAML file; `file` is its name in mistakes, `path` where it can be read again.

    The nodes are not kept on disk between runs. The file is read again in the rare case that a place is needed.
    """

    file: str
    path: str = ""
    number: int = 0
    _node: Node | None = field(default=None, init=False, compare=False, repr=False)

    @classmethod
    def of(cls, node: Node, file: str, path: str = "", number: int = 0) -> "FileSource":
        """The source of a document that has just been read."""
        source = cls(file, path, number)
        source._node = node
        return source

    @property
    def node(self) -> Node:
        """The document itself."""
        if self._node is None:
            self._node = _read_again(self.path, self.number)
        return self._node

    def mistake(
        self, path: DocumentPath, what: str, hint: str = "", *, warning: bool = False, at_key: bool = False
    ) -> Mistake:
        """A mistake at `path`; `at_key`: the mistake is the key, not its value."""
        return Mistake(self.file, *self.place(path, at_key=at_key), what, hint, warning)

    def place(self, path: DocumentPath, *, at_key: bool = False) -> Place:
        """The place of the value at `path`. A value with parts has the place of its key."""
        return self._find(path, at_key=at_key)[1]

    def has(self, path: DocumentPath, key: str) -> bool:
        """Whether `key` is written in the mapping at `path`, with a value or without."""
        content = self._find(path, at_key=False)[0].content
        return isinstance(content, dict) and key in content

    def _find(self, path: DocumentPath, *, at_key: bool) -> tuple[Node, Place]:
        """The node at `path`. Steps that the document does not have are skipped: short forms leave them out."""
        node, place = self.node, self.node.place
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
        steps = existing_path(self.document, path)
        pointer = "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in steps)
        return Mistake(pointer or "/", 0, 0, what, hint, warning)


Source = FileSource | PostedSource


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


def _read_again(path: str, number: int) -> Node:
    """The document's node; an empty one if the file has changed in the meantime."""
    # The YAML library takes long to load, and a start that reads nothing new does not need it.
    from mock_server.scenarios.yaml_reader import decode, read

    try:
        return read(decode(Path(path).read_bytes())).nodes[number]
    except (OSError, UnreadableError, IndexError):
        return Node(Place(1, 1), None)
