"""The headers `X-Mock-…` that the mock adds to the replies of providers."""

from collections.abc import Iterator

from mock_server.http.reply import header_text


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
