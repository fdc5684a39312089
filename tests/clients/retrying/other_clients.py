"""More clients of VehiCore in Python, as other libraries are used: right ones and wrong ones."""

import asyncio
import itertools
import random
import time
import types
from concurrent.futures import ThreadPoolExecutor

import aiohttp
import httpx
import pytest
import urllib3
from urllib3.util import retry as urllib3_retry
from urllib3.util.retry import Retry

from tests.support import PATIENCE

from .python_clients import TEMPORARY, Client, Wait, tenacity

_ATTEMPTS = 4
_JITTER = random.Random(7)


def with_aiohttp(*, seconds: float = 30, **policy: object) -> Client:
    """aiohttp, repeated by tenacity's AsyncRetrying."""

    async def attempt(url: str, key: str, picture: bytes) -> tuple[int, str | None]:
        form = aiohttp.FormData()
        form.add_field("image", picture, filename="photo.jpg")
        timeout = aiohttp.ClientTimeout(total=seconds)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(url, data=form, headers={"X-API-Key": key}) as reply,
        ):
            await reply.read()
            return reply.status, reply.headers.get("Retry-After")

    def client(url: str, key: str, picture: bytes, wait: Wait) -> object:
        async def sleep(seconds: float) -> None:
            wait(seconds)

        options = {"stop": tenacity.stop_after_attempt(_ATTEMPTS), "sleep": sleep, "reraise": True, **policy}
        repeated = tenacity.AsyncRetrying(retry_error_callback=lambda state: state.outcome, **options)
        return asyncio.run(repeated(attempt, url, key, picture))

    return client


def _is_temporary(result: tuple[int, str | None]) -> bool:
    return result[0] in TEMPORARY or result[1] is not None


def _doubled_or_as_asked(state: object) -> float:
    asked = state.outcome.result()[1]  # type: ignore[attr-defined]
    return float(max(float(asked or 0), 0.5 * 2**state.attempt_number))  # type: ignore[attr-defined]


def with_urllib3(**policy: object) -> Client:
    """urllib3 alone, whose pool repeats requests."""

    def client(url: str, key: str, picture: bytes, wait: Wait) -> object:
        options = {"total": _ATTEMPTS, "allowed_methods": {"POST"}, "raise_on_status": False, **policy}
        with urllib3.PoolManager() as pool, pytest.MonkeyPatch.context() as patch:
            patch.setattr(urllib3_retry, "time", types.SimpleNamespace(sleep=wait, time=time.time))
            reply = pool.request(
                "POST",
                url,
                fields={"image": ("photo.jpg", picture)},
                headers={"X-API-Key": key},
                retries=Retry(**options),  # type: ignore[arg-type]  # the options have several types
                timeout=urllib3.Timeout(connect=5, read=30),
            )
        return reply.status

    return client


class _Repeating(httpx.BaseTransport):
    """A transport of httpx that repeats requests with growing pauses, each drawn from half of it on."""

    def __init__(self, wait: Wait) -> None:
        self._inner = httpx.HTTPTransport()
        self._wait = wait

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request until it has an answer that is final."""
        request.read()
        for attempt in itertools.count():
            reply = self._inner.handle_request(request)
            asked = reply.headers.get("Retry-After")
            if attempt == _ATTEMPTS or not (reply.status_code in TEMPORARY or asked):
                break
            reply.read()
            pause = 0.5 * 2**attempt
            self._wait(max(float(asked or 0), pause * _JITTER.uniform(0.5, 1)))
        return reply

    def close(self) -> None:
        """Close the connections."""
        self._inner.close()


def httpx_transport(url: str, key: str, picture: bytes, wait: Wait) -> object:
    """httpx with a transport of its own."""
    with httpx.Client(transport=_Repeating(wait), timeout=PATIENCE) as client:
        return client.post(url, headers={"X-API-Key": key}, files={"image": picture}).status_code


def _post(url: str, key: str, picture: bytes) -> httpx.Response:
    return httpx.post(url, headers={"X-API-Key": key}, files={"image": picture}, timeout=PATIENCE)


def as_the_service_asks(url: str, key: str, picture: bytes, wait: Wait) -> object:
    """Waits exactly as long as `Retry-After` says, and doubles its pauses where there is none."""
    pauses = iter((1.0, 2.0, 4.0, 8.0))
    for _ in range(_ATTEMPTS):
        reply = _post(url, key, picture)
        asked = reply.headers.get("Retry-After")
        if not asked and reply.status_code not in TEMPORARY:
            break
        wait(float(asked or next(pauses)))
    return reply.status_code


def another_file_after_a_refusal(url: str, key: str, picture: bytes, wait: Wait) -> object:
    """After a 400 the picture is saved anew, which makes it another file; other errors are final or repeated."""
    status = as_the_service_asks(url, key, picture, wait)
    return as_the_service_asks(url, key, picture + b"saved anew", wait) if status == 400 else status


def in_two_threads(url: str, key: str, picture: bytes, wait: Wait) -> object:
    """A program whose threads read the same picture at once."""
    with ThreadPoolExecutor(2) as pool:
        return [reply.status_code for reply in pool.map(lambda _: _post(url, key, picture), range(2))]


def shorter_and_shorter(url: str, key: str, picture: bytes, wait: Wait) -> object:
    """Waits long first, and loses patience."""
    for pause in (8.0, 2.0, 0.5):
        reply = _post(url, key, picture)
        if reply.status_code not in TEMPORARY:
            break
        wait(pause)
    return reply.status_code


def impatient_again_and_again(url: str, key: str, picture: bytes, wait: Wait) -> object:
    """Repeats after each of its short timeouts, with pauses that grow."""
    for pause in (0.5, 1.0, 2.0):
        try:
            return httpx.post(url, headers={"X-API-Key": key}, files={"image": picture}, timeout=0.3).status_code
        except httpx.TimeoutException:
            wait(pause)
    return None


RIGHT: dict[str, Client] = {
    "aiohttp and tenacity": with_aiohttp(retry=tenacity.retry_if_result(_is_temporary), wait=_doubled_or_as_asked),
    "urllib3 with jitter and a longest pause": with_urllib3(
        status_forcelist=TEMPORARY, backoff_factor=1, backoff_jitter=0.5, backoff_max=3
    ),
    "a transport of httpx": httpx_transport,
    "as the service asks": as_the_service_asks,
    "another file after a refusal": another_file_after_a_refusal,
}
WRONG: dict[str, tuple[str, str, Client]] = {
    "aiohttp and tenacity retry every error": (
        "retried-final-error",
        "not found",
        with_aiohttp(
            retry=tenacity.retry_if_result(lambda result: result[0] >= 400),
            wait=tenacity.wait_exponential(multiplier=1),
        ),
    ),
    "urllib3 retries a 429 whatever it means": (
        "retried-final-error",
        "used up",
        with_urllib3(status_forcelist=[429, *TEMPORARY], backoff_factor=1),
    ),
    "aiohttp and tenacity with pauses of their own": (
        "ignored-retry-after",
        "rate limited",
        with_aiohttp(retry=tenacity.retry_if_result(_is_temporary), wait=tenacity.wait_fixed(0.25)),
    ),
    "aiohttp and tenacity without pauses": (
        "no-backoff",
        "down for three calls",
        with_aiohttp(retry=tenacity.retry_if_result(_is_temporary), wait=tenacity.wait_none()),
    ),
    "pauses that shrink": ("no-backoff", "failing for three calls", shorter_and_shorter),
    "sooner than a 503 asks": (
        "ignored-retry-after",
        "asks for 120 s",
        with_urllib3(status_forcelist=TEMPORARY, backoff_factor=1, respect_retry_after_header=False),
    ),
    "urllib3 without retries": ("no-retry", "down", with_urllib3(total=False)),
    "a short timeout of aiohttp": (
        "gave-up-early",
        "slow",
        with_aiohttp(
            seconds=0.3, retry=tenacity.retry_if_exception_type(TimeoutError), stop=tenacity.stop_after_attempt(1)
        ),
    ),
    "short timeouts again and again": ("gave-up-early", "slow for two calls", impatient_again_and_again),
    "two threads": ("paid-twice", "fine", in_two_threads),
}
