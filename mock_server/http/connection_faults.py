"""Breaking a connection on purpose: WireMock's four faults, at the socket."""

from collections.abc import Sequence

from mock_server.core.model import Fault
from mock_server.errors import FaultUnavailableError
from mock_server.http.connection import Connection

# Neither a status line nor a chunk size. Whoever meets it in a trace learns where it comes from.
GARBAGE = b"\xff\xfe~ not HTTP: vehicle-ocr-mock broke this reply as a fault asked it to ~\x00\xfd"

Headers = Sequence[tuple[bytes, bytes]]


def break_connection(fault: Fault, connection: Connection | None, headers: Headers = ()) -> None:
    """Do to the connection what the fault says, in place of a reply; the server expects none afterwards.

    EMPTY_RESPONSE closes and sends nothing. MALFORMED_RESPONSE_CHUNK sends the head of a chunked `200 OK`
    with `headers`, then garbage that is no chunk, and closes. RANDOM_DATA_THEN_CLOSE sends garbage alone.
    CONNECTION_RESET_BY_PEER resets the TCP connection. Requests pipelined behind this one are not answered.

    Raises FaultUnavailableError where there is no `connection` to break: under a test client that calls the
    application directly, and under servers other than this package's own.
    """
    if connection is None:
        raise FaultUnavailableError(fault)
    match fault:
        case Fault.EMPTY_RESPONSE:
            connection.end()
        case Fault.MALFORMED_RESPONSE_CHUNK:
            connection.end(_head(headers) + GARBAGE)
        case Fault.RANDOM_DATA_THEN_CLOSE:
            connection.end(GARBAGE)
        case Fault.CONNECTION_RESET_BY_PEER:
            connection.reset()


def _head(headers: Headers) -> bytes:
    lines = [b"HTTP/1.1 200 OK", *(name + b": " + value for name, value in headers)]
    return b"\r\n".join([*lines, b"transfer-encoding: chunked", b"", b""])
