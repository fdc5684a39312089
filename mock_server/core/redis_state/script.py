"""Scripts that run on the shared server."""

import hashlib
from functools import partial
from typing import Any

from mock_server.core.redis_state.link import Argument, Command, Link, Settle, settle, unavailable
from mock_server.core.redis_state.replies import ReplyError


class Script:
    """A script that the server knows by its digest, and is told again when it has forgotten it."""

    def __init__(self, link: Link, text: str) -> None:
        self._link = link
        digest = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest().encode()
        self._by_digest: Command = (b"EVALSHA", digest, b"1", link.prefix)
        self._by_text: Command = (b"EVAL", text.encode(), b"1", link.prefix)

    async def __call__(self, *arguments: Argument) -> Any:
        """Run it. Raises StoreUnavailableError, also where the server will not run it now."""
        if not self._link.is_open:
            await self._link.open()
        reply = self._link.loop.create_future()
        self.post(partial(settle, reply), *arguments)
        return await reply

    def post(self, done: Settle, *arguments: Argument) -> None:
        """Have it run without waiting; `done` is told its reply, or a StoreUnavailableError."""
        command, received = self._run(done, arguments)
        self._link.post(command, received)

    def send(self, done: Settle, *arguments: Argument, after: Command | None = None) -> None:
        """The same at once. Where there is a command `after` which it is to run, none comes between the two."""
        command, received = self._run(done, arguments)
        self._link.send((command,) if after is None else (after, command), received)

    def _run(self, done: Settle, arguments: tuple[Argument, ...]) -> tuple[Command, Settle]:
        def told(reply: Any) -> None:
            done(unavailable(reply) if isinstance(reply, ReplyError) else reply)

        def received(reply: Any) -> None:
            if isinstance(reply, ReplyError) and reply.code == "NOSCRIPT":
                self._link.post((*self._by_text, *arguments), told)
            else:
                told(reply)

        return (*self._by_digest, *arguments), received
