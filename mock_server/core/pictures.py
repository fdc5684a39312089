"""Looks up the picture of a request: its bytes, or the bytes behind its URL, are decoded and searched for."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote, urlsplit

from mock_server.core.library import Library
from mock_server.core.model import OutcomeName, Problem, ReadRequest
from mock_server.core.picture_caches import Thumbnails
from mock_server.core.turns import Turns
from mock_server.errors import FetchError, FetchRefusedError, ImageError
from mock_server.imaging.results import SearchResult

if TYPE_CHECKING:
    from mock_server.imaging.decode import Picture
    from mock_server.imaging.decoding_process import DecodingProcess
    from mock_server.imaging.index import Opened

Fetch = Callable[[str], Awaitable[tuple[bytes, str]]]
"""Fetches the bytes behind a URL. Returns them and the address they came from, or raises FetchError."""

_GALLERY = "/images/"
_THREADS = 2
_MOST_PARSED = 2048
"""Characters of a URL that are parsed. No picture has a longer name, and the standard library caches what it parses."""
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(slots=True)
class Lookup:
    """The result of looking up a picture: a search, or the problem that prevented it. `notes` are for the journal.

    `is_unfetched`: the problem is only that the URL may not be fetched.
    """

    search: SearchResult | None = None
    problem: Problem | None = None
    notes: tuple[str, ...] = ()
    is_unfetched: bool = False


class Pictures:
    """Looks up pictures. Decoding happens in worker threads, so that one request does not block the others."""

    def __init__(
        self,
        fetch: Fetch,
        own_hosts: Collection[str] = (),
        *,
        thumbnails: Thumbnails | None = None,
        decode_seconds: float = 10.0,
    ) -> None:
        self._fetch = fetch
        self._thumbnails = thumbnails or Thumbnails()
        self._own_hosts = _LOOPBACK | {host.lower() for host in own_hosts}
        self._decode_seconds = decode_seconds
        self._processes: set[DecodingProcess] = set()
        self._start_threads()

    def _start_threads(self) -> None:
        # AnyIO's threads are not used: passing a picture to one takes as long as finding a known picture.
        self._threads = ThreadPoolExecutor(_THREADS, "decode")
        # Each of these waits for a process. Cheap pictures do not wait behind expensive ones.
        self._process_threads = ThreadPoolExecutor(_THREADS, "decode-apart")
        self._turns, self._process_turns = Turns(_THREADS), Turns(_THREADS)

    def close(self) -> None:
        """Abandon all work: kill the processes, and end the threads. New threads start when they are needed again."""
        for threads in (self._threads, self._process_threads):
            threads.shutdown(wait=False, cancel_futures=True)
        for process in list(self._processes):
            process.kill()
        self._start_threads()

    async def look_up(self, request: ReadRequest, library: Library) -> Lookup:
        """Find the picture of a request among the pictures of the library.

        Raises ClientDisconnectedError if the client has left before the picture had its turn.
        """
        if request.problem:
            return Lookup(problem=request.problem)
        if request.image is not None:
            return await self._search(request, request.image, library)
        if request.url is None:
            return Lookup(problem=Problem(OutcomeName.INVALID_REQUEST, "no picture"))
        name = self._gallery_name(request)
        if name is not None and name in library.gallery:
            return await self._look_up_in_gallery(request, name, library)
        try:
            image, address = await self._fetch(request.url)
        except FetchRefusedError as error:
            if name is not None:
                detail = f"the gallery has no picture {name}"
                return Lookup(problem=Problem(OutcomeName.INVALID_IMAGE, detail), notes=(detail,))
            is_well_formed = _is_well_formed(request.url)
            detail = str(error) if is_well_formed else "the URL is not well-formed"
            problem = Problem(OutcomeName.INVALID_IMAGE, detail)
            return Lookup(problem=problem, notes=(detail,), is_unfetched=is_well_formed)
        except FetchError as error:
            return Lookup(problem=Problem(OutcomeName.INVALID_IMAGE, str(error)), notes=(str(error),))
        return await self._search(request, image, library, f"fetched {len(image)} bytes from {address}")

    async def _look_up_in_gallery(self, request: ReadRequest, name: str, library: Library) -> Lookup:
        # A library never changes, so each of its pictures is read and searched once.
        if (search := library.searches.get(name)) is not None:
            return Lookup(search, notes=("gallery",))
        lookup = await self._search(request, library.picture(name) or b"", library, "gallery")
        if lookup.search is not None:
            library.searches[name] = lookup.search
        return lookup

    async def _search(self, request: ReadRequest, image: bytes | memoryview, library: Library, *notes: str) -> Lookup:
        try:
            search = library.index.find_known(image)
            if search is None or search.facts.sha256 not in self._thumbnails:
                search = await self._decode_and_find(request, library, image)
                await self._thumbnails.share(search.facts.sha256)
        except ImageError as error:
            detail = f"the picture cannot be used: {type(error).__name__}: {error}".removesuffix(": ")
            problem = Problem(OutcomeName.INVALID_IMAGE, detail, variant=type(error).__name__)
            return Lookup(problem=problem, notes=notes)
        return Lookup(search, notes=notes)

    async def _decode_and_find(self, request: ReadRequest, library: Library, image: bytes | memoryview) -> SearchResult:
        loop, key = asyncio.get_running_loop(), request.key or ""
        async with self._turns.turn(key, request.client):
            search = await loop.run_in_executor(self._threads, self._find_cheap, library, image)
        if search is None:
            async with self._process_turns.turn(key, request.client):
                search = await loop.run_in_executor(self._process_threads, self._find_expensive, library, image)
        return search

    def _find_cheap(self, library: Library, image: bytes | memoryview) -> SearchResult | None:
        """The search result, or None for a picture that takes too long for a thread, which cannot be stopped."""
        # Imported late, as in every thread here: its libraries load slowly, and the start does not need them.
        from mock_server.imaging.decode import ExpensivePicture
        from mock_server.imaging.decoding_process import decode_cheap

        try:
            return self._find(library, image, partial(decode_cheap, seconds=self._decode_seconds))
        except ExpensivePicture:
            return None

    def _find_expensive(self, library: Library, image: bytes | memoryview) -> SearchResult:
        from mock_server.imaging.decoding_process import decode_apart

        opened = partial(decode_apart, seconds=self._decode_seconds, running=self._processes)
        return self._find(library, image, opened)

    def _find(self, library: Library, image: bytes | memoryview, opened: "Opened") -> SearchResult:
        decoded: list[Picture] = []
        search = library.index.find(image, decoded.append, opened)
        if decoded:
            self._thumbnails.make(search.facts.sha256, decoded[0])
        elif search.facts.sha256 not in self._thumbnails:
            # The index knows the picture, and its thumbnail was dropped.
            try:
                with opened(image) as picture:
                    self._thumbnails.make(search.facts.sha256, picture)
            except ImageError:
                self._thumbnails.make(search.facts.sha256, None)
        return search

    def _gallery_name(self, request: ReadRequest) -> str | None:
        """The name of the gallery picture that the URL leads to, if it leads to one."""
        url = request.url or ""
        # Most other URLs are not parsed, and long ones not kept in the cache.
        address = _parse_gallery_url(url) if _GALLERY in url and len(url) <= _MOST_PARSED else None
        if address is None:
            return None
        own = request.headers.get("host", "").lower()
        is_own = address.host in self._own_hosts or address.host == own.rsplit(":", 1)[0]
        # Another application may mount the mock below a path; the URL then has the same host and port as the request.
        if address.prefix and address.netloc != own:
            is_own = False
        return address.name if is_own else None


class _GalleryUrl(NamedTuple):
    host: str
    netloc: str
    prefix: str
    name: str


@lru_cache(maxsize=128)
def _parse_gallery_url(url: str) -> _GalleryUrl | None:
    """The parts of a URL that may lead to a gallery. Cached, because a test suite sends the same URL many times."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
    except ValueError:
        return None
    prefix, gallery, name = parts.path.partition(_GALLERY)
    return _GalleryUrl(host, parts.netloc.lower(), prefix, unquote(name)) if gallery else None


def _is_well_formed(url: str) -> bool:
    """Whether a URL names a host, and a port that exists if it names one."""
    try:
        parts = urlsplit(url[:_MOST_PARSED])
        return bool(parts.hostname) and parts.port != 0 and not any(char.isspace() for char in url.strip())
    except ValueError:
        return False
