"""The report as one HTML page that loads nothing. The page is the template `html_page.html`."""

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


def html_page(report: Report) -> str:
    """The whole report."""
    used = report.scenarios.used
    return _template().render(report=report, answered=[f"{one.scenario}: {many(one.count, 'request')}" for one in used])


@cache
def _template() -> "Template":
    # Imported late: most reports are JSON or Markdown.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    style = Markup(Path(__file__).with_name("report.css").read_text("utf-8"))
    shared = {"texts": texts, "many": many, "levels": _LEVELS, "most": _MOST_SHOWN, "time": "%Y-%m-%d %H:%M:%S"}
    return environment.get_template("html_page.html", globals={**shared, "style": style})
