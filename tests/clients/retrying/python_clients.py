"""Clients of VehiCore in Python, as people write them: three that repeat failed calls properly, and wrong ones.

Each is a function of the address, the key, the picture and what it calls to wait.
"""

import time
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3.util import retry as urllib3_retry
from urllib3.util.retry import Retry

from tests.support import PATIENCE

tenacity = pytest.importorskip("tenacity")

Wait = Callable[[float], object]
Client = Callable[[str, str, bytes, Wait], object]

TEMPORARY = (500, 502, 503, 504)
_ATTEMPTS = 4


@contextmanager
def _session(policy: Retry, wait: Wait) -> Iterator[requests.Session]:
    """A session of requests with a retry policy. urllib3 waits by `time.sleep`."""
    with requests.Session() as session, pytest.MonkeyPatch.context() as patch:
        patch.setattr(urllib3_retry, "time", types.SimpleNamespace(sleep=wait, time=time.time))
        session.mount("http://", HTTPAdapter(max_retries=policy))
        yield session


def with_requests(**policy: object) -> Client:
    """requests with urllib3's `Retry`."""

    def client(url: str, key: str, picture: bytes, wait: Wait) -> object:
        options = {"total": _ATTEMPTS, "allowed_methods": None, "raise_on_status": False, **policy}
        # The options of one policy have several types.
        with _session(Retry(**options), wait) as session:  # type: ignore[arg-type]
            reply = session.post(url, headers={"X-API-Key": key}, files={"image": picture}, timeout=PATIENCE)
        return reply.status_code

    return client


def _post(url: str, key: str, picture: bytes) -> httpx.Response:
    return httpx.post(url, headers={"X-API-Key": key}, files={"image": picture}, timeout=PATIENCE)


def with_tenacity(**policy: object) -> Client:
    """httpx in a function that tenacity repeats."""

    def client(url: str, key: str, picture: bytes, wait: Wait) -> object:
        options = {"stop": tenacity.stop_after_attempt(_ATTEMPTS), "sleep": wait, "reraise": True, **policy}
        attempt = tenacity.retry(retry_error_callback=lambda state: state.outcome.result(), **options)(_post)
        return attempt(url, key, picture).status_code

    return client


def _is_temporary(reply: httpx.Response) -> bool:
    return reply.status_code in TEMPORARY or "retry-after" in reply.headers


def _as_asked(state: object) -> float:
    reply = state.outcome.result()  # type: ignore[attr-defined]
    doubled = 0.5 * 2**state.attempt_number  # type: ignore[attr-defined]
    return float(max(float(reply.headers.get("retry-after", 0)), doubled))


def httpx_loop(url: str, key: str, picture: bytes, wait: Wait) -> object:
    """A loop by hand: pauses double, `Retry-After` is heeded, errors of the request are final."""
    pause = 0.5
    for _ in range(_ATTEMPTS):
        reply = _post(url, key, picture)
        if not _is_temporary(reply):
            break
        wait(max(pause, float(reply.headers.get("retry-after", 0))))
        pause *= 2
    return reply.status_code


def until_it_works(url: str, key: str, picture: bytes, wait: Wait) -> object:
    """A loop that takes every error for a temporary one."""
    for attempt in range(_ATTEMPTS):
        reply = _post(url, key, picture)
        if reply.is_success:
            break
        wait(2.0**attempt)
    return reply.status_code


def without_pauses(url: str, key: str, picture: bytes, wait: Wait) -> object:
    """A loop that repeats at once."""
    for _ in range(_ATTEMPTS):
        reply = _post(url, key, picture)
        if reply.status_code not in (*TEMPORARY, 429):
            break
    return reply.status_code


def once(url: str, key: str, picture: bytes, wait: Wait) -> object:
    """A single call, whatever comes back."""
    return _post(url, key, picture).status_code


def twice(url: str, key: str, picture: bytes, wait: Wait) -> object:
    """A program that reads each picture for two purposes."""
    return [_post(url, key, picture).status_code for _ in range(2)]


def impatient(url: str, key: str, picture: bytes, wait: Wait) -> object:
    """A timeout that is too short for a recognition."""
    with pytest.raises(requests.Timeout):
        requests.post(url, headers={"X-API-Key": key}, files={"image": picture}, timeout=(10, 0.2))
    return None


def with_a_field_of_its_own(url: str, key: str, picture: bytes, wait: Wait) -> object:
    """A form field that the provider does not have."""
    headers = {"X-API-Key": key}
    return httpx.post(
        url, headers=headers, files={"image": picture}, data={"camera": "3"}, timeout=PATIENCE
    ).status_code


RIGHT: dict[str, Client] = {
    "requests with urllib3 Retry": with_requests(backoff_factor=0.5, status_forcelist=TEMPORARY),
    "tenacity": with_tenacity(retry=tenacity.retry_if_result(_is_temporary), wait=_as_asked),
    "httpx in a loop": httpx_loop,
}
WRONG: dict[str, tuple[str, str, Client]] = {
    "urllib3 retries a 404": (
        "retried-final-error",
        "not found",
        with_requests(status_forcelist=[404], backoff_factor=1),
    ),
    "tenacity retries every error": (
        "retried-final-error",
        "out of credits",
        with_tenacity(
            retry=tenacity.retry_if_result(lambda reply: reply.is_error), wait=tenacity.wait_exponential(multiplier=1)
        ),
    ),
    "a loop takes every error for a temporary one": ("retried-final-error", "bad image", until_it_works),
    "urllib3 without Retry-After": (
        "ignored-retry-after",
        "rate limited",
        with_requests(status_forcelist=[429], respect_retry_after_header=False, backoff_factor=0.1),
    ),
    "tenacity with its own pauses": (
        "ignored-retry-after",
        "rate limited",
        with_tenacity(retry=tenacity.retry_if_result(lambda reply: reply.is_error), wait=tenacity.wait_fixed(0.2)),
    ),
    "a loop without pauses meets a rate limit": ("ignored-retry-after", "rate limited", without_pauses),
    "urllib3 without a backoff factor": (
        "no-backoff",
        "down for three calls",
        with_requests(status_forcelist=TEMPORARY, backoff_factor=0),
    ),
    "tenacity without a wait": (
        "no-backoff",
        "down for three calls",
        with_tenacity(retry=tenacity.retry_if_result(_is_temporary)),
    ),
    "a loop without pauses": ("no-backoff", "failing for three calls", without_pauses),
    "a single attempt": ("no-retry", "down", once),
    "a short timeout": ("gave-up-early", "slow", impatient),
    "no timeout": ("no-timeout", "very slow", once),
    "a picture read twice": ("paid-twice", "fine", twice),
    "a huge upload": ("oversized-upload", "huge", once),
    "a field of its own": ("undocumented-shape", "fine", with_a_field_of_its_own),
}
