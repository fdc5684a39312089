"""The rule of precedence, compared with a direct implementation of the documentation."""

from fnmatch import fnmatchcase

from hypothesis import given, settings

from mock_server.core.account import Account
from mock_server.core.conditions import Query
from mock_server.core.matching import Scenarios
from mock_server.core.model import OutcomeName
from mock_server.core.scenario import Scenario
from tests.scenarios.test_shadowing import ACCOUNTS, asked_by, requests, sets


def _holds(scenario: Scenario, asked: Query, account: Account) -> bool:
    when, request = scenario.when, asked.request
    assert asked.search is not None
    return all(
        (
            not when.images or asked.search.matches[0].id in when.images,
            when.filename is None or fnmatchcase(request.filename or "", when.filename),
            when.key in (None, account.key),
            when.account in (None, account.name),
            when.provider in (None, request.provider),
            when.product in (None, request.product),
            when.language is None or when.language.lower() == request.language.lower(),
            all(
                name in request.headers and fnmatchcase(request.headers[name], glob)
                for name, glob in when.header.items()
            ),
        )
    )


def _conditions(scenario: Scenario) -> int:
    when = scenario.when
    single = (when.images or None, when.filename, when.key, when.account, when.provider, when.product, when.language)
    return sum(one is not None for one in single) + len(when.header)


def _is_bound_error(scenario: Scenario) -> bool:
    when = scenario.when
    is_bound = any((when.filename, when.url, when.header, when.key, when.account))
    recognised = (OutcomeName.READ, OutcomeName.NOTHING_FOUND, OutcomeName.NO_TEXT)
    return is_bound and any(step.fault or step.outcome not in recognised for step in scenario.steps)


@settings(max_examples=300, deadline=None)
@given(scenarios=sets, asked=requests)
def test_the_winner_is_the_documented_one(scenarios: list[Scenario], asked: Query) -> None:
    """The lowest priority number, bound errors before pictures, more conditions, exactness, order."""
    for account in ACCOUNTS:
        holding = [one for one in scenarios if _holds(one, asked, account)]
        # A perceptual match is less exact than a rule without a picture.
        documented = sorted(
            holding, key=lambda one: (one.priority, -_conditions(one), bool(one.when.images), one.order)
        )
        errors = [one for one in documented if _is_bound_error(one) and one.priority == documented[0].priority]
        if errors and documented[0].when.images and not _is_bound_error(documented[0]):
            documented.remove(errors[0])
            documented.insert(0, errors[0])
        found = Scenarios(scenarios).matches(asked_by(asked, account))

        assert [match.scenario for match in found] == documented
