"""The upper limit: an ASGI application that reads the body and always sends the same reply."""

from starlette.types import Receive, Scope, Send

from benchmarks.peers.serving import serve

_BODY = b'{"result":"9DJC652"}'
_START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(_BODY))],
}


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Read the body and reply."""
    while (await receive()).get("more_body", False):
        pass
    await send(_START)
    await send({"type": "http.response.body", "body": _BODY})


if __name__ == "__main__":
    serve(app)
