"""How image URLs are fetched under the settings: under guard, or not at all."""

from mock_server.core.pictures import Fetch
from mock_server.errors import FetchError
from mock_server.fetch.policy import FetchPolicy
from mock_server.settings import Settings


def fetch_as_allowed(settings: Settings) -> Fetch:
    """A function that fetches what `--fetch` allows; it refuses everything where nothing is allowed."""
    policy = FetchPolicy.parse(settings.fetch)
    if not policy:
        return _refuse_to_fetch
    # Its HTTP client takes as long to import as much of the rest; most servers never fetch.
    from mock_server.fetch.fetcher import Fetcher

    fetcher = Fetcher(policy, max_bytes=settings.max_body)

    async def fetch(url: str) -> tuple[bytes, str]:
        fetched = await fetcher.fetch(url)
        return fetched.data, fetched.address

    return fetch


async def _refuse_to_fetch(url: str) -> tuple[bytes, str]:
    raise FetchError("image URLs are not fetched here; --fetch allows it")
