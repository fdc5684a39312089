"""What is kept of pictures that were sent: thumbnails for the readers of the journal, and the latest uploads.

Each is kept once, even if many requests have sent it. In memory only, and bounded.
"""

from collections import OrderedDict
from collections.abc import Iterable
from threading import Lock
from typing import TYPE_CHECKING, Union

from mock_server.core.exchange import Exchange
from mock_server.errors import ImageError
from mock_server.imaging.results import Bytes

if TYPE_CHECKING:
    from mock_server.imaging.decode import Picture

_MAX_BYTES_OF_THUMBNAILS = 8 * 1024 * 1024
_MAX_BYTES_OF_UPLOADS = 64 * 1024 * 1024

Drawable = Union[Bytes, "Picture", None]
"""The bytes of a picture, or the decoded picture; None for one that cannot be decoded."""


class Thumbnails:
    """An LRU cache of JPEG thumbnails by the SHA-256 of their pictures, bounded by bytes. Thread-safe."""

    def __init__(self, max_bytes: int = _MAX_BYTES_OF_THUMBNAILS) -> None:
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
        from mock_server.imaging.decode import Picture, decode

        try:
            decoded = picture if picture is None or isinstance(picture, Picture) else decode(picture)
            made = b"" if decoded is None else decoded.thumbnail()
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


class KeptUploads:
    """The latest `max_count` different uploads, of `max_bytes` together. An upload that is larger is not kept.

    The dashboard shows them and makes scenarios of them.
    """

    def __init__(self, max_count: int, max_bytes: int = _MAX_BYTES_OF_UPLOADS) -> None:
        self.max_count = max_count
        self._max_bytes = max_bytes
        self._bytes = 0
        self._kept: OrderedDict[str, Bytes] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def add(self, name: str, upload: Bytes) -> None:
        """Keep an upload by its name; drop the oldest ones if a limit is exceeded. Copies nothing."""
        if name in self._kept:
            self._kept.move_to_end(name)
            return
        if self.max_count == 0 or _memory(upload) > self._max_bytes:
            return
        self._kept[name] = upload
        self._bytes += _memory(upload)
        while len(self._kept) > self.max_count or self._bytes > self._max_bytes:
            self._bytes -= _memory(self._kept.popitem(last=False)[1])

    def find(self, exchange: Exchange) -> Bytes | None:
        """The upload of an exchange, if it is still kept."""
        return self._kept.get(name_of_upload(exchange))

    def keep_only(self, exchanges: Iterable[Exchange]) -> None:
        """Drop the uploads that belong to none of these exchanges."""
        names = {name_of_upload(exchange) for exchange in exchanges}
        for name in [name for name in self._kept if name not in names]:
            self._bytes -= _memory(self._kept.pop(name))


def name_of_upload(exchange: Exchange) -> str:
    """The name of the upload of an exchange: the SHA-256 of a picture, or the id of the request."""
    # A picture that cannot be read has no digest in the journal.
    return exchange.image.sha256 if exchange.image else exchange.id


def _memory(upload: Bytes) -> int:
    """The bytes that stay in memory: a view of a form keeps the whole form."""
    return len(upload.obj) if isinstance(upload, memoryview) and isinstance(upload.obj, bytes) else len(upload)
