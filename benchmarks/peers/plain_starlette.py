"""The obvious server: Starlette, `request.form()` for uploads, `request.json()` for JSON."""

from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from benchmarks.peers.serving import serve


async def upload(request: Request) -> Response:
    """Parse the form, read the file, and ignore both."""
    async with request.form() as form:
        image = form["image"]
        assert isinstance(image, UploadFile)
        size = len(await image.read())
    return JSONResponse({"result": "9DJC652", "size": size})


async def call(request: Request) -> Response:
    """Parse the JSON and take one value from it."""
    value = (await request.json())["image_url"]
    return JSONResponse({"success": True, "size": len(value)})


app = Starlette(
    routes=[
        Route("/api/ocr/{type}", upload, methods=["POST"]),
        Route("/platerecognition", call, methods=["POST"]),
        Route("/v1/vinocr", call, methods=["POST"]),
    ]
)

if __name__ == "__main__":
    serve(app)
