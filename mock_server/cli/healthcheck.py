"""The verb `healthcheck`."""

import http.client
import os
from typing import Annotated

import typer

from mock_server.settings import ENVIRONMENT_PREFIX


def command(
    host: Annotated[str, typer.Option(help="Where the server listens.")] = "127.0.0.1",
    port: Annotated[int | None, typer.Option(help="Its HTTP port; that of the environment, or 8080.")] = None,
    timeout: Annotated[float, typer.Option(help="Seconds to wait.")] = 3.0,
) -> None:
    """Exit 0 if a server answers, 1 if none does."""
    port = port or int(os.environ.get(f"{ENVIRONMENT_PREFIX}PORT", "8080"))
    connection = http.client.HTTPConnection(host, port, timeout=timeout)
    try:
        connection.request("GET", "/healthz")
        healthy = connection.getresponse().status == 200
    except (OSError, http.client.HTTPException) as error:
        typer.echo(f"no healthy server on {host}:{port}: {error}", err=True)
        raise typer.Exit(1) from None
    finally:
        connection.close()
    raise typer.Exit(0 if healthy else 1)
