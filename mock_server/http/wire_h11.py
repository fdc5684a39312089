"""The connection exposed by uvicorn's protocol on h11."""

from uvicorn.protocols.http.h11_impl import H11Protocol

from mock_server.http.wire import ExposesConnection


class H11Wire(ExposesConnection, H11Protocol):
    """uvicorn on h11."""
