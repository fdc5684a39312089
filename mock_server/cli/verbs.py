"""The verbs of the command line."""

import os
import signal
import sys
from importlib import import_module

import click

from mock_server.errors import FixturesError, MockServerError
from mock_server.suggest import quoted, suggest
from mock_server.terminal import has_terminal, open_closed_streams
from mock_server.version import __version__

VERBS = (
    "serve",
    "init",
    "validate",
    "schema",
    "image",
    "match",
    "add",
    "export",
    "compare",
    "ca",
    "exec",
    "doctor",
    "healthcheck",
)


class _Verbs(click.Group):
    """A group of commands that imports a command when it is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name in VERBS:
            command: click.Command = import_module(f"mock_server.cli.{name}").command
            return command
        if ctx.resilient_parsing:  # shell completion must not fail
            return None
        return ctx.fail(f"No such command {quoted(name)}; {suggest(name, VERBS)}")


@click.group(
    "vehicle-ocr-mock", cls=_Verbs, no_args_is_help=True, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(__version__, message="%(version)s", help="Print the version.")
def command_line() -> None:
    """A local server that answers like the real vehicle recognition APIs."""


def run() -> None:
    """Run the verb that the arguments name, and end the process."""
    open_closed_streams()
    if sys.argv[1:2] == ["serve"]:
        # Until it serves, there is no request to finish. Without a handler, process 1 of a container ignores SIGTERM.
        signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
        if hasattr(signal, "SIGHUP") and not has_terminal():
            # It asks for the files to be read, and the start reads them.
            signal.signal(signal.SIGHUP, lambda *_: None)
    elif signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(signal, "pthread_sigmask"):
        # The container image starts the command with SIGTERM blocked, so that none is lost before this line.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    try:
        command_line(prog_name="vehicle-ocr-mock")
    except FixturesError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    except MockServerError as error:
        print(f"vehicle-ocr-mock: {error}", file=sys.stderr)
        sys.exit(1)
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        print(f"vehicle-ocr-mock: {place}{error.strerror or error}", file=sys.stderr)
        sys.exit(1)
