"""One request and its reply, as the journal records them and as Python tests read them.

The admin API's documents, their JSON Schemas, the filters of the journal and `mock_server.Exchange` come from these
classes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Annotated, Any, ClassVar

import orjson

from mock_server.core.model import REPLY, Fault, MatchKind, OutcomeName, Product
from mock_server.core.scenario_precedence import Rule
from mock_server.imaging.geometry import Box

Region = tuple[int, int, int, int]
"""A rectangle: xmin, ymin, xmax, ymax."""


def region_of(box: Box | None) -> Region | None:
    """A box in the form in which it is sent."""
    return (box.xmin, box.ymin, box.xmax, box.ymax) if box else None


OUTCOMES = (*OutcomeName, REPLY)
"""What an exchange may have for an outcome."""


class Document:
    """Base of the dataclasses that are sent as JSON. OpenAPI describes a field by the docstring that follows it."""

    __slots__ = ()
    __pydantic_config__: ClassVar = {"use_attribute_docstrings": True}

    def document(self) -> dict[str, Any]:
        """The fields as they are sent, for a JSON encoder that calls this for each `Document`."""
        # The base is no dataclass, so that a subclass may be frozen or not. The type checker cannot know that each
        # subclass is one.
        return {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]


def document_json(document: object, *, is_indented: bool = False) -> bytes:
    """The JSON of a `Document`, or of lists and mappings of them."""
    options = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME
    return orjson.dumps(document, _plain, options | orjson.OPT_INDENT_2 if is_indented else options)


def _plain(value: object) -> Any:
    if isinstance(value, Document):
        return value.document()
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    raise TypeError(f"{type(value).__name__} has no JSON form")


@dataclass(frozen=True, slots=True)
class Choice:
    """Marks a text that is one of the values of `choices`, for JSON Schemas and filters."""

    choices: Iterable[str]

    def __get_pydantic_json_schema__(self, schema: Any, handler: object) -> dict[str, Any]:
        return {"enum": [*self.choices, *([None] if schema["type"] == "nullable" else [])]}


@dataclass(frozen=True, slots=True)
class Picture(Document):
    """A picture that was sent. Its bytes are not recorded."""

    sha256: str
    """SHA-256 of its bytes, in hexadecimal."""
    format: str
    """Name of the image format, such as JPEG."""
    width: int
    """Width of the upright picture in pixels."""
    height: int
    """Height of the upright picture in pixels."""
    bytes: int
    """Size in bytes."""


@dataclass(frozen=True, slots=True)
class Nearest(Document):
    """A known picture that is similar to the one that was sent, but not similar enough."""

    image: str
    """Path of the known picture in the fixtures directory."""
    distance: float
    """Distance between the two pictures; smaller is more similar."""
    limit: float
    """The largest distance at which the picture is recognised."""
    reason: str
    """Why it was not recognised, such as `other_scene`, `other_text`, `other_detail` or `other_surroundings`."""
    region: Region | None = None
    """Where the pictures differ: [xmin, ymin, xmax, ymax] in pixels of the picture that was sent."""


@dataclass(frozen=True, slots=True)
class Loser(Document):
    """A scenario whose conditions held for a request, but another scenario answered it."""

    scenario: str
    held: tuple[str, ...]
    """Its conditions."""
    lost_by: Annotated[str, Choice(Rule)]
    """The rule of precedence by which it lost."""
    why: str
    """The rule in words."""


NO_PROVIDER = "-"
"""The provider of a request to a path that nothing serves."""


@dataclass(slots=True, kw_only=True)
class Exchange(Document):
    """One request to a provider and its reply.

    The class is not frozen, because each request makes one: a frozen dataclass of this size takes 9 µs longer.
    """

    id: str
    """Id of the request, as in the header `X-Mock-Request-Id`."""
    time: datetime
    """When the mock decided on the reply, by the mock's clock."""
    provider: str
    """Name of the provider; `-` for a path that nothing serves."""
    product: Annotated[str | None, Choice(Product)] = None
    """What the client wants to have read; null if the provider does not have the path."""
    key: str | None = None
    """The API key; at most its last two characters are shown."""
    key_id: str | None = None
    """A hash of the API key: twelve hexadecimal digits."""
    account: str | None = None
    """Name of the account."""
    outcome: Annotated[str | None, Choice(OUTCOMES)] = None
    """What the mock decided; `reply` if a scenario wrote the reply out; null if the mock could not decide."""
    variant: str | None = None
    """The documented alternative of the outcome, for outcomes that have some."""
    scenario: str | None = None
    """Name of the scenario that decided."""
    match: Annotated[str, Choice(MatchKind)] = MatchKind.NONE
    """How the scenario was found."""
    charged: int = 0
    """Credits or quota units that the request cost."""
    status: int
    """HTTP status of the reply."""
    milliseconds: float
    """Time to decide on the reply, without deliberate delays."""
    delay: float = 0.0
    """Deliberate delay in seconds."""
    fault: Annotated[str | None, Choice(Fault)] = None
    """Deliberate connection fault."""
    forced: str | None = None
    """What was forced, and how: `prefer outcome=service_error` by the client, `chaos service_error` by `mock.yaml`."""
    text: str | None = None
    """The text that was read from the picture."""
    detail: str | None = None
    """The reason for the outcome, in more detail than the reply gives."""
    method: str
    """HTTP method."""
    path: str
    """Path of the URL."""
    client: str | None = None
    """The header `User-Agent`."""
    source: str | None = None
    """Name that the client library gives itself."""
    aliases: tuple[str, ...] = ()
    """Undocumented forms that the client used."""
    notes: tuple[str, ...] = ()
    """Remarks of the mock about the request."""
    filename: str | None = None
    """File name of the upload."""
    url: str | None = None
    """The image URL, without query and credentials."""
    language: str | None = None
    """Language that the client prefers."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Headers of the request; `…` instead of secrets."""
    fields: tuple[str, ...] = ()
    """Names of fields in the body that the provider does not have."""
    image: Picture | None = None
    """The picture, if it could be read."""
    nearest: tuple[Nearest, ...] = ()
    """For a request that no scenario matched: the most similar known pictures."""
    losers: tuple[Loser, ...] = ()
    """Other scenarios whose conditions held, and why each of them lost."""
    reply: Any = field(default=None, repr=False)
    """Body of the reply: JSON, or text if it is not JSON or was cut off."""

    def value(self, name: str) -> Any:
        """A field of the exchange or of its picture; None if there is no picture."""
        return getattr(self if hasattr(self, name) else self.image, name, None)

    def __str__(self) -> str:
        """One line, for failure messages."""
        parts = [
            f"{self.time:%H:%M:%S.%f}"[:-3],
            f"{self.method} {self.path}",
            f"{self.provider} {self.product or '-'}",
            f"{self.status} {self.outcome or '-'}",
            f"scenario {self.scenario or '-'} ({self.match})",
            f"account {self.account or '-'} (key {self.key or '-'})",
            f"charged {self.charged}",
        ]
        if self.fault:
            parts.append(f"fault {self.fault}")
        if self.detail:
            parts.append(self.detail)
        return "  ".join(parts)


@dataclass(frozen=True, slots=True)
class ScenarioMiss(Document):
    """A scenario that nearly matched a request."""

    scenario: str
    failed: tuple[str, ...]
    """The conditions that the request does not meet."""
    held: tuple[str, ...] = ()
    """The conditions that it meets."""
    distance: float | None = None
    """Distance of the scenario's picture to the one that was sent; None if there is none or it is not similar."""
    limit: float | None = None
    """The largest distance at which the picture is recognised."""
    region: Region | None = None
    """Where the pictures differ: [xmin, ymin, xmax, ymax] in pixels of the picture that was sent."""
    reason: str | None = None
    """Why the picture was not recognised."""
