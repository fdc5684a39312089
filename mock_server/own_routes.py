"""The mock's own pages that no provider knows: health and the gallery of fixture pictures."""

import time

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mock_server import __version__
from mock_server.core.reader import Reader
from mock_server.http.problem import problem
from mock_server.imaging.decode import inspect

_MEDIA_TYPES = {"JPEG": "image/jpeg", "MPO": "image/jpeg", "HEIF": "image/heic"}


def own_routes(reader: Reader) -> Starlette:
    """Health and the gallery."""
    started = time.monotonic()

    async def health(request: Request) -> Response:
        library = reader.library
        body = {
            "status": "healthy",
            "version": __version__,
            "uptimeInSeconds": int(time.monotonic() - started),
            "scenarios": len(library.scenarios.by_name),
            "images": len(library.gallery),
        }
        return Response(orjson.dumps(body), media_type="application/json")

    async def picture(request: Request) -> Response:
        data = reader.library.picture(request.path_params["name"])
        if data is None:
            return _not_found(request)
        format = inspect(data).format
        return Response(data, media_type=_MEDIA_TYPES.get(format, f"image/{format.lower()}"))

    async def not_found(request: Request, error: Exception) -> Response:
        return _not_found(request)

    return Starlette(
        routes=[
            Route("/healthz", health),
            Route("/__admin/health", health),
            Route("/images/{name:path}", picture),
        ],
        exception_handlers={404: not_found},
    )


def _not_found(request: Request) -> Response:
    reply = problem(404, f"Nothing is served at {request.url.path}.")
    return Response(
        reply.body, reply.status, {name.decode(): value.decode() for name, value in reply.headers}
    )
