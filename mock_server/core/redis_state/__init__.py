"""What several processes share in Redis or Valkey: the store, the journal, the world."""

from mock_server.core.redis_state.batches import Batches
from mock_server.core.redis_state.link import Link
from mock_server.core.redis_state.redis_coordination import RedisCoordination
from mock_server.core.redis_state.redis_journal import SharedJournal
from mock_server.core.redis_state.redis_store import RedisStore
from mock_server.core.redis_state.redis_thumbnails import SharedThumbnails
from mock_server.core.state import State, split

__all__ = ["Link", "RedisCoordination", "RedisStore", "SharedJournal", "shared_state"]


def shared_state(url: str, max_count: int, max_bytes: int) -> State:
    """The state behind a URL; its journal keeps so many exchanges and bytes. Raises SettingsError for no such URL."""
    exchanges, pictures = split(max_bytes)
    link = Link(url)
    batches = Batches(link)
    store, world = RedisStore(link, batches), RedisCoordination(link)
    store.follow(world)
    journal = SharedJournal(link, max_count=max_count, max_bytes=exchanges, batches=batches)
    return State(store, journal, SharedThumbnails(link, pictures), world, world.attach)
