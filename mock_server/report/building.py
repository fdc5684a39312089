"""The report, made from what one mock or several mocks have counted."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from mock_server.core.model import Fault, Product
from mock_server.core.rehearsal import EVERY_KEY, NO_KEY, Count, Kind
from mock_server.core.serialization import from_json
from mock_server.providers import registry
from mock_server.providers.provider import Provider
from mock_server.report import document
from mock_server.report.advice import advice
from mock_server.report.contract_rows import ContractRow, Pair, contract_rows, row_of
from mock_server.report.counted import Counted

_MOST_ACCOUNTS = 20
_MOST_LINES = 200
_NO_OUTCOME = "error"
"""The answer of the mock itself, which is no outcome of the provider."""


@dataclass(slots=True)
class _Seen:
    """How often something was seen, by which keys and accounts."""

    count: int = 0
    keys: set[tuple[int, str]] = field(default_factory=set)
    accounts: dict[str, None] = field(default_factory=dict)

    def add(self, call: "_Counted") -> None:
        self.count += call.count
        if call.key not in (NO_KEY, EVERY_KEY):
            self.keys.add((call.server, call.key))
        if call.account and len(self.accounts) < _MOST_ACCOUNTS:
            self.accounts[call.account] = None


@dataclass(frozen=True, slots=True)
class _Counted:
    """A counter of calls, of the mock number `server`."""

    server: int
    count: int
    key: str
    account: str | None
    provider: str
    product: str
    outcome: str
    variant: str | None
    fault: str | None
    scenario: str | None
    status: int


def build(counted: Sequence[Counted], providers: Iterable[Provider], *, is_over: bool = False) -> document.Report:
    """The report of mocks that were used side by side. `is_over`: no call follows any more."""
    calls = [call for server, one in enumerate(counted) for call in _calls(server, one)]
    off = tuple(dict.fromkeys(name for one in counted for name in one.rules_off))
    coverage = [_coverage(provider, product, calls, counted) for provider in providers for product in provider.products]
    scenarios, undescribed = _scenarios(calls, counted), _undescribed(counted)
    unserved, broken = _unserved(counted), advice(counted, off, is_over=is_over)
    # A client of one provider cannot rehearse the other one.
    used = [one for one in coverage if one.requests] or coverage
    rehearsed, of = sum(one.rehearsed for one in used), sum(one.of for one in used)
    return document.Report(
        version=document.VERSION,
        since=_time(min(one.tally.since for one in counted)),
        made=_time(max(one.now for one in counted)),
        summary=document.Summary(
            requests=sum(call.count for call in calls),
            keys=len({(call.server, call.key) for call in calls if call.key not in (NO_KEY, EVERY_KEY)}),
            rehearsed=rehearsed,
            of=of,
            percent=round(100 * rehearsed / of, 1) if of else 100.0,
            faults_rehearsed=sum(one.faults_rehearsed for one in coverage),
            faults_of=len(Fault) * len(used),
            unused_scenarios=len(scenarios.unused),
            made_up=sum(one.count for one in undescribed if one.answer == "made_up"),
            undescribed=sum(one.count for one in undescribed),
            unserved=sum(one.count for one in unserved),
            advice=len(broken),
        ),
        coverage=coverage,
        scenarios=scenarios,
        undescribed=undescribed[:_MOST_LINES],
        unserved=unserved[:_MOST_LINES],
        undocumented=_undocumented(counted)[:_MOST_LINES],
        advice=broken,
        rules_off=off,
        dropped=sum(one.tally.dropped for one in counted),
    )


def merge(counts: Iterable[bytes]) -> document.Report:
    """The final report of several mocks. Each part is what a mock sends for `GET /__admin/report?format=counts`."""
    return build([from_json(Counted, one) for one in counts], registry.PROVIDERS, is_over=True)


def latest(first: str, second: str) -> str:
    """The later counts of one mock: counts only grow."""
    return max(first, second, key=lambda text: _total(from_json(Counted, text.encode()).tally.counts))


def _calls(server: int, counted: Counted) -> Iterator[_Counted]:
    for count in counted.tally.counts:
        if count.facts[0] == Kind.CALL:
            _, key, account, provider, product, outcome, variant, fault, scenario, status = count.facts
            yield _Counted(
                server,
                count.count,
                key or "",
                account,
                provider or "",
                product or "",
                outcome or _NO_OUTCOME,
                variant,
                fault,
                scenario,
                int(status or 0),
            )


def _coverage(
    provider: Provider, product: Product, calls: Iterable[_Counted], counted: Sequence[Counted]
) -> document.ProductCoverage:
    own = [call for call in calls if call.provider == provider.name and call.product == product]
    rows = contract_rows(provider, product)
    seen: dict[ContractRow, _Seen] = defaultdict(_Seen)
    pairs: Counter[Pair] = Counter()
    other: Counter[Pair] = Counter()
    faults: dict[str, _Seen] = defaultdict(_Seen)
    for call in own:
        if call.fault:
            # The client has not seen the reply.
            faults[call.fault].add(call)
            continue
        row = row_of(rows, call.outcome, call.variant, call.status)
        if row is None:
            other[call.outcome, call.variant] += call.count
        else:
            seen[row].add(call)
            pairs[call.outcome, call.variant] += call.count
    needs = _needs(provider, product, counted)
    outcomes = [_outcome_row(row, seen[row], pairs, needs) for row in rows]
    return document.ProductCoverage(
        provider=provider.name,
        title=provider.title,
        product=product.value,
        requests=sum(call.count for call in own),
        rehearsed=sum(bool(row.count) for row in outcomes),
        of=sum(row.needs is None for row in outcomes),
        outcomes=outcomes,
        faults=[_fault_row(fault, faults[fault]) for fault in Fault],
        faults_rehearsed=sum(bool(faults[fault].count) for fault in Fault),
        other=[document.Answer(outcome, variant, count) for (outcome, variant), count in other.items()],
    )


def _needs(provider: Provider, product: Product, counted: Sequence[Counted]) -> dict[str, str]:
    """What every one of the mocks lacks for an outcome."""
    found = [
        {need.outcome: need.text for need in one.needs if (need.provider, need.product) == (provider.name, product)}
        for one in counted
    ]
    return {name: text for name, text in found[0].items() if all(name in others for others in found)}


def _outcome_row(row: ContractRow, seen: _Seen, pairs: Counter[Pair], needs: dict[str, str]) -> document.OutcomeRow:
    outcome, variant = row.pairs[0]
    lacking = None if seen.count or any(name not in needs for name, _ in row.pairs) else needs[outcome]
    return document.OutcomeRow(
        outcome=outcome,
        variant=variant,
        status=row.status,
        label=row.label,
        count=seen.count,
        keys=len(seen.keys),
        accounts=list(seen.accounts),
        same=[document.Answer(name, of, pairs[name, of]) for name, of in row.pairs],
        needs=lacking,
    )


def _fault_row(fault: Fault, seen: _Seen) -> document.FaultRow:
    return document.FaultRow(fault.value, seen.count, len(seen.keys), list(seen.accounts))


def _scenarios(calls: Iterable[_Counted], counted: Sequence[Counted]) -> document.ScenarioUse:
    used: Counter[str] = Counter()
    for call in calls:
        if call.scenario:
            used[call.scenario] += call.count
    names = dict.fromkeys(name for one in counted for name in one.scenarios)
    return document.ScenarioUse(
        [document.UsedScenario(name, count) for name, count in used.most_common(_MOST_LINES)],
        [name for name in names if name not in used],
    )


def _undescribed(counted: Sequence[Counted]) -> list[document.Undescribed]:
    found: dict[tuple[str | None, ...], list[Count]] = _grouped(counted, Kind.UNDESCRIBED)
    return [
        document.Undescribed(str(facts[1]), str(facts[2]), str(facts[3]), facts[5], _total(counts), counts[0].first)
        for facts, counts in found.items()
    ]


def _unserved(counted: Sequence[Counted]) -> list[document.Unserved]:
    return [
        document.Unserved(str(facts[1]), str(facts[2]), facts[3], _total(counts), counts[0].first)
        for facts, counts in _grouped(counted, Kind.UNSERVED).items()
    ]


def _undocumented(counted: Sequence[Counted]) -> list[document.Undocumented]:
    return [
        document.Undocumented(str(facts[1]), str(facts[2]), _total(counts), counts[0].first)
        for facts, counts in _grouped(counted, Kind.ALIAS).items()
    ]


def _grouped(counted: Sequence[Counted], kind: Kind) -> dict[tuple[str | None, ...], list[Count]]:
    found: dict[tuple[str | None, ...], list[Count]] = defaultdict(list)
    for one in counted:
        for count in one.tally.counts:
            if count.facts[0] == kind:
                found[count.facts].append(count)
    return found


def _total(counts: Iterable[Count]) -> int:
    return sum(count.count for count in counts)


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
