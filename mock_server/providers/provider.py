"""What a provider is: how it is reached, how its calls are read and its replies written, how it is documented."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import lru_cache
from typing import Any, ClassVar
from urllib.parse import parse_qsl

from mock_server.core.account import Account
from mock_server.core.complete_reading import complete
from mock_server.core.model import Outcome, OutcomeName, Problem, Product, ReadRequest, Traits, Usage
from mock_server.core.reading import PlateReading, Reading, VinReading
from mock_server.http.reply import Reply

MAX_TEXT = 512  # characters of a key, a file name, a language or a note
MAX_URL = 16 * 1024  # characters
_SAMPLE_READING = Reading(plates=(PlateReading("9DJC652", "us-ca"),), vin=VinReading("JHLRD77874C026456"))


class Refusal(StrEnum):
    """Why a call is refused before it becomes a request to read a picture."""

    NO_SUCH_PATH = "no_such_path"
    WRONG_METHOD = "wrong_method"
    UNKNOWN_PRODUCT = "unknown_product"


@dataclass(frozen=True, slots=True)
class Route:
    """A path, called by POST, and the product that it reads.

    `path` may have one parameter, written as in Starlette and OpenAPI: `/read/{kind}`. `product` is then a mapping
    from the parameter's value to the product. Without a product the path checks a key, and is called by GET.
    `is_alias`: not documented, but published clients use it. `prefix` stands before `path`. `hosts`: those of the
    provider's host names that serve the path, if not all of them do.
    """

    path: str
    product: Product | Mapping[str, Product] | None
    is_alias: bool = False
    prefix: str = ""
    hosts: tuple[str, ...] = ()

    @property
    def products(self) -> tuple[Product, ...]:
        """Every product that the path may read."""
        if self.product is None:
            return ()
        return (self.product,) if isinstance(self.product, Product) else tuple(self.product.values())

    def product_of(self, path_parameters: Mapping[str, str]) -> Product | None:
        """The product that a call asks for; None where its path parameter names none."""
        if self.product is None or isinstance(self.product, Product):
            return self.product
        for text in path_parameters.values():
            if text in self.product:
                return self.product[text]
        return None


@dataclass(slots=True)
class Call:
    """One HTTP call to a route of a provider.

    `headers` have lower-case names. `body` is None where it was larger than the server accepts. `alias` is the path
    where it is an alias. `is_strict`: only the documented forms are accepted. `received_at`: Unix seconds, by the
    mock's clock.
    """

    method: str
    path: str
    query: bytes
    headers: Mapping[str, str]
    body: bytes | None
    alias: str | None = None
    is_strict: bool = False
    received_at: float = 0.0

    @property
    def parameters(self) -> Mapping[str, str]:
        """The query parameters; the first of two with one name counts."""
        return _parameters(self.query)

    @property
    def media_type(self) -> str:
        """The declared content type without its parameters, in lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


@dataclass(frozen=True, slots=True)
class ExampleCall:
    """A call as a client sends it, by POST. It has a JSON body, or uploads the picture in the form part `upload`.

    `language` is the form part of the text's language, if the provider has one.
    """

    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Mapping[str, str] | None = None
    upload: str | None = None
    language: str | None = None


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


@lru_cache(maxsize=64)
def _parameters(query: bytes) -> Mapping[str, str]:
    # Most calls of a client have the same query.
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    return dict(reversed(pairs))


class Provider(ABC):
    """A provider: one subclass in a folder of its own. It translates and describes; it never decides.

    `title` is its name as people write it, `hosts` are its real host names. The file `openapi.yaml` in its folder
    describes the routes that are not aliases.
    """

    title: ClassVar[str]
    traits: ClassVar[Traits]
    hosts: ClassVar[tuple[str, ...]]
    routes: ClassVar[tuple[Route, ...]]
    once_header: ClassVar[str] = ""
    """The header (lower case) whose value becomes `ReadRequest.once`, if the provider has one."""
    real: ClassVar[RealService | None] = None
    """The real service, if the command line may call it."""

    @property
    def name(self) -> str:
        """The name that fixtures, filters and the journal use."""
        return self.traits.name

    @property
    def products(self) -> tuple[Product, ...]:
        """The products that the provider offers."""
        return tuple(dict.fromkeys(product for route in self.routes for product in route.products))

    def sample_outcomes(self) -> Iterator[Outcome]:
        """Every outcome with each of its variants, complete enough to be rendered, for documents and the report."""
        for name in OutcomeName:
            for variant in self.traits.variants.get(name, (None,)):
                yield Outcome(
                    name,
                    reading=complete(_SAMPLE_READING, None, None) if name is OutcomeName.READ else Reading(),
                    variant=variant,
                    usage=Usage(1000, 1000),
                    tier="standard",
                    period="12/2026",
                    retry_after=1.0,
                    digest="5f" * 32,
                )

    @abstractmethod
    def example_call(self, product: Product, key: str, picture_url: str) -> ExampleCall:
        """A call that works as it stands, for hints and documents."""

    @abstractmethod
    def parse(self, call: Call, product: Product) -> ReadRequest:
        """The request behind a call; what is wrong with the call goes into `problem`."""

    @abstractmethod
    def render(self, outcome: Outcome, request: ReadRequest) -> Reply:
        """The reply to a request. A pure function."""

    @abstractmethod
    def refuse(self, refusal: Refusal) -> Reply:
        """The reply to a call that is not a request to read a picture."""

    # Not abstract: a provider whose routes all read pictures needs neither of the two, and they are never called.

    def parse_key(self, call: Call) -> str | None:
        """The key of a call to a route that checks keys. Only for providers with such a route."""
        raise NotImplementedError

    def render_key_check(self, check: Account | Outcome) -> Reply:
        """The reply to a key check: for the account of a good key, or for the outcome that refuses the key."""
        raise NotImplementedError


def documented_paths(providers: Iterable[Provider]) -> Iterator[str]:
    """The paths of the documented calls."""
    return (provider.example_call(product, "", "").path for provider in providers for product in provider.products)


def limited(request: ReadRequest) -> ReadRequest:
    """The request with texts of limited length, because the journal stores them, and calls that wait for it hold them.

    A key over the limit is cut: no account has such a key. A URL over the limit becomes a problem.
    """
    texts = (request.key or "", request.filename or "", request.language, *request.notes, *request.fields)
    if max(map(len, texts)) > MAX_TEXT:
        request = replace(
            request,
            key=request.key and request.key[: MAX_TEXT + 1],
            filename=request.filename and request.filename[:MAX_TEXT],
            language=request.language[:MAX_TEXT],
            notes=tuple(note[:MAX_TEXT] for note in request.notes),
            fields=tuple(name[:MAX_TEXT] for name in request.fields),
        )
    if len(request.url or "") > MAX_URL:
        problem = Problem(OutcomeName.INVALID_IMAGE, f"the URL is longer than {MAX_URL} characters")
        return replace(request, url=None, problem=problem)
    return request


@dataclass(frozen=True, slots=True)
class Answer:
    """How an outcome is worded: status, message and, where a provider has them, a code and further headers."""

    status: int
    message: str = ""
    code: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def outcomes_of_statuses(answers: Mapping[OutcomeName, Answer]) -> Mapping[int, OutcomeName]:
    """The outcome that a client forces by a status: the first of `answers` with that status."""
    outcomes = {200: OutcomeName.READ}
    for name, answer in answers.items():
        outcomes.setdefault(answer.status, name)
    return outcomes
