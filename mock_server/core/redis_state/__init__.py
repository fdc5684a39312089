"""The state that several processes share in Redis or Valkey."""

from mock_server.core.journal import JournalEntry
from mock_server.core.redis_state.redis_client import RedisClient
from mock_server.core.redis_state.redis_coordination import RedisCoordination
from mock_server.core.redis_state.redis_journal import RedisJournal, RedisRehearsal, RedisThumbnails
from mock_server.core.redis_state.redis_store import RedisStore
from mock_server.core.rehearsal import ObservedCall
from mock_server.core.state import State, split_bytes
from mock_server.core.store import Admission

__all__ = ["RedisClient", "RedisCoordination", "RedisJournal", "RedisRehearsal", "RedisStore", "shared_state"]


def shared_state(url: str, max_count: int, max_bytes: int) -> State:
    """The state behind a URL, with a journal of at most `max_count` exchanges. Raises SettingsError for a bad URL."""
    exchange_bytes, thumbnail_bytes = split_bytes(max_bytes)
    client = RedisClient(url)
    coordination = RedisCoordination(client)
    journal = RedisJournal(client, max_count=max_count, max_bytes=exchange_bytes)
    rehearsal = RedisRehearsal(client)

    store = RedisStore(client, coordination)

    async def share(entry: JournalEntry, call: ObservedCall | None, cost: Admission | None) -> bool:
        if cost is not None:
            return await journal.charge_and_add(entry, rehearsal.counting(entry, call), store.charging(cost))
        await journal.add(entry, rehearsal.counting(entry, call))
        return True

    thumbnails = RedisThumbnails(client, thumbnail_bytes)
    return State(store, journal, rehearsal, thumbnails, coordination, share)
