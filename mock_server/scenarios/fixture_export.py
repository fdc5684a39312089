"""A fixture set as the files of a fixtures directory, with which a server behaves the same."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from enum import Enum
from math import inf
from pathlib import Path, PurePosixPath
from typing import Any

from mock_server.core.account import Account, Quota
from mock_server.core.library import Defaults, FixtureSet, gallery_name
from mock_server.core.model import Product
from mock_server.core.scenario import Scenario
from mock_server.scenarios.discovery import MOCK_FILE, SCENARIO_DIRECTORY
from mock_server.scenarios.scenario_writer import delay_document, percentage_text, scenario_document, yaml_text
from mock_server.scenarios.variables import MOCK_PLACES, SCENARIO_PLACES, escape

IMAGE_DIRECTORY = "images"
BODY_DIRECTORY = "bodies"

_OPTIONAL: Mapping[str, object] = {
    "description": "",
    "priority": 5,
    "when": {},
    "reading": {},
    "then": [{"outcome": "read"}],
    "repeat": "last",
}
"""The parts of a scenario that are left out, with the values that they then have."""
_UNLIMITED = "unlimited"
_SECRETS = ("admin_token",)
"""Settings that are never written."""
_BARE_ACCOUNT = Account("", "")
_NO_DEFAULTS = Defaults()


def fixture_files(fixtures: FixtureSet, accounts: Sequence[Account]) -> Iterator[tuple[str, bytes | Path]]:
    """The files of a directory by their paths: text, or the bytes of a picture, or the file that has them.

    Runtime scenarios become overlays. Pictures keep their names under `/images/`.
    """
    names = _image_paths(fixtures)
    yield MOCK_FILE, _yaml(_mock_document(accounts, fixtures.defaults), MOCK_PLACES)
    overlays = [scenario for scenario in fixtures.scenarios if scenario.order < 0]
    others = [scenario for scenario in fixtures.scenarios if scenario.order >= 0]
    # Runtime scenarios were added after the overlays of the files, and the latest wins.
    overlays.sort(key=lambda scenario: (-scenario.layer, -scenario.order))
    others.sort(key=lambda scenario: scenario.order)
    for scenario, path in zip(others, _scenario_paths(others), strict=True):
        yield path, _scenario_file(scenario, names)
    for number, scenario in enumerate(overlays, 1):
        path = f"{SCENARIO_DIRECTORY}/overlays/{number:0{len(str(len(overlays)))}}-{scenario.name}.yaml"
        yield path, _scenario_file(replace(scenario, overlay=True), names)
    yield from _body_files(fixtures.scenarios)
    for id, source in {**fixtures.unnamed, **fixtures.images}.items():
        yield names[id], source


def _image_paths(fixtures: FixtureSet) -> dict[str, str]:
    """The path of each picture. Two pictures can have the same name under `/images/`; only the last is served there."""
    paths: dict[str, str] = {}
    taken: set[str] = set()
    for id in reversed([*fixtures.unnamed, *fixtures.images]):
        name = gallery_name(id)
        path = f"{IMAGE_DIRECTORY}/{name}" if name not in taken else f"{IMAGE_DIRECTORY}/{id}"
        taken.add(name)
        paths[id] = path
    return paths


def _scenario_paths(scenarios: Sequence[Scenario]) -> list[str]:
    """A path for each scenario, in their order: its name, after a number if the names have another order."""
    names = [f"{scenario.name}.yaml" for scenario in scenarios]
    if names != sorted(set(names)):
        names = [f"{number:0{len(str(len(names)))}}-{name}" for number, name in enumerate(names, 1)]
    return [f"{SCENARIO_DIRECTORY}/{name}" for name in names]


def _scenario_file(scenario: Scenario, names: Mapping[str, str]) -> bytes:
    depth = 2 if scenario.overlay else 1
    written = scenario_document(scenario)
    document = {name: value for name, value in written.items() if name not in _OPTIONAL or value != _OPTIONAL[name]}
    for step in document.get("then", ()):
        if body_file := step.get("reply", {}).get("body_file"):
            step["reply"]["body_file"] = str(PurePosixPath(*[".."] * depth, BODY_DIRECTORY, body_file))
    if scenario.when.images:
        paths = [str(PurePosixPath(*[".."] * depth, names[id])) for id in scenario.when.images]
        document["when"] = {**document["when"], "image": paths if len(paths) > 1 else paths[0]}
    return _yaml(document | ({"overlay": True} if scenario.overlay else {}), SCENARIO_PLACES)


def _body_files(scenarios: Sequence[Scenario]) -> Iterator[tuple[str, bytes | Path]]:
    """The bodies of replies that are no text, and therefore not in their scenarios."""
    replies = [step.reply for scenario in scenarios for step in scenario.steps if step.reply and step.reply.body_file]
    files = {f"{BODY_DIRECTORY}/{reply.body_file}": reply.body for reply in replies if reply.text is None}
    yield from files.items()


def _yaml(document: Mapping[str, Any], places_of_variables: tuple[tuple[str, ...], ...] = ()) -> bytes:
    """A document as the content of a file. The document may be changed."""
    escape(document, places_of_variables)
    return yaml_text(document, width=inf).encode()


def _mock_document(accounts: Sequence[Account], defaults: Defaults) -> dict[str, Any]:
    """The document of `mock.yaml`. It has no admin token."""
    document: dict[str, Any] = {"accounts": [_account(account) for account in accounts]}
    for field in fields(Defaults):
        value = getattr(defaults, field.name)
        if field.name == "settings":
            document |= {name: text for name, text in value.items() if name not in _SECRETS}
        elif field.name == "variants":
            document |= _plain(value)
        elif field.name == "delay" and value is not None:
            document["delay"] = delay_document(value)
        elif field.name == "chaos":
            document |= {"chaos": {str(name): percentage_text(share) for name, share in value.items()}} if value else {}
        elif value != getattr(_NO_DEFAULTS, field.name):
            document[field.name] = _plain(value)
    return document


def _account(account: Account) -> dict[str, Any]:
    """An account as it was declared, without fields that have their default."""
    names = [field.name for field in fields(Account) if field.name != "declared"]
    found = {name: getattr(account, name) for name in names}
    document = {name: _plain(value) for name, value in found.items() if value != getattr(_BARE_ACCOUNT, name)}
    if "shared_quota" in document:
        document["quota"] = {"shared": document.pop("shared_quota")}
    return document


def _plain(value: Any) -> Any:
    match value:
        case Enum():
            return value.value
        case None:
            return _UNLIMITED
        case Quota(limit, used):
            return {"limit": _plain(limit), "used": used} if used else _plain(limit)
        case Mapping():
            return {_plain(name): _plain(item) for name, item in value.items()}
        case frozenset():
            # Plans are in the order of the products, outcomes in alphabetical order.
            return sorted(map(_plain, value), key=lambda item: (item not in set(Product), item))
        case _:
            return value
