"""The verb `exec`: run a command for which the providers' real host names lead to the mock."""

import errno
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, nullcontext
from pathlib import Path
from secrets import token_hex
from types import FrameType
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from mock_server.cli.options import check_fixtures, settings_options
from mock_server.errors import SettingsError

if TYPE_CHECKING:
    from mock_server.report.fail_on import Condition
    from mock_server.server import MockServer


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
@click.option(
    "--report",
    "reports",
    type=click.Path(path_type=Path, dir_okay=False),
    multiple=True,
    help="Write the rehearsal report to a file: .json, .html, .md or .xml (JUnit). May be repeated.",
)
@click.option(
    "--fail-on",
    multiple=True,
    metavar="WORDS",
    help="Exit with 1 on any of these: unmatched, unserved, advice, coverage<N. Separated by commas, may be repeated.",
)
@click.option(
    "--log",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the mock's log to a file: one line for each request.",
)
@click.pass_obj
def command(
    child: list[str] | None,
    /,
    proxy: bool,
    reports: tuple[Path, ...],
    fail_on: tuple[str, ...],
    log: Path | None,
    **flags: Any,
) -> None:
    """Run CMD with the providers' host names leading to a mock.

    The mock is on free ports while CMD runs. Python programs, Node programs and curl need no change and no root rights,
    and neither do their children. With --proxy, other runtimes need none either. The exit code is that of CMD, or 1 if
    --fail-on says so. FIXTURES and the options are those of serve.
    """
    if not child:
        raise click.UsageError("no command: put it after --")
    from mock_server.report.output import check_directory
    from mock_server.runner import end_soon

    try:
        run_report = RunReport(reports, ",".join(fail_on))
        if log is not None:
            check_directory(log)
    except SettingsError as error:
        raise click.UsageError(str(error)) from None
    with log.open("a", encoding="utf-8") if log else nullcontext() as log_stream:
        flags |= {"log_stream": log_stream}
        given = {name: value for name, value in flags.items() if value is not None}
        code = run(child, given, run_report, with_proxy=proxy)
    end_soon(code)
    sys.exit(code)


def run(child: Sequence[str], flags: dict[str, Any], run_report: "RunReport", *, with_proxy: bool = False) -> int:
    """Serve, run the command, write the report, stop serving; return the exit code.

    Raises SettingsError and FixturesError before the command is started.
    """
    from mock_server.certificate_authority import CA_DIRECTORY_VARIABLE, can_be_stored
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
            if not can_be_stored() and not os.environ.get(CA_DIRECTORY_VARIABLE):
                # An authority for this run is enough: the command gets its certificate from the variables below.
                os.environ[CA_DIRECTORY_VARIABLE] = str(directory / "ca")
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


class RunReport:
    """The reports of a run, and the conditions on which it fails. Raises SettingsError for one that cannot be used."""

    def __init__(self, reports: Sequence[Path], fail_on: str) -> None:
        from mock_server.report.fail_on import parse_conditions
        from mock_server.report.output import check_path

        self._reports = reports
        self._conditions: Mapping[str, Condition] = parse_conditions(fail_on)
        for path in reports:
            check_path(path)

    def finish(self, mock: "MockServer", code: int) -> int:
        """Write the report of a run that ended with this exit code; return the exit code of `exec`.

        The code of the command comes first. Made-up readings are named in the last line on stderr.
        """
        from mock_server.report.building import merge
        from mock_server.report.fail_on import reason
        from mock_server.report.output import append_step_summary, write
        from mock_server.report.texts import made_up, summary_lines

        report = merge([mock.report_counts()])
        for path in self._reports:
            write(report, path)
        if report.summary.requests or report.summary.unserved:
            append_step_summary(report)
        why = reason(report, self._conditions)
        if why:
            _say(f"failed: {why}")
        for line in summary_lines(report) if self._reports else filter(None, [made_up(report)]):
            _say(line)
        return code or (1 if why else 0)


def _say(line: str) -> None:
    click.echo(f"vehicle-ocr-mock: {line}", err=True)
