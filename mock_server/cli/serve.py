"""The verb `serve`."""

import gc
from pathlib import Path
from typing import Annotated, Any

import typer

from mock_server.settings import Settings

_HELP = {name: field.metadata["help"] for name, field in Settings.__dataclass_fields__.items()}


def _option(name: str, flag: str | None = None) -> Any:
    return typer.Option(flag or "--" + name.replace("_", "-"), help=_HELP[name], show_default=False)


def command(
    fixtures: Annotated[Path | None, typer.Argument(help=_HELP["fixtures"])] = None,
    host: Annotated[str | None, _option("host")] = None,
    port: Annotated[int | None, _option("port")] = None,
    tls: Annotated[bool | None, _option("tls", "--tls/--no-tls")] = None,
    tls_port: Annotated[int | None, _option("tls_port")] = None,
    tls_names: Annotated[str | None, _option("tls_names")] = None,
    unmatched: Annotated[str | None, _option("unmatched")] = None,
    strict: Annotated[bool | None, _option("strict", "--strict/--no-strict")] = None,
    forcing: Annotated[bool | None, _option("forcing", "--forcing/--no-forcing")] = None,
    fetch: Annotated[list[str] | None, _option("fetch")] = None,
    seed: Annotated[int | None, _option("seed")] = None,
    workers: Annotated[int | None, _option("workers")] = None,
    state: Annotated[str | None, _option("state")] = None,
    watch: Annotated[bool | None, _option("watch", "--watch/--no-watch")] = None,
    admin_token: Annotated[str | None, _option("admin_token")] = None,
    mock_headers: Annotated[bool | None, _option("mock_headers", "--mock-headers/--no-mock-headers")] = None,
    log_format: Annotated[str | None, _option("log_format")] = None,
    log_level: Annotated[str | None, _option("log_level")] = None,
    max_body: Annotated[int | None, _option("max_body")] = None,
    max_pixels: Annotated[int | None, _option("max_pixels")] = None,
    journal_size: Annotated[int | None, _option("journal_size")] = None,
    journal_bytes: Annotated[int | None, _option("journal_bytes")] = None,
    cache: Annotated[bool | None, _option("cache", "--cache/--no-cache")] = None,
    hints: Annotated[bool, typer.Option("--hints", help="Print curl lines to paste, on stderr.")] = False,
) -> None:
    """Serve the mock until SIGINT or SIGTERM."""
    flags = dict(locals())
    # Nearly all that is made from here to the start stays: looking for garbage meanwhile would find none.
    gc.disable()
    from mock_server.cli.serving import serve

    del flags["hints"]
    flags["fetch"] = ",".join(fetch) if fetch else None
    serve(flags, with_hints=hints)
