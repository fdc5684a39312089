"""uvicorn's HTTP protocols, with the connection of each request in the application's reach.

`uvicorn.Config(http=http_protocol())` makes faults possible over HTTP and HTTPS, on asyncio and on uvloop.
"""

import asyncio


def http_protocol() -> type[asyncio.Protocol]:
    """The protocol to serve with: on httptools where it is installed, else on h11, as uvicorn chooses."""
    # Only the one that is used is imported: h11 alone costs a tenth of the time to start.
    try:
        from mock_server.http.wire_httptools import HttpToolsWire
    except ImportError:  # pragma: no cover - httptools is not built for every platform
        from mock_server.http.wire_h11 import H11Wire

        return H11Wire
    return HttpToolsWire
