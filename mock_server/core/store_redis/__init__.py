"""What several processes share in Redis or Valkey: the store, the world, the journal."""

from mock_server.core.store_redis.link import Link
from mock_server.core.store_redis.store import RedisStore

__all__ = ["Link", "RedisStore"]
