"""An index that is made when it is first needed: what it is made with takes as long to load as all the rest."""

from collections.abc import Callable, Iterable
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from mock_server.imaging.formats import Bytes
from mock_server.imaging.results import Collision, SearchResult, TooSmall

if TYPE_CHECKING:
    from mock_server.imaging.decode import Picture
    from mock_server.imaging.explanation import Explanation
    from mock_server.imaging.fingerprint import Reference
    from mock_server.imaging.index import ImageIndex


class LazyIndex:
    """Answers as the index that `make` makes. For pictures that are known to be well: nothing must fail late."""

    def __init__(self, make: "Callable[[], ImageIndex]") -> None:
        self._make = make
        self._made: ImageIndex | None = None
        self._lock = Lock()

    def made(self) -> "ImageIndex":
        """The index itself. The first call takes its time: not for the event loop."""
        if self._made is None:
            with self._lock:
                if self._made is None:
                    self._made = self._make()
        return self._made

    def find_known(self, data: Bytes) -> SearchResult | None:
        """The answer where it is at hand. Never blocks: nothing is, as long as the index is not made."""
        return None if self._made is None else self._made.find_known(data)

    def find(self, data: Bytes, decoded: "Callable[[Picture], None] | None" = None) -> SearchResult:
        """Which references `data` shows; raises the errors of `ImageError`. `decoded` is given what was decoded."""
        return self.made().find(data, decoded)

    def collisions(self) -> tuple[Collision, ...]:
        """Pairs that no query could tell apart: the same pixels, or one picture encoded twice."""
        return self.made().collisions()

    def too_small(self) -> tuple[TooSmall, ...]:
        """References whose text cannot be told from a neighbour's."""
        return self.made().too_small()

    def explain(self, data: Bytes) -> "Explanation":
        """What `find` says, with the places that decided it; raises the errors of `ImageError`."""
        return self.made().explain(data)

    def explanation_picture(self, explanation: "Explanation", data: Bytes) -> bytes:
        """A PNG of the sent picture beside the known one it matches or comes nearest to."""
        return self.made().explanation_picture(explanation, data)

    def updated(
        self,
        references: "Iterable[Reference]",
        *,
        cache: Path | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> "ImageIndex":
        """The index of a new list of references; those that are as they were are not read again."""
        return self.made().updated(references, cache=cache, progress=progress)
