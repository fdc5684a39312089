"""Scenarios in each other's way: two that no request can tell apart, one that no request can reach."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from mock_server.core.account import Account
from mock_server.core.conditions import covers, is_wild, specificity
from mock_server.core.scenario import Conditions, Scenario

_Anchor = tuple[str, str]
_ANY: _Anchor = ("any", "")
_ANY_GLOB = "\0"
"""Stands for all globs that are not literal; no glob can be this text."""


class Accounts:
    """Which key belongs to which account: a condition on one is a condition on the other."""

    def __init__(self, accounts: Iterable[Account]) -> None:
        self._names: Mapping[str, str] = {account.key: account.name for account in accounts}
        self._keys: Mapping[str, str] = {name: key for key, name in self._names.items()}

    def complete(self, when: Conditions) -> Conditions:
        """`when` with the account of its key, and the key of its account."""
        key = when.key if when.key is not None else self._keys.get(when.account or "")
        account = when.account if when.account is not None else self._names.get(when.key or "")
        return when if (key, account) == (when.key, when.account) else replace(when, key=key, account=account)


def are_same(one: Conditions, other: Conditions, accounts: Accounts) -> bool:
    """Whether the two hold for the same requests."""
    return covers(one, accounts.complete(other)) and covers(other, accounts.complete(one))


def find_shadowed(scenarios: Sequence[Scenario], accounts: Accounts) -> dict[int, int]:
    """Scenarios (by position) that never get a request, each with the one that takes all of its requests."""
    by_anchor: dict[_Anchor, list[int]] = {}
    for position, scenario in enumerate(scenarios):
        for anchor in _filed_under(scenario.when):
            by_anchor.setdefault(anchor, []).append(position)
    found: dict[int, int] = {}
    for position, scenario in enumerate(scenarios):
        rank, when = _rank(scenario), accounts.complete(scenario.when)
        for anchor in _looked_up(when):
            for other in by_anchor.get(anchor, ()):
                wins = _rank(scenarios[other]) < rank
                if wins and position not in found and covers(scenarios[other].when, when):
                    found[position] = other
    return found


def _rank(scenario: Scenario) -> tuple[int, int, int]:
    return scenario.priority, -specificity(scenario.when), scenario.order


def _filed_under(when: Conditions) -> list[_Anchor]:
    """Where `when` is found by whatever it may cover, so that few pairs need to be compared."""
    if when.images:
        return [("image", image) for image in when.images]
    for name in ("sha256", "key", "account"):
        if (value := getattr(when, name)) is not None:
            return [(name, value)]
    for name, glob in _globs(when):
        return [(name, glob), (name, _ANY_GLOB)] if is_wild(glob) else [(name, glob)]
    return [_ANY]


def _looked_up(when: Conditions) -> list[_Anchor]:
    """Where everything that may cover `when` is filed."""
    given = {"sha256": when.sha256, "key": when.key, "account": when.account}
    anchors = [("image", image) for image in when.images[:1]]
    anchors += [(name, value) for name, value in given.items() if value is not None]
    for name, glob in _globs(when):
        anchors += [(name, glob), (name, "*")] if is_wild(glob) else [(name, glob), (name, _ANY_GLOB)]
    return [*anchors, _ANY]


def _globs(when: Conditions) -> list[tuple[str, str]]:
    named = [("url", when.url), ("filename", when.filename)]
    named += [(f"header {name}", glob) for name, glob in sorted(when.header.items())]
    return [(name, glob) for name, glob in named if glob is not None]
