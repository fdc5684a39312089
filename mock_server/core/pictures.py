"""From what a request carries to a picture that was looked up: bytes or a reference, decoded and searched."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import anyio
import anyio.to_thread

from mock_server.core.library import Library
from mock_server.core.model import OutcomeName, Problem, ReadRequest
from mock_server.core.thumbnails import Thumbnails
from mock_server.errors import FetchError, ImageError
from mock_server.imaging.index import Search

Fetch = Callable[[str], Awaitable[tuple[bytes, str]]]
"""Gets the bytes behind a URL, and the address they came from; or raises FetchError."""

_GALLERY = "/images/"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Looked:
    """What came of looking at a picture: a search, or the problem that prevented it; `note` is for the journal."""

    search: Search | None = None
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
        self._limiter = anyio.CapacityLimiter(threads)

    async def look(self, request: ReadRequest, library: Library) -> Looked:
        """Find the picture of a request among those of the library."""
        if request.image is not None:
            return await self._search(request.image, library)
        if request.url is None:
            return Looked(problem=Problem(OutcomeName.INVALID_REQUEST, "no picture"))
        image = self._from_gallery(request, library)
        note = "gallery"
        if image is None:
            try:
                image, address = await self._fetch(request.url)
            except FetchError as error:
                return Looked(problem=Problem(OutcomeName.INVALID_IMAGE, str(error)), note=str(error))
            note = f"fetched {len(image)} bytes from {address}"
        looked = await self._search(image, library)
        return Looked(looked.search, looked.problem, note)

    async def _search(self, image: bytes | memoryview, library: Library) -> Looked:
        try:
            search = library.index.find_known(image)
            if search is None or self._lacks_thumbnail(search):
                search = await anyio.to_thread.run_sync(self._find, library, image, limiter=self._limiter)
        except ImageError as error:
            detail = f"{type(error).__name__}: {error}".removesuffix(": ")
            return Looked(problem=Problem(OutcomeName.INVALID_IMAGE, detail, variant=type(error).__name__))
        return Looked(search)

    def _find(self, library: Library, image: bytes | memoryview) -> Search:
        search = library.index.find(image)
        if self._thumbnails is not None:
            self._thumbnails.make(search.facts.sha256, image)
        return search

    def _lacks_thumbnail(self, search: Search) -> bool:
        return self._thumbnails is not None and search.facts.sha256 not in self._thumbnails

    def _from_gallery(self, request: ReadRequest, library: Library) -> bytes | None:
        try:
            url = urlsplit(request.url or "")
            host = (url.hostname or "").lower()
        except ValueError:
            return None
        asked_host = request.headers.get("host", "").rsplit(":", 1)[0].lower()
        if not url.path.startswith(_GALLERY) or host not in self._own_hosts | {asked_host}:
            return None
        return library.picture(unquote(url.path.removeprefix(_GALLERY)))
