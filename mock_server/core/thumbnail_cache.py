"""Thumbnails for the readers of the journal: one for each picture, even if many requests have sent it."""

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, Union

from mock_server.errors import ImageError
from mock_server.imaging.results import Bytes

if TYPE_CHECKING:
    from mock_server.imaging.decode import Picture

DEFAULT_MAX_BYTES = 8 * 1024 * 1024

Drawable = Union[Bytes, "Picture", None]
"""The bytes of a picture, or the decoded picture; None for one that cannot be decoded."""


class Thumbnails:
    """An LRU cache of JPEG thumbnails by the SHA-256 of their pictures, bounded by bytes. Thread-safe."""

    def __init__(self, max_bytes: int = DEFAULT_MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._made: OrderedDict[str, bytes] = OrderedDict()
        self._lock = Lock()

    def __contains__(self, sha256: str) -> bool:
        """Whether the thumbnail of a picture is in the cache. Fast enough for the event loop."""
        return sha256 in self._made

    def make(self, sha256: str, picture: Drawable) -> bytes | None:
        """The thumbnail of a picture, from the cache or made now. None if the picture cannot be decoded.

        Takes about a millisecond, so do not call it on the event loop.
        """
        if sha256 in self._made:
            return self.get(sha256)
        # Imported late: its libraries load slowly, and the start does not need them.
        from mock_server.imaging.decode import Picture, thumbnail

        try:
            if isinstance(picture, Picture):
                made = picture.thumbnail()
            else:
                made = b"" if picture is None else thumbnail(picture)
        except ImageError:
            made = b""  # so that it is not tried again
        with self._lock:
            self._bytes += len(made) - len(self._made.pop(sha256, b""))
            self._made[sha256] = made
            while self._bytes > self._max_bytes:
                self._bytes -= len(self._made.popitem(last=False)[1])
        return made or None

    def get(self, sha256: str) -> bytes | None:
        """The thumbnail of a picture, if it is in the cache."""
        with self._lock:
            if sha256 in self._made:
                self._made.move_to_end(sha256)
            return self._made.get(sha256) or None

    async def share(self, sha256: str) -> None:
        """Let other processes have a thumbnail that was made here."""

    async def find(self, sha256: str) -> bytes | None:
        """The same, also from the caches of other processes."""
        return self.get(sha256)
