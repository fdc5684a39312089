"""The least cost of any look at a picture: each upload is decoded in a thread, in Pillow's draft mode."""

import asyncio
import io
from concurrent.futures import ThreadPoolExecutor

from PIL import Image
from starlette.types import Receive, Scope, Send

from benchmarks.peers.serving import serve
from mock_server.core.model import NO_FAULT
from mock_server.http.body import read_body
from mock_server.http.multipart import parse_multipart
from mock_server.http.reply import Reply, send_reply

_SIDE = 512  # pixels that the shorter side keeps
_threads = ThreadPoolExecutor(2)


def decode(data: memoryview) -> tuple[int, int]:
    """Decode in draft mode; returns the size of the result."""
    with Image.open(io.BytesIO(data)) as image:
        image.draft("L", (_SIDE, _SIDE))
        image.load()
        return image.size


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Parse, decode, reply."""
    body = await read_body(scope, receive, limit=50_000_000)
    content_type = dict(scope["headers"])[b"content-type"].decode()
    image = parse_multipart(content_type, body).first("image")
    assert image is not None
    size = await asyncio.get_running_loop().run_in_executor(_threads, decode, image.data)
    await send_reply(Reply(200, (), b'{"result":"%dx%d"}' % size), NO_FAULT, scope, send)


if __name__ == "__main__":
    serve(app)
