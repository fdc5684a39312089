"""What the server sends back, made of its bytes as they come in (RESP2)."""

from typing import Any

_STATUS, _ERROR, _NUMBER, _BULK, _ARRAY = b"+-:$*"


class ReplyError(Exception):
    """The server's answer to a command that it will not do. It is handed over as a reply."""

    @property
    def code(self) -> str:
        """The word that it begins with, such as NOSCRIPT."""
        return str(self).partition(" ")[0]


class Replies:
    """Splits a stream into replies: bytes, numbers, None, lists of these, and `ReplyError`."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size = 0
        self._wanted = 0
        self._open: list[tuple[list[Any], int]] = []

    def feed(self, data: bytes) -> list[Any]:
        """The replies that are complete with these bytes. Raises ValueError for what is no reply."""
        self._pieces.append(data)
        self._size += len(data)
        # Pictures come in many pieces, which are joined once.
        if self._size < self._wanted:
            return []
        buffer = data if len(self._pieces) == 1 else b"".join(self._pieces)
        at, self._wanted = 0, 0
        replies: list[Any] = []
        while (found := self._next(buffer, at)) is not None:
            value, at = found
            if value is not self:
                self._close(value, replies)
        rest = buffer[at:]
        self._pieces, self._size = [rest] if rest else [], len(rest)
        self._wanted = max(self._wanted - at, 0)
        return replies

    def _next(self, buffer: bytes, at: int) -> tuple[Any, int] | None:
        """The value at a place and where it ends; None where some is missing. This object stands for a begun array."""
        end = buffer.find(b"\r\n", at)
        if end < 0:
            return None
        kind, text, end = buffer[at], buffer[at + 1 : end], end + 2
        if kind == _NUMBER:
            return int(text), end
        if kind == _STATUS:
            return text, end
        if kind == _ERROR:
            return ReplyError(text.decode(errors="replace")), end
        length = int(text)
        if kind == _ARRAY:
            return self._begin(length), end
        if kind != _BULK:
            raise ValueError(f"no reply begins with {kind:#x}")
        if length < 0:
            return None, end
        if len(buffer) < end + length + 2:
            self._wanted = end + length + 2
            return None
        return buffer[end : end + length], end + length + 2

    def _begin(self, length: int) -> Any:
        if length <= 0:
            return None if length else []
        self._open.append(([], length))
        return self

    def _close(self, value: Any, replies: list[Any]) -> None:
        """Put a value where it belongs; what is complete by it as well."""
        while self._open:
            values, length = self._open[-1]
            values.append(value)
            if len(values) < length:
                return
            self._open.pop()
            value = values
        replies.append(value)
