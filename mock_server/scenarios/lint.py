"""Checks of scenarios that a schema cannot make: against each other and the accounts, and of their VINs."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from mock_server.core.account import Account
from mock_server.core.conditions import Conditions, covers, is_wild, specificity
from mock_server.core.scenario import Scenario
from mock_server.core.scenario_precedence import Rule, gives_way, takes_place
from mock_server.errors import Mistake
from mock_server.identifiers import vins
from mock_server.scenarios.source import NAMELESS, ParsedScenario, Source
from mock_server.suggest import quoted, suggest


class AccountNames:
    """The keys and names of accounts: a condition on the one is a condition on the other."""

    def __init__(self, accounts: Iterable[Account]) -> None:
        self.names: Mapping[str, str] = {account.key: account.name for account in accounts}
        self.keys: Mapping[str, str] = {name: key for key, name in self.names.items()}

    def complete(self, when: Conditions) -> Conditions:
        """`when` with the account of its key, and the key of its account."""
        key = when.key if when.key is not None else self.keys.get(when.account or "")
        account = when.account if when.account is not None else self.names.get(when.key or "")
        return when if (key, account) == (when.key, when.account) else replace(when, key=key, account=account)


def check_set(scenarios: Sequence[ParsedScenario], accounts: Sequence[Account]) -> list[Mistake]:
    """Duplicate names, unknown accounts, and scenarios that no request reaches."""
    known = AccountNames(accounts)
    # An overlay may take all requests of another scenario.
    complete = [one for one in scenarios if one.is_complete and not one.scenario.overlay]
    return [*_duplicate_names(scenarios), *_unknown_accounts(scenarios, known), *_unreachable(complete, known)]


def _duplicate_names(scenarios: Sequence[ParsedScenario]) -> Iterator[Mistake]:
    # Each key has its own names, as at run time.
    first: dict[str, ParsedScenario] = {}
    for one in scenarios:
        name, id = one.scenario.name, one.scenario.id
        if id in first:
            what = f"the name {quoted(name)} is taken ({first[id].place})"
            yield one.source.mistake(("scenario",), what)
        if name != NAMELESS:
            first[id] = one


def _unknown_accounts(scenarios: Sequence[ParsedScenario], accounts: AccountNames) -> Iterator[Mistake]:
    for one in scenarios:
        when, is_overlay = one.scenario.when, one.scenario.overlay
        if when.account is not None and when.account not in accounts.keys:
            what = f"no account is named {quoted(when.account)}"
            hint = suggest(when.account, accounts.keys)
            yield one.source.mistake(("when", "account"), what, hint, warning=is_overlay)
        elif when.key is not None and when.key not in accounts.names:
            what, hint = "no account has this key", "mock.yaml declares them"
            yield one.source.mistake(("when", "key"), what, hint, warning=is_overlay)
        elif when.account is not None and when.key is not None and accounts.names[when.key] != when.account:
            what = f"this key belongs to {quoted(accounts.names[when.key])}, not to {quoted(when.account)}"
            yield one.source.mistake(("when", "key"), what, warning=is_overlay)


def _unreachable(scenarios: Sequence[ParsedScenario], accounts: AccountNames) -> Iterator[Mistake]:
    for position, winner in find_shadowed([one.scenario for one in scenarios], accounts).items():
        loser, other = scenarios[position], scenarios[winner]
        name, where = other.scenario.name, other.place
        alike = are_same(loser.scenario.when, other.scenario.when, accounts)
        if alike and loser.scenario.priority == other.scenario.priority:
            what = f"no request can tell this scenario from {quoted(name)} ({where})"
            yield loser.source.mistake(("when",), what, "give one of them a further condition")
            continue
        what = f"no request reaches this scenario: {quoted(name)} ({where}) takes all of them"
        mine, its = loser.scenario.priority, other.scenario.priority
        hint = "it is as specific and comes first" if its == mine else f"its priority is {its}, here it is {mine}"
        if takes_place(other.scenario, loser.scenario):
            hint = Rule.ERROR_BINDING.why_lost
        yield loser.source.mistake(("when",), what, hint)


def vin_warnings(scenario: Scenario, source: Source) -> Iterator[Mistake]:
    """Warnings of texts that are not valid VINs, unless a step says that the VIN is to be wrong."""
    vin = scenario.reading.vin
    if (
        vin is None
        or "text" in vin.omitted
        or any(step.trouble and step.trouble.bad_check_digit for step in scenario.steps)
    ):
        return
    path, text = ("reading", "vin", "text"), vin.text.upper()
    if len(text) != vins.VIN_LENGTH:
        what = f"the VIN {quoted(vin.text)} has {len(text)} characters, not {vins.VIN_LENGTH}"
        yield source.mistake(path, what, 'text that is not a VIN goes under "text"', warning=True)
    elif illegal := [char for char in text if char not in vins.ALPHABET]:
        what = f"the VIN {quoted(vin.text)} contains {quoted(illegal[0])}, which no VIN does"
        yield source.mistake(path, what, warning=True)
    elif not vins.is_valid(text):
        right = quoted(vins.check_digit(text))
        what = f"the check digit of {quoted(vin.text)} would be {right}, not {quoted(text[8])}"
        hint = '"trouble: {bad_check_digit: true}" says that this is meant'
        yield source.mistake(path, what, hint, warning=True)


Bucket = tuple[str, str]
"""Name and value of one condition. Only scenarios that share a bucket are compared, which is few pairs of many."""

_NO_CONDITION: Bucket = ("any", "")
_ANY_PATTERN = "\0"
"""The value of the bucket for all globs with wildcards. No glob can be this text."""


def are_same(one: Conditions, other: Conditions, accounts: AccountNames) -> bool:
    """Whether the same requests meet both."""
    return covers(one, accounts.complete(other)) and covers(other, accounts.complete(one))


def find_shadowed(scenarios: Sequence[Scenario], accounts: AccountNames) -> dict[int, int]:
    """The positions of scenarios that never get a request, each with the one that takes all of its requests.

    `scenarios` are in the order of the files.
    """
    buckets: dict[Bucket, list[int]] = {}
    for position, scenario in enumerate(scenarios):
        for bucket in _own_buckets(scenario.when):
            buckets.setdefault(bucket, []).append(position)

    order = _Order(scenarios)
    found: dict[int, int] = {}
    for position, scenario in enumerate(scenarios):
        when = accounts.complete(scenario.when)
        for bucket in _covering_buckets(when):
            for other in buckets.get(bucket, ()):
                if other != position and order.wins(other, position) and covers(scenarios[other].when, when):
                    found.setdefault(position, other)
    return found


class _Order:
    """The order of precedence of two scenarios, one of which covers the other. It is the same for every request."""

    def __init__(self, scenarios: Sequence[Scenario]) -> None:
        self._scenarios = scenarios
        self._ranks = [(one.priority, -specificity(one.when), position) for position, one in enumerate(scenarios)]
        # By priority, the most conditions of a scenario whose place an error can take.
        self._pictures: dict[int, int] = {}
        for one in filter(gives_way, scenarios):
            self._pictures[one.priority] = max(specificity(one.when), self._pictures.get(one.priority, 0))

    def wins(self, one: int, other: int) -> bool:
        """Whether the scenario at position `one` answers every request for which both hold."""
        winner, loser = self._scenarios[one], self._scenarios[other]
        if takes_place(winner, loser):
            return True
        if self._ranks[other] < self._ranks[one]:
            return False
        # An error that is covered by another rule is reached where a picture comes before that rule.
        can_be_reached = winner.priority == loser.priority and loser.is_bound_error and not winner.is_bound_error
        return not (can_be_reached and self._pictures.get(winner.priority, -1) >= specificity(winner.when))


def _own_buckets(when: Conditions) -> list[Bucket]:
    """The buckets that contain the scenario: one of its conditions, which all that it covers must have too."""
    if when.images:
        return [("image", image) for image in when.images]
    for name, value in _texts(when):
        return [(name, value), (name, _ANY_PATTERN)] if is_wild(value) else [(name, value)]
    return [_NO_CONDITION]


def _covering_buckets(when: Conditions) -> list[Bucket]:
    """The buckets that contain all scenarios that may cover `when`."""
    buckets = [("image", image) for image in when.images[:1]]
    for name, value in _texts(when):
        buckets += [(name, value), (name, "*" if is_wild(value) else _ANY_PATTERN)]
    return [*buckets, _NO_CONDITION]


def _texts(when: Conditions) -> Iterator[tuple[str, str]]:
    """The conditions that are a text or a glob."""
    for name in ("sha256", "key", "account", "url", "filename"):
        if (value := getattr(when, name)) is not None:
            yield name, value
    for name, glob in sorted(when.header.items()):
        yield f"header {name}", glob
