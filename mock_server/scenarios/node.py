"""Values of a YAML file with their places."""

from dataclasses import dataclass
from typing import NamedTuple

from mock_server.errors import Mistake


class Place(NamedTuple):
    """Line and column, counted from 1."""

    line: int
    column: int


@dataclass(slots=True)
class Node:
    """A value and its place. `content` is text, items, entries by key, or None if no value is written.

    `is_reported`: there is a mistake already that says why there is no content.
    """

    place: Place
    content: "str | list[Node] | dict[str, Entry] | None"
    is_reported: bool = False


class Entry(NamedTuple):
    """The place of a key, and its value."""

    place: Place
    node: Node


_START = Place(1, 1)


class UnreadableError(Exception):
    """Why a file, or the rest of it, cannot be read."""

    def __init__(self, what: str, hint: str = "", place: Place = _START) -> None:
        self.what = what
        self.hint = hint
        self.place = place
        super().__init__(what)

    def mistake(self, file: str) -> Mistake:
        """This error as a mistake in `file`."""
        return Mistake(file, *self.place, self.what, self.hint)
