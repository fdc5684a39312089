"""Turns at a scarce service: how requests wait for a decoder.

Each key has a turn after the other, and its requests in the order in which they came. So a client with hundreds of new
pictures does not hold up the others. The picture of a client that has left is not decoded.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from mock_server.errors import ClientDisconnectedError

_PROBE_SECONDS = 0.05
"""How long the answer to a probe may take."""


class Client(Protocol):
    """The client of a request. `is_ended`: it sends nothing more, mostly because it has closed the connection."""

    is_ended: bool

    def probe(self) -> None:
        """Begin to find out whether a client that has ended still waits for the reply."""

    def has_left(self) -> bool:
        """Whether the client has closed the connection. Of a client that has ended, known only after a probe."""


@dataclass(slots=True, eq=False)
class _Place:
    """A place among those that wait. `called` is done when its turn has come, or when its client has left."""

    key: str
    client: Client | None
    called: "asyncio.Future[None]"
    has_turn: bool = False
    is_probed: bool = False
    has_time_to_answer: bool = False  # a probe of its client has not had the time for an answer yet

    @property
    def has_ended(self) -> bool:
        return self.client is not None and self.client.is_ended


class Turns:
    """So many turns at a time. For one event loop."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._waiting: list[_Place] = []  # in the order in which they came
        self._served: dict[str, int] = {}  # for each key that waits, the number of its latest turn
        self._number = 0

    @asynccontextmanager
    async def turn(self, key: str, client: Client | None) -> AsyncIterator[None]:
        """Wait for a turn, and have it within the context. Raises ClientDisconnectedError if the client has left."""
        place = _Place(key, client, asyncio.get_running_loop().create_future())
        self._waiting.append(place)
        self._call_next()
        try:
            await place.called
            yield
        finally:
            if place.has_turn:
                self._free += 1
            elif place in self._waiting:
                self._waiting.remove(place)
            self._call_next()

    def _call_next(self) -> None:
        while self._free and (places := self._ready_places()):
            # Clients that have ended come last: most have left, and the systems of some do not say so.
            place = min(places, key=lambda place: (place.has_ended, self._served.get(place.key, 0)))
            self._waiting.remove(place)
            self._free -= 1
            self._number += 1
            place.has_turn = True
            place.called.set_result(None)
            waiting_keys = {place.key for place in self._waiting}
            self._served = {key: self._served.get(key, 0) for key in waiting_keys}
            if place.key in waiting_keys:
                self._served[place.key] = self._number

    def _ready_places(self) -> list[_Place]:
        """The places whose turn may come now. Those of clients that have left are given up."""
        places = []
        for place in list(self._waiting):
            if place.client is not None and place.client.has_left():
                self._waiting.remove(place)
                place.called.set_exception(ClientDisconnectedError())
            elif place.client is None or not place.client.is_ended:
                places.append(place)
            elif not place.is_probed:
                place.is_probed = place.has_time_to_answer = True
                place.client.probe()
                # Clocks are not compared: a loop may call some nanoseconds early, and a place would wait for ever.
                asyncio.get_running_loop().call_later(_PROBE_SECONDS, self._end_probe, place)
            elif not place.has_time_to_answer:
                places.append(place)
        return places

    def _end_probe(self, place: _Place) -> None:
        place.has_time_to_answer = False
        self._call_next()
