"""The connection exposed by uvicorn's protocol on httptools."""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from mock_server.http.wire import ExposesConnection


class HttpToolsWire(ExposesConnection, HttpToolsProtocol):
    """uvicorn on httptools."""
