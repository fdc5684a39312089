"""The headers `X-Mock-…` that the mock adds to the replies of providers."""

from collections.abc import Iterator
from typing import Any

from mock_server.http.reply import header_text

_TEXT = {"type": "string"}
DESCRIBED: dict[str, dict[str, Any]] = {
    "X-Mock-Request-Id": {"description": "The id of the request in the journal.", "schema": _TEXT},
    "X-Mock-Scenario": {"description": "Name of the scenario, or `-`.", "schema": _TEXT},
    "X-Mock-Fixtures": {
        "description": "`broken` while the fixture files have mistakes; the last good set is served.",
        "schema": {"const": "broken"},
    },
    "X-Mock-Detail": {
        "description": "What the mock knows and the provider's text does not say. Only where there is something.",
        "schema": {**_TEXT, "maxLength": 200},
    },
    "X-Mock-Match": {"description": "How the scenario was found.", "schema": _TEXT},
}
"""The headers as OpenAPI describes them."""


def mock_headers(
    request_id: str, scenario: str | None, match: str, detail: str | None, *, are_fixtures_ok: bool
) -> Iterator[tuple[bytes, bytes]]:
    """The headers of one reply."""
    if not are_fixtures_ok:
        yield b"x-mock-fixtures", b"broken"
    if detail:
        yield b"x-mock-detail", header_text(detail)
    yield b"x-mock-request-id", request_id.encode()
    yield b"x-mock-scenario", (scenario or "-").encode()
    yield b"x-mock-match", match.encode()
