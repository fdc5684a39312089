"""Scenarios in each other's way: two that no request can tell apart, one that no request can reach."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from fnmatch import fnmatchcase

from mock_server.core.account import Account
from mock_server.core.matching import specificity
from mock_server.core.scenario import Conditions, ImageProperties, Scenario

_WILD = frozenset("*?[")
_Anchor = tuple[str, str]
_ANY: _Anchor = ("any", "")
_ANY_GLOB = "\0"
"""Stands for all globs that are not literal; no glob can be this text."""


class Accounts:
    """Which key belongs to which account: a condition on one is a condition on the other."""

    def __init__(self, accounts: Iterable[Account]) -> None:
        self.names: Mapping[str, str] = {account.key: account.name for account in accounts}
        self.keys: Mapping[str, str] = {name: key for key, name in self.names.items()}

    def name_of(self, when: Conditions) -> str | None:
        """The account that a request must have."""
        return when.account if when.account is not None else self.names.get(when.key or "")

    def key_of(self, when: Conditions) -> str | None:
        """The key that a request must have."""
        return when.key if when.key is not None else self.keys.get(when.account or "")


def are_same(one: Conditions, other: Conditions, accounts: Accounts) -> bool:
    """Whether the two hold for the same requests."""
    return covers(one, other, accounts) and covers(other, one, accounts)


def covers(broad: Conditions, narrow: Conditions, accounts: Accounts) -> bool:
    """Whether `broad` holds for every request for which `narrow` does, as far as that can be seen."""
    if broad.images and not (narrow.images and set(narrow.images) <= set(broad.images)):
        return False
    exact = (
        (broad.sha256, narrow.sha256),
        (broad.key, accounts.key_of(narrow)),
        (broad.account, accounts.name_of(narrow)),
        (broad.provider, narrow.provider),
        (broad.product, narrow.product),
        (_lower(broad.language), _lower(narrow.language)),
    )
    if any(wanted is not None and wanted != given for wanted, given in exact):
        return False
    globs = [(broad.url, narrow.url), (broad.filename, narrow.filename)]
    globs += [(glob, narrow.header.get(name)) for name, glob in broad.header.items()]
    return all(_glob_covers(*pair) for pair in globs) and _properties_cover(
        broad.properties, narrow.properties
    )


def find_shadowed(scenarios: Sequence[Scenario], accounts: Accounts) -> dict[int, int]:
    """Scenarios (by position) that never get a request, each with the one that takes all of its requests."""
    by_anchor: dict[_Anchor, list[int]] = {}
    for position, scenario in enumerate(scenarios):
        for anchor in _filed_under(scenario.when):
            by_anchor.setdefault(anchor, []).append(position)
    found: dict[int, int] = {}
    for position, scenario in enumerate(scenarios):
        rank = _rank(scenario)
        for anchor in _looked_up(scenario.when, accounts):
            for other in by_anchor.get(anchor, ()):
                wins = _rank(scenarios[other]) < rank
                if wins and position not in found and covers(scenarios[other].when, scenario.when, accounts):
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
        return [(name, glob), (name, _ANY_GLOB)] if _is_wild(glob) else [(name, glob)]
    return [_ANY]


def _looked_up(when: Conditions, accounts: Accounts) -> list[_Anchor]:
    """Where everything that may cover `when` is filed."""
    given = {"sha256": when.sha256, "key": accounts.key_of(when), "account": accounts.name_of(when)}
    anchors = [("image", image) for image in when.images[:1]]
    anchors += [(name, value) for name, value in given.items() if value is not None]
    for name, glob in _globs(when):
        anchors += [(name, glob), (name, "*")] if _is_wild(glob) else [(name, glob), (name, _ANY_GLOB)]
    return [*anchors, _ANY]


def _globs(when: Conditions) -> list[tuple[str, str]]:
    named = [("url", when.url), ("filename", when.filename)]
    named += [(f"header {name}", glob) for name, glob in sorted(when.header.items())]
    return [(name, glob) for name, glob in named if glob is not None]


def _is_wild(glob: str) -> bool:
    return not _WILD.isdisjoint(glob)


def _glob_covers(broad: str | None, narrow: str | None) -> bool:
    if broad is None or broad == narrow:
        return True
    if narrow is None:
        return False
    return broad == "*" or (not _is_wild(narrow) and fnmatchcase(narrow, broad))


def _properties_cover(broad: ImageProperties | None, narrow: ImageProperties | None) -> bool:
    if broad is None:
        return True
    return all(
        _property_covers(one.name, getattr(broad, one.name), getattr(narrow, one.name, None))
        for one in fields(ImageProperties)
    )


def _property_covers(name: str, broad: int | str | None, narrow: int | str | None) -> bool:
    if broad is None or broad == narrow:
        return True
    if not isinstance(broad, int) or not isinstance(narrow, int) or name == "blank":
        return False
    return narrow >= broad if name.startswith("min_") else narrow <= broad


def _lower(text: str | None) -> str | None:
    return text.lower() if text is not None else None
