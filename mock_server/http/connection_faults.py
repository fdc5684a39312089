"""WireMock's four connection faults."""

from collections.abc import Sequence

from mock_server.core.model import Fault
from mock_server.errors import FaultUnavailableError
from mock_server.http.connection import Connection

# Neither a status line nor a chunk size. The text explains the bytes to the reader of a network trace.
GARBAGE = b"\xff\xfe~ not HTTP: vehicle-ocr-mock broke this reply as a fault asked it to ~\x00\xfd"

Headers = Sequence[tuple[bytes, bytes]]


def break_connection(fault: Fault, connection: Connection | None, headers: Headers = ()) -> None:
    """Break the connection as the fault says, instead of a reply.

    EMPTY_RESPONSE closes it. MALFORMED_RESPONSE_CHUNK sends the head of a chunked `200 OK` with `headers`, then
    garbage that is not a chunk, and closes. RANDOM_DATA_THEN_CLOSE sends garbage and closes.
    CONNECTION_RESET_BY_PEER resets the TCP connection. Requests that are pipelined behind this one get no reply.

    Raises FaultUnavailableError without a `connection`: under a test client, and under another server than this
    package's own.
    """
    if connection is None:
        raise FaultUnavailableError(fault)
    match fault:
        case Fault.EMPTY_RESPONSE:
            connection.close()
        case Fault.MALFORMED_RESPONSE_CHUNK:
            connection.close(_chunked_head(headers) + GARBAGE)
        case Fault.RANDOM_DATA_THEN_CLOSE:
            connection.close(GARBAGE)
        case Fault.CONNECTION_RESET_BY_PEER:
            connection.reset()


def _chunked_head(headers: Headers) -> bytes:
    lines = [b"HTTP/1.1 200 OK", *(name + b": " + value for name, value in headers)]
    return b"\r\n".join([*lines, b"transfer-encoding: chunked", b"", b""])
