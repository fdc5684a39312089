"""What every provider offers, and the parts that all of them share."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Any, Protocol
from urllib.parse import parse_qs

import orjson

from mock_server.core.model import Outcome, OutcomeName, Product, ReadRequest
from mock_server.core.provider_traits import Traits
from mock_server.http.reply import Reply


class Refusal(StrEnum):
    """Why a call is refused before it becomes a request to read a picture."""

    NO_SUCH_PATH = "no_such_path"
    WRONG_METHOD = "wrong_method"
    UNKNOWN_PRODUCT = "unknown_product"


@dataclass(frozen=True, slots=True)
class Route:
    """Where a path leads: to a product, or to a refusal. `alias` is the path itself where it is not documented."""

    product: Product | None = None
    refusal: Refusal | None = None
    alias: str | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP call. `headers` have lower-case names; `body` is None where it was larger than is accepted."""

    method: str
    path: str
    query: bytes
    headers: Mapping[str, str]
    body: bytes | bytearray | None
    alias: str | None = None

    @property
    def parameters(self) -> Mapping[str, str]:
        """The first value of each query parameter."""
        return _remembered(self.query) if len(self.query) <= _USUAL_QUERY else _parse_query(self.query)

    @property
    def media_type(self) -> str:
        """The declared content type without its parameters, in lower case."""
        return _media_type(self.headers.get("content-type", ""))


@lru_cache(maxsize=64)
def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


_USUAL_QUERY = 256  # bytes; what a client repeats in every call is shorter


def _parse_query(query: bytes) -> Mapping[str, str]:
    values = parse_qs(query.decode("latin-1"), keep_blank_values=True)
    return {name: several[0] for name, several in values.items()}


_remembered = lru_cache(maxsize=1024)(_parse_query)


class Provider(Protocol):
    """A provider: what the core must know of it, how it is reached, and its two directions of translation."""

    @property
    def traits(self) -> Traits: ...

    @property
    def hosts(self) -> Collection[str]:
        """The host names that are this provider's own."""
        ...

    def route(self, method: str, path: str, *, strict: bool) -> Route | None:
        """Where a path leads, None where it is not this provider's."""
        ...

    def parse(self, call: Call, product: Product, *, strict: bool) -> ReadRequest:
        """A call as a request to read a picture; what is wrong with it goes into `problem`."""
        ...

    def render(self, outcome: Outcome, product: Product) -> Reply:
        """The reply to an outcome."""
        ...

    def refuse(self, refusal: Refusal) -> Reply:
        """The reply to a call that is no request to read a picture."""
        ...

    def outcome_of_status(self, status: int, product: Product) -> OutcomeName | None:
        """The outcome that is answered with an HTTP status, None where there is none."""
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """How one outcome is worded: status, message and, where a provider has them, a code and further headers."""

    status: int
    message: str = ""
    code: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def json_reply(
    status: int,
    body: Any,
    headers: Mapping[str, str] | None = None,
    *,
    content_type: bytes = b"application/json",
) -> Reply:
    """A reply with a JSON body; `headers` come on top and win over the content type."""
    if not headers:
        return Reply(status, ((b"content-type", content_type),), orjson.dumps(body))
    lines = {b"content-type": content_type}
    for name, text in headers.items():
        lines[name.lower().encode("latin-1")] = text.encode("latin-1", "replace")
    return Reply(status, tuple(lines.items()), orjson.dumps(body))
