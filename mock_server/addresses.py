"""What a host setting means. Without imports, because the verb `healthcheck` runs every few seconds."""

_LOOPBACK_OF_ALL = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}


def is_all_addresses(host: str) -> bool:
    """Whether a server on `host` listens on every address of this machine."""
    return host in _LOOPBACK_OF_ALL


def reachable_host(host: str) -> str:
    """The address at which this machine reaches a server on `host`. No client can connect to 0.0.0.0 everywhere."""
    return _LOOPBACK_OF_ALL.get(host, host)
