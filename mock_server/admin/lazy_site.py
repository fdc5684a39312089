"""What is not a provider's: made at the first call that wants it, for most runs want nothing of it but `/healthz`."""

from collections.abc import Callable, Mapping
from typing import Any

import orjson
from starlette.types import ASGIApp, Receive, Scope, Send

from mock_server.admin.access import Access
from mock_server.admin.control import Control

_HEALTH = "/healthz"


class LazySite:
    """The mock's own routes. `metrics` gives their text and its type, `providers` their OpenAPI."""

    def __init__(
        self,
        control: Control,
        access: Access,
        *,
        max_body: int,
        metrics: Callable[[], tuple[bytes, str]],
        providers: Callable[[], Mapping[str, Any]],
    ) -> None:
        self._control = control
        self._access = access
        self._max_body = max_body
        self._metrics = metrics
        self._providers = providers
        self._site: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._site is None:
            if scope["type"] == "http" and scope["path"] == _HEALTH and scope["method"] in ("GET", "HEAD"):
                # Whoever waits for the server to come up shall not wait for the rest.
                await self._health(send)
                return
            # With Starlette, the schemas and the pages it takes as long to load as the readers of pictures.
            from mock_server.admin.site import create_site

            self._site = create_site(
                self._control,
                self._access,
                max_body=self._max_body,
                metrics=self._metrics,
                providers=self._providers,
            )
        await self._site(scope, receive, send)

    async def _health(self, send: Send) -> None:
        body = orjson.dumps(self._control.health())
        headers = [(b"content-length", b"%d" % len(body)), (b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})
