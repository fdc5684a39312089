"""What the counting for the rehearsal report adds to a known upload, in processor time within one process."""

import asyncio
import statistics
import time
from pathlib import Path
from typing import Any

from benchmarks.material import KEY
from mock_server.app import App, create_app
from mock_server.providers import finished_call

_CALLS = 300
_BOUNDARY = b"benchmark"


def cost_of_report(fixtures: Path, picture: bytes, rounds: int) -> tuple[float, float]:
    """The processor time of the counting for one known upload, and that of the upload without it, in seconds.

    Both are measured in turns; the medians. The upload does not come over a socket.
    """
    app = create_app({"fixtures": fixtures, "watch": False})
    return asyncio.run(_measure(app, picture, rounds))


async def _measure(app: App, picture: bytes, rounds: int) -> tuple[float, float]:
    count, name = finished_call.observed_call, finished_call.picture_name
    await _seconds(app, picture)
    costs, uploads = [], []
    for _ in range(rounds):
        counting = await _seconds(app, picture)
        finished_call.observed_call = lambda *arguments: None
        finished_call.picture_name = lambda *arguments: ""
        without = await _seconds(app, picture)
        finished_call.observed_call, finished_call.picture_name = count, name
        costs.append((counting - without) / _CALLS)
        uploads.append(without / _CALLS)
    return statistics.median(costs), statistics.median(uploads)


async def _seconds(app: App, picture: bytes) -> float:
    started = time.process_time()
    for _ in range(_CALLS):
        await _upload(app, picture)
    return time.process_time() - started


async def _upload(app: App, picture: bytes) -> None:
    head = b'--%s\r\nContent-Disposition: form-data; name="image"; filename="car.jpg"\r\n\r\n' % _BOUNDARY
    body = head + picture + b"\r\n--%s--\r\n" % _BOUNDARY
    headers = [
        (b"host", b"localhost"),
        (b"x-api-key", KEY.encode()),
        (b"content-type", b"multipart/form-data; boundary=" + _BOUNDARY),
        (b"content-length", b"%d" % len(body)),
    ]
    scope: dict[str, Any] = {
        **{"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http"},
        **{"path": "/api/ocr/plate", "raw_path": b"/api/ocr/plate", "query_string": b"", "root_path": ""},
        **{"headers": headers, "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 2)},
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        assert message.get("status", 200) == 200, message

    await app(scope, receive, send)
