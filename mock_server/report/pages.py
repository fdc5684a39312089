"""The report as a page of HTML that loads nothing, and as Markdown. The templates stand beside this file."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from mock_server.report import texts
from mock_server.report.document import Report
from mock_server.suggest import many

if TYPE_CHECKING:
    from jinja2 import Template

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
