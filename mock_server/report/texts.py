"""The report in words: what is common to Markdown, JUnit and the terminal."""

from collections.abc import Iterator, Sequence

from mock_server.report.document import Advice, Evidence, OutcomeRow, ProductCoverage, Report, Undescribed
from mock_server.suggest import many

_ANSWERS = {"made_up": "a reading was made up", "error": "the mock answered 501"}


def product_name(coverage: ProductCoverage) -> str:
    """A provider's product: "VehiCore plate"."""
    return f"{coverage.title} {coverage.product}"


def outcome_name(row: OutcomeRow) -> str:
    """An outcome with its variant: "nothing_found empty_results"."""
    return f"{row.outcome} {row.variant}" if row.variant else row.outcome


def missing(coverage: ProductCoverage) -> Sequence[OutcomeRow]:
    """The replies that are possible and were never seen."""
    return [row for row in coverage.outcomes if not row.count and row.needs is None]


def apart(coverage: ProductCoverage) -> Sequence[OutcomeRow]:
    """The replies that the accounts and settings of the run do not allow."""
    return [row for row in coverage.outcomes if row.needs is not None]


def seen(row: OutcomeRow) -> str:
    """How often a reply was seen."""
    return f"{many(row.count, 'time')}, {many(row.keys, 'key')}" if row.count else "never"


def how_answered(undescribed: Undescribed) -> str:
    """How a picture was answered that no scenario describes."""
    return _ANSWERS.get(undescribed.answer, f"answered {undescribed.answer}")


def place(evidence: Evidence) -> str:
    """Who made the calls."""
    return evidence.account or (f"key {evidence.key_id}" if evidence.key_id else "no key")


def findings(report: Report) -> Iterator[tuple[str, list[str]]]:
    """What the fixtures and the documents lack: a title and a line for each picture, path or form."""
    yield (
        "Pictures that no scenario describes",
        [
            f"{one.picture or 'without a name'}: {one.provider} {one.product}, {how_answered(one)}, "
            f"{many(one.count, 'request')} (first {one.request})"
            for one in report.undescribed
        ],
    )
    yield (
        "Paths that nothing serves",
        [f"{one.method} {one.path}: {many(one.count, 'request')}; {one.hint or ''}" for one in report.unserved],
    )
    yield (
        "Undocumented forms",
        [f"{one.provider}: {one.form}, {many(one.count, 'request')}" for one in report.undocumented],
    )


def scenario_lines(report: Report) -> list[str]:
    """A line for each scenario that answered requests."""
    return [f"{one.scenario}: {many(one.count, 'request')}" for one in report.scenarios.used]


def made_up(report: Report) -> str | None:
    """One line that names the pictures whose readings were made up; None if there are none."""
    found = [one for one in report.undescribed if one.answer == "made_up"]
    if not found:
        return None
    names = list(dict.fromkeys(one.picture or "a picture without a name" for one in found))
    rest = f" and {len(names) - 3} more" if len(names) > 3 else ""
    count = many(report.summary.made_up, "reading was", "readings were")
    return f"{count} made up, because no scenario describes the picture: {', '.join(names[:3])}{rest}"


def headline(report: Report) -> str:
    """The numbers in one line."""
    summary = report.summary
    return (
        f"rehearsed {summary.rehearsed} of {summary.of} replies ({summary.percent:g} %), "
        f"{summary.faults_rehearsed} of {summary.faults_of} faults; "
        f"{many(summary.requests, 'request')}, {many(summary.keys, 'key')}"
    )


def advice_line(report: Report) -> str:
    """The rules that were broken, in one line."""
    if not report.advice:
        return "no advice on the client"
    return "advice: " + ", ".join(f"{one.rule} ({one.count})" for one in report.advice)


def evidence_line(evidence: Evidence) -> str:
    """One case in one line, with the ids of the requests."""
    time = f"{evidence.times[0]:%H:%M:%S.%f}"[:-3]
    product = f"{evidence.provider} {evidence.product}".strip()
    return f"{time} {product}, {place(evidence)}: {evidence.text} (requests {', '.join(evidence.requests)})"


def summary_lines(report: Report) -> Iterator[str]:
    """Three lines for a terminal: what was rehearsed, what the client does wrong, what no fixture describes."""
    summary = report.summary
    yield headline(report)
    yield advice_line(report)
    unknown: list[str | None] = []
    if summary.undescribed > summary.made_up:
        others = summary.undescribed - summary.made_up
        unknown.append(f"{many(others, 'other request')} with a picture that no scenario describes")
    if summary.unserved:
        unknown.append(f"{many(summary.unserved, 'request')} to paths that nothing serves")
    unknown.append(made_up(report))
    yield "; ".join(filter(None, unknown)) or "a scenario describes every picture, and every path was known"


def advice_title(advice: Advice) -> str:
    """A rule with what the client does: "no-retry: takes … (3 cases)"."""
    return f"{advice.rule}: the client {advice.summary} ({many(advice.count, 'case')})"
