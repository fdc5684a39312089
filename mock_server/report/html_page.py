"""The report as one HTML page that loads nothing."""

from collections.abc import Iterable, Iterator
from html import escape
from pathlib import Path

from mock_server.report.document import Advice, FaultRow, OutcomeRow, ProductCoverage, Report
from mock_server.report.texts import evidence_line, findings, headline, made_up, outcome_name, product_name
from mock_server.suggest import many

_STYLE = Path(__file__).with_name("report.css")
_LEVELS = {"D": "documented", "C": "seen in an official client", "I": "inferred", "A": "assumed"}
_MOST_SHOWN = 5


def html_page(report: Report) -> str:
    """The whole report."""
    body = "\n".join(_body(report))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Rehearsal report</title><style>{_STYLE.read_text('utf-8')}</style></head>\n"
        f"<body><main>\n{body}\n</main></body></html>\n"
    )


def _body(report: Report) -> Iterator[str]:
    summary = report.summary
    yield "<h1>Rehearsal report</h1>"
    yield f'<p class="soft">{_time(report)} · {escape(headline(report))}</p>'
    if line := made_up(report):
        yield f'<p class="notice">{escape(line)}.</p>'
    yield '<div class="tiles">'
    share = f"{summary.rehearsed} of {summary.of} replies rehearsed"
    yield _tile(f"{summary.percent:g} %", share, summary.percent < 50)
    yield _tile(f"{summary.faults_rehearsed}/{summary.faults_of}", "faults rehearsed")
    yield _tile(str(summary.advice), "rules broken by the client", bool(summary.advice))
    yield _tile(str(summary.made_up), "readings made up", bool(summary.made_up))
    yield _tile(str(summary.unserved), "requests to unknown paths", bool(summary.unserved))
    yield _tile(str(summary.unused_scenarios), "scenarios never used")
    yield "</div>"
    yield from _advice_section(report)
    yield "<h2>What was rehearsed</h2>"
    for coverage in report.coverage:
        if coverage.requests:
            yield f"<h3>{escape(product_name(coverage))} <span class='badge'>{_share(coverage)}</span></h3>"
            yield from _coverage(coverage)
    for coverage in report.coverage:
        if not coverage.requests:
            yield f"<details><summary>{escape(product_name(coverage))}: never called</summary>"
            yield from _coverage(coverage)
            yield "</details>"
    yield from _lists(report)
    yield '<p class="soft">docs/report.md says how to read this page, and what a server cannot see.</p>'


def _tile(number: str, label: str, is_bad: bool = False) -> str:
    kind = " bad" if is_bad else ""
    return f'<div class="tile{kind}"><b>{escape(number)}</b><span>{escape(label)}</span></div>'


def _time(report: Report) -> str:
    return f"{report.since:%Y-%m-%d %H:%M:%S} to {report.made:%Y-%m-%d %H:%M:%S} UTC"


def _advice_section(report: Report) -> Iterator[str]:
    yield "<h2>Advice on the client</h2>"
    if not report.advice:
        yield '<p class="good">No rule was broken.</p>'
    for one in report.advice:
        yield from _advice(one)
    if report.rules_off:
        yield f'<p class="soft">Switched off: {escape(", ".join(report.rules_off))}.</p>'
    if report.dropped:
        yield f'<p class="soft">{many(report.dropped, "older call")} could not be looked at.</p>'


def _advice(advice: Advice) -> Iterator[str]:
    yield f'<section class="advice"><h3>{advice.rule} <span class="badge">{many(advice.count, "case")}</span></h3>'
    yield f"<p>The client {escape(advice.summary)}. {escape(advice.why)} <strong>{escape(advice.mend)}</strong></p>"
    yield f'<p class="soft">Level {advice.level} ({_LEVELS[advice.level]}): {escape(advice.source)}</p><ul>'
    yield from (f"<li>{escape(evidence_line(one))}</li>" for one in advice.evidence[:_MOST_SHOWN])
    if advice.count > _MOST_SHOWN:
        yield f"<li>and {advice.count - _MOST_SHOWN} more</li>"
    yield "</ul></section>"


def _coverage(coverage: ProductCoverage) -> Iterator[str]:
    yield f'<progress max="{coverage.of}" value="{coverage.rehearsed}">{_share(coverage)}</progress>'
    yield '<div class="scroll"><table><thead><tr><th>Reply</th><th>Outcome</th><th class="number">Seen</th>'
    yield '<th class="number">Keys</th><th>By</th></tr></thead><tbody>'
    yield from map(_outcome, coverage.outcomes)
    yield from map(_fault, coverage.faults)
    for answer in coverage.other:
        name = f"<td>not the provider's</td><td>{escape(answer.outcome)}</td>"
        yield f'<tr>{name}<td class="number">{answer.count}</td><td></td><td></td></tr>'
    yield "</tbody></table></div>"


def _share(coverage: ProductCoverage) -> str:
    return f"{coverage.rehearsed} of {coverage.of} replies"


def _outcome(row: OutcomeRow) -> str:
    kind = "seen" if row.count else "never" if row.needs is None else "apart"
    names = "<br>".join(
        escape(f"{one.outcome} {one.variant or ''}".strip()) + (f" ({one.count})" if one.count else "")
        for one in row.same
    )
    number = str(row.count) if row.count else "never" if row.needs is None else "–"
    shown = escape(row.needs) if row.needs else _accounts(row.accounts)
    return (
        f'<tr class="{kind}" title="{escape(outcome_name(row))}"><td>{escape(row.label)}</td><td class="mono">{names}'
        f'</td><td class="number">{number}</td><td class="number">{row.keys or ""}</td><td>{shown}</td></tr>'
    )


def _fault(row: FaultRow) -> str:
    kind, number = ("seen", str(row.count)) if row.count else ("never", "never")
    return (
        f'<tr class="{kind}"><td class="mono">{row.fault}</td><td>fault</td><td class="number">{number}</td>'
        f'<td class="number">{row.keys or ""}</td><td>{_accounts(row.accounts)}</td></tr>'
    )


def _accounts(names: Iterable[str]) -> str:
    shown = [escape(name) for name in names]
    rest = f" and {len(shown) - _MOST_SHOWN} more" if len(shown) > _MOST_SHOWN else ""
    return ", ".join(shown[:_MOST_SHOWN]) + rest


def _lists(report: Report) -> Iterator[str]:
    for title, lines in findings(report):
        yield from _list(title, lines)
    yield from _list("Scenarios that never answered", report.scenarios.unused, kind="columns")
    yield from _list(
        "Scenarios that answered", (f"{one.scenario}: {many(one.count, 'request')}" for one in report.scenarios.used)
    )


def _list(title: str, items: Iterable[str], kind: str = "") -> Iterator[str]:
    shown = [f"<li>{escape(item)}</li>" for item in items]
    if shown:
        yield f"<details open><summary>{title} <span class='badge'>{len(shown)}</span></summary><ul class='{kind}'>"
        yield from shown
        yield "</ul></details>"
