"""The current Python process, led to the mock for a while."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from mock_server.redirect.no_proxy import without_proxy
from mock_server.redirect.python_hook import Route, install


@contextmanager
def redirected(route: Route) -> Iterator[None]:
    """Lead the route's names to the mock in this process, for as long as the context lasts.

    Name look-ups, connections and TLS trust change for exactly those names; a proxy in the environment is
    told to leave them alone. All of it is undone afterwards, save that a TLS context which spoke to the mock
    still knows the mock's authority.
    """
    proxies = without_proxy(route.names, os.environ)
    before = {name: os.environ.get(name) for name in proxies}
    os.environ.update(proxies)
    undo = install(route)
    try:
        yield
    finally:
        undo()
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
