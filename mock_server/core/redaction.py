"""What may be stored and shown of keys, headers and URLs: no API key, and no other secret."""

import hashlib
import re
from collections.abc import Mapping
from functools import lru_cache

HIDDEN = "…"
"""Stands for a secret."""

_SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie"})
_KEY_LIKE = re.compile(r"(?=[^/]*[0-9])[A-Za-z0-9._~-]{16,}")


@lru_cache(maxsize=256)
def key_id(key: str) -> str:
    """A short hash of an API key. The key cannot be computed from it."""
    return hashlib.blake2s(key.encode("utf-8", "surrogateescape"), digest_size=6).hexdigest()


def redacted(key: str) -> str:
    """An API key as it may be shown: an ellipsis and, if the key is long enough, its last two characters."""
    return HIDDEN + key[-2:] if len(key) > 6 else HIDDEN


@lru_cache(maxsize=256)
def without_keys(path: str) -> str:
    """A path in which parts that look like API keys are redacted: at least 16 characters, with a digit."""
    return _KEY_LIKE.sub(lambda found: redacted(found[0]), path)


def redacted_url(url: str) -> str:
    """A URL without its query, which has the credentials of a signed URL, and without those before the host."""
    scheme, _, rest = url.partition("?")[0].partition("://")
    authority, slash, path = rest.partition("/")
    return f"{scheme}://{authority.rpartition('@')[2]}{slash}{path}"


def redacted_headers(headers: Mapping[str, str], key: str | None, *, max_length: int) -> dict[str, str]:
    """All headers, cut to a length, with `HIDDEN` for the values that are secret or contain the key."""
    return {
        name[:max_length]: HIDDEN if name in _SECRET_HEADERS or (key and key in value) else value[:max_length]
        for name, value in headers.items()
    }


def without_secrets(headers: Mapping[str, str], key: str | None) -> dict[str, str]:
    """The headers whose values are not secret and do not contain the key."""
    return {
        name: value for name, value in headers.items() if name not in _SECRET_HEADERS and not (key and key in value)
    }
