"""The conditions of `when`, one row each: how a request is tested, and which narrower conditions a condition covers.

Matching, specificity, near misses and the search for shadowed scenarios all use this table. Globs match as `fnmatch`
matches them.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from fnmatch import translate
from functools import lru_cache
from operator import attrgetter
from typing import Annotated, Any, Self

from mock_server.core import field_types as types
from mock_server.core.field_types import Written, described, invalid
from mock_server.core.model import Product, ReadRequest
from mock_server.core.written_reply import NO_ENTRIES, Headers
from mock_server.imaging.results import PictureFacts, SearchResult

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "MPO", "HEIF")
_FORMAT = types.choice(FORMATS, "an image format", {"JPG": "JPEG", "TIF": "TIFF", "HEIC": "HEIF"})
_Size = Annotated[int | None, types.whole_number(1)]


@dataclass(frozen=True, slots=True)
class ImageProperties(Written):
    """Conditions on the picture itself."""

    # Sizes are those of the upright picture.
    format: Annotated[str | None, _FORMAT] = described("JPEG, PNG, WEBP, GIF, BMP, TIFF, AVIF, MPO or HEIF.", None)
    min_width: _Size = described("The smallest width in pixels.", None)
    max_width: _Size = described("The largest width in pixels.", None)
    min_height: _Size = described("The smallest height in pixels.", None)
    max_height: _Size = described("The largest height in pixels.", None)
    min_bytes: _Size = described("The smallest number of bytes.", None)
    max_bytes: _Size = described("The largest number of bytes.", None)
    blank: types.OptionalFlag = described("true: a picture of one colour; false: any other picture.", None)

    @classmethod
    def read(cls, mapping: Any, build: Callable[[Any], Self]) -> Self:
        properties = build(mapping)
        for what in ("width", "height", "bytes"):
            low, high = getattr(properties, f"min_{what}"), getattr(properties, f"max_{what}")
            if low is not None and high is not None and low > high:
                raise invalid(f'"min_{what}" {low} is above "max_{what}" {high}', "no picture can meet both")
        return properties


@dataclass(frozen=True, slots=True)
class Conditions(Written):
    """The conditions of a scenario. All conditions that are given must be met."""

    # The core has the ids of pictures in the set in place of the paths.
    images: Annotated[tuple[types.Text, ...], types.one_or_many("a path")] = described(
        "Pictures, recognised by their content: paths relative to this file. One of them is enough.", (), key="image"
    )
    sha256: types.Sha256 = described("The SHA-256 of the picture's bytes.", None)
    url: types.OptionalText = described("A glob for the image URL that the client sends.", None)
    filename: types.OptionalText = described("A glob for the name of the uploaded file.", None)
    key: types.OptionalText = described("An API key.", None)
    account: types.OptionalText = described("The name of an account in mock.yaml.", None)
    provider: types.OptionalText = described("Only requests to this provider.", None)
    product: Annotated[Product | None, types.choice(Product, "a product")] = described(
        "Only requests for this product: plate or vin.", None
    )
    language: types.OptionalText = described("The language code that the client sends.", None)
    header: Headers = described("A glob for each request header.", NO_ENTRIES)
    properties: ImageProperties | None = described("Conditions on the picture itself.", None)


_MOST_COMPILED = 16_384
_WILDCARDS = frozenset("*?[")


def is_wild(glob: str) -> bool:
    """Whether a glob has wildcards."""
    return not _WILDCARDS.isdisjoint(glob)


def matches(text: str, glob: str) -> bool:
    """Whether a whole text matches a glob.

    `fnmatch` keeps few compiled globs. With thousands of scenarios it would compile each glob for each request, which
    takes a hundred times longer than this.
    """
    if "?" in glob or "[" in glob:
        return _compiled(glob).match(text) is not None
    first, *others = glob.split("*")
    if not others:
        return text == glob
    *middle, last = others
    at, end = len(first), len(text) - len(last)
    if at > end or not text.startswith(first) or not text.endswith(last):
        return False
    for part in middle:
        at = text.find(part, at, end)
        if at < 0:
            return False
        at += len(part)
    return True


@lru_cache(maxsize=_MOST_COMPILED)
def _compiled(glob: str) -> re.Pattern[str]:
    return re.compile(translate(glob))


@dataclass(slots=True)
class Query:
    """What conditions are tested against: a request, the name of its account, and the search for its picture."""

    request: ReadRequest
    account: str
    search: SearchResult | None = None

    @property
    def facts(self) -> PictureFacts | None:
        return self.search.facts if self.search else None


@dataclass(frozen=True, slots=True)
class Condition:
    """One kind of condition.

    `get` returns its value in a `when`, None if it is not given. `test` compares that value with a request. `covers`
    compares it with the value of another `when` (or None): whether all requests that meet the other one meet this one.
    """

    name: str
    get: Callable[[Conditions], Any]
    test: Callable[[Any, Query], bool]
    covers: Callable[[Any, Any], bool]


Given = tuple[Condition, Any]
"""A condition and its value in a `when`."""


def given_conditions(when: Conditions) -> list[Given]:
    """The conditions that are given in a `when`."""
    rows = _TABLE if when.properties is None else (*_TABLE, *_PROPERTIES)
    rows = (*rows, *map(_header, when.header)) if when.header else rows
    return [(row, value) for row in rows if (value := row.get(when)) is not None]


def specificity(when: Conditions) -> int:
    """How many conditions are given. Each header and each property counts."""
    return len(given_conditions(when))


def compared_conditions(when: Conditions, query: Query) -> tuple[list[str], list[str]]:
    """The names of the conditions that a request meets, and of those that it does not meet."""
    held, failed = list[str](), list[str]()
    for row, value in given_conditions(when):
        (held if row.test(value, query) else failed).append(row.name)
    if query.facts is None:
        # Without a picture every property fails. They are listed as one.
        failed = ["properties" if name.startswith("properties.") else name for name in failed]
    return held, list(dict.fromkeys(failed))


def covers(broad: Conditions, narrow: Conditions) -> bool:
    """Whether every request that meets `narrow` certainly meets `broad`."""
    return all(row.covers(value, row.get(narrow)) for row, value in given_conditions(broad))


def _equal(name: str, actual: Callable[[Query], Any]) -> Condition:
    return Condition(name, attrgetter(name), lambda wanted, query: wanted == actual(query), _is_same)


def _is_same(broad: Any, narrow: Any) -> bool:
    return bool(broad == narrow)


def _glob(name: str, get: Callable[[Conditions], str | None], actual: Callable[[Query], str | None]) -> Condition:
    def test(glob: str, query: Query) -> bool:
        text = actual(query)
        return text is not None and matches(text, glob)

    return Condition(name, get, test, _glob_covers)


def _glob_covers(broad: str, narrow: str | None) -> bool:
    if narrow is None:
        return False
    return broad in ("*", narrow) or (not is_wild(narrow) and matches(narrow, broad))


def _has_language(tag: str, wanted: str) -> bool:
    """Whether a language tag is the wanted one, or a narrower one: `en` takes `en-US` and `en_GB` too (RFC 4647)."""
    tag, wanted = tag.lower().replace("_", "-"), wanted.lower().replace("_", "-")
    return tag == wanted or tag.startswith(f"{wanted}-")


def _header(name: str) -> Condition:
    return _glob(
        f"header {name}", lambda when: when.header.get(name), lambda query: query.request.headers.get(name.lower())
    )


def _property(name: str) -> Condition:
    """A row for a field of ImageProperties: `min_…` and `max_…` are bounds, the others must be equal."""
    fact = attrgetter(_FACTS.get(name, name.removeprefix("min_").removeprefix("max_")))
    is_min, is_max = name.startswith("min_"), name.startswith("max_")

    def get(when: Conditions) -> Any:
        return None if when.properties is None else getattr(when.properties, name)

    def holds(wanted: Any, actual: Any) -> bool:
        if is_min or is_max:
            return bool(actual >= wanted if is_min else actual <= wanted)
        return bool(actual == wanted)

    def test(wanted: Any, query: Query) -> bool:
        if name == "format":
            wanted = wanted.upper()
        return query.facts is not None and holds(wanted, fact(query.facts))

    return Condition(f"properties.{name}", get, test, lambda broad, narrow: narrow is not None and holds(broad, narrow))


_FACTS = {"min_bytes": "byte_count", "max_bytes": "byte_count"}
"""The fields of PictureFacts with another name than the property."""

_TABLE = (
    Condition(
        "image",
        lambda when: when.images or None,
        lambda images, query: query.search is not None and any(one.id in images for one in query.search.matches),
        lambda broad, narrow: narrow is not None and set(narrow) <= set(broad),
    ),
    _equal("sha256", lambda query: query.facts and query.facts.sha256),
    _glob("url", attrgetter("url"), lambda query: query.request.url),
    _glob("filename", attrgetter("filename"), lambda query: query.request.filename),
    _equal("key", lambda query: query.request.key),
    _equal("account", lambda query: query.account),
    _equal("provider", lambda query: query.request.provider),
    _equal("product", lambda query: query.request.product),
    Condition(
        "language",
        attrgetter("language"),
        lambda wanted, query: _has_language(query.request.language, wanted),
        lambda broad, narrow: narrow is not None and _has_language(narrow, broad),
    ),
)
_PROPERTIES = tuple(_property(each.name) for each in fields(ImageProperties))
