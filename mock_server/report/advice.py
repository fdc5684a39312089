"""The table of the rules of advice, and the cases that each of them finds."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from mock_server.core.rehearsal import Kind
from mock_server.errors import SettingsError
from mock_server.report import advice_rules
from mock_server.report.advice_rules import Case, Check, Scene, histories
from mock_server.report.counted import Counted
from mock_server.report.document import Advice, Evidence
from mock_server.suggest import suggest

_MOST_EVIDENCE = 20

_RETRIES = (
    "CarsXE's page on errors: retry a 500 once, 502, 503 and 504 with backoff, never a 4xx, never a 429 as it is."
)


@dataclass(frozen=True, slots=True)
class AdviceRule:
    """A rule. `level`: documented (D), seen in an official client (C), inferred (I) or assumed (A)."""

    name: str
    summary: str
    level: Literal["D", "C", "I", "A"]
    source: str
    why: str
    mend: str
    check: Check


RULES: tuple[AdviceRule, ...] = (
    AdviceRule(
        "retried-final-error",
        "sends a request again after an error that does not go away",
        "D",
        _RETRIES,
        "The second answer is the same. A loop of such calls fills the quota of a rate limit and hides the error.",
        "Raise the error to the caller after a 4xx, and after a 429 without Retry-After.",
        advice_rules.retried_final_error,
    ),
    AdviceRule(
        "ignored-retry-after",
        "calls again before the time that Retry-After gives",
        "A",
        "RFC 9110, section 10.2.3. That VehiCore sends the header is an assumption; CarsXE sends none.",
        "The service counts the early call too, so that the client stays locked out for longer.",
        "Wait at least the seconds of Retry-After before the next attempt.",
        advice_rules.ignored_retry_after,
    ),
    AdviceRule(
        "no-backoff",
        "repeats after server errors without pauses that grow",
        "D",
        _RETRIES,
        "A service that has trouble gets more load from each client, and recovers later.",
        "Double the pause after each failed attempt, with a limit on the number of attempts.",
        advice_rules.no_backoff,
    ),
    AdviceRule(
        "gave-up-early",
        "closes the connection before the reply",
        "I",
        "VehiCore's recognition can take seconds; CarsXE's command line waits 30 s.",
        "The provider goes on and charges the call, but the client never sees the reading.",
        "Set a timeout of at least 30 s for the reply.",
        advice_rules.gave_up_early,
    ),
    AdviceRule(
        "no-timeout",
        "waits for a reply without an end",
        "A",
        "No provider documents its longest reply; CarsXE's command line waits 30 s.",
        "One reply that never comes blocks a worker of yours for ever.",
        "Set a timeout of 30 to 60 s, and treat its end as an error of the service.",
        advice_rules.no_timeout,
    ),
    AdviceRule(
        "no-retry",
        "takes a single error of the gateway for the answer",
        "D",
        _RETRIES,
        "A 502, 503 or 504 is mostly over at the next attempt.",
        "Try again after a pause, two or three times.",
        advice_rules.no_retry,
    ),
    AdviceRule(
        "paid-twice",
        "has the same picture read and charged again",
        "D",
        "Both providers charge each successful recognition.",
        "The second reading costs a credit or a unit of quota, and says the same.",
        "Keep the reading of a picture, or send an Idempotency-Key where the account has a wallet.",
        advice_rules.paid_twice,
    ),
    AdviceRule(
        "oversized-upload",
        "uploads pictures that are larger than recognition needs",
        "A",
        "No provider documents a limit; a gateway in front of it can answer 413.",
        "Large uploads are slow on a phone, and a limit of the service refuses them all at once.",
        "Scale photos down to 16 megapixels and 8 MB before the upload.",
        advice_rules.oversized_upload,
    ),
    AdviceRule(
        "undocumented-shape",
        "sends a form of request that is not documented",
        "C",
        "Published clients send these forms, so the mock accepts them; the documents do not have them.",
        "The provider can refuse the form at any time.",
        "Use the documented path and the documented fields. Strict mode refuses all others.",
        advice_rules.undocumented_shape,
    ),
)
NAMES = tuple(rule.name for rule in RULES)


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
    for rule in RULES:
        cases = [(case, names) for scene, names in scenes for case in rule.check(scene)]
        if cases and rule.name not in off:
            evidence = [_evidence(case, names) for case, names in cases[:_MOST_EVIDENCE]]
            found.append(_advice(rule, len(cases), evidence))
    return found


def _advice(rule: AdviceRule, count: int, evidence: Sequence[Evidence]) -> Advice:
    return Advice(
        rule=rule.name,
        summary=rule.summary,
        level=rule.level,
        source=rule.source,
        why=rule.why,
        mend=rule.mend,
        section=f"docs/report.md#{rule.name}",
        count=count,
        evidence=evidence,
    )


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
