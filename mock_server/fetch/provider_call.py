"""One call to the real service of a provider. Only the command line makes such calls, on purpose."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import orjson

from mock_server.errors import FetchError

_TIMEOUT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class ProviderReply:
    """Status, media type (in lower case, without parameters) and body of a reply."""

    status: int
    media_type: str
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON; None if it is not JSON."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return None


def call_provider(
    base_url: str,
    path: str,
    *,
    method: str = "POST",
    query: Mapping[str, str],
    headers: Mapping[str, str],
    json: Any = None,
    files: Mapping[str, tuple[str, bytes, str]] | None = None,
    uses_proxy: bool = True,
) -> ProviderReply:
    """The reply to one call; redirects are not followed. Raises FetchError, whose text has no part of the call."""
    # httpx logs the whole URL, and the key may be in it.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        with httpx.Client(timeout=_TIMEOUT_SECONDS, trust_env=uses_proxy) as client:
            reply = client.request(
                method, base_url.rstrip("/") + path, params=query, headers=headers, json=json, files=files
            )
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
        raise FetchError(f"{base_url} does not answer: {type(error).__name__}") from None
    media_type = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
    return ProviderReply(reply.status_code, media_type, reply.content)
