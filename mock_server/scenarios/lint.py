"""Checks that a schema cannot make: of scenarios against each other and the accounts, of VINs, of similar pictures."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from mock_server.core.account import Account
from mock_server.core.scenario import Scenario
from mock_server.errors import Mistake
from mock_server.identifiers import vins
from mock_server.scenarios.parse_results import NAMELESS, ParsedScenario
from mock_server.scenarios.shadowing import Accounts, are_same, find_shadowed
from mock_server.scenarios.source import FileSource, Source
from mock_server.suggest import quoted, suggest

if TYPE_CHECKING:
    from mock_server.imaging.index import ImageIndex


def check_set(scenarios: Sequence[ParsedScenario], accounts: Sequence[Account]) -> list[Mistake]:
    """Duplicate names, unknown accounts, and scenarios that no request reaches."""
    return [
        *_duplicate_names(scenarios),
        *_unknown_accounts(scenarios, accounts),
        *_unreachable([one for one in scenarios if one.is_complete], Accounts(accounts)),
    ]


def check_index(scenarios: Sequence[ParsedScenario], accounts: Sequence[Account], index: "ImageIndex") -> list[Mistake]:
    """Pictures of different scenarios that look the same, and pictures whose text is too small."""
    return [*_collisions(scenarios, Accounts(accounts), index), *_too_small(scenarios, index)]


def _duplicate_names(scenarios: Sequence[ParsedScenario]) -> Iterator[Mistake]:
    first: dict[str, ParsedScenario] = {}
    for one in scenarios:
        name = one.scenario.name
        if name in first:
            what = f"the name {quoted(name)} is taken ({_where(first[name])})"
            yield one.source.mistake(("scenario",), what)
        if name != NAMELESS:
            first[name] = one


def _unknown_accounts(scenarios: Sequence[ParsedScenario], accounts: Sequence[Account]) -> Iterator[Mistake]:
    keys = {account.key: account.name for account in accounts}
    names = {account.name: account.key for account in accounts}
    for one in scenarios:
        when = one.scenario.when
        if when.account is not None and when.account not in names:
            what = f"no account is named {quoted(when.account)}"
            yield one.source.mistake(("when", "account"), what, suggest(when.account, names))
        elif when.key is not None and when.key not in keys:
            yield one.source.mistake(("when", "key"), "no account has this key", "mock.yaml declares them")
        elif when.account is not None and when.key is not None and keys[when.key] != when.account:
            what = f"this key belongs to {quoted(keys[when.key])}, not to {quoted(when.account)}"
            yield one.source.mistake(("when", "key"), what)


def _unreachable(scenarios: Sequence[ParsedScenario], accounts: Accounts) -> Iterator[Mistake]:
    for position, winner in find_shadowed([one.scenario for one in scenarios], accounts).items():
        loser, other = scenarios[position], scenarios[winner]
        name, where = other.scenario.name, _where(other)
        alike = are_same(loser.scenario.when, other.scenario.when, accounts)
        if alike and loser.scenario.priority == other.scenario.priority:
            what = f"no request can tell this scenario from {quoted(name)} ({where})"
            yield loser.source.mistake(("when",), what, "give one of them a further condition")
            continue
        what = f"no request reaches this scenario: {quoted(name)} ({where}) takes all of them"
        yield loser.source.mistake(("when",), what, _why(loser.scenario, other.scenario))


def _why(loser: Scenario, winner: Scenario) -> str:
    if winner.priority != loser.priority:
        return f"its priority is {winner.priority}, here it is {loser.priority}"
    return "it is as specific and comes first"


def _collisions(scenarios: Sequence[ParsedScenario], accounts: Accounts, index: "ImageIndex") -> Iterator[Mistake]:
    by_picture: dict[str, list[int]] = {}
    for position, one in enumerate(scenarios):
        for id in one.scenario.when.images:
            by_picture.setdefault(id, []).append(position)
    for collision in index.collisions():
        for a in by_picture.get(collision.a, ()):
            for b in by_picture.get(collision.b, ()):
                first, second = sorted((a, b))
                if first != second and _differ_in_pictures_only(scenarios[a], scenarios[b], accounts):
                    mine = collision.b if b == second else collision.a
                    yield _collision(scenarios[second], scenarios[first], mine)


def _differ_in_pictures_only(one: ParsedScenario, other: ParsedScenario, accounts: Accounts) -> bool:
    return are_same(replace(one.scenario.when, images=()), replace(other.scenario.when, images=()), accounts)


def _collision(one: ParsedScenario, other: ParsedScenario, id: str) -> Mistake:
    number = one.position_of(id)
    name = quoted(other.scenario.name)
    what = f"{quoted(one.pictures[number][0])} looks like a picture of {name} ({_where(other)})"
    hint = "give boxes around what differs, or a further condition"
    return one.source.mistake(("when", "image", number), what, hint)


def _too_small(scenarios: Sequence[ParsedScenario], index: "ImageIndex") -> Iterator[Mistake]:
    first: dict[str, ParsedScenario] = {}
    for one in scenarios:
        for id in one.scenario.when.images:
            first.setdefault(id, one)
    for small in index.too_small():
        if small.id in first:
            one = first[small.id]
            number = one.position_of(small.id)
            picture = quoted(one.pictures[number][0])
            what = f"the text in {picture} has only {small.character:.0f} pixels to a character"
            hint = "a picture that differs in one character may be taken for it"
            yield one.source.mistake(("when", "image", number), what, hint, warning=True)


def _where(one: ParsedScenario) -> str:
    if not isinstance(one.source, FileSource):
        return "added at run time"
    return f"{one.source.file}:{one.scenario.line}"


def vin_warnings(scenario: Scenario, source: Source) -> Iterator[Mistake]:
    """Warnings of texts that are not valid VINs, unless a step says that the VIN is to be wrong."""
    vin = scenario.reading.vin
    if vin is None or any(step.trouble and step.trouble.bad_check_digit for step in scenario.steps):
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
