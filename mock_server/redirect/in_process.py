"""Redirect the current Python process to the mock for a while."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from mock_server.redirect.environment import changed_environment, proxy_exceptions
from mock_server.redirect.python_hook import Route, install


@contextmanager
def redirected(route: Route) -> Iterator[None]:
    """Make the route's names lead to the mock in this process, while the context lasts.

    Name look-ups, connections and TLS trust change for exactly these names, and no proxy is used for them. At the end
    all of it is undone, except that a TLS context that was used with the mock still trusts its authority.
    """
    with changed_environment(proxy_exceptions(route.names, os.environ)):
        undo = install(route)
        try:
            yield
        finally:
            undo()
