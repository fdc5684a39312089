"""The report as a page of HTML that loads nothing, as Markdown, and in files. The templates stand beside this file."""

import os
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from mock_server.core.exchange import document_json
from mock_server.errors import SettingsError
from mock_server.report import texts
from mock_server.report.document import Report
from mock_server.report.junit import junit
from mock_server.suggest import many

if TYPE_CHECKING:
    from jinja2 import Template

STEP_SUMMARY = "GITHUB_STEP_SUMMARY"
"""The variable in which GitHub Actions names the file for the summary of a job."""
_LEVELS = {"D": "documented", "C": "seen in an official client", "I": "inferred", "A": "assumed"}
_MOST_SHOWN = 5
_MARKUP = str.maketrans({char: f"\\{char}" for char in "\\`*_[]<>|#"} | {"\n": " ", "\r": " "})
"""What Markdown would read as markup: names and paths come from clients."""


def html_page(report: Report) -> str:
    """The whole report. Every text is escaped."""
    return _template("report.html").render(report=report)


def markdown(report: Report) -> str:
    """The whole report, for pull requests and job summaries."""
    return _template("report.md").render(report=report).rstrip() + "\n"


@cache
def _template(name: str) -> "Template":
    # Imported late: most reports are JSON.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=name.endswith(".html"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["plain"] = lambda text: text.translate(_MARKUP)
    shared = {"texts": texts, "many": many, "levels": _LEVELS, "most": _MOST_SHOWN, "time": "%Y-%m-%d %H:%M:%S"}
    return environment.get_template(name, globals=shared)


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
