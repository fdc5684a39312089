"""Finding scenarios that no request reaches, because another scenario takes all of their requests."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from mock_server.core.account import Account
from mock_server.core.conditions import covers, is_wild, specificity
from mock_server.core.scenario import Conditions, Scenario

Bucket = tuple[str, str]
"""Name and value of one condition. Only scenarios that share a bucket are compared, which is few pairs of many."""

_NO_CONDITION: Bucket = ("any", "")
_ANY_PATTERN = "\0"
"""The value of the bucket for all globs with wildcards. No glob can be this text."""


class Accounts:
    """The keys and names of accounts: a condition on the one is a condition on the other."""

    def __init__(self, accounts: Iterable[Account]) -> None:
        self._names: Mapping[str, str] = {account.key: account.name for account in accounts}
        self._keys: Mapping[str, str] = {name: key for key, name in self._names.items()}

    def complete(self, when: Conditions) -> Conditions:
        """`when` with the account of its key, and the key of its account."""
        key = when.key if when.key is not None else self._keys.get(when.account or "")
        account = when.account if when.account is not None else self._names.get(when.key or "")
        return when if (key, account) == (when.key, when.account) else replace(when, key=key, account=account)


def are_same(one: Conditions, other: Conditions, accounts: Accounts) -> bool:
    """Whether the same requests meet both."""
    return covers(one, accounts.complete(other)) and covers(other, accounts.complete(one))


def find_shadowed(scenarios: Sequence[Scenario], accounts: Accounts) -> dict[int, int]:
    """The positions of scenarios that never get a request, each with the one that takes all of its requests.

    `scenarios` are in the order of the files.
    """
    buckets: dict[Bucket, list[int]] = {}
    for position, scenario in enumerate(scenarios):
        for bucket in _own_buckets(scenario.when):
            buckets.setdefault(bucket, []).append(position)
    ranks = [(one.priority, -specificity(one.when), position) for position, one in enumerate(scenarios)]
    found: dict[int, int] = {}
    for position, scenario in enumerate(scenarios):
        when = accounts.complete(scenario.when)
        for bucket in _covering_buckets(when):
            for other in buckets.get(bucket, ()):
                if ranks[other] < ranks[position] and covers(scenarios[other].when, when):
                    found.setdefault(position, other)
    return found


def _own_buckets(when: Conditions) -> list[Bucket]:
    """The buckets that contain the scenario: one of its conditions, which all that it covers must have too."""
    if when.images:
        return [("image", image) for image in when.images]
    for name in ("sha256", "key", "account"):
        if (value := getattr(when, name)) is not None:
            return [(name, value)]
    for name, glob in _globs(when):
        return [(name, glob), (name, _ANY_PATTERN)] if is_wild(glob) else [(name, glob)]
    return [_NO_CONDITION]


def _covering_buckets(when: Conditions) -> list[Bucket]:
    """The buckets that contain all scenarios that may cover `when`."""
    given = {"sha256": when.sha256, "key": when.key, "account": when.account}
    buckets = [("image", image) for image in when.images[:1]]
    buckets += [(name, value) for name, value in given.items() if value is not None]
    for name, glob in _globs(when):
        buckets += [(name, glob), (name, "*" if is_wild(glob) else _ANY_PATTERN)]
    return [*buckets, _NO_CONDITION]


def _globs(when: Conditions) -> list[tuple[str, str]]:
    named = [("url", when.url), ("filename", when.filename)]
    named += [(f"header {name}", glob) for name, glob in sorted(when.header.items())]
    return [(name, glob) for name, glob in named if glob is not None]
