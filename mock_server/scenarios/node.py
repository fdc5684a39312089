"""What a fixture file says, and where: values that know their place."""

from dataclasses import dataclass
from typing import NamedTuple


class Place(NamedTuple):
    """Line and column, counted from 1."""

    line: int
    column: int


@dataclass(slots=True)
class Node:
    """A value and its place. `content` is text, None (nothing written), items, or entries by key.

    `told`: why there is no content was told already.
    """

    place: Place
    content: "str | list[Node] | dict[str, Entry] | None"
    told: bool = False


class Entry(NamedTuple):
    """A key's own place, and its value."""

    place: Place
    node: Node
