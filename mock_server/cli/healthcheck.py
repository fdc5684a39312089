"""The verb `healthcheck`."""

import http.client
import os

import click

from mock_server.settings import ENVIRONMENT_PREFIX


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address of the server.")
@click.option("--port", type=int, help="HTTP port of the server. Default: VEHICLE_OCR_MOCK_PORT, or 8080.")
@click.option("--timeout", default=3.0, show_default=True, help="Seconds to wait for the answer.")
def command(host: str, port: int | None, timeout: float) -> None:
    """Exit 0 if a server answers, 1 if none does."""
    port = port or int(os.environ.get(f"{ENVIRONMENT_PREFIX}PORT", "8080"))
    connection = http.client.HTTPConnection(host, port, timeout=timeout)
    try:
        connection.request("GET", "/healthz")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        raise click.ClickException(f"no healthy server on {host}:{port}: {error}") from None
    finally:
        connection.close()
    if status != 200:
        raise click.ClickException(f"no healthy server on {host}:{port}: status {status}")
