"""A store of each kind: what holds in memory holds in Redis, too."""

from collections.abc import AsyncIterator

import pytest

from mock_server.core.redis_state import RedisClient, RedisStore
from mock_server.core.store import MemoryStore, Store
from tests.redis_server import RedisServer


@pytest.fixture(params=["memory", "redis"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    """An empty store of each kind."""
    if request.param == "memory":
        yield MemoryStore()
        return
    server: RedisServer = request.getfixturevalue("redis_server")
    redis = RedisStore(RedisClient(server.url()))
    yield redis
    await redis.close()
