"""Problem details (RFC 9457): the error replies of the mock itself. Providers have their own."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson

from mock_server.http.reply import Reply


def problem(
    status: int, detail: str, *, headers: Mapping[str, str] | None = None, title: str | None = None, **members: Any
) -> Reply:
    """An `application/problem+json` reply. `members` are extension members."""
    body = {"type": "about:blank", "title": title or HTTPStatus(status).phrase, "status": status, "detail": detail}
    lines = [(b"content-type", b"application/problem+json")]
    lines += [(name.lower().encode(), value.encode("latin-1", "replace")) for name, value in (headers or {}).items()]
    return Reply(status, tuple(lines), orjson.dumps({**body, **members}))
