"""The verb `exec`: a command that meets the mock at the providers' real names."""

import errno
import inspect
import os
import tempfile
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand

from mock_server.cli import serve
from mock_server.errors import SettingsError
from mock_server.settings import setting_names

_CHILD = "vehicle_ocr_mock.child"

NOT_FOUND = 127
NOT_EXECUTABLE = 126


class _CommandAfterDashes(TyperCommand):
    """Takes what stands after `--` aside before anything else is read: it belongs to the child."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        own, child = (args[: args.index("--")], args[args.index("--") + 1 :]) if "--" in args else (args, [])
        ctx.meta[_CHILD] = child
        return super().parse_args(ctx, own)

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        return [*super().collect_usage_pieces(ctx), "-- CMD..."]


OPTIONS = {"cls": _CommandAfterDashes}


def command(ctx: typer.Context, **flags: Any) -> None:
    """Run CMD with the mock running on free ports and the providers' real host names leading to it.

    Python and Node programs, and curl, need no change and no rights; so do their children. The exit code is CMD's.
    """
    child = ctx.meta[_CHILD]
    if not child:
        typer.echo("Usage: vehicle-ocr-mock exec [FIXTURES] [options of serve] -- CMD...", err=True)
        typer.echo("Error: no command: put it after --", err=True)
        raise typer.Exit(2)
    flags["fetch"] = ",".join(flags["fetch"]) if flags["fetch"] else None
    raise typer.Exit(run(child, flags))


# The options are the settings that `serve` takes, and stay so.
_context = inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
_signature = inspect.signature(serve.command)
_settings = [option for option in _signature.parameters.values() if option.name in setting_names()]
# typer reads the signature; a function has no such attribute as far as types go.
command.__signature__ = _signature.replace(parameters=[_context, *_settings])  # type: ignore[attr-defined]
command.__annotations__ = {"ctx": typer.Context, **serve.command.__annotations__}


def run(child: list[str], flags: dict[str, Any]) -> int:
    """Serve, run the command, stop serving; return the command's exit code.

    Raises SettingsError and FixturesError before the command is started.
    """
    from mock_server.cli.child import ended_in_order, run_child
    from mock_server.redirect.environment import child_environment
    from mock_server.server import MockServer

    given = {name: value for name, value in flags.items() if value is not None}
    if given.get("workers", 1) != 1:
        raise SettingsError("exec serves with one worker")
    with (
        ended_in_order() as end,
        tempfile.TemporaryDirectory(prefix="vehicle-ocr-mock-", ignore_cleanup_errors=True) as directory,
        end.at_once(),
        MockServer(**{"port": 0, "tls_port": 0, **given, "tls": True}) as mock,
    ):
        end.make_sure()
        environ = child_environment(mock.route, Path(directory), os.environ)
        environ["VEHICLE_OCR_MOCK_URL"] = mock.url
        environ["VEHICLE_OCR_MOCK_TLS_URL"] = mock.tls_url or ""
        try:
            return run_child(child, environ)
        except OSError as error:
            typer.echo(f"vehicle-ocr-mock: {child[0]}: {error.strerror}", err=True)
            return NOT_FOUND if error.errno == errno.ENOENT else NOT_EXECUTABLE
