"""What the tests of the core share."""

from tests.redis_server import own_redis_server, redis_server

__all__ = ["own_redis_server", "redis_server"]
