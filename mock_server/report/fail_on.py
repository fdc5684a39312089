"""When a report makes a run fail: `unmatched,unserved,advice,coverage<80`."""

import re
from collections.abc import Callable, Iterator, Mapping

from mock_server.errors import SettingsError
from mock_server.report.document import Report
from mock_server.suggest import many, suggest

_COVERAGE = re.compile(r"coverage\s*<\s*([0-9]+(?:\.[0-9]+)?)\s*%?")

Condition = Callable[[Report], str | None]
"""The reason why a run fails, or None."""


def _unmatched(report: Report) -> str | None:
    count = report.summary.undescribed
    names = ", ".join(dict.fromkeys(one.picture or "without a name" for one in report.undescribed[:3]))
    return f"{many(count, 'request')} with a picture that no scenario describes ({names})" if count else None


def _unserved(report: Report) -> str | None:
    count = report.summary.unserved
    paths = ", ".join(f"{one.method} {one.path}" for one in report.unserved[:3])
    return f"{many(count, 'request')} to paths that nothing serves ({paths})" if count else None


def _advice(report: Report) -> str | None:
    return ", ".join(f"{one.rule} ({one.count})" for one in report.advice) or None


def _coverage_below(limit: float) -> Condition:
    def check(report: Report) -> str | None:
        summary = report.summary
        share = f"{summary.percent:g} % of the replies were rehearsed, less than {limit:g} %"
        return share if summary.percent < limit else None

    return check


_CONDITIONS: Mapping[str, Condition] = {"unmatched": _unmatched, "unserved": _unserved, "advice": _advice}


def parse_conditions(text: str) -> Mapping[str, Condition]:
    """The conditions in a list that is separated by commas. Raises SettingsError for an unknown one."""
    return dict(_parse(part.strip()) for part in text.split(",") if part.strip())


def _parse(word: str) -> tuple[str, Condition]:
    if found := _COVERAGE.fullmatch(word):
        limit = float(found[1])
        if limit > 100:
            raise SettingsError(f"fail-on: {word!r} always fails; a coverage is at most 100 %")
        return word, _coverage_below(limit)
    if word in _CONDITIONS:
        return word, _CONDITIONS[word]
    hint = suggest(word, [*_CONDITIONS, "coverage<80"])
    raise SettingsError(f"fail-on: there is no condition {word!r}" + (f"; {hint}" if hint else ""))


def reason(report: Report, conditions: Mapping[str, Condition]) -> str | None:
    """Why the run fails, in one line; None if it does not."""
    return "; ".join(_reasons(report, conditions)) or None


def _reasons(report: Report, conditions: Mapping[str, Condition]) -> Iterator[str]:
    for name, check in conditions.items():
        if found := check(report):
            yield f"{name}: {found}"
