"""Serving in the foreground, once the flags are known."""

import gc
import sys
from typing import Any

from mock_server.app import PROVIDERS, create_app
from mock_server.cli.progress import progress
from mock_server.runner import Server, run


def serve(flags: dict[str, Any], *, with_hints: bool = False) -> None:
    """Boot, serve, and print one line on stdout when ready."""
    with progress("reading pictures") as told:
        app = create_app(flags, foreground=True, progress=told)
    # What is there now stays, and need not be looked through again.
    gc.freeze()
    gc.enable()

    def ready(server: Server) -> None:
        also = f" and {server.tls_url}" if server.tls_url else ""
        print(f"vehicle-ocr-mock ready on {server.url}{also}", flush=True)
        if server.app.access.generated:
            print(f"admin token: {server.app.access.token}", file=sys.stderr, flush=True)
        if with_hints:
            from mock_server.cli.hints import hints

            print(hints(PROVIDERS, server.app.reader.library, server.url), file=sys.stderr, flush=True)

    if app.settings.workers > 1:
        from mock_server.supervisor import run as run_workers

        run_workers(app, ready)
    else:
        server = Server(app)
        run(server, lambda: ready(server))
