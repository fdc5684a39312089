"""A transport that sends a reply's head and its body as one."""

import asyncio
from types import TracebackType
from typing import Any


class Gathering:
    """A transport around another. What is written in a `with` of it is sent at its end, in one piece.

    uvicorn writes the head of a reply when it has it and the body after that: two calls to the system, two packets,
    and a client that is woken up twice.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._held: list[bytes] | None = None

    def __enter__(self) -> None:
        self._held = []

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._send()

    def write(self, data: bytes) -> None:
        """Send `data`, at once or at the end of the `with`."""
        if self._held is None:
            self._transport.write(data)
        else:
            self._held.append(data)

    def close(self) -> None:
        """Close when all is sent that was written."""
        self._send()
        self._transport.close()

    def is_closing(self) -> bool:
        """Whether it is closed or about to be."""
        return self._transport.is_closing()

    def _send(self) -> None:
        held, self._held = self._held, None
        if held:
            self._transport.write(b"".join(held))

    def __getattr__(self, name: str) -> Any:
        # Everything else that uvicorn asks of a transport is the other one's to answer.
        return getattr(self._transport, name)
