"""The latest uploads, so that the dashboard can show them and make scenarios of them. In memory only, and bounded."""

from collections import OrderedDict
from collections.abc import Iterable

from mock_server.core.exchange import Exchange
from mock_server.imaging.results import Bytes

DEFAULT_MAX_BYTES = 64 * 1024 * 1024


class KeptUploads:
    """The latest `max_count` different uploads, of `max_bytes` together. An upload that is larger is not kept.

    The same bytes are kept once, even if many requests have sent them.
    """

    def __init__(self, max_count: int, max_bytes: int = DEFAULT_MAX_BYTES) -> None:
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
