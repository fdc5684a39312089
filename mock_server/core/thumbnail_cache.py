"""Small pictures for people who read the journal: one for each picture, shared by all exchanges that sent it."""

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, Union

from mock_server.errors import ImageError
from mock_server.imaging.formats import Bytes

if TYPE_CHECKING:
    from mock_server.imaging.decode import Picture

DEFAULT_MAX_BYTES = 8 * 1024 * 1024

Drawable = Union[Bytes, "Picture"]
"""A picture as it was sent, or already decoded."""


class Thumbnails:
    """JPEG thumbnails by the SHA-256 of their pictures; those used last, within a bound of bytes. Thread-safe."""

    def __init__(self, max_bytes: int = DEFAULT_MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._made: OrderedDict[str, bytes] = OrderedDict()
        self._lock = Lock()

    def __contains__(self, sha256: str) -> bool:
        """Whether there is nothing to make for a picture. Costs nothing: for the event loop."""
        return sha256 in self._made

    def make(self, sha256: str, picture: Drawable) -> bytes | None:
        """The thumbnail of a picture, made now unless there is one; None where it cannot be decoded.

        Takes about a millisecond: not for the event loop.
        """
        if sha256 in self._made:
            return self.get(sha256)
        # Its libraries take their time to load: a start has no use for them.
        from mock_server.imaging.decode import Picture, thumbnail

        try:
            made = picture.thumbnail() if isinstance(picture, Picture) else thumbnail(picture)
        except ImageError:
            made = _UNDECODABLE
        self._put(sha256, made)
        return made or None

    def get(self, sha256: str) -> bytes | None:
        """The thumbnail of a picture that was seen, as long as it is kept."""
        with self._lock:
            made = self._made.get(sha256)
            if made is not None:
                self._made.move_to_end(sha256)
            return made or None

    async def find(self, sha256: str) -> bytes | None:
        """The same, wherever it is kept."""
        return self.get(sha256)

    def _put(self, sha256: str, made: bytes) -> None:
        with self._lock:
            if sha256 not in self._made:
                self._bytes += len(made)
            self._made[sha256] = made
            while self._bytes > self._max_bytes and self._made:
                self._bytes -= len(self._made.popitem(last=False)[1])


_UNDECODABLE = b""
