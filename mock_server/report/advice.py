"""The rules of advice: the check of each of them, its texts from `advice.toml`, and the cases that it finds."""

import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mock_server.core.rehearsal import Kind
from mock_server.errors import SettingsError
from mock_server.report import advice_rules
from mock_server.report.advice_rules import Case, Check, Scene, histories
from mock_server.report.counted import Counted
from mock_server.report.document import Advice, Evidence
from mock_server.suggest import suggest

_MOST_EVIDENCE = 20


_CHECKS: Mapping[str, Check] = {
    "retried-final-error": advice_rules.retried_final_error,
    "ignored-retry-after": advice_rules.ignored_retry_after,
    "no-backoff": advice_rules.no_backoff,
    "gave-up-early": advice_rules.gave_up_early,
    "no-timeout": advice_rules.no_timeout,
    "no-retry": advice_rules.no_retry,
    "paid-twice": advice_rules.paid_twice,
    "oversized-upload": advice_rules.oversized_upload,
    "undocumented-shape": advice_rules.undocumented_shape,
}
TEXTS: Mapping[str, Mapping[str, Any]] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
NAMES = tuple(_CHECKS)


def parse_rules(text: str) -> tuple[str, ...]:
    """The names in a list that is separated by commas. Raises SettingsError for a name that no rule has."""
    names = tuple(name for part in text.split(",") if (name := part.strip()))
    for name in names:
        if name not in NAMES:
            raise SettingsError(f"--advice-off: there is no rule {name}; {suggest(name, NAMES)}")
    return names


def advice(counted: Sequence[Counted], off: Collection[str], *, is_over: bool) -> list[Advice]:
    """The rules that clients broke. Each mock is looked at alone: keys of the same name may be different clients."""
    scenes = [
        (Scene(past, one.now, is_over), names)
        for one in counted
        for names in [_accounts(one)]
        for past in histories(one.tally.events)
    ]
    found = []
    for rule, check in _CHECKS.items():
        cases = [(case, names) for scene, names in scenes for case in check(scene)]
        if cases and rule not in off:
            evidence = [_evidence(case, names) for case, names in cases[:_MOST_EVIDENCE]]
            found.append(_advice(rule, len(cases), evidence))
    return found


def _advice(rule: str, count: int, evidence: Sequence[Evidence]) -> Advice:
    section = f"docs/report.md#{rule}"
    return Advice(rule=rule, **TEXTS[rule], section=section, count=count, evidence=evidence)


def _evidence(case: Case, accounts: Mapping[str, str]) -> Evidence:
    first = case.calls[0].call
    return Evidence(
        provider=first.provider,
        product=first.product,
        key_id=first.key,
        account=accounts.get(first.key),
        requests=[past.call.id for past in case.calls],
        times=[datetime.fromtimestamp(past.call.time, UTC) for past in case.calls],
        text=case.text,
    )


def _accounts(counted: Counted) -> Mapping[str, str]:
    return dict(_named_keys(counted))


def _named_keys(counted: Counted) -> Iterator[tuple[str, str]]:
    for count in counted.tally.counts:
        if count.facts[0] == Kind.CALL and count.facts[1] and count.facts[2]:
            yield count.facts[1], count.facts[2]
