"""TLS for clients that close their sending half, and wait for the reply (RFC 8446, section 6.1).

asyncio and uvloop close such a connection at once, and lose the reply. No public interface of theirs changes that, so
this is asyncio's own TLS with other steps at the end. Its members that are used here are not documented. A Python
without one of them raises ImportError here, and `listening.over_tls` does without this module.
"""

import asyncio
import contextlib
import ssl
from asyncio import sslproto
from asyncio.sslproto import AppProtocolState, SSLProtocolState
from types import FunctionType
from typing import Any

_SSLProtocol: Any = sslproto.SSLProtocol  # the published types lack most of its members
_MEMBERS = (
    "_app_protocol _app_reading_paused _app_state _app_transport _call_eof_received _do_read _do_shutdown "
    "_eof_received _sslobj _start_shutdown _state eof_received"
)


def check_members(owner: Any = _SSLProtocol) -> None:
    """Raise ImportError if asyncio's TLS lacks something that is used here."""
    functions = [member for member in vars(owner).values() if isinstance(member, FunctionType)]
    known = {*dir(owner), *(name for function in functions for name in function.__code__.co_names)}
    if missing := [name for name in _MEMBERS.split() if name not in known]:
        raise ImportError(f"{owner.__qualname__} has no {', '.join(missing)}")


check_members()


# The published types lack the base class, which is Any here.
class TlsProtocol(_SSLProtocol):  # type: ignore[misc]
    """asyncio's TLS of a server, on the transport of any event loop.

    The connection stays open when `eof_received` of the application's protocol says so. `ready` is done when the
    handshake is over, and gets the error of one that failed.
    """

    def __init__(
        self, protocol: asyncio.Protocol, tls: ssl.SSLContext, ready: "asyncio.Future[None] | None" = None
    ) -> None:
        super().__init__(asyncio.get_running_loop(), protocol, tls, waiter=ready, server_side=True)
        self._app_state: AppProtocolState
        self._is_half_closed = False
        self._has_tcp_ended = False

    def eof_received(self) -> bool | None:
        """Take the end of TCP, with or without an end of TLS before it."""
        if self._state is SSLProtocolState.WRAPPED:
            self._has_tcp_ended = True
            self._do_read()
            return True  # until the application has read and answered everything
        is_kept_open: bool | None = super().eof_received()
        return is_kept_open

    def _do_read(self) -> None:
        super()._do_read()
        is_open = self._state is SSLProtocolState.WRAPPED and not self._is_half_closed
        if not self._has_tcp_ended or not is_open or self._app_reading_paused:
            return
        self._call_eof_received()
        if self._is_half_closed:
            self._eof_received = True  # the client's end of TLS cannot come any more
        else:
            super().eof_received()

    def _do_shutdown(self) -> None:
        if self._eof_received:
            # asyncio would send no end of TLS.
            with contextlib.suppress(ssl.SSLError):
                self._sslobj.unwrap()
        super()._do_shutdown()

    def _call_eof_received(self, *context: Any) -> None:
        if self._app_state is AppProtocolState.STATE_CON_MADE:
            self._app_state = AppProtocolState.STATE_EOF
            self._is_half_closed = bool(self._app_protocol.eof_received())

    def _start_shutdown(self, *context: Any) -> None:
        # asyncio calls this at the client's end of TLS, too. The application closes the transport first.
        if not self._is_half_closed or self._app_transport is None or self._app_transport.is_closing():
            super()._start_shutdown(*context)
