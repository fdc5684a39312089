"""Fetching image URLs safely: only allowed hosts and addresses, so that no URL leads into a private network."""

from mock_server.core.pictures import Fetch
from mock_server.errors import FetchRefusedError
from mock_server.fetch.policy import NOT_ALLOWED, FetchPolicy


def fetch_function(allowed: str, *, max_bytes: int) -> Fetch:
    """Return a function that fetches the URLs that `allowed`, the value of `--fetch`, permits."""
    policy = FetchPolicy.parse(allowed)
    if not policy:
        return _refuse
    # The HTTP client is slow to import, and most servers never fetch.
    from mock_server.fetch.fetcher import Fetcher

    return Fetcher(policy, max_bytes=max_bytes).fetch


async def _refuse(url: str) -> tuple[bytes, str]:
    raise FetchRefusedError(NOT_ALLOWED)
