"""What users may hold on to: the exported names, the version, the command's verbs."""

import re
from dataclasses import fields
from importlib import import_module
from pathlib import Path

import click
import pytest

import mock_server
from mock_server.admin.journal_routes import FILTERS
from mock_server.cli.verbs import VERBS
from mock_server.client_models import RequestFilters
from mock_server.settings import Settings

ROOT = Path(__file__).parent.parent
CHANGELOG = ROOT / "CHANGELOG.md"


def test_exported_names_exist_and_are_listed() -> None:
    """Every name of `__all__` can be had, the list is in order, and nothing else is public."""
    for name in mock_server.__all__:
        assert getattr(mock_server, name, None), name

    assert sorted(mock_server.__all__) == mock_server.__all__
    assert {"MockServer", "MockClient"} <= set(mock_server.__all__)
    with pytest.raises(AttributeError):
        mock_server.NoSuchThing  # noqa: B018


def test_the_version_is_in_the_changelog() -> None:
    """The changelog has what is unreleased on top, then versions, of which the first is not newer than the package."""
    headings = re.findall(r"^## (.+)$", CHANGELOG.read_text(encoding="utf-8"), re.MULTILINE)

    assert headings[0] == "Unreleased"
    assert re.fullmatch(r"\d+\.\d+\.\d+", mock_server.__version__)
    assert all(heading.startswith(mock_server.__version__) for heading in headings[1:2])


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_a_command(verb: str) -> None:
    """Each verb is one module with a documented `command`, and every option of it has a help text."""
    command: click.Command = import_module(f"mock_server.cli.{verb}").command

    assert command.help
    assert [param.name for param in command.params if isinstance(param, click.Option) and not param.help] == []


@pytest.mark.parametrize("verb", ["serve", "exec"])
def test_every_setting_has_a_flag(verb: str) -> None:
    """Each setting can be given to `serve` and to `exec`, by its name and with its negative form."""
    command: click.Command = import_module(f"mock_server.cli.{verb}").command
    flags = {param.name: [*param.opts, *param.secondary_opts] for param in command.params}
    names = {setting.name: setting for setting in fields(Settings)}

    assert names.keys() <= flags.keys()
    for name in names.keys() - {"fixtures"}:
        flag = name.replace("_", "-")
        assert flags[name] == [f"--{flag}", f"--no-{flag}"] if names[name].type is bool else [f"--{flag}"]


def test_every_setting_has_a_help_text() -> None:
    """No setting is without a description."""
    assert all(setting.metadata["help"] for setting in fields(Settings))


def test_the_client_takes_every_filter() -> None:
    """The typed arguments of `requests`, `count` and `verify` are the filters of the journal."""
    assert set(RequestFilters.__annotations__) == set(FILTERS)
