"""The verb `healthcheck`."""

import os
from typing import Any

import click

from mock_server.cli.health_probe import container_process, status_line
from mock_server.cli.options import local_fixtures
from mock_server.errors import FixturesError
from mock_server.settings import Settings, reachable_host


@click.command()
@click.option("--host", help="Address of the server.")
@click.option("--port", type=int, help="HTTP port of the server.")
@click.option("--timeout", default=3.0, show_default=True, help="Seconds to wait for the answer.")
def command(host: str | None, port: int | None, timeout: float) -> None:
    """Exit 0 if a server answers, 1 if none does.

    Host and port come from the options, from the options of the server in this container, from the environment, from
    mock.yaml, or are 127.0.0.1 and 8080.
    """
    flags, environ = _container_settings()
    flags |= {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    settings = _settings(flags, environ | os.environ)
    host, port = reachable_host(settings.host), settings.port
    try:
        line = status_line(host, port, timeout)
    except OSError as error:
        raise click.ClickException(f"no healthy server on {host}:{port}: {error}") from None
    if line.split()[1:2] != [b"200"]:
        raise click.ClickException(f"no healthy server on {host}:{port}: it answers {line[:80].decode('latin-1')!r}")


def _container_settings() -> tuple[dict[str, Any], dict[str, str]]:
    """The options and the environment of the server in this container; both empty outside of a container."""
    from mock_server.cli.serve import command as serve

    arguments, environ = container_process()
    if not environ:
        return {}, {}
    params = serve.make_context("serve", arguments, resilient_parsing=True).params
    return {name: value for name, value in params.items() if value is not None and name != "hints"}, environ


def _settings(flags: dict[str, Any], environ: dict[str, str]) -> Settings:
    flags.setdefault("fixtures", local_fixtures(environ))
    settings = Settings.resolve(flags, environ=environ)
    try:
        mock_file = (settings.fixtures_dir / "mock.yaml").read_bytes()
    except OSError:
        return settings
    # Reading mock.yaml takes long for a check that is repeated every few seconds.
    if b"host" not in mock_file and b"port" not in mock_file:
        return settings
    from mock_server.startup import read_settings

    try:
        return read_settings(flags, environ)
    except FixturesError:  # edited since the server read it
        return settings
