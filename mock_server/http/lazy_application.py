"""An ASGI application whose imports take long."""

from collections.abc import Callable

import anyio.to_thread
from starlette.types import ASGIApp, Receive, Scope, Send


class Lazy:
    """An application that is created after the start, or at its first request: its imports take long."""

    def __init__(self, create: Callable[[], ASGIApp]) -> None:
        self._create = create
        self._app: ASGIApp | None = None
        self._lock = anyio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._app or await self.get()
        await app(scope, receive, send)

    async def get(self) -> ASGIApp:
        """The application. It is created in a thread, so that other requests do not wait."""
        async with self._lock:
            if self._app is None:
                self._app = await anyio.to_thread.run_sync(self._create)
            return self._app
