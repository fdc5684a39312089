"""The report in files: the suffix decides about the format."""

import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from mock_server.core.exchange import document_json
from mock_server.errors import SettingsError
from mock_server.report.document import Report
from mock_server.report.junit import junit
from mock_server.report.pages import html_page, markdown

STEP_SUMMARY = "GITHUB_STEP_SUMMARY"
"""The variable in which GitHub Actions names the file for the summary of a job."""

_WRITERS: Mapping[str, Callable[[Report], str | bytes]] = {
    ".json": partial(document_json, is_indented=True),
    ".html": html_page,
    ".htm": html_page,
    ".md": markdown,
    ".markdown": markdown,
    ".xml": junit,
}


def check_path(path: Path) -> None:
    """Raise SettingsError if no format belongs to the file's suffix, or if its directory does not exist."""
    if path.suffix.lower() not in _WRITERS:
        raise SettingsError(f"{path}: the report is .json, .html, .md or .xml")
    check_directory(path)


def check_directory(path: Path) -> None:
    """Raise SettingsError if the directory of a file does not exist."""
    if not path.absolute().parent.is_dir():
        raise SettingsError(f"{path}: the directory does not exist")


def write(report: Report, path: Path) -> None:
    """Write the report to a file. Raises OSError."""
    content = _WRITERS[path.suffix.lower()](report)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def append_step_summary(report: Report) -> None:
    """Append the report to the summary of the job, under GitHub Actions. Raises OSError."""
    if place := os.environ.get(STEP_SUMMARY):
        with Path(place).open("a", encoding="utf-8") as summary:
            summary.write(markdown(report) + "\n")
