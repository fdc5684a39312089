"""The options of `exec` that are about the rehearsal report, and what is done with the report at the end."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from mock_server.report.fail_on import Condition
    from mock_server.server import MockServer

_FAILED = 1


def report_options(function: Callable[..., None]) -> Callable[..., None]:
    """Add --report, --fail-on and --log."""
    for add in (
        click.option(
            "--log",
            type=click.Path(path_type=Path, dir_okay=False),
            help="Write the mock's log to a file: one line for each request.",
        ),
        click.option(
            "--fail-on",
            default="",
            metavar="WORDS",
            help="Exit with 1 on any of these: unmatched, unserved, advice, coverage<N. Separated by commas.",
        ),
        click.option(
            "--report",
            "reports",
            type=click.Path(path_type=Path, dir_okay=False),
            multiple=True,
            help="Write the rehearsal report to a file: .json, .html, .md or .xml (JUnit). May be repeated.",
        ),
    ):
        function = add(function)
    return function


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
        return code or (_FAILED if why else 0)


def _say(line: str) -> None:
    click.echo(f"vehicle-ocr-mock: {line}", err=True)
