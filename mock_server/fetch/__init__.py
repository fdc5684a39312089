"""Image URLs, fetched under guard: only what was allowed, and never a way into somebody's network."""

from mock_server.fetch.fetcher import Fetched, Fetcher
from mock_server.fetch.policy import FetchPolicy

__all__ = ["FetchPolicy", "Fetched", "Fetcher"]
