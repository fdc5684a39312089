"""The report in Markdown, for pull requests and job summaries."""

from collections.abc import Iterable, Iterator, Sequence

from mock_server.report.document import Advice, ProductCoverage, Report
from mock_server.report.texts import (
    advice_title,
    apart,
    evidence_line,
    findings,
    headline,
    made_up,
    missing,
    outcome_name,
    product_name,
    seen,
)
from mock_server.suggest import many

_MOST_EVIDENCE = 5
_SPECIAL = str.maketrans({char: f"\\{char}" for char in "\\`*_[]<>|#"} | {"\n": " ", "\r": " "})


def markdown(report: Report) -> str:
    """The whole report."""
    return "\n".join(_lines(report)).rstrip() + "\n"


def _lines(report: Report) -> Iterator[str]:
    yield "## Rehearsal report of vehicle-ocr-mock"
    yield ""
    yield f"{headline(report)[0].upper()}{headline(report)[1:]}."
    if line := made_up(report):
        yield f"\n**{_plain(line)}.**"
    yield ""
    yield from _table(("API", "replies", "faults", "never seen"), map(_coverage_row, report.coverage))
    if report.advice:
        yield "### Advice on the client\n"
        for one in report.advice:
            yield from _advice(one)
    for title, lines in findings(report):
        yield from _list(title, lines)
    if report.scenarios.unused:
        yield f"### Scenarios that never answered\n\n{', '.join(map(_plain, report.scenarios.unused))}\n"
    for coverage in report.coverage:
        yield from _details(coverage)
    if report.rules_off:
        yield f"Rules that are switched off: {', '.join(report.rules_off)}."


def _coverage_row(coverage: ProductCoverage) -> Sequence[str]:
    never = [f"{row.label} ({outcome_name(row)})" for row in missing(coverage)]
    rest = f" and {len(never) - 3} more" if len(never) > 3 else ""
    return (
        product_name(coverage),
        f"{coverage.rehearsed} of {coverage.of}",
        f"{coverage.faults_rehearsed} of {len(coverage.faults)}",
        _plain("; ".join(never[:3])) + rest,
    )


def _details(coverage: ProductCoverage) -> Iterator[str]:
    yield f"<details><summary>{product_name(coverage)}: every reply and fault</summary>\n"
    rows = [(row.label, outcome_name(row), seen(row) if row.needs is None else row.needs) for row in coverage.outcomes]
    faults = [(one.fault, "fault", many(one.count, "time") if one.count else "never") for one in coverage.faults]
    others = [(answer.outcome, "not the provider's", many(answer.count, "time")) for answer in coverage.other]
    yield from _table(("reply", "outcome", "seen"), [map(_plain, row) for row in (*rows, *faults, *others)])
    if left := apart(coverage):
        yield f"{many(len(left), 'reply is', 'replies are')} not possible with these accounts and settings.\n"
    yield "</details>\n"


def _advice(advice: Advice) -> Iterator[str]:
    yield f"- **{advice_title(advice)}** (level {advice.level}). {advice.why} {advice.mend}"
    for evidence in advice.evidence[:_MOST_EVIDENCE]:
        yield f"  - {_plain(evidence_line(evidence))}"
    yield ""


def _list(title: str, items: Sequence[str]) -> Iterator[str]:
    if items:
        yield f"### {title}\n"
        yield from (f"- {_plain(item)}" for item in items)
        yield ""


def _table(head: Sequence[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    yield from (f"| {' | '.join(row)} |" for row in rows)
    yield ""


def _plain(text: str) -> str:
    """Text in which nothing is markup: names and paths come from clients."""
    return text.translate(_SPECIAL)
