"""From what a request carries to a picture that was looked up: bytes or a reference, decoded and searched."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from mock_server.core.library import Library
from mock_server.core.model import OutcomeName, Problem, ReadRequest
from mock_server.core.thumbnail_cache import Thumbnails
from mock_server.errors import FetchError, ImageError
from mock_server.imaging.results import SearchResult

if TYPE_CHECKING:
    from mock_server.imaging.decode import Picture

Fetch = Callable[[str], Awaitable[tuple[bytes, str]]]
"""Gets the bytes behind a URL, and the address they came from; or raises FetchError."""

_GALLERY = "/images/"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Looked:
    """What came of looking at a picture: a search, or the problem that prevented it; `note` is for the journal."""

    search: SearchResult | None = None
    problem: Problem | None = None
    note: str | None = None


class Pictures:
    """Looks pictures up, in a worker thread where they must be decoded, so that no request holds up another."""

    def __init__(
        self,
        fetch: Fetch,
        own_hosts: Collection[str] = (),
        *,
        threads: int = 2,
        thumbnails: Thumbnails | None = None,
    ) -> None:
        self._fetch = fetch
        self._thumbnails = thumbnails
        self._own_hosts = _LOOPBACK | {host.lower() for host in own_hosts}
        self._most_threads = threads
        # Not AnyIO's threads: handing a picture to one of those takes as long as finding a known one.
        self._threads = ThreadPoolExecutor(threads)

    def close(self) -> None:
        """End the threads, once they have done what they are doing; others begin when they are needed again."""
        threads, self._threads = self._threads, ThreadPoolExecutor(self._most_threads)
        threads.shutdown(wait=False)

    def is_here(self, request: ReadRequest, library: Library) -> bool:
        """Whether nothing has to be fetched to look at a request's picture."""
        return (
            request.image is not None or request.url is None or self._gallery_name(request) in library.gallery
        )

    async def look(self, request: ReadRequest, library: Library) -> Looked:
        """Find the picture of a request among those of the library."""
        if request.image is not None:
            return await self._search(request.image, library)
        if request.url is None:
            return Looked(problem=Problem(OutcomeName.INVALID_REQUEST, "no picture"))
        name = self._gallery_name(request)
        if name is not None and name in library.gallery:
            return await self._look_in_gallery(name, library)
        try:
            image, address = await self._fetch(request.url)
        except FetchError as error:
            return Looked(problem=Problem(OutcomeName.INVALID_IMAGE, str(error)), note=str(error))
        looked = await self._search(image, library)
        return Looked(looked.search, looked.problem, f"fetched {len(image)} bytes from {address}")

    async def _look_in_gallery(self, name: str, library: Library) -> Looked:
        # The set is what it was when it was read: its pictures need to be read and looked up only once.
        if (search := library.searches.get(name)) is not None:
            return Looked(search, note="gallery")
        looked = await self._search(library.picture(name) or b"", library)
        if looked.search is not None:
            library.searches[name] = looked.search
        return Looked(looked.search, looked.problem, "gallery")

    async def _search(self, image: bytes | memoryview, library: Library) -> Looked:
        try:
            search = library.index.find_known(image)
            if search is None or self._lacks_thumbnail(search):
                search = await asyncio.get_running_loop().run_in_executor(
                    self._threads, self._find, library, image
                )
        except ImageError as error:
            detail = f"{type(error).__name__}: {error}".removesuffix(": ")
            return Looked(problem=Problem(OutcomeName.INVALID_IMAGE, detail, variant=type(error).__name__))
        return Looked(search)

    def _find(self, library: Library, image: bytes | memoryview) -> SearchResult:
        decoded: list[Picture] = []
        search = library.index.find(image, decoded.append)
        if self._thumbnails is not None:
            self._thumbnails.make(search.facts.sha256, decoded[0] if decoded else image)
        return search

    def _lacks_thumbnail(self, search: SearchResult) -> bool:
        return self._thumbnails is not None and search.facts.sha256 not in self._thumbnails

    def _gallery_name(self, request: ReadRequest) -> str | None:
        url = request.url or ""
        host, name = _remembered(url) if len(url) <= _USUAL_URL else _host_and_name(url)
        if host in self._own_hosts or host == request.headers.get("host", "").rsplit(":", 1)[0].lower():
            return name
        return None


def _host_and_name(url: str) -> tuple[str, str | None]:
    """The host of a URL, and the name it would have for a picture in a gallery there."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
    except ValueError:
        return "", None
    gallery = parts.path.startswith(_GALLERY)
    return host, unquote(parts.path.removeprefix(_GALLERY)) if gallery else None


_USUAL_URL = 1024  # characters; what a client asks for again and again is shorter
_remembered = lru_cache(maxsize=1024)(_host_and_name)
