"""Thumbnails for all processes: whichever saw a picture, each can show it."""

from mock_server.core.redis_state.link import Link
from mock_server.core.thumbnail_cache import Drawable, Thumbnails

_KEPT_SECONDS = 3600


class SharedThumbnails(Thumbnails):
    """Those of this process, and for an hour those that others made."""

    def __init__(self, link: Link, max_bytes: int) -> None:
        super().__init__(max_bytes)
        self._link = link

    def make(self, sha256: str, picture: Drawable) -> bytes | None:
        known = sha256 in self
        made = super().make(sha256, picture)
        if made and not known:
            name = self._link.prefix + b"thumbnail:" + sha256.encode()
            # Pictures are looked at in threads. A thumbnail that does not arrive is missed by nobody but its viewer.
            self._link.post_from_thread(("SET", name, made, "EX", _KEPT_SECONDS))
        return made

    async def find(self, sha256: str) -> bytes | None:
        """The thumbnail of a picture that any process saw. Raises StoreUnavailableError."""
        if made := self.get(sha256):
            return made
        found: bytes | None = await self._link.command("GET", b"thumbnail:" + sha256.encode())
        return found
