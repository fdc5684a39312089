"""What users may hold on to: the exported names, the version, the command's verbs."""

import re
from importlib import import_module
from pathlib import Path

import pytest

import mock_server
from mock_server.cli import _VERBS
from mock_server.settings import Settings, setting_names

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


@pytest.mark.parametrize("verb", _VERBS)
def test_every_verb_has_a_command(verb: str) -> None:
    """Each verb is one module with a documented `command`."""
    assert import_module(f"mock_server.cli.{verb}").command.__doc__


def test_every_setting_has_a_flag() -> None:
    """Each setting can be given to `serve`, by its name."""
    parameters = import_module("mock_server.cli.serve").command.__annotations__

    assert set(setting_names()) <= parameters.keys()
    assert all(field.metadata["help"] for field in Settings.__dataclass_fields__.values())
