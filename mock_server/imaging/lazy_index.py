"""An image index that is built at first use: the libraries that it needs take as long to load as everything else."""

from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mock_server.imaging.index import ImageIndex
    from mock_server.imaging.results import Bytes, SearchResult

    _ImageIndex = ImageIndex
else:
    _ImageIndex = object


class LazyIndex(_ImageIndex):
    """Behaves as the index that `build` returns. For pictures that are known to be readable: an error comes late.

    Only type checkers see a subclass of `ImageIndex`; at run time, `__getattr__` forwards every other method.
    """

    def __init__(self, build: "Callable[[], ImageIndex]") -> None:
        self._build = build
        self._index: ImageIndex | None = None
        self._lock = Lock()

    def get(self) -> "ImageIndex":
        """The index itself. The first call builds it and takes its time: not for the event loop."""
        with self._lock:
            if self._index is None:
                self._index = self._build()
            return self._index

    def find_known(self, data: "Bytes") -> "SearchResult | None":
        """As in `ImageIndex`; None until the index is built, so that it never blocks."""
        return None if self._index is None else self._index.find_known(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.get(), name)
