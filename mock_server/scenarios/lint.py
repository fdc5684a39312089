"""What no schema sees: how the scenarios of a set stand to each other and to the accounts."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from mock_server.core.account import Account
from mock_server.core.scenario import Scenario
from mock_server.errors import Mistake
from mock_server.scenarios.issue import Issue, WrittenSource
from mock_server.scenarios.parse_results import NAMELESS, ParsedScenario
from mock_server.scenarios.shadowing import Accounts, same, shadows
from mock_server.suggest import quoted, suggest

if TYPE_CHECKING:
    from mock_server.imaging.index import ImageIndex


def check_set(scenarios: Sequence[ParsedScenario], accounts: Sequence[Account]) -> list[Mistake]:
    """Names, accounts and rivalry of the scenarios of one directory."""
    return [
        *_taken_names(scenarios),
        *_unknown_accounts(scenarios, accounts),
        *_rivals([one for one in scenarios if one.whole], Accounts(accounts)),
    ]


def check_index(
    scenarios: Sequence[ParsedScenario], accounts: Sequence[Account], index: "ImageIndex"
) -> list[Mistake]:
    """Pictures of different scenarios that look the same, and pictures with text too small to tell apart."""
    return [*_collisions(scenarios, Accounts(accounts), index), *_too_small(scenarios, index)]


def _taken_names(scenarios: Sequence[ParsedScenario]) -> Iterator[Mistake]:
    first: dict[str, ParsedScenario] = {}
    for one in scenarios:
        name = one.scenario.name
        if name in first:
            what = f"the name {quoted(name)} is taken ({_where(first[name])})"
            yield one.source.mistake(Issue(("scenario",), what))
        if name != NAMELESS:
            first[name] = one


def _unknown_accounts(scenarios: Sequence[ParsedScenario], accounts: Sequence[Account]) -> Iterator[Mistake]:
    keys = {account.key: account.name for account in accounts}
    names = {account.name: account.key for account in accounts}
    for one in scenarios:
        when = one.scenario.when
        if when.account is not None and when.account not in names:
            hint = suggest(when.account, names)
            yield one.source.mistake(
                Issue(("when", "account"), f"no account is named {quoted(when.account)}", hint)
            )
        elif when.key is not None and when.key not in keys:
            yield one.source.mistake(
                Issue(("when", "key"), "no account has this key", "mock.yaml declares them")
            )
        elif when.account is not None and when.key is not None and keys[when.key] != when.account:
            what = f"this key belongs to {quoted(keys[when.key])}, not to {quoted(when.account)}"
            yield one.source.mistake(Issue(("when", "key"), what))


def _rivals(scenarios: Sequence[ParsedScenario], accounts: Accounts) -> Iterator[Mistake]:
    plain = [replace(one.scenario, order=order) for order, one in enumerate(scenarios)]
    for position, winner in shadows(plain, accounts).items():
        loser, other = scenarios[position], scenarios[winner]
        name, where = other.scenario.name, _where(other)
        alike = same(plain[position].when, plain[winner].when, accounts)
        if alike and loser.scenario.priority == other.scenario.priority:
            what = f"no request can tell this scenario from {quoted(name)} ({where})"
            yield loser.source.mistake(Issue(("when",), what, "give one of them a further condition"))
            continue
        what = f"no request reaches this scenario: {quoted(name)} ({where}) takes all of them"
        yield loser.source.mistake(Issue(("when",), what, _why(loser.scenario, other.scenario)))


def _why(loser: Scenario, winner: Scenario) -> str:
    if winner.priority != loser.priority:
        return f"its priority is {winner.priority}, here it is {loser.priority}"
    return "it is as specific and comes first"


def _collisions(
    scenarios: Sequence[ParsedScenario], accounts: Accounts, index: "ImageIndex"
) -> Iterator[Mistake]:
    by_picture: dict[str, list[int]] = {}
    for position, one in enumerate(scenarios):
        for id in one.scenario.when.images:
            by_picture.setdefault(id, []).append(position)
    for collision in index.collisions():
        for a in by_picture.get(collision.a, ()):
            for b in by_picture.get(collision.b, ()):
                first, second = sorted((a, b))
                if first != second and _same_but_for_pictures(scenarios[a], scenarios[b], accounts):
                    mine = collision.b if b == second else collision.a
                    yield _collision(scenarios[second], scenarios[first], mine)


def _same_but_for_pictures(one: ParsedScenario, other: ParsedScenario, accounts: Accounts) -> bool:
    return same(replace(one.scenario.when, images=()), replace(other.scenario.when, images=()), accounts)


def _collision(one: ParsedScenario, other: ParsedScenario, id: str) -> Mistake:
    what = (
        f"{quoted(_written(one, id))} looks like a picture of {quoted(other.scenario.name)} ({_where(other)})"
    )
    path = ("when", "image", _number(one, id))
    return one.source.mistake(Issue(path, what, "give boxes around what differs, or a further condition"))


def _too_small(scenarios: Sequence[ParsedScenario], index: "ImageIndex") -> Iterator[Mistake]:
    first: dict[str, ParsedScenario] = {}
    for one in scenarios:
        for id in one.scenario.when.images:
            first.setdefault(id, one)
    for small in index.too_small():
        if small.id in first:
            one = first[small.id]
            what = f"the text in {quoted(_written(one, small.id))} has only {small.cell:.0f} pixels to a character"
            hint = "a picture that differs in one character may be taken for it"
            path = ("when", "image", _number(one, small.id))
            yield one.source.mistake(Issue(path, what, hint, warning=True))


def _number(one: ParsedScenario, id: str) -> int:
    return next(number for number, (_, picture) in enumerate(one.pictures) if picture == id)


def _written(one: ParsedScenario, id: str) -> str:
    return one.pictures[_number(one, id)][0]


def _where(one: ParsedScenario) -> str:
    source = one.source
    if not isinstance(source, WrittenSource):
        return "added at run time"
    return f"{source.file}:{source.place(('scenario',)).line}"
