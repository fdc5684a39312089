"""The verb `serve`."""

import logging
import sys
from typing import Any

import click

from mock_server.cli.options import check_fixtures, settings_options

logger = logging.getLogger(__name__)


@click.command(epilog="Every option is also an environment variable: --max-body is VEHICLE_OCR_MOCK_MAX_BODY.")
@settings_options()
@click.option("--hints", is_flag=True, help="Print curl lines to paste, on stderr.")
def command(hints: bool, **flags: Any) -> None:
    """Serve the mock until SIGINT or SIGTERM.

    FIXTURES is a directory with mock.yaml and scenarios/. Default: the shipped fixtures.
    """
    from mock_server.tuning import search_in_one_thread, without_garbage_collection

    search_in_one_thread()
    with without_garbage_collection():
        from mock_server.app import create_app
        from mock_server.cli.progress import progress
        from mock_server.providers.registry import PROVIDERS
        from mock_server.runner import Server, end_soon, run
        from mock_server.settings import is_all_addresses

        check_fixtures(flags)
        with progress("reading pictures") as report:
            app = create_app(flags, foreground=True, progress=report)

    def announce(server: Server) -> None:
        fixtures = app.pipeline.library.fixtures
        logger.info("serving %s: %s", app.settings.fixtures_dir, fixtures.summary)
        addresses = f"{server.url} and {server.tls_url}" if server.tls_url else server.url
        everywhere = " (all addresses)" if is_all_addresses(app.settings.host) else ""
        click.echo(f"vehicle-ocr-mock ready on {addresses}{everywhere}")
        if server.app.access.is_generated:
            click.echo(f"admin token: {server.app.access.token}", err=True)
        if hints:
            from mock_server.cli.hints import hints as hint_lines

            click.echo(hint_lines(PROVIDERS, server.app.pipeline.library, server.url), err=True)
        sys.stdout.flush()

    if app.settings.workers > 1:
        from mock_server.supervisor import run as run_workers

        run_workers(app, announce)
    else:
        server = Server(app)
        run(server, lambda: announce(server))
        end_soon()
