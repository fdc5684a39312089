"""Values that are made anew for every request."""

from dataclasses import dataclass
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True)
def value(cls: type[T]) -> type[T]:
    """A dataclass that nobody changes: the type checker holds that, not the running program.

    Python builds a frozen dataclass four times slower than an ordinary one, and one request makes twenty of them.
    What is made at the start, and lives as long as the server, is frozen in earnest.
    """
    return dataclass(slots=True, unsafe_hash=True)(cls)
