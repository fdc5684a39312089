"""The real service of a provider, for the verbs that call it on purpose: `add --ask` and `compare`."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mock_server.core.model import Product

ReadingDocument = dict[str, Any]
"""A reading in the form of a fixture file."""

File = tuple[str, bytes, str]
"""File name, content and media type of a form part."""


@dataclass(frozen=True, slots=True)
class FreeCall:
    """A call that the provider refuses, so that it costs nothing. `row` is its row in docs/fidelity.md.

    The replies of the real service and of the mock are compared, but for the texts that the provider does not document:
    the fields `undocumented` of the body, or the whole body if there is only `status_only`.
    """

    name: str
    row: str
    path: str
    method: str = "POST"
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    files: Mapping[str, File] | None = None
    undocumented: tuple[str, ...] = ()
    status_only: bool = False


@dataclass(frozen=True, slots=True)
class RealService:
    """Where the real service is, which environment variable has its key, and what one recognition costs.

    `free_calls` returns calls that it refuses, so that they cost nothing: those that need no key if the key is None.
    `reading` returns the reading behind the JSON of a reply, empty if nothing was found; None for another reply.
    Nothing else is taken from a reply: no key, no id, no name of a file.
    """

    base_url: str
    key_variable: str
    cost: str
    free_calls: Callable[[str | None], Iterator[FreeCall]]
    reading: Callable[[Mapping[str, Any], Product | None], ReadingDocument | None]
