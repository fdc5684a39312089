"""The images of the fixtures at `/images/<name>`, so that a client has URLs to send to a provider."""

import anyio.to_thread
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from mock_server.core.live_scenarios import LiveScenarios
from mock_server.core.state import Coordination

_MEDIA_TYPES = {"JPEG": "image/jpeg", "MPO": "image/jpeg", "HEIF": "image/heic"}


class Gallery:
    """Serves the images of the library. No part of a request's path reaches the file system."""

    def __init__(self, scenarios: LiveScenarios, coordination: Coordination) -> None:
        self._scenarios = scenarios
        self._coordination = coordination

    async def get(self, request: Request) -> Response:
        """One image, with its media type. Raises HTTPException 404 for a name that no scenario uses."""
        from mock_server.imaging.decode import inspect  # imports Pillow, which a start does not need

        name = request.path_params["name"]
        image = await self._read(name)
        if image is None:
            # Another process may have added the scenario a moment ago.
            await self._coordination.refresh()
            image = await self._read(name)
        if image is None:
            raise HTTPException(404)
        format = inspect(image).format
        return Response(image, media_type=_MEDIA_TYPES.get(format, f"image/{format.lower()}"))

    async def _read(self, name: str) -> bytes | None:
        return await anyio.to_thread.run_sync(self._scenarios.library.picture, name)
