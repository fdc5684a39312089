"""The verb `exec`: run a command for which the providers' real host names lead to the mock."""

import errno
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack, nullcontext
from pathlib import Path
from secrets import token_hex
from types import FrameType
from typing import Any

import click
from click.shell_completion import CompletionItem

from mock_server.cli.options import check_fixtures, settings_options
from mock_server.cli.report_options import RunReport, report_options
from mock_server.errors import SettingsError

# The exit codes of a shell.
_NOT_FOUND = 127
_NOT_EXECUTABLE = 126

URL_VARIABLE = "VEHICLE_OCR_MOCK_URL"


class _CommandAfterDashes(click.Command):
    """Keeps everything after the first `--` unparsed: it is the command to run."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        end = args.index("--") if "--" in args else len(args)
        ctx.obj = args[end + 1 :] if "--" in args else None
        return super().parse_args(ctx, args[:end])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        # CMD is another program's: the shell completes its words as names of files.
        return super().shell_complete(ctx, incomplete) if ctx.obj is None else [CompletionItem(incomplete, type="file")]

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        return [*super().collect_usage_pieces(ctx), "-- CMD..."]


@click.command(cls=_CommandAfterDashes)
@settings_options(port=0, tls_port=0, tls=True, watch=False)
@click.option("--proxy", is_flag=True, help="Also lead Java, Go, .NET, Ruby and PHP, by a proxy on this machine.")
@report_options
@click.pass_obj
def command(
    child: list[str] | None, /, proxy: bool, reports: tuple[Path, ...], fail_on: str, log: Path | None, **flags: Any
) -> None:
    """Run CMD with the providers' host names leading to a mock.

    The mock is on free ports while CMD runs. Python programs, Node programs and curl need no change and no root rights,
    and neither do their children. With --proxy, other runtimes need none either. The exit code is that of CMD, or 1 if
    --fail-on says so. FIXTURES and the options are those of serve.
    """
    if not child:
        raise click.UsageError("no command: put it after --")
    from mock_server.runner import end_soon

    run_report = RunReport(reports, fail_on)
    with log.open("a", encoding="utf-8") if log else nullcontext() as log_stream:
        flags |= {"log_stream": log_stream}
        given = {name: value for name, value in flags.items() if value is not None}
        code = run(child, given, run_report, with_proxy=proxy)
    end_soon(code)
    sys.exit(code)


def run(child: Sequence[str], flags: dict[str, Any], run_report: RunReport, *, with_proxy: bool = False) -> int:
    """Serve, run the command, write the report, stop serving; return the exit code.

    Raises SettingsError and FixturesError before the command is started.
    """
    from mock_server.cli.child import ENDING_SIGNALS, handled, run_child
    from mock_server.redirect.environment import child_environment
    from mock_server.redirect.proxy_environment import proxied_environment
    from mock_server.server import MockServer

    if flags.get("workers", 1) != 1:
        raise SettingsError("exec serves with one worker")
    check_fixtures({name: value for name, value in flags.items() if name != "log_stream"})
    if used_elsewhere := os.environ.get(URL_VARIABLE):
        click.echo(f"vehicle-ocr-mock: {URL_VARIABLE}={used_elsewhere} is not used: exec starts a mock", err=True)
    try:
        directory = Path(tempfile.gettempdir(), f"vehicle-ocr-mock-{token_hex(8)}")
    except OSError as error:
        raise SettingsError(f"exec needs a writable temporary directory: {error}") from error

    def end_now(number: int, frame: FrameType | None) -> None:
        # Not an exception: it could arrive between any two steps, or be lost in a finaliser.
        shutil.rmtree(directory, ignore_errors=True)
        os._exit(128 + number)

    with handled(ENDING_SIGNALS, end_now):
        try:
            directory.mkdir(mode=0o700)
            with MockServer(**{"port": 0, "tls_port": 0, **flags, "tls": True}) as mock, ExitStack() as stack:
                environ = child_environment(mock.route, directory, os.environ)
                if with_proxy:
                    environ |= stack.enter_context(proxied_environment(mock.route, directory, os.environ, environ))
                environ[URL_VARIABLE] = mock.url
                environ["VEHICLE_OCR_MOCK_TLS_URL"] = mock.tls_url or ""
                try:
                    code = run_child(child, environ)
                except OSError as error:
                    click.echo(f"vehicle-ocr-mock: {child[0]}: {error.strerror}", err=True)
                    return _NOT_FOUND if error.errno == errno.ENOENT else _NOT_EXECUTABLE
                return run_report.finish(mock, code)
        finally:
            shutil.rmtree(directory, ignore_errors=True)
